/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch-message.h"

static int append_streams(sd_bus_message *m, const LaunchOptions *o) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(uh)");
        if (r < 0)
                return r;

        for (uint32_t i = 0; i < ELEMENTSOF(o->streams); i++)
                if (o->streams[i] >= 0) {
                        r = sd_bus_message_append(m, "(uh)", i, o->streams[i]);
                        if (r < 0)
                                return r;
                }

        return sd_bus_message_close_container(m);
}

int launch_message_new(sd_bus_message **ret,
                       Keeper *keeper,
                       const char *id,
                       const char *invocation_id,
                       int plan_fd,
                       const LaunchOptions *options,
                       bool lease) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = keeper_new_call(keeper, "Launch", &m);
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', id);
        if (r < 0)
                return r;

        r = sd_bus_message_append(m,
                                  "a{sv}",
                                  2,
                                  "InvocationID",
                                  "s",
                                  invocation_id,
                                  "Wait",
                                  "b",
                                  !options->wait_set || options->wait);
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 'h', &plan_fd);
        if (r < 0)
                return r;

        r = append_streams(m, options);
        if (r < 0)
                return r;

        r = sd_bus_message_append(m, "b", lease);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

int launch_reply_read(sd_bus_message *reply, const char *id, bool lease, int *ret_lease) {
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
