/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper — the sandboxes of a user, or the one that a unit is there for: the list, the children, the end of it all
 *
 * Every child is reaped here, on SIGCHLD, and handed to the sandbox it belongs to: pid 1 of a sandbox is a child of
 * the keeper (CLONE_PARENT) long before its pidfd arrives, and dies unknown if the set-up is cut short, so waiting on
 * pidfds alone would leave zombies.
 *
 * An idle keeper stays: only the broker knows whether a launch is on its way, so only the broker can end a keeper
 * without losing one. On SIGTERM all sandboxes are stopped, then the keeper leaves. If it is killed, the kernel ends
 * the sandboxes' pid 1 with it where that asked for it, systemd what is left of the unit, and the next keeper of the
 * user whatever is still there (cgroup.h).
 *
 * Life: the process's. Runs in: keeper. Privilege: root. Input: the link's, trusted to be root, not to be right.
 */

#include "base/util.h"
#include "keeper/parts/cgroup.h"
#include "keeper/parts/fault-watch.h"
#include "keeper/parts/ids.h"
#include "keeper/parts/seed-process.h"
#include "keeper/sandbox/sandbox.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define KEEPER_SANDBOXES_MAX 4096U
#define KEEPER_ENDED_MAX 16U

typedef struct App App;
typedef struct LinkClient LinkClient;

/* What the command line says. */
typedef struct KeeperOptions {
        uid_t uid;
        const char *app;    /* USER:PROFILE; NULL: for all that the broker launches for the uid */
        const char *cgroup; /* the unit's; NULL: this process's own */
        const char *exec;   /* immured-exec */
} KeeperOptions;

struct Keeper {
        uid_t uid; /* LINK_UID_UNKNOWN until the application is launched */
        App *app;  /* NULL: a user's keeper */
        sd_event *event;
        CgroupUnit *unit;
        FaultUser *faults; /* of what all sandboxes share */
        IdPool *ids;
        int exec_fd;
        int null_fd;
        SeedProcess *seed;
        LinkClient *link;
        Sandbox *first, *last; /* oldest first */
        size_t n_sandboxes, n_ended;
        bool leaving;
        bool launched;  /* the application was, once and for all */
        int end_signal; /* how this process shall end; 0: as keeper_run() says */
};

/* Logs its errors. */
int keeper_new(Keeper **ret, const KeeperOptions *options);
Keeper *keeper_free(Keeper *k); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Keeper *, keeper_free);

/* Serves until told to leave, or the application has ended: the exit status of this process, or negative errno. */
int keeper_run(Keeper *k);

/* The sandbox with this id, or NULL. */
Sandbox *keeper_find(Keeper *k, const char *id);

/* Fills error and returns negative errno; else *ret is the sandbox, whose start goes on. */
int keeper_launch(Keeper *k, const LaunchRequest *request, sd_bus_error *error, Sandbox **ret);

/* Forgets an ended sandbox and says so. */
void keeper_forget(Keeper *k, Sandbox *s);

/* For the sandbox: it has a new record; waits that long at most in its phase; is launched, or will never be. */
void keeper_sandbox_changed(Keeper *k, Sandbox *s);
void keeper_sandbox_deadline(Keeper *k, Sandbox *s, uint64_t timeout_usec);
void keeper_sandbox_launched(Keeper *k, Sandbox *s);
/* For the sandbox: it came to its end, and what is to be answered was answered. It may be freed. */
void keeper_sandbox_ended(Keeper *k, Sandbox *s, bool keep);
/* For the link: the broker knows all there is to know. */
void keeper_announced(Keeper *k);
