/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * run — one execution of a sandbox: its cgroup, its process, and what the keeper hears and watches of both
 *
 * It knows no phases and no policy: its sandbox says what is to be done, and is told what came (RunHandlers).
 *
 * Life: made by run_start(), which leaves nothing behind if it fails; freed by its sandbox when nothing of it is left,
 * or when the keeper leaves. Handlers do not free it, but for advanced().
 * Runs in: keeper. Privilege: root. Input: the plan; the application's notifications (hostile).
 */

#include "base/util.h"
#include "keeper/parts/call-list.h"
#include "keeper/parts/cgroup.h"
#include "keeper/parts/fault-watch.h"
#include "keeper/parts/log-streams.h"
#include "keeper/parts/notify-socket.h"
#include "keeper/parts/seed-process.h"
#include "keeper/parts/terms.h"
#include "keeper/run/limits.h"
#include "keeper/run/process.h"
#include "link/link.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

/* What the keeper lends to every run. */
typedef struct RunContext {
        sd_event *event;
        CgroupUnit *unit;
        FaultUser *faults; /* of what all sandboxes share */
        SeedProcess *seed;
        int exec_fd, null_fd;
} RunContext;

/* What a run tells its sandbox. */
typedef struct RunHandlers {
        /* As of its process (process.h). */
        void (*streams)(void *userdata);
        void (*failed)(void *userdata, const char *error_name, const char *text);
        void (*advanced)(void *userdata);
        /* The application says something that it may say. */
        void (*notified)(void *userdata, const NotifyMessage *message);
        /* No sign of life within WatchdogSec=. */
        void (*starved)(void *userdata);
        /* It has frozen, or thawed. */
        void (*frozen)(void *userdata);
        /* It lost a process to the out-of-memory killer under OOMPolicy=stop. */
        void (*out_of_memory)(void *userdata);
        /* It ran into a limit. */
        FaultHandler hit;
} RunHandlers;

typedef struct Run {
        const RunContext *context;
        const RunHandlers *handlers;
        void *userdata;
        const Terms *terms;
        SandboxRecord *record; /* the sandbox's: Enforced, Leader and MainPID are written here */
        int cgroup_fd;
        Process *process;
        NotifySocket *notify; /* NULL: nobody's notifications are heard */
        FaultWatch *fault_watch;
        sd_event_source *watchdog, *cgroup_event, *memory_event, *freeze_event;
        bool freezing, frozen; /* what was asked for; what the kernel says */
        CallList freeze_calls;
} Run;

/* All of it stays the caller's; but for plan and descriptors it must outlive the run. */
typedef struct RunRequest {
        SandboxRecord *record;
        const char *cgroup_name;
        uint32_t id_block;
        const Plan *plan;
        int plan_fd;
        uint32_t streams; /* of the client's (client-streams.h) */
        int streams_fd;   /* where they come from; negative: there are none */
        const Terms *terms;
        const Limits *limits;
        LogStreams *logs;
} RunRequest;

/* Starts immured-exec and returns at once. Fills error and returns negative errno. */
int run_start(Run **ret,
              const RunContext *context,
              const RunRequest *request,
              const RunHandlers *handlers,
              void *userdata,
              sd_bus_error *error);
/* Takes NULL, returns NULL. Whoever waits for it to freeze is told that it is no more. */
Run *run_free(Run *run);
DEFINE_CLEANUP(Run *, run_free);

/* The application was executed: what it says is heard from here on, and what befalls it. */
void run_executed(Run *run);

/* As of its process, and of whatever else is a child for its sake. */
bool run_owns(Run *run, pid_t pid);
void run_reaped(Run *run, pid_t pid, int wait_status);

/* A signal to the application, or to all but our init. */
int run_signal(const Run *run, bool all, int signo);
/* cgroup.kill. Its errors go to the log. */
void run_kill(const Run *run);

/* Removes its cgroup, name being that of its request. False: something still lives in it. */
bool run_remove_cgroup(const Run *run, const char *name);
/* Has its sandbox told (advanced) when something in the cgroup has ended. */
void run_watch_cgroup(Run *run);

/* A sign of life: the watchdog's time begins anew, where there is one and it is to run. */
void run_feed_watchdog(Run *run);
void run_stop_watchdog(Run *run);
/* Gives it that long from now on, if that is longer, and not longer than PLAN_EXTENSION_MAX times its own time. */
void run_extend_watchdog(Run *run, uint64_t usec);

/* Takes a call and answers it when that is done, or fills error and returns negative errno. */
int run_freeze(Run *run, bool freeze, sd_bus_message *call, sd_bus_error *error);
/* At once and for good: its application is to end. Whoever waits for it to freeze is told so. Takes NULL. */
void run_thaw(Run *run);
