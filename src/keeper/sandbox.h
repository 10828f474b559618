/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox — one sandbox from its launch to its end
 *
 *   phase      state      what ends it
 *   setup      starting   the application was executed, a step failed, TimeoutStartSec=
 *   running    running    the application ended, Stop(), RuntimeMaxSec=, an OOM kill under OOMPolicy=stop
 *   stopping   stopping   the application ended, TimeoutStopSec= since KillSignal=
 *   killing    stopping   cgroup.kill was written; ends when nothing is left in the cgroup
 *   dead       exited, failed
 *
 * It is dead only when both halves of immured-exec are reaped and the cgroup could be removed.
 *
 * Life: made by sandbox_launch(), which leaves nothing behind if it fails; freed by the keeper. Functions that may
 * end a sandbox may free it: callers do not touch it afterwards.
 * Runs in: keeper. Privilege: root. Input: the plan; records of immured-exec; the application's wait status (hostile).
 */

#include "base/util.h"
#include "keeper/lease.h"
#include "keeper/streams.h"
#include "keeper/terms.h"
#include "link/link.h"
#include "plan/launch.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define SANDBOX_STOP_CALLS_MAX 16

typedef struct Keeper Keeper;

typedef enum SandboxPhase {
        PHASE_SETUP,
        PHASE_RUNNING,
        PHASE_STOPPING,
        PHASE_KILLING,
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
        sd_event_source *status_event, *timer, *cgroup_event, *memory_event;
        bool verified, executed;

        Ending ending;
        bool aborted; /* it never ran: error says why */
        sd_bus_error error;

        Streams *streams;
        Lease *lease;
        int lease_holder; /* the other end, until it was handed over */
        sd_bus_message *launch_call;
        sd_bus_message *stop_calls[SANDBOX_STOP_CALLS_MAX];
        size_t n_stop_calls;
};

/* Fills error and returns negative errno. Starts immured-exec and returns at once. */
int sandbox_launch(Keeper *k, const LaunchRequest *request, sd_bus_error *error, Sandbox **ret);
/* Takes it apart; whatever of it runs must have been reaped, or is left to the next keeper. Takes NULL. */
Sandbox *sandbox_free(Sandbox *s);
DEFINE_CLEANUP(Sandbox *, sandbox_free);

static inline bool sandbox_is_alive(const Sandbox *s) { return s->phase != PHASE_DEAD; }

/* Begins to end it: KillSignal=, then cgroup.kill. A second time it changes nothing. */
void sandbox_stop(Sandbox *s);
/* Ends it at once. */
void sandbox_kill_all(Sandbox *s);
/* A signal to the application, or to all but our init. -ESRCH: it does not run. */
int sandbox_signal(Sandbox *s, bool all, int signo);

/* Whether this child is, or by now turns out to be, this sandbox's. */
bool sandbox_owns(Sandbox *s, pid_t pid);
/* A child that it owns has ended and was reaped. */
void sandbox_reaped(Sandbox *s, pid_t pid, int wait_status);

/* Among the files sandbox*.c: enters the first phase; moves on where what it waits for has come; lets go of it all. */
void sandbox_begin(Sandbox *s);
void sandbox_advance(Sandbox *s);
void sandbox_release(Sandbox *s);
/* It will never run; the first reason stands. */
void sandbox_abort(Sandbox *s, const char *error_name, const char *format, ...) _printf_(3, 4);

/* Reads what immured-exec reports, up to the end. Makes no state change by itself. */
void sandbox_read_status(Sandbox *s);
int sandbox_watch_status(Sandbox *s);
