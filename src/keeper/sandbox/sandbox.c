/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/sandbox/sandbox.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "keeper/keeper.h"
#include "keeper/link-client.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/inotify.h>

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

/* Without memory the old words stay: they are for people, the state is what counts. */
static void set_text(char **text, const char *value) {
        char *copy = strdup(value);

        if (!copy)
                return;
        free(*text);
        *text = copy;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void set_deadline(Sandbox *s, uint64_t timeout_usec) {
        uint64_t now = 0;
        int r = 0;

        keeper_sandbox_deadline(s->keeper, s, timeout_usec);
        if (timeout_usec == USEC_INFINITY) {
                (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
                return;
        }

        /* Further off than a century is never, and must not wrap round. */
        timeout_usec = MIN(timeout_usec, UINT64_C(100) * 366 * 24 * 3600 * USEC_PER_SEC);
        (void) sd_event_now(s->keeper->event, CLOCK_MONOTONIC, &now);
        s->deadline_max = now + timeout_usec * PLAN_EXTENSION_MAX;
        if (!s->timer)
                r = sd_event_add_time_relative(s->keeper->event,
                                               &s->timer,
                                               CLOCK_MONOTONIC,
                                               timeout_usec,
                                               10 * USEC_PER_MSEC,
                                               on_timer,
                                               s);
        else {
                r = sd_event_source_set_time_relative(s->timer, timeout_usec);
                if (r >= 0)
                        r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                (void) log_errno(r, "%s: cannot set a deadline", s->record->id);
}

void sandbox_show_activity(Sandbox *s) {
        set_text(&s->record->sub_state,
                 s->frozen      ? "frozen"
                 : s->reloading ? "reloading"
                                : phases[s->phase].sub_state);
        keeper_sandbox_changed(s->keeper, s);
}

/* A launch that failed is answered with an error and gone: its last steps are nobody's news. */
static bool never_was(const Sandbox *s) { return sd_bus_error_is_set(&s->error) && !s->ran && !s->overdue; }

/* What it waits for until the deadline before goes on. */
static void change_phase(Sandbox *s, SandboxPhase phase) {
        if (phase != PHASE_RUNNING) {
                sandbox_thaw(s);
                sandbox_stop_watchdog(s);
        }

        s->phase = phase;
        s->reloading = false;
        s->record->state = phases[phase].state;
        set_text(&s->record->sub_state, phases[phase].sub_state);

        if (!never_was(s))
                keeper_sandbox_changed(s->keeper, s);
}

void sandbox_enter_phase(Sandbox *s, SandboxPhase phase, uint64_t timeout_usec) {
        change_phase(s, phase);
        set_deadline(s, timeout_usec);
}

void sandbox_hurry(Sandbox *s) { set_deadline(s, 0); }

void sandbox_begin(Sandbox *s) { sandbox_enter_phase(s, PHASE_SETUP, s->terms.timeout_start_usec); }

void sandbox_abort(Sandbox *s, const char *error_name, const char *format, ...) {
        va_list ap;

        if (s->aborted)
                return;

        s->aborted = true;
        va_start(ap, format);
        (void) sd_bus_error_setfv(&s->error, error_name, format, ap);
        va_end(ap);
}

static void enter_killing(Sandbox *s) {
        int r;

        sandbox_enter_phase(s, PHASE_KILLING, KILL_AGAIN_USEC);
        r = cgroup_kill(s->cgroup_fd);
        if (r < 0)
                (void) log_errno(r, "%s: cannot kill the cgroup", s->record->id);
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
                enter_killing(s);
}

/* As systemd.kill(5) does: whoever is stopped cannot obey. */
static void send_kill_signal(Sandbox *s) {
        (void) pidfd_signal(s->main_fd, s->terms.kill_signal);
        if (s->terms.kill_signal == SIGTERM || s->terms.kill_signal == SIGHUP)
                (void) pidfd_signal(s->main_fd, SIGCONT);
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

int sandbox_signal(Sandbox *s, bool all, int signo) {
        int r;

        if (s->phase == PHASE_SETUP || s->phase > PHASE_KILLING)
                return -ESRCH;
        if (!all)
                return pidfd_signal(s->main_fd, signo);
        if (signo == SIGKILL)
                return cgroup_kill(s->cgroup_fd);

        /* Our init forwards what it gets to the application, which would then have it twice. */
        r = cgroup_signal(s->cgroup_fd, (uint32_t) s->leader != s->record->main_pid ? s->leader : 0, signo);
        return r > 0 ? 0 : r < 0 ? r : -ESRCH;
}

/*
 * A launch that failed and does not die: what waits for a server that never answers may not do so for ever. Why it
 * failed is known by now; and from now on it is one sandbox of its user like others, which counts.
 */
static void answer_overdue(Sandbox *s) {
        s->overdue = true;
        keeper_sandbox_changed(s->keeper, s);
        link_client_launched(s->keeper->link, s);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Sandbox *s = userdata;

        if (s->phase < PHASE_KILLING)
                s->ending.timed_out = true;

        switch (s->phase) {
        case PHASE_SETUP:
                sandbox_abort(s, ERROR_SETUP_FAILED, "TimeoutStartSec= is over");
                break;
        case PHASE_START:
        case PHASE_RUNNING:
                sandbox_end_run(s);
                break;
        case PHASE_STOPPING:
        case PHASE_ABORTING:
                enter_killing(s);
                break;
        case PHASE_KILLING:
                if (never_was(s))
                        answer_overdue(s);
                enter_killing(s);
                break;
        case PHASE_WAITING:
                if (sandbox_goes_on(s))
                        sandbox_run_again(s);
                else
                        sandbox_end(s);
                return 0;
        default:
                break;
        }

        sandbox_advance(s);
        return 0;
}

static int on_memory_events(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Sandbox *s = userdata;

        if (cgroup_oom_kills(s->cgroup_fd) > 0)
                sandbox_end_run(s);

        return 0;
}

/* cgroup files announce their changes through inotify (cgroup-v2.rst, "[Un]populated Notification"). */
int sandbox_watch_cgroup(Sandbox *s,
                         const char *file,
                         sd_event_inotify_handler_t handler,
                         sd_event_source **ret) {
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", s->cgroup_fd, file);
        return sd_event_add_inotify(s->keeper->event, ret, path, IN_MODIFY, handler, s);
}

void sandbox_enter_running(Sandbox *s) {
        s->ran = true;
        sandbox_enter_phase(s, PHASE_RUNNING, s->terms.runtime_max_usec);
        sandbox_feed_watchdog(s);
        sandbox_tell_started(s);
        call_list_answer(&s->restart_calls, NULL);
        lease_server_send(s->lease, "STATE=running");
        if (s->terms.type != SERVICE_ONESHOT)
                keeper_sandbox_launched(s->keeper, s);
}

/* What the application has to say lies in its socket until now: before, it was not known who it is. */
static void application_executed(Sandbox *s) {
        int r;

        if (s->terms.oom_policy == OOM_POLICY_STOP)
                (void) sandbox_watch_cgroup(s, "memory.events", on_memory_events, &s->memory_event);
        r = s->notify ? notify_socket_listen(s->notify) : 0;
        if (r < 0)
                (void) log_errno(r, "%s: cannot hear its notifications", s->record->id);

        s->ending.unready = s->terms.type == SERVICE_NOTIFY;
        if (s->ending.unready)
                change_phase(s, PHASE_START);
        else
                sandbox_enter_running(s);

        /* The holder of a lease learns the end over it, and needs it before, to hand on signals. */
        if (s->lease || s->no_wait)
                link_client_launched(s->keeper->link, s);
}

/*
 * The application's wait status comes from init over the pipe. Init runs with the application's ids, so what it says
 * is worth no more than its own end; without a sane word from it, or without an init, that is what counts.
 */
static void read_ending(Sandbox *s) {
        int32_t wait_status;

        if (read(s->result_fd, &wait_status, sizeof(wait_status)) == sizeof(wait_status) &&
            wait_status_split(wait_status, &s->ending.code, &s->ending.status))
                return;

        if (!wait_status_split(s->leader_status, &s->ending.code, &s->ending.status)) {
                s->ending.code = CLD_KILLED;
                s->ending.status = SIGKILL;
        }
}

static void judge(Sandbox *s) {
        SandboxRecord *record = s->record;

        if (s->aborted) {
                record->result = s->ending.timed_out ? SANDBOX_TIMEOUT : SANDBOX_SETUP;
                if (s->ran && s->stop_wanted)
                        record->result = SANDBOX_SUCCESS; /* stopped between two runs */
                set_text(&record->status_text, s->error.message ?: "");
        } else {
                read_ending(s);
                record->result = terms_judge(&s->terms, &s->ending);
                record->exec_main_code = s->ending.code;
                record->exec_main_status = s->ending.status;
                if (s->ending.unready)
                        sandbox_explain_unready(s);
        }

        record->leader = record->main_pid = 0;
}

/* A value in a packet is one line. */
static void send_result(Sandbox *s) {
        const char *result = sandbox_result_name(s->record->result);
        _cleanup_free_ char *packet = NULL, *text = NULL;

        if (s->aborted) {
                text = text_escape(s->record->status_text);
                packet = text_printf("RESULT=%s\nTEXT=%.512s", result, text ?: "");
        } else
                packet = text_printf("RESULT=%s\nCODE=%s\nSTATUS=%d",
                                     result,
                                     ending_code_name(s->ending.code),
                                     s->ending.status);
        if (packet)
                lease_server_send(s->lease, packet);
}

void sandbox_release_run(Sandbox *s) {
        sandbox_thaw(s);
        if (s->timer)
                (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        s->status_event = sd_event_source_disable_unref(s->status_event);
        s->cgroup_event = sd_event_source_disable_unref(s->cgroup_event);
        s->memory_event = sd_event_source_disable_unref(s->memory_event);
        s->fault_watch = fault_watch_free(s->fault_watch);
        s->watchdog = sd_event_source_disable_unref(s->watchdog);
        s->status_timer = sd_event_source_disable_unref(s->status_timer);
        s->notify = notify_socket_free(s->notify);
        s->status_fd = safe_close(s->status_fd);
        s->result_fd = safe_close(s->result_fd);
        s->main_fd = safe_close(s->main_fd);
        s->cgroup_fd = safe_close(s->cgroup_fd);
}

void sandbox_release(Sandbox *s) {
        sandbox_release_run(s);
        s->timer = sd_event_source_disable_unref(s->timer);
        s->lease = lease_server_free(s->lease);
        s->streams = log_streams_free(s->streams);
        s->plan_fd = safe_close(s->plan_fd);
        for (size_t i = 0; i < ELEMENTSOF(s->stream_fds); i++)
                s->stream_fds[i] = safe_close(s->stream_fds[i]);

        if (s->id_picked)
                id_pool_release(s->keeper->ids, s->id_base);
        s->id_picked = false;
}

/* Whoever asked for a run that did not come to be. */
static void refuse_restarts(Sandbox *s) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (s->restart_calls.n == 0)
                return;
        if (!sd_bus_error_is_set(&s->error) || s->stop_wanted)
                (void) sd_bus_error_setf(&error, ERROR_SANDBOX_NOT_RUNNING, "%s was stopped", s->record->id);

        call_list_answer(&s->restart_calls, sd_bus_error_is_set(&error) ? &error : &s->error);
}

void sandbox_run_over(Sandbox *s) {
        log_streams_drain(s->streams);
        judge(s);
        sandbox_tell_ended(s);
        sandbox_release_run(s);
        if (!s->restart_wanted)
                refuse_restarts(s);

        if (!sandbox_goes_on(s)) {
                sandbox_end(s);
                return;
        }

        lease_server_send(s->lease, "STATE=restarting");
        if (s->restart_wanted)
                sandbox_run_again(s);
        else
                sandbox_enter_phase(s, PHASE_WAITING, terms_restart_delay(&s->terms, s->record->n_restarts));
}

/* Nothing of it is left on the machine; now everybody is told. */
void sandbox_end(Sandbox *s) {
        bool failed = s->record->result != SANDBOX_SUCCESS, keep = failed && !never_was(s);

        s->phase = PHASE_DEAD;
        s->record->state = failed ? SANDBOX_FAILED : SANDBOX_EXITED;
        set_text(&s->record->sub_state, phases[PHASE_DEAD].sub_state);

        if (!never_was(s))
                keeper_sandbox_changed(s->keeper, s);
        if (!keep)
                link_client_removed(s->keeper->link, s);
        keeper_sandbox_launched(s->keeper, s);
        refuse_restarts(s);
        call_list_answer(&s->stop_calls, NULL);

        /* After the broker, which must know of the end before the holder of the lease asks it for the next launch. */
        send_result(s);
        sandbox_release(s);

        keeper_sandbox_ended(s->keeper, s, keep);
}

static int on_cgroup_events(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        sandbox_advance(userdata);
        return 0;
}

/* Whether the cgroup is gone. Where something still lives in it, its end is waited for. */
static bool cgroup_is_gone(Sandbox *s) {
        s->ending.oom_kills = MAX(s->ending.oom_kills, cgroup_oom_kills(s->cgroup_fd));
        fault_watch_look(s->fault_watch);
        if (cgroup_remove(s->keeper->unit, s->cgroup_name) >= 0)
                return true;

        if (s->phase != PHASE_KILLING)
                enter_killing(s);
        if (!s->cgroup_event)
                (void) sandbox_watch_cgroup(s, "cgroup.events", on_cgroup_events, &s->cgroup_event);

        /* It may have emptied before the watch was there. */
        return cgroup_remove(s->keeper->unit, s->cgroup_name) >= 0;
}

void sandbox_advance(Sandbox *s) {
        if (s->phase > PHASE_KILLING)
                return;

        if (s->phase == PHASE_SETUP && s->aborted)
                enter_killing(s);
        else if (s->phase == PHASE_SETUP && s->executed && s->outer == 0)
                application_executed(s);

        if (s->outer != 0 || s->leader != 0 || s->status_fd >= 0)
                return;

        /* Its last words count: that it was ready, and what it says of its end. */
        notify_socket_drain(s->notify);
        if (cgroup_is_gone(s))
                sandbox_run_over(s);
}

bool sandbox_owns(Sandbox *s, pid_t pid) {
        if (pid == s->outer || pid == s->leader || notify_socket_owns(s->notify, pid))
                return true;

        /* Its pid 1 may end before the record that names it was read. */
        sandbox_look_for_leader(s);
        return pid == s->leader;
}

void sandbox_reaped(Sandbox *s, pid_t pid, int wait_status) {
        if (notify_socket_owns(s->notify, pid)) {
                notify_socket_reaped(s->notify);
                return;
        }

        sandbox_read_status(s);

        if (pid == s->outer) {
                s->outer = 0;
                /* The end of the status socket says that it ran only if whoever let it go says so too. */
                if (s->phase == PHASE_SETUP && wait_status != 0)
                        sandbox_abort(s, ERROR_SETUP_FAILED, "immured-exec ended early");
        } else {
                s->leader = 0;
                s->leader_status = wait_status;
        }

        sandbox_advance(s);
}
