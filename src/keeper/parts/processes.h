/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * processes — what runs in a sandbox's cgroup, by pid and command line
 *
 * The keeper looks, and not the broker: a command line lies in the memory of its process, and whoever reads it may
 * have to wait for whatever that process arranged.
 *
 * Runs in: keeper. Privilege: root. Input: hostile (command lines).
 */

#include "base/util.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>

#define PROCESSES_MAX 4096
#define PROCESS_COMMAND_MAX ((size_t) 512)

/*
 * Appends a(sus): the cgroup below the sandbox's ("/": that itself), pid, command line. Escaped, at most
 * PROCESS_COMMAND_MAX bytes of it are read; "[name]" for a process without one. cgroup_fd negative: none.
 */
int processes_append(sd_bus_message *m, int cgroup_fd);

/*
 * A command line as read from /proc, its words with blanks between, escaped; caller frees. NULL: no memory. Public for
 * its test: it reads hostile input.
 */
char *processes_command(const char *cmdline, size_t size, const char *comm);

/* Some of the processes in a cgroup, at most max, each as "PID NAME", escaped; caller frees. */
int processes_names(int cgroup_fd, size_t max, char ***ret);
