/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "keeper/keeper.h"
#include "keeper/sandbox/sandbox.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

/* What an application says of itself is shown this long after, together with all that it has said by then. */
#define STATUS_DELAY_USEC (100 * USEC_PER_MSEC)
#define ACCURACY_USEC (10 * USEC_PER_MSEC)

/* A timer that goes off once, that long from now; made where there is none. */
static int start_timer(
        Sandbox *s, sd_event_source **timer, uint64_t usec, int priority, sd_event_time_handler_t handler) {
        int r;

        if (!*timer) {
                r = sd_event_add_time_relative(
                        s->keeper->event, timer, CLOCK_MONOTONIC, usec, ACCURACY_USEC, handler, s);
                return r < 0 ? r : sd_event_source_set_priority(*timer, priority);
        }

        r = sd_event_source_set_time_relative(*timer, usec);
        return r < 0 ? r : sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
}

/* As systemd.service(5) does: SIGABRT, so that there can be a core dump, and TimeoutStopSec= to leave it. */
static void sandbox_give_up(Sandbox *s, const char *why) {
        if (s->phase != PHASE_START && s->phase != PHASE_RUNNING)
                return;

        log_warning("%s: %s", s->record->id, why);
        s->ending.stuck = true;
        sandbox_enter_phase(s, PHASE_ABORTING, s->terms.timeout_stop_usec);
        (void) pidfd_signal(s->main_fd, SIGABRT);
        (void) pidfd_signal(s->main_fd, SIGCONT);
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
        Sandbox *s = userdata;

        /* A sign of life that only has not been read yet, as the application sends more than is read at a time. */
        notify_socket_drain(s->notify);
        if (sd_event_source_get_enabled(source, NULL) == 0)
                sandbox_give_up(s, "no sign of life within WatchdogSec=");

        return 0;
}

void sandbox_stop_watchdog(Sandbox *s) { (void) sd_event_source_set_enabled(s->watchdog, SD_EVENT_OFF); }

void sandbox_feed_watchdog(Sandbox *s) {
        int r;

        if (s->terms.watchdog_usec == USEC_INFINITY || s->phase != PHASE_RUNNING || s->freezing)
                return;

        /* After its packets. */
        r = start_timer(s, &s->watchdog, s->terms.watchdog_usec, SD_EVENT_PRIORITY_NORMAL + 20, on_watchdog);
        if (r < 0)
                (void) log_errno(r, "%s: cannot watch over it", s->record->id);
}

static int on_status_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Sandbox *s = userdata;

        keeper_sandbox_changed(s->keeper, s);
        return 0;
}

static void show_status(Sandbox *s, const char *text) {
        char *copy;

        if (streq(s->record->status_text, text))
                return;
        copy = strdup(text);
        if (!copy)
                return;

        free(s->record->status_text);
        s->record->status_text = copy;
        if (sd_event_source_get_enabled(s->status_timer, NULL) <= 0)
                (void) start_timer(
                        s, &s->status_timer, STATUS_DELAY_USEC, SD_EVENT_PRIORITY_NORMAL, on_status_timer);
}

/* Later, never sooner, and only where it runs. */
static void extend_timer(sd_event_source *timer, uint64_t until_usec) {
        uint64_t now_usec;

        if (sd_event_source_get_enabled(timer, NULL) > 0 &&
            sd_event_source_get_time(timer, &now_usec) >= 0 && now_usec < until_usec)
                (void) sd_event_source_set_time(timer, until_usec);
}

/* What the profile says is not the application's to undo: hence the bound. */
static void extend_timeouts(Sandbox *s, uint64_t usec) {
        uint64_t now = 0, until, fed_until;

        usec = MIN(usec, UINT64_MAX / 2);
        (void) sd_event_now(s->keeper->event, CLOCK_MONOTONIC, &now);
        until = MIN(now + usec, s->deadline_max);
        extend_timer(s->timer, until);

        if (s->terms.watchdog_usec < UINT64_MAX / PLAN_EXTENSION_MAX / 2) {
                fed_until = now + MIN(usec, s->terms.watchdog_usec * PLAN_EXTENSION_MAX);
                extend_timer(s->watchdog, fed_until);
        }

        /* Whoever waits for this keeper waits for the sandbox. */
        if (until <= now)
                return;
        keeper_sandbox_deadline(s->keeper, s, until - now);
        if (s->keeper->leaving && !s->keeper->app)
                (void) sd_notifyf(false, "EXTEND_TIMEOUT_USEC=%" PRIu64, until - now + USEC_PER_SEC);
}

static void take_ready(Sandbox *s) {
        if (s->phase == PHASE_START) {
                s->ending.unready = false;
                sandbox_enter_running(s);
        } else if (s->phase == PHASE_RUNNING && s->reloading) {
                s->reloading = false;
                sandbox_show_activity(s);
        }
}

static void take_reloading(Sandbox *s) {
        if (s->phase != PHASE_RUNNING || s->reloading)
                return;

        s->reloading = true;
        sandbox_show_activity(s);
}

/* As if it had been sent KillSignal=, which it does not get now. */
static void take_stopping(Sandbox *s) {
        if (s->phase == PHASE_RUNNING)
                sandbox_enter_phase(s, PHASE_STOPPING, s->terms.timeout_stop_usec);
}

void sandbox_notified(void *userdata, pid_t sender, const NotifyMessage *m) {
        Sandbox *s = userdata;

        if (s->phase < PHASE_START || s->phase > PHASE_ABORTING)
                return;
        /* The socket can be reached from inside alone: who else could send is let to, by one who may. */
        if (s->terms.notify_access == NOTIFY_ACCESS_MAIN && (uint32_t) sender != s->record->main_pid)
                return;

        if (m->has_status)
                show_status(s, m->status);
        if (m->extend_usec > 0)
                extend_timeouts(s, m->extend_usec);
        if (m->reloading)
                take_reloading(s);
        if (m->ready)
                take_ready(s);
        if (m->alive)
                sandbox_feed_watchdog(s);
        if (m->stopping)
                take_stopping(s);
        if (m->stuck)
                sandbox_give_up(s, "it says that it is stuck (WATCHDOG=trigger)");
}

void sandbox_explain_unready(Sandbox *s) {
        const char *name = signal_name(s->ending.status);
        char text[64];

        if (!s->launch_call && s->restart_calls.n == 0)
                return;

        if (s->stop_wanted)
                (void) snprintf(text, sizeof(text), "it was stopped");
        else if (s->ending.stuck)
                (void) snprintf(text, sizeof(text), "it said that it is stuck");
        else if (s->ending.timed_out)
                (void) snprintf(text, sizeof(text), "TimeoutStartSec= is over");
        else if (s->ending.code == CLD_EXITED)
                (void) snprintf(text, sizeof(text), "it exited with status %d", s->ending.status);
        else
                (void) snprintf(text, sizeof(text), "%s ended it", name ?: "a signal");

        (void) sd_bus_error_setf(&s->error, ERROR_SETUP_FAILED, "ready: %s before it said READY=1", text);
}
