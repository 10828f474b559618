/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/bus-signals.h"

#include "base/log.h"
#include "broker/bus/bus-sandbox.h"
#include "broker/bus/interface.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

/* Subscribed connections that one user may have. */
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

static void send_interfaces(Manager *m, const Object *object, bool added) {
        const SignalTarget t = {
                .object = object,
                .path = OBJECT_PATH_MANAGER,
                .interface = INTERFACE_OBJECT_MANAGER,
                .member = added ? "InterfacesAdded" : "InterfacesRemoved",
        };

        send_each(m, &t, added ? fill_interfaces_added : fill_interfaces_removed, NULL);
}

/* A user's first sandbox came, or their last went. */
static void send_user(Manager *m, uid_t uid, bool appeared) {
        _cleanup_free_ char *path = NULL;
        Object object;

        if (object_path_of_user(uid, &path) < 0) {
                (void) log_oom();
                return;
        }

        object = (Object){ .kind = OBJECT_USER, .path = path, .uid = uid };
        send_interfaces(m, &object, appeared);
}

void signals_update_status(Manager *m) {
        size_t n_sandboxes = m->sandboxes.n_items, n_users = sandboxes_count_users(&m->sandboxes);

        (void) sd_notifyf(false,
                          "STATUS=%zu %s of %zu %s",
                          n_sandboxes,
                          n_sandboxes == 1 ? "sandbox" : "sandboxes",
                          n_users,
                          n_users == 1 ? "user" : "users");
}

static int fill_sandbox_new(sd_bus_message *m, const View *to, const void *data) {
        const SandboxEntry *s = to->object->sandbox;

        return sd_bus_message_append(m, "sosu", s->record->id, s->path, s->record->profile, s->record->uid);
}

/* first: of its user's. One that is hidden is new when it is shown. */
static void send_new(Manager *m, SandboxEntry *s, bool first) {
        const Object object = object_of_sandbox(s);
        const SignalTarget t = { &object, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, "SandboxNew" };

        if (sandbox_record_is_hidden(s->record))
                return;

        if (first)
                send_user(m, s->record->uid, true);
        send_interfaces(m, &object, true);
        send_each(m, &t, fill_sandbox_new, NULL);
}

static void sandbox_appeared(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record) {
        bool first = !sandboxes_has_user(&m->sandboxes, record->uid);
        uid_t uid = record->uid;
        SandboxEntry *s;
        int r;

        r = sandboxes_insert(&m->sandboxes, record, keeper, &s);
        if (r < 0) {
                (void) log_errno(r, "A sandbox of user %u cannot be shown", uid);
                return;
        }

        send_new(m, s, first);
        signals_update_status(m);
}

static int fill_sandbox_changed(sd_bus_message *m, const View *to, const void *data) {
        int r;

        r = sd_bus_message_append_basic(m, 's', INTERFACE_SANDBOX);
        if (r >= 0)
                r = sandbox_append_changes(m, to, data);

        return r < 0 ? r : sd_bus_message_append(m, "as", 0);
}

void signals_record_changed(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record) {
        _cleanup_(sandbox_record_freep) SandboxRecord *before = NULL;
        SandboxEntry *s = sandboxes_find(&m->sandboxes, record->id);
        SignalTarget t = { NULL, NULL, INTERFACE_PROPERTIES, "PropertiesChanged" };
        Object object;
        bool first;

        /* A failed one makes room for a new one of the same name: that is another sandbox. */
        if (s && !streq(s->record->invocation_id, record->invocation_id)) {
                signals_record_removed(
                        m, s, s->record->result, s->record->exec_main_code, s->record->exec_main_status);
                s = NULL;
        }

        if (!s) {
                sandbox_appeared(m, keeper, record);
                return;
        }

        first = !sandboxes_has_user(&m->sandboxes, record->uid);
        before = s->record;
        s->record = record;
        s->keeper = keeper;
        if (sandbox_record_is_hidden(before)) {
                send_new(m, s, first);
                return;
        }

        object = object_of_sandbox(s);
        t.object = &object;
        t.path = s->path;
        send_each(m, &t, fill_sandbox_changed, before);
}

typedef struct RemovedData {
        SandboxResult result;
        int32_t code, status;
} RemovedData;

static int fill_sandbox_removed(sd_bus_message *m, const View *to, const void *data) {
        const SandboxEntry *s = to->object->sandbox;
        const RemovedData *d = data;

        return sd_bus_message_append(
                m, "sosii", s->record->id, s->path, sandbox_result_name(d->result), d->code, d->status);
}

void signals_record_removed(
        Manager *m, SandboxEntry *sandbox, SandboxResult result, int32_t code, int32_t status) {
        _cleanup_(sandbox_entry_freep) SandboxEntry *gone = sandbox;
        const Object object = object_of_sandbox(gone);
        const SignalTarget t = { &object, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, "SandboxRemoved" };
        const RemovedData d = { .result = result, .code = code, .status = status };

        sandboxes_remove(&m->sandboxes, gone);
        send_each(m, &t, fill_sandbox_removed, &d);
        send_interfaces(m, &object, false);
        if (!sandbox_record_is_hidden(gone->record) && !sandboxes_has_user(&m->sandboxes, gone->record->uid))
                send_user(m, gone->record->uid, false);
        signals_update_status(m);
}

static bool is_among(SandboxRecord *const *records, size_t n_records, const char *id) {
        for (size_t i = 0; i < n_records; i++)
                if (records[i] && streq(records[i]->id, id))
                        return true;

        return false;
}

void signals_snapshot(Manager *m, struct KeeperEntry *keeper, SandboxRecord **records, size_t n_records) {
        /* A keeper keeps what has failed, so what is gone from its list has ended well. */
        for (size_t i = m->sandboxes.n_items; i > 0; i--) {
                SandboxEntry *s = m->sandboxes.items[i - 1];

                if (s->keeper == keeper && !is_among(records, n_records, s->record->id))
                        signals_record_removed(m, s, SANDBOX_SUCCESS, CLD_EXITED, 0);
        }

        for (size_t i = 0; i < n_records; i++)
                signals_record_changed(m, keeper, TAKE_PTR(records[i]));
}

static int fill_event(sd_bus_message *m, const View *to, const void *data) {
        const SandboxEvent *event = data;
        const EventDetail *details = sandbox_event_row(event->kind)->details;
        int r;

        r = sd_bus_message_append_basic(m, 's', to->object->sandbox->record->id);
        for (size_t i = 0; r >= 0 && details[i].name; i++) {
                const EventValue *v = event->details + i;

                r = sd_bus_message_append_basic(
                        m, details[i].type, details[i].type == 's' ? (const void *) v->text : &v->number);
        }

        return r;
}

void signals_event(Manager *m, SandboxEntry *s, const SandboxEvent *e) {
        const Object object = object_of_sandbox(s);
        const SandboxEventRow *row = sandbox_event_row(e->kind);
        const SignalTarget t = { &object, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, row->name };

        if (row->audience == EVENT_FOR_INSPECTORS)
                send_each(m, &t, fill_event, e);
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

/* Appends the profile's name if it has changed and this subscriber may see it in either catalog. */
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

/* A profile that has changed is announced as gone and new, for the sake of clients that cache its properties. */
static void signals_profile_objects(Manager *m, const Catalog *before, const Catalog *after) {
        for (size_t i = 0; i < before->n_entries; i++) {
                const CatalogEntry *old = before->entries + i, *new = catalog_find(after, old->loaded->name);
                const Object object = object_of_profile(old);

                if (!new || !catalog_entry_equal(old, new))
                        send_interfaces(m, &object, false);
        }

        for (size_t i = 0; i < after->n_entries; i++) {
                const CatalogEntry *new = after->entries + i, *old = catalog_find(before, new->loaded->name);
                const Object object = object_of_profile(new);

                if (!old || !catalog_entry_equal(old, new))
                        send_interfaces(m, &object, true);
        }
}

void signals_profiles_changed(Manager *m, const Catalog *before, const Catalog *after) {
        const SignalTarget t = { NULL, OBJECT_PATH_MANAGER, INTERFACE_MANAGER, "ProfilesChanged" };
        const ProfilesData d = { .before = before, .after = after };

        signals_profile_objects(m, before, after);
        send_each(m, &t, fill_profiles_changed, &d);
}
