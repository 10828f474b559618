/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/keeper-unit.h"

#include "base/text.h"

#include <stdio.h>

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_INTERFACE "org.freedesktop.systemd1.Manager"

struct KeeperUnit {
        KeeperUnitHandler handler;
        void *userdata;
        sd_bus_slot *start, *removed;
        char *job; /* its object path, once systemd said it */
};

KeeperUnit *keeper_unit_free(KeeperUnit *u) {
        if (!u)
                return NULL;

        (void) sd_bus_slot_unref(u->start);
        (void) sd_bus_slot_unref(u->removed);
        free(u->job);
        free(u);
        return NULL;
}

DEFINE_CLEANUP(KeeperUnit *, keeper_unit_free);

/* The handler may free the unit: nothing touches it afterwards. */
static void fail(KeeperUnit *u, const char *what, const char *why) {
        _cleanup_free_ char *text = text_printf("%s: %s", what, why);

        u->handler(text ?: what, u->userdata);
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *job, *unit, *result;
        KeeperUnit *u = userdata;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0)
                return 0;
        if (u->job && streq(job, u->job) && !streq(result, "done"))
                fail(u, unit, result);

        return 0;
}

static int on_job_queued(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        KeeperUnit *u = userdata;
        const char *job;

        if (sd_bus_message_is_method_error(m, NULL))
                fail(u,
                     "systemd does not start it",
                     sd_bus_message_get_error(m)->message ?: "no reason given");
        else if (sd_bus_message_read(m, "o", &job) >= 0)
                u->job = strdup(job);

        return 0;
}

/* systemd tells whoever asked for a job of its end, subscribed or not; we only have to listen before we ask. */
int keeper_unit_start(
        KeeperUnit **ret, sd_bus *bus, uid_t uid, bool again, KeeperUnitHandler handler, void *userdata) {
        _cleanup_(keeper_unit_freep) KeeperUnit *u = NULL;
        char name[64];
        int r;

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;

        u->handler = handler;
        u->userdata = userdata;
        r = sd_bus_match_signal_async(bus,
                                      &u->removed,
                                      SYSTEMD_NAME,
                                      SYSTEMD_PATH,
                                      SYSTEMD_INTERFACE,
                                      "JobRemoved",
                                      on_job_removed,
                                      NULL,
                                      u);
        if (r < 0)
                return r;

        (void) snprintf(name, sizeof(name), "immured-user@%u.service", uid);
        r = sd_bus_call_method_async(bus,
                                     &u->start,
                                     SYSTEMD_NAME,
                                     SYSTEMD_PATH,
                                     SYSTEMD_INTERFACE,
                                     again ? "RestartUnit" : "StartUnit",
                                     on_job_queued,
                                     u,
                                     "ss",
                                     name,
                                     "replace");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(u);
        return 0;
}
