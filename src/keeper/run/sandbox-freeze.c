/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "keeper/keeper.h"
#include "keeper/link-client.h"
#include "keeper/parts/cgroup.h"
#include "keeper/sandbox/sandbox.h"

/* A task that sleeps uninterruptibly freezes when it wakes up: only the kernel knows when all of them are. */
static void look_again(Sandbox *s) {
        if (s->phase != PHASE_RUNNING || s->frozen == s->freezing ||
            cgroup_is_frozen(s->cgroup_fd) != s->freezing)
                return;

        s->frozen = s->freezing;
        sandbox_show_activity(s);
        call_list_answer(&s->freeze_calls, NULL);
}

static int on_frozen(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        look_again(userdata);
        return 0;
}

int sandbox_freeze(Sandbox *s, bool freeze, sd_bus_message *call, sd_bus_error *error) {
        int r;

        if (s->phase != PHASE_RUNNING)
                return sd_bus_error_setf(
                        error, ERROR_SANDBOX_NOT_RUNNING, "%s is not running", s->record->id);
        if (s->freezing != freeze && s->freeze_calls.n > 0)
                return sd_bus_error_setf(error,
                                         ERROR_BUSY,
                                         "%s is being %s",
                                         s->record->id,
                                         s->freezing ? "frozen" : "thawed");

        if (!s->freeze_event) {
                r = sandbox_watch_cgroup(s, "cgroup.events", on_frozen, &s->freeze_event);
                if (r < 0)
                        return r;
        }

        r = cgroup_freeze(s->cgroup_fd, freeze);
        if (r < 0)
                return r;

        /* The frozen can give no sign of life, and the thawed has all its time for the next. */
        s->freezing = freeze;
        if (freeze)
                sandbox_stop_watchdog(s);
        else
                sandbox_feed_watchdog(s);
        if (call_list_add(&s->freeze_calls, call) < 0)
                return sd_bus_error_setf(error, ERROR_BUSY, "too many callers wait for %s", s->record->id);

        if (s->frozen == freeze)
                call_list_answer(&s->freeze_calls, NULL);
        look_again(s);
        return 1;
}

void sandbox_thaw(Sandbox *s) {
        int r;

        s->freeze_event = sd_event_source_disable_unref(s->freeze_event);
        if (s->freezing || s->frozen) {
                r = cgroup_freeze(s->cgroup_fd, false);
                if (r < 0 && r != -ENODEV && r != -ENOENT)
                        (void) log_errno(r, "%s: cannot thaw it", s->record->id);
        }
        s->freezing = s->frozen = false;

        if (s->freeze_calls.n > 0) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                (void) sd_bus_error_setf(
                        &error, ERROR_SANDBOX_NOT_RUNNING, "%s is not running any more", s->record->id);
                call_list_answer(&s->freeze_calls, &error);
        }
}
