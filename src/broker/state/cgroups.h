/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * cgroups — where the version 2 hierarchy is, and what a sandbox uses
 *
 * Found through /proc/self/mountinfo (proc(5)), so that hybrid layouts work too; file names as in
 * Documentation/admin-guide/cgroup-v2.rst.
 *
 * Runs in: broker. Privilege: root's where it makes groups. Input: the kernel's files.
 */

#include "base/util.h"

/* Where cgroup2 is mounted; caller frees. -ENOMEDIUM: nowhere. */
int cgroup_find_mount(char **ret);

/* Our own group as a directory below the mount; caller frees. */
int cgroup_find_own(const char *mount, char **ret);

/* ROOT/immured.slice/immured-UID.slice/immured-user@UID.service, as systemd would lay it out; caller frees. */
int cgroup_path_for_keeper(const char *root, unsigned uid, char **ret);

/*
 * Makes it, with the controllers handed down as far as the kernel lets us: where one is missing it is launches that
 * fail, not this. Returns a directory descriptor, which the caller closes, or negative errno of mkdir(2) or open(2).
 */
int cgroup_make_for_keeper(const char *root, unsigned uid);

/* Whether any process is in the group PATH/CHILD itself; false also where there is no such group. */
bool cgroup_has_processes(const char *path, const char *child);

/*
 * Ends whatever runs in a keeper's group and takes the group away, with those of its sandboxes below and the slices
 * above that are empty then. -EBUSY: something in it is still dying; to be called again. 0 also where there is none.
 *
 * Away, not just empty: a group that ever saw cgroup.kill kills all that clone3(CLONE_INTO_CGROUP) later starts in it
 * or from it (kernels with a kill_seq, since 6.14 and its backports).
 */
int cgroup_clear(const char *path);

/*
 * The group of the process that has this pid, as in ControlGroup; caller frees. -ESRCH: there is none.
 */
int cgroup_of_process(pid_t pid, char **ret);

/*
 * One number of a group's file; name: the word before it ("usage_usec" in cpu.stat), NULL: the first line is it.
 * -ENODATA: there is none of that name; -ENOENT: no such group or controller; errors of read(2) and parse_u64().
 */
int cgroup_read_u64(const char *mount, const char *group, const char *file, const char *name, uint64_t *ret);

/* The same of a file with a line for each device (io.stat), added up; name: "rbytes". -ENODATA: no line has it. */
int cgroup_sum_u64(const char *mount, const char *group, const char *file, const char *name, uint64_t *ret);
