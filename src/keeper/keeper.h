/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper — one user's sandboxes: the list, the children, and the end of it all
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
#include "keeper/cgroup.h"
#include "keeper/ids.h"
#include "keeper/sandbox.h"
#include "keeper/seed.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define KEEPER_SANDBOXES_MAX 4096U
#define KEEPER_ENDED_MAX 16U

typedef struct KeeperLink KeeperLink;

struct Keeper {
        uid_t uid;
        sd_event *event;
        CgroupUnit *unit;
        IdPool *ids;
        int exec_fd;
        int null_fd;
        Seed *seed;
        KeeperLink *link;
        Sandbox *first, *last; /* oldest first */
        size_t n_sandboxes, n_ended;
        bool leaving;
};

/* directory: the unit's cgroup, or NULL for this process's own. Logs its errors. */
int keeper_new(Keeper **ret, uid_t uid, const char *directory, const char *exec_path);
Keeper *keeper_free(Keeper *k); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Keeper *, keeper_free);

/* Serves until told to leave. */
int keeper_run(Keeper *k);

/* The sandbox with this id, or NULL. */
Sandbox *keeper_find(Keeper *k, const char *id);

/* Fills error and returns negative errno; else *ret is the sandbox, whose start goes on. */
int keeper_launch(Keeper *k, const LaunchRequest *request, sd_bus_error *error, Sandbox **ret);

/* Forgets an ended sandbox and says so. */
void keeper_forget(Keeper *k, Sandbox *s);

/* For the sandbox: it came to its end, and what is to be answered was answered. It may be freed. */
void keeper_sandbox_ended(Keeper *k, Sandbox *s, bool keep);
/* For the link: the broker knows all there is to know. */
void keeper_announced(Keeper *k);
