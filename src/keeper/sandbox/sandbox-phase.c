/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "base/text.h"
#include "keeper/sandbox/sandbox.h"

#include <signal.h>

/* How often a cgroup that does not empty is killed again; processes in uninterruptible sleep make one wait. */
#define KILL_AGAIN_USEC USEC_PER_SEC

/* clang-format off */
static const struct {
        SandboxState state;
        const char *sub_state;
} phases[_PHASE_MAX] = {
        [PHASE_SETUP]    = { SANDBOX_STARTING, "setup" },
        [PHASE_START]    = { SANDBOX_STARTING, "start" },
        [PHASE_RUNNING]  = { SANDBOX_RUNNING,  "running" },
        [PHASE_STOPPING] = { SANDBOX_STOPPING, "stop-signal" },
        [PHASE_ABORTING] = { SANDBOX_STOPPING, "stop-watchdog" },
        [PHASE_KILLING]  = { SANDBOX_STOPPING, "stop-kill" },
        [PHASE_WAITING]  = { SANDBOX_STARTING, "auto-restart" },
        [PHASE_DEAD]     = { SANDBOX_FAILED,   "dead" },
};
/* clang-format on */

void sandbox_set_text(char **text, const char *value) {
        char *copy = strdup(value);

        if (!copy)
                return;
        free(*text);
        *text = copy;
}

void sandbox_changed(Sandbox *s) { s->context->handlers->changed(s->context->userdata, s); }

static void set_deadline(Sandbox *s, uint64_t timeout_usec) {
        uint64_t now = 0;
        int r;

        s->context->handlers->deadline(s->context->userdata, s, timeout_usec);
        if (timeout_usec == USEC_INFINITY) {
                (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
                return;
        }

        /* Further off than a century is never, and must not wrap round. */
        timeout_usec = MIN(timeout_usec, UINT64_C(100) * 366 * 24 * 3600 * USEC_PER_SEC);
        (void) sd_event_now(s->context->run.event, CLOCK_MONOTONIC, &now);
        s->deadline_max = now + timeout_usec * PLAN_EXTENSION_MAX;
        r = sd_event_source_set_time_relative(s->timer, timeout_usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                (void) log_errno(r, "%s: cannot set a deadline", s->record->id);
}

void sandbox_show_activity(Sandbox *s) {
        sandbox_set_text(&s->record->sub_state,
                         s->run->frozen ? "frozen"
                         : s->reloading ? "reloading"
                                        : phases[s->phase].sub_state);
        sandbox_changed(s);
}

bool sandbox_never_was(const Sandbox *s) { return sd_bus_error_is_set(&s->error) && !s->ran && !s->overdue; }

void sandbox_change_phase(Sandbox *s, SandboxPhase phase) {
        if (phase != PHASE_RUNNING && s->run) {
                run_thaw(s->run);
                run_stop_watchdog(s->run);
        }

        s->phase = phase;
        s->reloading = false;
        s->record->state = phases[phase].state;
        if (phase == PHASE_DEAD && s->record->result == SANDBOX_SUCCESS)
                s->record->state = SANDBOX_EXITED;
        sandbox_set_text(&s->record->sub_state,
                         s->awaits_streams ? SUB_STATE_STREAMS : phases[phase].sub_state);

        if (!sandbox_never_was(s))
                sandbox_changed(s);
}

void sandbox_enter_phase(Sandbox *s, SandboxPhase phase, uint64_t timeout_usec) {
        sandbox_change_phase(s, phase);
        set_deadline(s, timeout_usec);
}

void sandbox_hurry(Sandbox *s) { set_deadline(s, 0); }

void sandbox_begin(Sandbox *s) { sandbox_enter_phase(s, PHASE_SETUP, s->terms.timeout_start_usec); }

void sandbox_enter_running(Sandbox *s) {
        s->ran = true;
        sandbox_enter_phase(s, PHASE_RUNNING, s->terms.runtime_max_usec);
        run_feed_watchdog(s->run);
        sandbox_tell_started(s);
        call_list_answer(&s->restart_calls, NULL);
        lease_server_send(s->lease, "STATE=running");
        if (s->terms.type != SERVICE_ONESHOT) {
                sandbox_answer_launch(s);
                s->context->handlers->launched(s->context->userdata, s);
        }
}

void sandbox_enter_killing(Sandbox *s) {
        sandbox_enter_phase(s, PHASE_KILLING, KILL_AGAIN_USEC);
        run_kill(s->run);
}

void sandbox_abort(Sandbox *s, const char *error_name, const char *text) {
        if (s->aborted)
                return;

        s->aborted = true;
        (void) sd_bus_error_set(&s->error, error_name, text);
}

void sandbox_kill_all(Sandbox *s) {
        s->stop_wanted = true;
        s->restart_wanted = false;
        if (s->phase == PHASE_WAITING) {
                sandbox_hurry(s);
                return;
        }

        s->ending.stopped = true;
        if (s->phase == PHASE_SETUP)
                sandbox_abort(s, ERROR_SETUP_FAILED, "it was stopped while being set up");
        if (s->phase < PHASE_KILLING)
                sandbox_enter_killing(s);
}

/* A stopped process cannot act on a signal, so SIGCONT follows, as in systemd.kill(5). */
static void send_kill_signal(const Sandbox *s) {
        (void) run_signal(s->run, false, s->terms.kill_signal);
        if (s->terms.kill_signal == SIGTERM || s->terms.kill_signal == SIGHUP)
                (void) run_signal(s->run, false, SIGCONT);
}

void sandbox_end_run(Sandbox *s) {
        if (s->phase == PHASE_START || s->phase == PHASE_RUNNING) {
                s->ending.stopped = true;
                sandbox_enter_phase(s, PHASE_STOPPING, s->terms.timeout_stop_usec);
                send_kill_signal(s);
        }
}

void sandbox_stop(Sandbox *s) {
        s->stop_wanted = true;
        s->restart_wanted = false;

        if (s->phase == PHASE_SETUP || s->phase == PHASE_WAITING)
                sandbox_kill_all(s);
        else
                sandbox_end_run(s);
}
