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
 * if nobody asked for it. From run to run it keeps its id, picked ids, lease, and the streams that a client gives
 * where Restart= is not "no": a client would wait in vain for their end if they were kept without need.
 *
 * Until a client's streams have come it is a sandbox of this keeper alone: it counts, but nobody is told of it.
 *
 * What belongs to one run is in its Run (run/run.h), which is there in the phases from setup to killing; what lasts
 * from run to run is here.
 *
 * Life: made by sandbox_launch(), which leaves nothing behind if it fails; freed by the keeper. Functions that may
 * end a sandbox may free it: callers do not touch it afterwards.
 * Runs in: keeper. Privilege: root. Input: the plan; records of immured-exec; the application's wait status (hostile).
 */

#include "base/util.h"
#include "keeper/parts/fault.h"
#include "keeper/parts/ids.h"
#include "keeper/parts/lease-server.h"
#include "keeper/parts/link-send.h"
#include "keeper/parts/log-streams.h"
#include "keeper/parts/stream-holder.h"
#include "keeper/parts/terms.h"
#include "keeper/run/limits.h"
#include "keeper/run/run.h"
#include "link/link.h"
#include "link/sandbox-event.h"
#include "plan/plan-recent.h"

#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Sandbox Sandbox;

/* What a sandbox asks and tells its keeper. */
typedef struct SandboxHandlers {
        /* Whether such a plan may run here. Fills error and returns negative errno where it may not. */
        int (*check_plan)(void *userdata, const Plan *plan, sd_bus_error *error);
        /* It has a new record. */
        void (*changed)(void *userdata, const Sandbox *s);
        /* It waits that long at most in its phase; it is the application that has asked for so much. */
        void (*deadline)(void *userdata, const Sandbox *s, uint64_t timeout_usec);
        void (*extended)(void *userdata, const Sandbox *s, uint64_t timeout_usec);
        /* It is launched. */
        void (*launched)(void *userdata, const Sandbox *s);
        void (*happened)(void *userdata, const Sandbox *s, const SandboxEvent *e);
        /* It ends, and nothing of it is to be remembered. */
        void (*removed)(void *userdata, const Sandbox *s);
        /* It came to its end, and what is to be answered was answered. May free it. */
        void (*ended)(void *userdata, Sandbox *s, bool keep);
} SandboxHandlers;

/* What the keeper lends to every sandbox. */
typedef struct SandboxContext {
        RunContext run;
        IdPool *ids;
        PlanRecent *recent;
        const SandboxHandlers *handlers;
        void *userdata;
        bool leaving; /* no run begins any more */
} SandboxContext;

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

/* The descriptor stays the caller's. */
typedef struct LaunchRequest {
        const char *id;
        const char *invocation_id;
        /* Of its newest encoding, and of what the descriptor holds; hex. NULL for a later run. */
        const char *plan_hash, *plan_digest;
        int plan_fd;
        uint32_t streams; /* that the client sends on its lease (client-streams.h) */
        int lease;        /* booleans, as the bus has them */
        int wait;         /* for READY=1 */
} LaunchRequest;

typedef TAILQ_HEAD(SandboxList, Sandbox) SandboxList;

struct Sandbox {
        const SandboxContext *context;
        TAILQ_ENTRY(Sandbox) entry; /* its keeper's */
        SandboxRecord *record;
        Terms terms;
        SandboxPhase phase;

        char cgroup_name[48]; /* the invocation id */
        bool id_picked;
        uint32_t id_block;

        Run *run; /* NULL: it waits for the next, or is dead */
        sd_event_source *timer, *status_timer;
        uint64_t deadline_max; /* how far EXTEND_TIMEOUT_USEC= may move the timer, CLOCK_MONOTONIC */
        bool reloading;

        Ending ending;
        bool aborted; /* this run never came to be: error says why */
        bool overdue; /* it could not be killed when its launch was to be answered */
        sd_bus_error error;

        int plan_fd;
        uint32_t streams;     /* the client's (client-streams.h) */
        bool awaits_streams;  /* they have not come yet */
        StreamHolder *holder; /* of those, from run to run; NULL: they are for one run, or there are none */
        bool ran;             /* a run came to be, this one or another before */
        bool stop_wanted, restart_wanted;
        StartCount starts;
        Limits limits;
        Faults *faults; /* of all runs; NULL: none yet */

        LogStreams *logs;
        LeaseServer *lease;
        uint64_t early_signals; /* of the lease, before there was an application; bit N: signal N + 1 */
        int lease_holder;       /* the other end, until it was handed over */
        sd_bus_message *launch_call;
        bool wait; /* launch_call is answered when the application is ready, and not before */
        CallList stop_calls, restart_calls;
};

/* Fills error and returns negative errno. Starts immured-exec and returns at once. */
int sandbox_launch(const SandboxContext *context,
                   const LaunchRequest *request,
                   sd_bus_error *error,
                   Sandbox **ret);
/* Takes it apart; whatever of it runs must have been reaped, or is left to the next keeper. Takes NULL. */
Sandbox *sandbox_free(Sandbox *s);
DECLARE_CLEANUP(Sandbox *, sandbox_free);

static inline bool sandbox_is_alive(const Sandbox *s) { return s->phase != PHASE_DEAD; }

/* Enters its first phase, once its keeper knows it. */
void sandbox_begin(Sandbox *s);

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
/* Calls of a connection that is gone can be answered no more. */
void sandbox_drop_calls(Sandbox *s);

/*
 * Sets limits of a running sandbox, all or none, until it ends: they hold for later runs, too. Fills error and returns
 * negative errno.
 */
int sandbox_set_limits(Sandbox *s, const PlanCgroupValue *values, size_t n, sd_bus_error *error);

/* Appends what limits it ran into, up to now, as faults_append() does. */
int sandbox_append_faults(Sandbox *s, sd_bus_message *m);
/* Appends its processes as processes_append() does. One that has ended, or waits for its next run, has none. */
int sandbox_append_processes(Sandbox *s, sd_bus_message *m);

/* What follows is for the files sandbox*.c among themselves: each uses only what stands above its own part. */

/*
 * sandbox-tell.c, who is told. Entries for the journal: a run began, or is over; the next is one too many; an event.
 */
void sandbox_tell_started(const Sandbox *s);
void sandbox_tell_ended(const Sandbox *s);
void sandbox_tell_start_limit(const Sandbox *s);
void sandbox_tell_event(const Sandbox *s, const SandboxEvent *e);

/*
 * And whoever waits: an open Launch() gets its error, or the record and the lease; an open Restart() the
 * error of the run that did not come to be; the holder of the lease how it ended, the last that they hear.
 */
void sandbox_answer_launch(Sandbox *s);
void sandbox_refuse_restarts(Sandbox *s);
void sandbox_send_result(Sandbox *s);

/* sandbox-phase.c, the phases and how they are entered; for the keeper, too: sandbox_begin(), _stop(), _kill_all(). */
void sandbox_enter_phase(Sandbox *s, SandboxPhase phase, uint64_t timeout_usec);
/* What it waits for until the deadline before goes on. */
void sandbox_change_phase(Sandbox *s, SandboxPhase phase);
/* The application was executed, and said that it is ready where it has to. */
void sandbox_enter_running(Sandbox *s);
void sandbox_enter_killing(Sandbox *s);
/* Begins to end this run, and only this. */
void sandbox_end_run(Sandbox *s);
/* Ends the wait between two runs. */
void sandbox_hurry(Sandbox *s);
/* It will never run; the first reason stands. */
void sandbox_abort(Sandbox *s, const char *error_name, const char *text);
/* A failed launch is answered with its error and then gone: nobody is told of its last phases. */
bool sandbox_never_was(const Sandbox *s);
/* Its keeper hears of a new record. */
void sandbox_changed(Sandbox *s);
/* Shows what it does while it runs, in the sub-state. */
void sandbox_show_activity(Sandbox *s);
/* If there is no memory the old text stays: it is only for people to read. */
void sandbox_set_text(char **text, const char *value);

/* sandbox-notify.c, what notifications bring about. */
void sandbox_notified(Sandbox *s, const NotifyMessage *message);
/* As systemd.service(5) does: SIGABRT, so that there can be a core dump, and TimeoutStopSec= to leave it. */
void sandbox_give_up(Sandbox *s, const char *why);
/* A run has ended that was never ready: the error for whoever waits for that. */
void sandbox_explain_unready(Sandbox *s);

/* sandbox-start.c, the steps up to a run; request: NULL for one more of the same plan. A failed one leaves none. */
int sandbox_start(Sandbox *s,
                  const LaunchRequest *request,
                  const RunHandlers *handlers,
                  sd_bus_error *error);
/* One start more. False: it is one too many. */
bool sandbox_count_start(Sandbox *s);
