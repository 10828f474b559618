/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/link-calls.h"

/* Each method's first argument is the sandbox's id. */
static int new_call(KeeperEntry *keeper, const char *member, const char *id, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = keeper_entry_new_call(keeper, member, &m);
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

int link_ask(KeeperEntry *keeper,
             const char *member,
             const char *id,
             LinkReplyHandler handler,
             void *userdata,
             uint64_t timeout_usec) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(keeper, member, id, &m);
        return r < 0 ? r : keeper_entry_call(keeper, m, handler, userdata, timeout_usec);
}

int link_kill(KeeperEntry *keeper,
              const char *id,
              const char *whom,
              int32_t signo,
              LinkReplyHandler handler,
              void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(keeper, "Kill", id, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "si", whom, signo);

        return r < 0 ? r : keeper_entry_call(keeper, m, handler, userdata, LINK_ATTENTION_USEC);
}

int link_set_limits(KeeperEntry *keeper,
                    const char *id,
                    const LiveLimit *limits,
                    size_t n_limits,
                    LinkReplyHandler handler,
                    void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(keeper, "SetLimits", id, &m);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sss)");
        for (size_t i = 0; r >= 0 && i < n_limits; i++)
                r = sd_bus_message_append(m, "(sss)", limits[i].file, limits[i].value, limits[i].layer);
        if (r >= 0)
                r = sd_bus_message_close_container(m);

        return r < 0 ? r : keeper_entry_call(keeper, m, handler, userdata, LINK_ATTENTION_USEC);
}

void link_plan_done(LinkPlan *p) { p->fd = safe_close(p->fd); }

static int append_facts(sd_bus_message *m, const LinkLaunch *launch) {
        return sd_bus_message_append(m,
                                     "a{sv}",
                                     5,
                                     "InvocationID",
                                     "s",
                                     launch->invocation_id,
                                     "Wait",
                                     "b",
                                     launch->wait,
                                     "PlanHash",
                                     "s",
                                     launch->plan->hash,
                                     "PlanDigest",
                                     "s",
                                     launch->plan->digest,
                                     "Streams",
                                     "u",
                                     launch->streams);
}

bool link_takes_streams(const KeeperEntry *keeper) {
        return keeper_entry_link_version(keeper) >= LINK_VERSION_STREAMS;
}

int link_launch(KeeperEntry *keeper,
                const LinkLaunch *launch,
                LinkReplyHandler handler,
                void *userdata,
                uint64_t timeout_usec) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(keeper, "Launch", launch->id, &m);
        if (r >= 0)
                r = append_facts(m, launch);
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 'h', &launch->plan->fd);
        if (r >= 0)
                r = sd_bus_message_append(m, "a(uh)b", 0, launch->lease);

        return r < 0 ? r : keeper_entry_call(keeper, m, handler, userdata, timeout_usec);
}

int link_launch_read(sd_bus_message *reply, const char *id, bool lease, int *ret_lease) {
        _cleanup_(sandbox_record_freep) SandboxRecord *record = NULL;
        int fd = -EBADF, r;

        r = sandbox_record_read(reply, &record);
        if (r < 0)
                return r;
        if (!streq(record->id, id))
                return -EBADMSG;

        r = sd_bus_message_enter_container(reply, 'a', "h");
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;

        r = sd_bus_message_read_basic(reply, 'h', &fd);
        if (r < 0)
                return r;
        if (lease && r == 0)
                return -EBADMSG;

        *ret_lease = fd;
        return 0;
}
