/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/keepers.h"

#include "base/log.h"
#include "base/text.h"
#include "broker/state/expected.h"

struct Keepers {
        KeepersSetup setup;
        LinkServer *server;
        KeeperList list;
        Expected *expected; /* NULL: all have been heard */
};

/* app "": the user's own; otherwise the uid does not count. */
static KeeperEntry *entry_find(Keepers *k, uid_t uid, const char *app) {
        KeeperEntry *keeper;

        LIST_FOREACH (keeper, &k->list, entry)
                if (streq(keeper->app, app) && (*app || keeper->uid == uid))
                        return keeper;

        return NULL;
}

void keepers_forget(Keepers *k, SandboxEntry *s) {
        k->setup.handlers->removed(k->setup.manager,
                                   s,
                                   s->record->result,
                                   s->record->exec_main_code,
                                   s->record->exec_main_status);
}

/* As a keeper does it: the newest ended sandboxes of a user are remembered. What no keeper holds goes first. */
static void forget_surplus(Keepers *k, uid_t uid) {
        SandboxEntry *s;

        while ((s = sandboxes_surplus(k->setup.sandboxes, uid, LINK_ENDED_MAX)))
                keepers_forget(k, s);
}

static void on_answered(KeeperLink *l, void *userdata) {
        if (l->owner)
                keeper_entry_reconsider(l->owner);
}

void keepers_hear(Keepers *k, uid_t uid) {
        const KeeperEntry *keeper = keepers_find_ready(k, uid);

        if (keeper)
                keeper_link_hear(keeper->link);
}

KeeperEntry *keepers_find_ready(Keepers *k, uid_t uid) {
        KeeperEntry *keeper = entry_find(k, uid, "");

        return keeper && keeper->state == KEEPER_READY ? keeper : NULL;
}

KeeperEntry *keepers_find_linked(Keepers *k, const sd_bus *bus) {
        KeeperEntry *keeper;

        LIST_FOREACH (keeper, &k->list, entry)
                if (keeper->link && keeper->link->bus == bus)
                        return keeper;

        return NULL;
}

int keepers_wait(Keepers *k, uid_t uid, KeeperWaiter *w) {
        KeeperEntry *keeper = entry_find(k, uid, "");
        int r;

        if (!keeper) {
                r = keeper_entry_new(&keeper, &k->list, &k->setup, uid, "");
                if (r < 0)
                        return r;
                keeper_entry_begin(keeper);
        }

        w->keeper = keeper;
        TAILQ_INSERT_TAIL(&keeper->waiters, w, entry);
        return 0;
}

void keepers_withdraw(KeeperWaiter *w) {
        if (!w->keeper)
                return;

        TAILQ_REMOVE(&w->keeper->waiters, w, entry);
        w->keeper = NULL;
}

bool keepers_are_heard(const Keepers *k) { return !k->expected; }

static int
on_hello(KeeperLink *l, const LinkHello *hello, SandboxRecord **records, size_t n_records, void *userdata) {
        Keepers *k = userdata;
        const char *app = hello->app;
        uid_t uid = hello->uid;
        KeeperEntry *keeper;
        AppName name;
        int r;

        if (*app ? app_name_parse(app, &name) < 0 : uid == LINK_UID_UNKNOWN)
                return -EINVAL;

        keeper = entry_find(k, uid, app);
        /* One link is one keeper's; and one that was told to leave is not to be sent anything more. */
        if ((l->owner && l->owner != keeper) || (keeper && keeper->state == KEEPER_LEAVING))
                return -EINVAL;
        if (!keeper) {
                r = keeper_entry_new(&keeper, &k->list, &k->setup, uid, app);
                if (r < 0)
                        return r;
        } else if (keeper->link && keeper->link != l) {
                /* It reconnected before we noticed that the old link broke. */
                keeper->link->owner = NULL;
                keeper_link_close(keeper->link);
        }

        keeper->uid = uid;
        r = keeper_entry_link(keeper, l);
        if (r < 0) {
                keeper_entry_lose(keeper);
                return r;
        }

        k->setup.handlers->snapshot(k->setup.manager, keeper, records, n_records);
        keeper_entry_tell_waiters(keeper, NULL);
        keeper_entry_reconsider(keeper);
        if (k->expected)
                expected_heard(k->expected, uid, app);
        return 0;
}

static int on_start_app(KeeperLink *l, sd_bus_message *call, void *userdata) {
        const KeeperEntry *keeper = l->owner;
        Keepers *k = userdata;
        AppName name;

        if (!keeper || app_name_parse(keeper->app, &name) < 0)
                return -EINVAL;
        /* What runs counts against limits. The keeper asks again. */
        if (!keepers_are_heard(k))
                return sd_bus_reply_method_errorf(
                        call, ERROR_BUSY, "Not all keepers have been heard of yet");

        return k->setup.handlers->start_app(k->setup.manager, call, &name);
}

static void on_changed(KeeperLink *l, SandboxRecord *record, void *userdata) {
        _cleanup_(sandbox_record_freep) SandboxRecord *owned = record;
        KeeperEntry *keeper = l->owner;
        uid_t uid = record->uid;
        Keepers *k = userdata;

        if (!keeper || record->uid != keeper->uid) {
                log_warning("A keeper speaks of sandbox \"%s\", which is not its own: ignored", record->id);
                return;
        }

        k->setup.handlers->changed(k->setup.manager, keeper, TAKE_PTR(owned));
        forget_surplus(k, uid);
        keeper_entry_reconsider(keeper);
}

static void
on_removed(KeeperLink *l, const char *id, const char *result, int32_t code, int32_t status, void *userdata) {
        KeeperEntry *keeper = l->owner;
        Keepers *k = userdata;
        SandboxEntry *s = sandboxes_find(k->setup.sandboxes, id);

        if (s && keeper && s->keeper == keeper)
                k->setup.handlers->removed(k->setup.manager, s, sandbox_result_of(result), code, status);
        if (keeper)
                keeper_entry_reconsider(keeper);
}

static void on_event(KeeperLink *l, const char *id, const SandboxEvent *e, void *userdata) {
        Keepers *k = userdata;
        SandboxEntry *s = sandboxes_find(k->setup.sandboxes, id);

        if (s && s->keeper && s->keeper == l->owner)
                k->setup.handlers->event(k->setup.manager, s, e);
}

static void on_closed(KeeperLink *l, void *userdata) {
        KeeperEntry *keeper = l->owner;
        Keepers *k = userdata;

        /* Where we close them all, to leave, it is no news of sandboxes. */
        if (keeper && keeper->link == l && k->server)
                keeper_entry_lose(keeper);
}

static void on_heard(void *userdata) {
        Keepers *k = userdata;

        k->expected = expected_free(k->expected);
        k->setup.handlers->heard(k->setup.manager);
}

static const LinkServerHandlers link_handlers = {
        .hello = on_hello,
        .start_app = on_start_app,
        .answered = on_answered,
        .changed = on_changed,
        .removed = on_removed,
        .event = on_event,
        .closed = on_closed,
};

int keepers_new(Keepers **ret, const KeepersSetup *setup) {
        _cleanup_(keepers_freep) Keepers *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;

        k->setup = *setup;
        LIST_INIT(&k->list);
        r = expected_new(&k->expected, setup->event, setup->hierarchy, on_heard, k);
        if (r < 0)
                return r;
        if (!expected_any(k->expected))
                k->expected = expected_free(k->expected);

        r = link_server_new(&k->server, setup->event, &link_handlers, k);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(k);
        return 0;
}

Keepers *keepers_free(Keepers *k) {
        if (!k)
                return NULL;

        (void) expected_free(k->expected);
        (void) link_server_free(TAKE_PTR(k->server));
        while (!LIST_EMPTY(&k->list)) {
                KeeperEntry *keeper = LIST_FIRST(&k->list);

                keeper_entry_tell_waiters(keeper, "the broker is stopping");
                keeper_entry_free(keeper);
        }

        free(k);
        return NULL;
}
