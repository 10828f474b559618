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
 * without losing one. It does so, by SIGTERM, where broker and keeper are of different versions. On SIGTERM all
 * sandboxes are stopped, then the keeper leaves. If it is killed, the kernel ends the sandboxes' pid 1 with it where
 * that asked for it, systemd what is left of the unit, and the next keeper of the user whatever is still there
 * (cgroup.h).
 *
 * Life: the process's. Runs in: keeper. Privilege: root. Input: the link's, trusted to be root, not to be right.
 */

#include "base/util.h"
#include "keeper/sandbox/sandbox.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Keeper Keeper;

/* What the command line says. */
typedef struct KeeperOptions {
        uid_t uid;
        const char *app;    /* USER:PROFILE; NULL: for all that the broker launches for the uid */
        const char *cgroup; /* the unit's; NULL: this process's own */
        const char *exec;   /* immured-exec */
} KeeperOptions;

/* answers: the methods that the broker may call (link-answers.h). Logs its errors. */
int keeper_new(Keeper **ret, const KeeperOptions *options, const sd_bus_vtable *answers);
Keeper *keeper_free(Keeper *k); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Keeper *, keeper_free);

/*
 * Serves until told to leave, or the application has ended: the exit status of this process, or negative errno;
 * *ret_signo: the signal that it shall end by instead, or 0.
 */
int keeper_run(Keeper *k, int *ret_signo);

/* The sandbox with this id, or NULL. */
Sandbox *keeper_find(Keeper *k, const char *id);

/* Fills error and returns negative errno; else *ret is the sandbox, whose start goes on. */
int keeper_launch(Keeper *k, const LaunchRequest *request, sd_bus_error *error, Sandbox **ret);

/* Forgets an ended sandbox and says so. */
void keeper_forget(Keeper *k, Sandbox *s);
