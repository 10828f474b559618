/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * run — one execution of a sandbox: its cgroup, its process, and what the keeper hears and watches of both
 *
 * It knows no phases and no policy: its sandbox starts it, says what is to be done, and is told what came.
 *
 * Life: made and filled by the steps of its sandbox's start (sandbox-start.c); freed when nothing of it is left, or
 * when the keeper leaves. Handlers do not free it, but for advanced().
 * Runs in: keeper. Privilege: root. Input: the application's notifications (hostile).
 */

#include "base/util.h"
#include "keeper/parts/cgroup.h"
#include "keeper/parts/fault-watch.h"
#include "keeper/parts/link-send.h"
#include "keeper/parts/notify-socket.h"
#include "keeper/parts/seed-process.h"
#include "keeper/parts/terms.h"
#include "keeper/run/process.h"

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
        ProcessHandlers process;
        NotifyHandler *notified;
        FaultHandler hit;
        /* No sign of life within WatchdogSec=. */
        void (*starved)(void *userdata);
        /* It has frozen, or thawed. */
        void (*frozen)(void *userdata);
        /* It lost a process to the out-of-memory killer under OOMPolicy=stop. */
        void (*out_of_memory)(void *userdata);
} RunHandlers;

typedef struct Run {
        const RunContext *context;
        const RunHandlers *handlers;
        void *userdata;
        const char *id; /* the sandbox's, as its terms */
        const Terms *terms;
        int cgroup_fd;
        Process *process;
        NotifySocket *notify; /* NULL: nobody's notifications are heard */
        FaultWatch *fault_watch;
        sd_event_source *watchdog, *cgroup_event, *memory_event;
        bool freezing, frozen; /* what was asked for; what the kernel says */
        CallList freeze_calls;
} Run;

/* Nothing of it is there yet. All that is handed in stays the caller's and must outlive the run. */
int run_new(Run **ret,
            const RunContext *context,
            const char *id,
            const Terms *terms,
            const RunHandlers *handlers,
            void *userdata);
/* Takes NULL, returns NULL. Whoever waits for it to freeze is told that it is no more. */
Run *run_free(Run *run);

/* The application was executed: what it says is heard from here on, and what befalls it. */
void run_executed(Run *run);

/* As of its process, and of whatever else is a child for its sake. */
bool run_owns(Run *run, pid_t pid);
void run_reaped(Run *run, pid_t pid, int wait_status);

/* A signal to the application, or to all but our init. */
int run_signal(const Run *run, bool all, int signo);
/* cgroup.kill. Its errors go to the log. */
void run_kill(const Run *run);

/* Removes its cgroup, which has that name. False: something still lives in it. */
bool run_remove_cgroup(const Run *run, const char *name);
/* Has its sandbox told (advanced) when something in the cgroup has ended. Errors of sd_event_add_inotify(3). */
int run_watch_cgroup(Run *run);

/* A sign of life: the watchdog's time begins anew, where there is one and it is to run. */
void run_feed_watchdog(Run *run);
void run_stop_watchdog(Run *run);
/* Gives it that long from now on, if that is longer, and not longer than PLAN_EXTENSION_MAX times its own time. */
void run_extend_watchdog(Run *run, uint64_t usec);

/* Takes a call and answers it when that is done, or fills error and returns negative errno. */
int run_freeze(Run *run, bool freeze, sd_bus_message *call, sd_bus_error *error);
/* At once and for good: its application is to end. Whoever waits for it to freeze is told so. Takes NULL. */
void run_thaw(Run *run);
