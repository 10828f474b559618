/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/bus-signals.h"

#include "base/log.h"
#include "broker/bus/bus-sandbox.h"
#include "broker/bus/interface.h"

/* Connections of one user that may listen. */
#define SUBSCRIBERS_PER_USER_MAX 32U

/* Appends the arguments for one subscriber. 0, or -ENODATA: nothing in it concerns them, and nothing is sent. */
typedef int (*SignalFill)(sd_bus_message *m, const View *to, const void *data);

typedef struct SignalTarget {
        const Object *object; /* who may see it gets the signal; NULL: every subscriber */
        const char *path;
        const char *interface;
        const char *member;
} SignalTarget;

int signals_subscribe(Manager *m, Peer *p) {
        if (!p->subscribed && p->uid != 0 &&
            peers_count_subscribed(m->peers, p->uid) >= SUBSCRIBERS_PER_USER_MAX)
                return -EDQUOT;

        p->subscribed = true;
        return 0;
}

void signals_unsubscribe(Peer *p) { p->subscribed = false; }

static int
send_one(const Peer *to, const SignalTarget *t, SignalFill fill, const View *view, const void *data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_signal(view->manager->bus, &message, t->path, t->interface, t->member);
        if (r >= 0)
                r = sd_bus_message_set_destination(message, to->name);
        if (r >= 0)
                r = fill(message, view, data);
        if (r < 0)
                return r == -ENODATA ? 0 : r;

        return sd_bus_send(view->manager->bus, message, NULL);
}

static void on_account(KnownAccount *known, void *userdata) {
        Peer *p = userdata;

        p->query = NULL;
        (void) known_account_unref(p->account);
        p->account = known_account_ref(known);
}

/*
 * Signals do not wait for the name service: they go by the account that was known last, which is asked for anew at
 * most every few seconds. Whoever just left a group may see one more.
 */
static void refresh_account(Manager *m, Peer *p) {
        _cleanup_(known_account_unrefp) KnownAccount *known = NULL;

        if (p->uid == 0 || p->query)
                return;

        if (accounts_peek(m->accounts, NULL, p->uid, &known) >= 0) {
                (void) known_account_unref(p->account);
                p->account = TAKE_PTR(known);
                return;
        }

        (void) accounts_ask(m->accounts, p->uid, NULL, p->uid, on_account, p, &p->query);
}

static void send_each(Manager *m, const SignalTarget *t, SignalFill fill, const void *data) {
        int r;

        PEERS_FOREACH (p, m->peers) {
                Caller caller;
                View view;

                if (p->state != PEER_KNOWN || !p->subscribed)
                        continue;

                refresh_account(m, p);
                caller = (Caller){ .uid = p->uid, .account = p->account ? p->account->account : NULL };
                if (t->object && !object_is_visible(m, &caller, t->object))
                        continue;

                view = (View){ m, &caller, t->object };
                r = send_one(p, t, fill, &view, data);
                if (r < 0)
                        (void) log_message_errno(LOG_WARNING, r, "Cannot send %s to %s", t->member, p->name);
        }
}

static int fill_interfaces_added(sd_bus_message *m, const View *to, const void *data) {
        return object_append_interfaces(m, to);
}

static int fill_interfaces_removed(sd_bus_message *m, const View *to, const void *data) {
        return sd_bus_message_append(m,
                                     "oas",
                                     to->object->path,
                                     3,
                                     interface_own(to->manager, to->object->kind)->name,
                                     INTERFACE_PROPERTIES,
                                     INTERFACE_INTROSPECTABLE);
}

static void signals_interfaces(Manager *m, const Object *object, bool added) {
        const SignalTarget t = {
                .object = object,
                .path = OBJECT_PATH_MANAGER,
                .interface = INTERFACE_OBJECT_MANAGER,
                .member = added ? "InterfacesAdded" : "InterfacesRemoved",
        };

        send_each(m, &t, added ? fill_interfaces_added : fill_interfaces_removed, NULL);
}

static int fill_sandbox_new(sd_bus_message *m, const View *to, const void *data) {
        const SandboxEntry *s = data;

        return sd_bus_message_append(m, "sosu", s->record->id, s->path, s->record->profile, s->record->uid);
}

void signals_sandbox_new(Manager *m, SandboxEntry *s) {
        const Object object = object_of_sandbox(s);
        const SignalTarget t = { &object, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, "SandboxNew" };

        signals_interfaces(m, &object, true);
        send_each(m, &t, fill_sandbox_new, s);
}

typedef struct RemovedData {
        const SandboxEntry *sandbox;
        SandboxResult result;
        int32_t code, status;
} RemovedData;

static int fill_sandbox_removed(sd_bus_message *m, const View *to, const void *data) {
        const RemovedData *d = data;

        return sd_bus_message_append(m,
                                     "sosii",
                                     d->sandbox->record->id,
                                     d->sandbox->path,
                                     sandbox_result_name(d->result),
                                     d->code,
                                     d->status);
}

void signals_sandbox_removed(
        Manager *m, SandboxEntry *s, SandboxResult result, int32_t code, int32_t status) {
        const Object object = object_of_sandbox(s);
        const SignalTarget t = { &object, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, "SandboxRemoved" };
        const RemovedData d = { .sandbox = s, .result = result, .code = code, .status = status };

        send_each(m, &t, fill_sandbox_removed, &d);
        signals_interfaces(m, &object, false);
}

typedef struct EventData {
        const SandboxEntry *sandbox;
        const SandboxEvent *event;
} EventData;

static int fill_event(sd_bus_message *m, const View *to, const void *data) {
        const EventData *d = data;
        const EventDetail *details = sandbox_event_row(d->event->kind)->details;
        int r;

        r = sd_bus_message_append_basic(m, 's', d->sandbox->record->id);
        for (size_t i = 0; r >= 0 && details[i].name; i++) {
                const EventValue *v = d->event->details + i;

                r = sd_bus_message_append_basic(
                        m, details[i].type, details[i].type == 's' ? (const void *) v->text : &v->number);
        }

        return r;
}

void signals_event(Manager *m, SandboxEntry *s, const SandboxEvent *e) {
        const Object object = object_of_sandbox(s);
        const SandboxEventRow *row = sandbox_event_row(e->kind);
        const SignalTarget t = { &object, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, row->name };
        const EventData d = { .sandbox = s, .event = e };

        if (row->audience == EVENT_FOR_INSPECTORS)
                send_each(m, &t, fill_event, &d);
}

static int fill_sandbox_changed(sd_bus_message *m, const View *to, const void *data) {
        int r;

        r = sd_bus_message_append_basic(m, 's', INTERFACE_SANDBOX);
        if (r >= 0)
                r = sandbox_append_changes(m, to, data);

        return r < 0 ? r : sd_bus_message_append(m, "as", 0);
}

void signals_sandbox_changed(Manager *m, SandboxEntry *s, const SandboxRecord *before) {
        const Object object = object_of_sandbox(s);
        const SignalTarget t = { &object, s->path, INTERFACE_PROPERTIES, "PropertiesChanged" };

        send_each(m, &t, fill_sandbox_changed, before);
}

void signals_user(Manager *m, uid_t uid, bool appeared) {
        _cleanup_free_ char *path = NULL;
        Object object;

        if (object_path_of_user(uid, &path) < 0) {
                (void) log_oom();
                return;
        }

        object = (Object){ .kind = OBJECT_USER, .path = path, .uid = uid };
        signals_interfaces(m, &object, appeared);
}

static int fill_boolean(sd_bus_message *m, const View *to, const void *data) {
        return sd_bus_message_append_basic(m, 'b', data);
}

void signals_reloading(Manager *m, bool active) {
        const SignalTarget t = { NULL, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, "Reloading" };
        const int value = active;

        send_each(m, &t, fill_boolean, &value);
}

typedef struct ProfilesData {
        const Catalog *before, *after;
} ProfilesData;

static bool may_see_entry(const View *to, const CatalogEntry *e) {
        const Object object = object_of_profile(e);

        return object_is_visible(to->manager, to->caller, &object);
}

/* Appends the name where it differs between the catalogs and this subscriber could or can see it. */
static int append_if_changed(
        sd_bus_message *m, const View *to, const CatalogEntry *old, const CatalogEntry *new, size_t *n) {
        const char *name = (new ?: old)->loaded->name;

        if (old && new &&catalog_entry_equal(old, new))
                return 0;
        if (!(old && may_see_entry(to, old)) && !(new &&may_see_entry(to, new)))
                return 0;

        (*n)++;
        return sd_bus_message_append_basic(m, 's', name);
}

static int fill_profiles_changed(sd_bus_message *m, const View *to, const void *data) {
        const ProfilesData *d = data;
        size_t n = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < d->after->n_entries; i++) {
                const CatalogEntry *e = d->after->entries + i;

                r = append_if_changed(m, to, catalog_find(d->before, e->loaded->name), e, &n);
        }

        for (size_t i = 0; r >= 0 && i < d->before->n_entries; i++) {
                const CatalogEntry *e = d->before->entries + i;

                if (!catalog_find(d->after, e->loaded->name))
                        r = append_if_changed(m, to, e, NULL, &n);
        }
        if (r >= 0 && n == 0)
                r = -ENODATA;

        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Objects of profiles that came, went or became something else: those are new objects to whoever caches them. */
static void signals_profile_objects(Manager *m, const Catalog *before, const Catalog *after) {
        for (size_t i = 0; i < before->n_entries; i++) {
                const CatalogEntry *old = before->entries + i, *new = catalog_find(after, old->loaded->name);
                const Object object = object_of_profile(old);

                if (!new || !catalog_entry_equal(old, new))
                        signals_interfaces(m, &object, false);
        }

        for (size_t i = 0; i < after->n_entries; i++) {
                const CatalogEntry *new = after->entries + i, *old = catalog_find(before, new->loaded->name);
                const Object object = object_of_profile(new);

                if (!old || !catalog_entry_equal(old, new))
                        signals_interfaces(m, &object, true);
        }
}

void signals_profiles_changed(Manager *m, const Catalog *before, const Catalog *after) {
        const SignalTarget t = { NULL, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, "ProfilesChanged" };
        const ProfilesData d = { .before = before, .after = after };

        signals_profile_objects(m, before, after);
        send_each(m, &t, fill_profiles_changed, &d);
}
