/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * cgroup — the keeper's own cgroup and those of its sandboxes, cgroup v2 only
 *
 *   UNIT/          delegated to the keeper: by systemd, or by the broker with --cgroup=
 *     keeper/      the keeper itself, as only leaves may hold processes once controllers are enabled
 *     INVOCATION/  one sandbox each, by its invocation id: everybody may read the names of cgroups
 *
 * A lock on UNIT lets one keeper at a time have it. Whatever else lies below it belonged to a keeper that died, and is
 * killed and removed before the new one starts. See cgroups(7) and Documentation/admin-guide/cgroup-v2.rst.
 *
 * Life: one CgroupUnit from start to end; the cgroup of a sandbox from before its first process until after its last.
 * Runs in: keeper. Privilege: root. Input: the plan's values, trusted to come from root, not to be right.
 */

#include "base/util.h"
#include "plan/plan.h"

#include <sys/types.h>

/* Values that cgroup_change() takes at once. */
#define CGROUP_CHANGES_MAX 16
/* Bytes of a cgroup.procs that are read; of a longer one, nothing. */
#define CGROUP_PROCS_SIZE_MAX (64U * 1024)

typedef struct CgroupUnit {
        int fd;
        char *path;           /* as in /proc/PID/cgroup */
        uint32_t controllers; /* enabled for the sandboxes: bits in the order of the table in cgroup.c */
} CgroupUnit;

/*
 * Takes the unit's cgroup: directory, or where this process is when NULL. Moves this process to keeper/, removes what
 * a dead keeper left, enables the controllers there are. -EBUSY: another keeper has it. -ENOMEDIUM: no cgroup v2 is
 * mounted. Other errors: of the system calls.
 */
int cgroup_unit_new(CgroupUnit **ret, const char *directory);
CgroupUnit *cgroup_unit_free(CgroupUnit *u); /* takes NULL, returns NULL */
DEFINE_CLEANUP(CgroupUnit *, cgroup_unit_free);

/* The slice of a user (immured-UID.slice), where that is right above the unit: a descriptor, or -ENOENT. */
int cgroup_unit_open_slice(const CgroupUnit *u);
/* Whose slice that is, by the path of a unit's cgroup. -ENOENT: it is nobody's. */
int cgroup_slice_uid(const char *path, uid_t *ret);

/* A new, empty cgroup; returns its directory, which is the caller's. What has that name already is removed first. */
int cgroup_create(const CgroupUnit *u, const char *name);

/*
 * Writes the plan's values and reads them back. *ret_layers gets the layers that are now enforced. -EOPNOTSUPP: one
 * is missing and not in the plan's degrade; -EBADE: the kernel made something else of a value; or what the write
 * said. On these *ret_text is "memory: …" for people. Caller frees both.
 */
int cgroup_apply(const CgroupUnit *u, int fd, const Plan *plan, char ***ret_layers, char **ret_text);

/*
 * Writes values into a cgroup that is in use and reads them back: all of them, or none. Errors and *ret_text as of
 * cgroup_apply(); no layer may be missing here.
 */
int cgroup_change(const CgroupUnit *u, int fd, const PlanCgroupValue *values, size_t n, char **ret_text);

/* Asks the kernel to stop every process in it, or to let them go on; cgroup.events tells when that is done. */
int cgroup_freeze(int fd, bool freeze);
bool cgroup_is_frozen(int fd);

/* The next pid in the text of a cgroup.procs, which is cut up on the way; 0: there is none of our pid namespace. */
pid_t cgroup_next_process(char **rest);
/* Whether it has that process, by its pid; false also where that cannot be read. */
bool cgroup_has_process(int fd, pid_t pid);
/* SIGKILL to everything in it, at once. */
int cgroup_kill(int fd);
/* A signal to each process in it but one (0: to all). Returns the number of processes that got it. */
int cgroup_signal(int fd, pid_t except, int signo);
/* Removes it. -EBUSY: it still has processes. Missing is fine. */
int cgroup_remove(const CgroupUnit *u, const char *name);

/* How many processes the kernel's out-of-memory killer took; 0 where memory is not accounted. */
uint64_t cgroup_oom_kills(int fd);
