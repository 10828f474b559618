/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * cgroup2 — where the cgroup v2 hierarchy is mounted, which of its groups a process is in, on hybrid machines too, and
 * what its files count
 *
 * Life: takes text read from the kernel and returns text that the caller frees. Errors: -ENOMEDIUM where there is no
 * such hierarchy, -ENOMEM.
 *
 * Runs in: broker, keeper. Privilege: none. Input: /proc/PID/mountinfo (proc(5)), /proc/PID/cgroup (cgroups(7)).
 */

#include "base/util.h"

/* The most that is read of one of these files, in bytes. */
#define CGROUP2_PROC_FILE_MAX (16U * 1024 * 1024)

typedef struct Cgroup2Mount {
        const char *root;  /* the group at its root, as /proc/PID/cgroup writes it */
        const char *point; /* where it is mounted */
} Cgroup2Mount;

/* The text of this process's mountinfo. Caller frees. */
int cgroup2_read_mounts(char **ret);

/* The next cgroup2 mount in the text of mountinfo. The text is cut up on the way, and *ret points into it. */
bool cgroup2_next_mount(char **rest, Cgroup2Mount *ret);

/* The directory where a group can be seen, given the text of mountinfo. Caller frees. */
int cgroup2_directory(const char *mountinfo, const char *group, char **ret);

/* The v2 group in the text of /proc/PID/cgroup, which is the line "0::/…". Caller frees. */
int cgroup2_group_in(const char *text, char **ret);

/* The group of this process. Caller frees. */
int cgroup2_own_group(char **ret);

/* The number behind a name in a file of "NAME NUMBER" lines (cgroup-v2.rst, "Flat keyed"); false: there is none. */
bool cgroup2_find_count(const char *text, const char *name, uint64_t *ret);
