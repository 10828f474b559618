/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * cgroup2 — where the version 2 hierarchy is mounted and which of its groups a process is in, also on hybrid machines
 *
 * Life: texts of the kernel go in, texts of the caller's come out. Errors: -ENOMEDIUM where there is no such
 * hierarchy, -ENOMEM.
 *
 * Runs in: broker, keeper. Privilege: none. Input: /proc/PID/mountinfo (proc(5)), /proc/PID/cgroup (cgroups(7)).
 */

#include "base/util.h"

/* What a file of these may hold. */
#define CGROUP2_PROC_FILE_MAX (16U * 1024 * 1024)

typedef struct Cgroup2Mount {
        const char *root;  /* the group that is mounted, as /proc/PID/cgroup calls it */
        const char *point; /* where */
} Cgroup2Mount;

/* The next mount in the text of mountinfo, which is used up on the way; *ret points into it. */
bool cgroup2_next_mount(char **rest, Cgroup2Mount *ret);

/* The directory that shows a group, from the text of mountinfo. Caller frees. */
int cgroup2_directory(const char *mountinfo, const char *group, char **ret);

/* The group in the text of /proc/PID/cgroup: the line "0::/…". Caller frees. */
int cgroup2_group_in(const char *text, char **ret);

/* This process's. Caller frees. */
int cgroup2_own_group(char **ret);
