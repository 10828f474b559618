/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "broker/bus/notify.h"
#include "broker/launch/launch.h"
#include "broker/manager.h"
#include "broker/state/keeper-row.h"

static int on_hello(KeeperLink *l,
                    uint32_t uid,
                    const char *app,
                    SandboxRecord **records,
                    size_t n_records,
                    void *userdata) {
        Keepers *k = userdata;
        Keeper *keeper;
        AppName name;
        int r;

        if (*app ? app_name_parse(app, &name) < 0 : uid == LINK_UID_UNKNOWN)
                return -EINVAL;

        keeper = keeper_find(k, uid, app);
        if (!keeper) {
                r = keeper_new(k, uid, app, KEEPER_LOST, &keeper);
                if (r < 0)
                        return r;
        } else if (keeper->link && keeper->link != l) {
                /* It reconnected before we noticed that the old link broke. */
                keeper_link_set_owner(keeper->link, NULL);
                keeper_link_close(keeper->link);
        }

        keeper->uid = uid;
        keeper->link = l;
        keeper->state = KEEPER_READY;
        keeper_link_set_owner(l, keeper);
        keeper_settle(keeper);
        manager_keeper_snapshot(k->manager, keeper, records, n_records);
        keeper_tell_waiters(keeper, NULL);
        return 0;
}

static int on_start_app(KeeperLink *l, sd_bus_message *call, void *userdata) {
        const Keeper *keeper = keeper_link_owner(l);
        Keepers *k = userdata;
        AppName name;

        if (!keeper || app_name_parse(keeper->app, &name) < 0)
                return -EINVAL;

        return launch_app(k->manager, call, &name);
}

static void on_changed(KeeperLink *l, SandboxRecord *record, void *userdata) {
        _cleanup_(sandbox_record_freep) SandboxRecord *owned = record;
        Keeper *keeper = keeper_link_owner(l);
        Keepers *k = userdata;

        if (!keeper || record->uid != keeper->uid) {
                log_warning("A keeper speaks of sandbox \"%s\", which is not its own: ignored", record->id);
                return;
        }

        manager_sandbox_changed(k->manager, keeper, TAKE_PTR(owned));
}

static void
on_removed(KeeperLink *l, const char *id, const char *result, int32_t code, int32_t status, void *userdata) {
        Keeper *keeper = keeper_link_owner(l);
        Keepers *k = userdata;
        Sandbox *s = sandboxes_find(&k->manager->sandboxes, id);

        if (s && keeper && s->keeper == keeper)
                manager_sandbox_removed(k->manager, s, sandbox_result_of(result), code, status);
}

static void on_limit_hit(KeeperLink *l, const char *id, const LimitHit *hit, void *userdata) {
        Keepers *k = userdata;
        Sandbox *s = sandboxes_find(&k->manager->sandboxes, id);

        if (s && s->keeper && s->keeper == keeper_link_owner(l))
                notify_limit_hit(k->manager, s, hit);
}

static void on_closed(KeeperLink *l, void *userdata) {
        Keeper *keeper = keeper_link_owner(l);
        Keepers *k = userdata;

        /* Where we close them all, to leave, it is no news of sandboxes. */
        if (keeper && keeper->link == l && k->links)
                keeper_lose(keeper);
}

const KeeperLinkHandlers keeper_link_handlers = {
        .hello = on_hello,
        .start_app = on_start_app,
        .changed = on_changed,
        .removed = on_removed,
        .limit_hit = on_limit_hit,
        .closed = on_closed,
};
