/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox — one sandbox from its launch to its end
 *
 *   phase      state      what ends it
 *   setup      starting   the application was executed, a step failed, TimeoutStartSec=
 *   start      starting   Type=notify alone: READY=1; or as running, with TimeoutStartSec= since the begin of setup
 *   running    running    the application ended, Stop(), RuntimeMaxSec=, an OOM kill under OOMPolicy=stop, STOPPING=1,
 *                         no sign of life within WatchdogSec=
 *   stopping   stopping   the application ended, TimeoutStopSec= since KillSignal= or STOPPING=1
 *   aborting   stopping   the same since the SIGABRT of a watchdog
 *   killing    stopping   cgroup.kill was written; ends when nothing is left in the cgroup
 *   waiting    starting   RestartSec= is over, Stop(), Restart()
 *   dead       exited, failed
 *
 * A run is over only when both halves of immured-exec are reaped and the cgroup could be removed. What comes then is
 * a matter of Restart= and of who asked for what: the sandbox is dead, or the same plan runs once more, after a wait
 * if nobody asked for it. From run to run it keeps its id, picked ids, lease, and the streams that a client gave where
 * Restart= is not "no": a client would wait in vain for their end if they were kept without need.
 *
 * Life: made by sandbox_launch(), which leaves nothing behind if it fails; freed by the keeper. Functions that may
 * end a sandbox may free it: callers do not touch it afterwards.
 * Runs in: keeper. Privilege: root. Input: the plan; records of immured-exec; the application's wait status (hostile).
 */

#include "base/util.h"
#include "keeper/parts/call-list.h"
#include "keeper/parts/cgroup.h"
#include "keeper/parts/fault-watch.h"
#include "keeper/parts/lease-server.h"
#include "keeper/parts/log-streams.h"
#include "keeper/parts/notify-socket.h"
#include "keeper/parts/terms.h"
#include "link/link.h"
#include "link/sandbox-event.h"
#include "plan/launch.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Keeper Keeper;

typedef enum SandboxPhase {
        PHASE_SETUP,
        PHASE_START,
        PHASE_RUNNING,
        PHASE_STOPPING,
        PHASE_ABORTING,
        PHASE_KILLING,
        PHASE_WAITING,
        PHASE_DEAD,
        _PHASE_MAX,
} SandboxPhase;

/* All descriptors stay the caller's; streams: negative where none came along. */
typedef struct LaunchRequest {
        const char *id;
        const char *invocation_id;
        int plan_fd;
        int streams[3];
        bool lease;
        bool no_wait; /* not for READY=1 */
} LaunchRequest;

typedef struct Sandbox Sandbox;
struct Sandbox {
        Keeper *keeper;
        Sandbox *next, *previous;
        SandboxRecord *record;
        Terms terms;
        SandboxPhase phase;

        char cgroup_name[48]; /* PROFILE.N */
        int cgroup_fd;
        bool id_picked;
        uint32_t id_base;

        pid_t outer;       /* immured-exec's outer half; 0: reaped */
        pid_t leader;      /* pid 1; 0: not known yet, or reaped */
        int leader_status; /* its wait status, when reaped */
        int main_fd;       /* pidfd of the application */
        int status_fd, result_fd;
        sd_event_source *status_event, *timer, *cgroup_event, *memory_event, *freeze_event;
        bool verified, executed;
        bool freezing, frozen; /* what was asked for; what the kernel says */

        NotifySocket *notify; /* NULL: nobody's notifications are heard */
        sd_event_source *watchdog, *status_timer;
        uint64_t deadline_max; /* how far EXTEND_TIMEOUT_USEC= may move the timer, CLOCK_MONOTONIC */
        bool reloading;

        Ending ending;
        bool aborted; /* this run never came to be: error says why */
        bool overdue; /* it could not be killed when its launch was to be answered */
        sd_bus_error error;

        int plan_fd;
        int stream_fds[3];       /* the client's, for the next run; negative: not kept */
        bool has_client_streams; /* whether any were given */
        bool ran;                /* a run came to be, this one or another before */
        bool stop_wanted, restart_wanted;
        StartCount starts;
        PlanCgroupValue limits[CGROUP_CHANGES_MAX]; /* what was set since the launch; each file once */
        size_t n_limits;
        FaultWatch *fault_watch; /* of this run */
        Faults *faults;          /* of all runs; NULL: none yet */

        LogStreams *streams;
        LeaseServer *lease;
        int lease_holder; /* the other end, until it was handed over */
        sd_bus_message *launch_call;
        bool no_wait; /* launch_call is answered before the application is ready */
        CallList stop_calls, restart_calls, freeze_calls;
};

/* Fills error and returns negative errno. Starts immured-exec and returns at once. */
int sandbox_launch(Keeper *k, const LaunchRequest *request, sd_bus_error *error, Sandbox **ret);
/* Takes it apart; whatever of it runs must have been reaped, or is left to the next keeper. Takes NULL. */
Sandbox *sandbox_free(Sandbox *s);
DEFINE_CLEANUP(Sandbox *, sandbox_free);

static inline bool sandbox_is_alive(const Sandbox *s) { return s->phase != PHASE_DEAD; }

/* Begins to end it for good: KillSignal=, then cgroup.kill. A second time it changes nothing. */
void sandbox_stop(Sandbox *s);
/* Ends it at once. */
void sandbox_kill_all(Sandbox *s);
/* A signal to the application, or to all but our init. -ESRCH: it does not run. */
int sandbox_signal(Sandbox *s, bool all, int signo);

/*
 * These take a call of the broker and answer it when it is done, or fill error and return negative errno. Restart():
 * the run ends as by sandbox_stop(), and the next begins. A frozen sandbox is thawed by its end, however that comes.
 */
int sandbox_restart(Sandbox *s, sd_bus_message *call, sd_bus_error *error);
int sandbox_freeze(Sandbox *s, bool freeze, sd_bus_message *call, sd_bus_error *error);

/*
 * Sets limits of a running sandbox, all or none, until it ends: they hold for later runs, too. Fills error and returns
 * negative errno.
 */
int sandbox_set_limits(Sandbox *s, const PlanCgroupValue *values, size_t n, sd_bus_error *error);

/* Appends what limits it ran into, up to now, as faults_append() does. */
int sandbox_append_faults(Sandbox *s, sd_bus_message *m);

/* Whether this child is, or by now turns out to be, this sandbox's. */
bool sandbox_owns(Sandbox *s, pid_t pid);
/* A child that it owns has ended and was reaped. */
void sandbox_reaped(Sandbox *s, pid_t pid, int wait_status);

/* Among the files sandbox*.c: enters the first phase; moves on where what it waits for has come; lets go of it all. */
void sandbox_begin(Sandbox *s);
void sandbox_advance(Sandbox *s);
void sandbox_release(Sandbox *s);
/* The same for what belongs to one run. */
void sandbox_release_run(Sandbox *s);
/* Begins to end this run, and only this. */
void sandbox_end_run(Sandbox *s);
/* A run is over, or could not be started: what comes next? */
void sandbox_run_over(Sandbox *s);
/* Nothing of it is left, and nothing will come. */
void sandbox_end(Sandbox *s);
/* Ends the wait between two runs. */
void sandbox_hurry(Sandbox *s);
void sandbox_thaw(Sandbox *s);
/* Writes the limits that were set into the cgroup of a new run. */
int sandbox_apply_limits(Sandbox *s, sd_bus_error *error);
/* An error of cgroup_apply() or cgroup_change() on the bus; returns negative errno. */
int sandbox_cgroup_error(int r, const char *text, sd_bus_error *error);
void sandbox_forget_limits(Sandbox *s);
/* Entries for the journal: a run began; it is over, well or not; the next is one too many; an event. */
void sandbox_tell_started(const Sandbox *s);
void sandbox_tell_ended(const Sandbox *s);
void sandbox_tell_start_limit(const Sandbox *s);
void sandbox_tell_event(const Sandbox *s, const SandboxEvent *e);
/* Notices from now on which limits this run hits. Where that cannot be had it runs all the same. */
void sandbox_watch_faults(Sandbox *s);
/* Shows what it does while it runs, in the sub-state. */
void sandbox_show_activity(Sandbox *s);
void sandbox_enter_phase(Sandbox *s, SandboxPhase phase, uint64_t timeout_usec);
/* The application was executed, and said that it is ready where it has to. */
void sandbox_enter_running(Sandbox *s);

/* What notifications bring about (NotifyHandler). */
void sandbox_notified(void *userdata, pid_t sender, const NotifyMessage *message);
/* A sign of life: the watchdog's time begins anew, where there is one and it is to run. */
void sandbox_feed_watchdog(Sandbox *s);
void sandbox_stop_watchdog(Sandbox *s);
/* A run has ended that was never ready: the error for whoever waits for that. */
void sandbox_explain_unready(Sandbox *s);
/* Calls the handler when a file of its cgroup changes. */
int sandbox_watch_cgroup(Sandbox *s,
                         const char *file,
                         sd_event_inotify_handler_t handler,
                         sd_event_source **ret);

/* One start more. False: it is one too many. */
bool sandbox_count_start(Sandbox *s);
/* Whether another run follows the one that is over. */
bool sandbox_goes_on(const Sandbox *s);
/* The next run, unless it is one start too many. */
void sandbox_run_again(Sandbox *s);
/* The next immured-exec; nothing of it is left on failure, and sandbox_abort() was called. */
int sandbox_start_again(Sandbox *s);
/* It will never run; the first reason stands. */
void sandbox_abort(Sandbox *s, const char *error_name, const char *format, ...) _printf_(3, 4);

/* Reads what immured-exec reports, up to the end. Makes no state change by itself. */
void sandbox_read_status(Sandbox *s);
void sandbox_look_for_leader(Sandbox *s); /* the records up to the one that names pid 1 */
int sandbox_watch_status(Sandbox *s);
