/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "base/text.h"
#include "keeper/parts/timer.h"
#include "keeper/sandbox/sandbox.h"

#include <signal.h>
#include <stdio.h>

/* What an application says of itself is shown this long after, together with all that it has said by then. */
#define STATUS_DELAY_USEC (100 * USEC_PER_MSEC)

void sandbox_give_up(Sandbox *s, const char *why) {
        if (s->phase != PHASE_START && s->phase != PHASE_RUNNING)
                return;

        log_warning("%s: %s", s->record->id, why);
        s->ending.stuck = true;
        sandbox_enter_phase(s, PHASE_ABORTING, s->terms.timeout_stop_usec);
        (void) run_signal(s->run, false, SIGABRT);
        (void) run_signal(s->run, false, SIGCONT);
}

static int on_status_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        sandbox_changed(userdata);
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
                (void) timer_start(s->context->run.event,
                                   &s->status_timer,
                                   STATUS_DELAY_USEC,
                                   SD_EVENT_PRIORITY_NORMAL,
                                   on_status_timer,
                                   s);
}

/* Bounded by deadline_max: an application must not undo the timeouts of its profile. */
static void extend_timeouts(Sandbox *s, uint64_t usec) {
        uint64_t now = 0, until;

        usec = MIN(usec, UINT64_MAX / 2);
        (void) sd_event_now(s->context->run.event, CLOCK_MONOTONIC, &now);
        until = MIN(now + usec, s->deadline_max);
        timer_extend(s->timer, until);
        run_extend_watchdog(s->run, usec);

        /* Whoever waits for the keeper to end waits for this sandbox. */
        if (until > now)
                s->context->handlers->extended(s->context->userdata, s, until - now);
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

/* It stops by itself, as if after KillSignal=, which need not be sent. */
static void take_stopping(Sandbox *s) {
        if (s->phase == PHASE_RUNNING)
                sandbox_enter_phase(s, PHASE_STOPPING, s->terms.timeout_stop_usec);
}

void sandbox_notified(Sandbox *s, const NotifyMessage *m) {
        if (s->phase < PHASE_START || s->phase > PHASE_ABORTING)
                return;

        if (m->has_status)
                show_status(s, m->status);
        if (m->extend_usec > 0)
                extend_timeouts(s, m->extend_usec);
        if (m->reloading)
                take_reloading(s);
        if (m->ready)
                take_ready(s);
        if (m->alive && s->phase == PHASE_RUNNING)
                run_feed_watchdog(s->run);
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
