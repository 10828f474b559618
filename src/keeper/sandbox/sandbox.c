/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/sandbox/sandbox.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "keeper/parts/processes.h"

#include <signal.h>

#define PROCESSES_SHOWN 8

static bool goes_on(const Sandbox *s) {
        if (s->context->leaving || s->stop_wanted || !s->ran)
                return false;
        /* Whatever killed that process, no run could begin without what it held. */
        if (s->holder && !stream_holder_is_alive(s->holder))
                return false;

        return s->restart_wanted || terms_restart(&s->terms, s->record->result);
}

static void release_run(Sandbox *s) {
        (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        s->status_timer = sd_event_source_disable_unref(s->status_timer);
        s->run = run_free(s->run);
}

static void release(Sandbox *s) {
        release_run(s);
        s->timer = sd_event_source_disable_unref(s->timer);
        s->lease = lease_server_free(s->lease);
        s->logs = log_streams_free(s->logs);
        s->holder = stream_holder_free(s->holder);
        s->plan_fd = safe_close(s->plan_fd);

        if (s->id_picked)
                id_pool_release(s->context->ids, s->id_block);
        s->id_picked = false;
}

/* Nothing of it is left on the machine, so everybody can be told. */
static void sandbox_end(Sandbox *s) {
        const SandboxHandlers *handlers = s->context->handlers;
        void *userdata = s->context->userdata;
        bool keep = s->record->result != SANDBOX_SUCCESS && !sandbox_never_was(s);

        sandbox_change_phase(s, PHASE_DEAD);
        if (!keep)
                handlers->removed(userdata, s);
        sandbox_answer_launch(s);
        sandbox_refuse_restarts(s);
        call_list_answer(&s->stop_calls, NULL);

        /* After the broker, which must know of the end before the holder of the lease asks it for the next launch. */
        sandbox_send_result(s);
        release(s);

        handlers->ended(userdata, s, keep);
}

static void judge(Sandbox *s) {
        SandboxRecord *record = s->record;

        if (s->aborted) {
                record->result = s->ending.timed_out ? SANDBOX_TIMEOUT : SANDBOX_SETUP;
                if (s->ran && s->stop_wanted)
                        record->result = SANDBOX_SUCCESS; /* stopped between two runs */
                sandbox_set_text(&record->status_text, s->error.message ?: "");
        } else {
                process_read_ending(s->run->process, &s->ending.code, &s->ending.status);
                record->result = terms_judge(&s->terms, &s->ending);
                record->exec_main_code = s->ending.code;
                record->exec_main_status = s->ending.status;
                if (s->ending.unready)
                        sandbox_explain_unready(s);
        }

        record->leader = record->main_pid = 0;
}

static void run_again(Sandbox *s);

/* A run is over, or could not be started: what comes next? */
static void run_over(Sandbox *s) {
        log_streams_drain(s->logs);
        judge(s);
        sandbox_tell_ended(s);
        release_run(s);
        if (!s->restart_wanted)
                sandbox_refuse_restarts(s);

        if (!goes_on(s)) {
                sandbox_end(s);
                return;
        }

        lease_server_send(s->lease, "STATE=restarting");
        if (s->restart_wanted)
                run_again(s);
        else
                sandbox_enter_phase(s, PHASE_WAITING, terms_restart_delay(&s->terms, s->record->n_restarts));
}

static void application_executed(Sandbox *s) {
        run_executed(s->run);

        s->ending.unready = s->terms.type == SERVICE_NOTIFY;
        if (s->ending.unready) {
                sandbox_change_phase(s, PHASE_START);
                lease_server_send(s->lease, "STATE=starting");
        } else
                sandbox_enter_running(s);

        /* The holder of a lease learns the end over it, and needs it before, to hand on signals. */
        if (s->lease || !s->wait)
                sandbox_answer_launch(s);

        for (int signo = 1; signo < _NSIG && s->early_signals != 0; signo++)
                if (s->early_signals & UINT64_C(1) << (signo - 1))
                        (void) sandbox_signal(s, false, signo);
        s->early_signals = 0;
}

/* Whether the cgroup is gone. Where something still lives in it, its end is waited for. */
static bool cgroup_is_gone(Sandbox *s) {
        s->ending.oom_kills = MAX(s->ending.oom_kills, cgroup_oom_kills(s->run->cgroup_fd));
        if (run_remove_cgroup(s->run, s->cgroup_name))
                return true;

        if (s->phase != PHASE_KILLING)
                sandbox_enter_killing(s);
        (void) run_watch_cgroup(s->run);

        /* It may have emptied before the watch was there. */
        return run_remove_cgroup(s->run, s->cgroup_name);
}

/* Moves on where what it waits for has come. */
static void advance(void *userdata) {
        Sandbox *s = userdata;
        const Process *p;

        if (!s->run)
                return;

        p = s->run->process;
        if (s->phase == PHASE_SETUP && s->aborted)
                sandbox_enter_killing(s);
        else if (s->phase == PHASE_SETUP && p->executed && p->outer == 0)
                application_executed(s);

        if (!process_is_over(p))
                return;

        /* Its last notifications count: it may have said READY=1 or STATUS= right before it ended. */
        notify_socket_drain(s->run->notify);
        if (cgroup_is_gone(s))
                run_over(s);
}

/*
 * A failed launch whose processes do not die. They may hang on a file server that never answers, and whoever launched
 * it must not hang with them. The reason of the failure is known, so it is told; what is left is a sandbox of its user
 * that counts like any other.
 */
static void answer_overdue(Sandbox *s) {
        s->overdue = true;
        s->awaits_streams = false;
        sandbox_changed(s);
        sandbox_answer_launch(s);
        judge(s);
        sandbox_send_result(s);
}

/* It is not the sandbox that takes too long where the client is waited for. */
static void give_up_setup(Sandbox *s) {
        if (s->awaits_streams)
                s->ending.timed_out = false;
        sandbox_abort(s,
                      ERROR_SETUP_FAILED,
                      s->awaits_streams ? "streams: the client's have not come within TimeoutStartSec="
                                        : "TimeoutStartSec= is over");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Sandbox *s = userdata;

        if (s->phase < PHASE_KILLING)
                s->ending.timed_out = true;

        switch (s->phase) {
        case PHASE_SETUP:
                give_up_setup(s);
                break;
        case PHASE_START:
        case PHASE_RUNNING:
                sandbox_end_run(s);
                break;
        case PHASE_STOPPING:
        case PHASE_ABORTING:
                sandbox_enter_killing(s);
                break;
        case PHASE_KILLING:
                if (sandbox_never_was(s))
                        answer_overdue(s);
                sandbox_enter_killing(s);
                break;
        case PHASE_WAITING:
                if (goes_on(s))
                        run_again(s);
                else
                        sandbox_end(s);
                return 0;
        default:
                break;
        }

        advance(s);
        return 0;
}

/* The client's part is done: from here on there is a sandbox, and its lease is what a lease is for. */
static void on_streams(void *userdata) {
        Sandbox *s = userdata;

        if (!s->awaits_streams)
                return;

        s->awaits_streams = false;
        if (lease_server_listen(s->lease) < 0)
                sandbox_abort(s, ERROR_SETUP_FAILED, "the lease cannot be watched");
        if (s->phase == PHASE_SETUP)
                sandbox_change_phase(s, PHASE_SETUP);
}

static void on_failed(void *userdata, const char *error_name, const char *text) {
        sandbox_abort(userdata, error_name, text);
}

/* The layers of immured-exec join those of the cgroup in the record. */
static int on_verified(void *userdata, const Process *p, const char *layers) {
        Sandbox *s = userdata;
        _cleanup_strv_ char **words = NULL;
        int r;

        if (s->run->notify && !notify_socket_is_bound(s->run->notify))
                sandbox_abort(s, ERROR_VERIFICATION_FAILED, "notify: the socket is not in its place");

        s->record->leader = (uint32_t) p->leader;
        s->record->main_pid = (uint32_t) p->main;

        r = split_words(layers, &words);
        return r < 0 ? r : strv_extend_strv(&s->record->enforced, words);
}

/* Under "all" anybody may send: the socket can be reached from inside alone. */
static void on_notified(void *userdata, pid_t sender, const NotifyMessage *message) {
        Sandbox *s = userdata;

        if (s->terms.notify_access != NOTIFY_ACCESS_MAIN || sender == s->run->process->main)
                sandbox_notified(s, message);
}

static void on_starved(void *userdata) { sandbox_give_up(userdata, "no sign of life within WatchdogSec="); }

static void on_frozen(void *userdata) { sandbox_show_activity(userdata); }

static void on_out_of_memory(void *userdata) { sandbox_end_run(userdata); }

/* The names of processes are a help, and may be missing. */
static void
on_hit(FaultResource resource, FaultLevel level, uint64_t value, uint64_t limit, void *userdata) {
        Sandbox *s = userdata;
        Fault fault = { clock_usec(CLOCK_REALTIME), resource, level, value, limit, NULL };
        const SandboxEvent hit = {
                .kind = SANDBOX_EVENT_LIMIT_HIT,
                .details = { { .text = fault_resource_name(resource) },
                             { .text = fault_level_name(level) },
                             { .number = value },
                             { .number = limit } },
        };

        if (!s->faults && faults_new(&s->faults) < 0) {
                (void) log_oom();
                return;
        }
        if (!faults_wants(s->faults, resource, fault.time))
                return;

        (void) processes_names(s->run->cgroup_fd, PROCESSES_SHOWN, &fault.processes);
        faults_add(s->faults, &fault);

        sandbox_tell_event(s, &hit);
        s->context->handlers->happened(s->context->userdata, s, &hit);
}

static const RunHandlers run_handlers = {
        .process = {
                .streams = on_streams,
                .verified = on_verified,
                .failed = on_failed,
                .advanced = advance,
        },
        .notified = on_notified,
        .starved = on_starved,
        .frozen = on_frozen,
        .out_of_memory = on_out_of_memory,
        .hit = on_hit,
};

/* What a run leaves in the record and must not be taken for the next one's. */
static void forget_run(Sandbox *s) {
        SandboxRecord *record = s->record;

        s->ending = (Ending){};
        s->aborted = false;
        sd_bus_error_free(&s->error);

        record->enforced = strv_free(record->enforced);
        record->status_text[0] = '\0';
        record->result = SANDBOX_SUCCESS;
        record->exec_main_code = record->exec_main_status = 0;
}

static void begin_again(Sandbox *s) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        s->restart_wanted = false;
        forget_run(s);
        if (sandbox_start(s, NULL, &run_handlers, &error) >= 0) {
                sandbox_begin(s);
                return;
        }

        sandbox_abort(s, error.name, error.message);
        run_over(s);
}

/* The next run, unless it is one start too many. */
static void run_again(Sandbox *s) {
        if (s->restart_wanted) {
                s->record->n_restarts = 0; /* counted when it was asked for */
                begin_again(s);
        } else if (sandbox_count_start(s)) {
                s->record->n_restarts++;
                begin_again(s);
        } else {
                s->record->result = SANDBOX_START_LIMIT;
                sandbox_tell_start_limit(s);
                s->stop_wanted = true;
                sandbox_end(s);
        }
}

static bool streams_were_kept(const Sandbox *s) { return s->streams == 0 || s->holder; }

static int refuse_not_running(const Sandbox *s, sd_bus_error *error) {
        return sd_bus_error_setf(error, ERROR_SANDBOX_NOT_RUNNING, "%s is not running", s->record->id);
}

int sandbox_restart(Sandbox *s, sd_bus_message *call, sd_bus_error *error) {
        if (s->context->leaving)
                return sd_bus_error_set(error, ERROR_SHUTTING_DOWN, "the keeper is shutting down");
        if (s->phase == PHASE_DEAD)
                return refuse_not_running(s, error);
        if (s->phase == PHASE_SETUP || s->phase == PHASE_START || s->stop_wanted || s->restart_wanted)
                return sd_bus_error_setf(
                        error, ERROR_BUSY, "%s is being started or stopped already", s->record->id);
        if (!streams_were_kept(s))
                return sd_bus_error_setf(
                        error,
                        ERROR_SETTING_NOT_PERMITTED,
                        "%s has standard streams of its client's, which Restart=no does not keep",
                        s->record->id);
        if (!sandbox_count_start(s))
                return sd_bus_error_setf(error,
                                         ERROR_RATE_LIMITED,
                                         "%s was started too often (StartLimitBurst=)",
                                         s->record->id);

        (void) call_list_add(&s->restart_calls, call); /* it is the only one */
        s->restart_wanted = true;
        if (s->phase == PHASE_WAITING)
                sandbox_hurry(s);
        else
                sandbox_end_run(s);
        return 1;
}

int sandbox_freeze(Sandbox *s, bool freeze, sd_bus_message *call, sd_bus_error *error) {
        return s->phase == PHASE_RUNNING ? run_freeze(s->run, freeze, call, error)
                                         : refuse_not_running(s, error);
}

int sandbox_set_limits(Sandbox *s, const PlanCgroupValue *values, size_t n, sd_bus_error *error) {
        if (s->phase != PHASE_RUNNING)
                return refuse_not_running(s, error);

        return limits_change(&s->limits, s->context->run.unit, s->run->cgroup_fd, values, n, error);
}

int sandbox_signal(Sandbox *s, bool all, int signo) {
        if (s->phase == PHASE_SETUP || !s->run)
                return -ESRCH;

        return run_signal(s->run, all, signo);
}

int sandbox_append_faults(Sandbox *s, sd_bus_message *m) {
        if (s->run)
                fault_watch_look(s->run->fault_watch);
        return faults_append(s->faults, m);
}

int sandbox_append_processes(Sandbox *s, sd_bus_message *m) {
        return processes_append(m, s->run ? s->run->cgroup_fd : -EBADF);
}

static void on_lease(void *userdata, const LeaseRequest *request) {
        Sandbox *s = userdata;

        if (request->signo > 0 && s->phase == PHASE_SETUP)
                s->early_signals |= UINT64_C(1) << (request->signo - 1);
        else if (request->signo > 0)
                (void) sandbox_signal(s, false, request->signo);
        if (request->stop) {
                sandbox_stop(s);
                advance(s);
        }
}

static void on_lease_gone(void *userdata) {
        Sandbox *s = userdata;

        s->lease = lease_server_free(s->lease);
        if (s->terms.on_disconnect == ON_DISCONNECT_KEEP)
                return;

        s->ending.killed = s->terms.on_disconnect == ON_DISCONNECT_KILL;
        if (s->ending.killed)
                sandbox_kill_all(s);
        else
                sandbox_stop(s);
        advance(s);
}

int sandbox_launch(const SandboxContext *context,
                   const LaunchRequest *request,
                   sd_bus_error *error,
                   Sandbox **ret) {
        sd_event *event = context->run.event;
        _cleanup_(sandbox_freep) Sandbox *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->context = context;
        s->wait = request->wait;
        s->streams = request->streams;
        s->awaits_streams = s->streams != 0;
        s->lease_holder = s->plan_fd = -EBADF;

        s->record = calloc(1, sizeof(*s->record));
        if (!s->record)
                return -ENOMEM;

        r = sd_event_add_time_relative(
                event, &s->timer, CLOCK_MONOTONIC, USEC_PER_SEC, 10 * USEC_PER_MSEC, on_timer, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        if (r >= 0 && request->lease)
                r = lease_server_new(&s->lease, event, on_lease, on_lease_gone, s, &s->lease_holder);
        /* Whoever receives the streams hears, until then, that the client has gone. */
        if (r >= 0 && !s->awaits_streams)
                r = lease_server_listen(s->lease);
        if (r >= 0)
                r = sandbox_start(s, request, &run_handlers, error);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

Sandbox *sandbox_free(Sandbox *s) {
        if (!s)
                return NULL;

        release(s);
        sandbox_drop_calls(s);
        if (s->cgroup_name[0] && s->phase != PHASE_DEAD)
                (void) cgroup_remove(s->context->run.unit, s->cgroup_name);

        limits_done(&s->limits);
        (void) faults_free(s->faults);
        sd_bus_error_free(&s->error);
        (void) sandbox_record_free(s->record);
        free(s);
        return NULL;
}

DEFINE_CLEANUP(Sandbox *, sandbox_free);
