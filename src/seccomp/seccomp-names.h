/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-names — which names of system calls exist, and their numbers here
 *
 * Pure: asks libseccomp's table, not the kernel.
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "base/util.h"

/* Numbers of native calls are below this, on every ABI that immured is built for. */
#define SYSCALL_NUMBER_MAX 1024

/* The highest errno that libseccomp lets a filter answer; the kernel would take one more. */
#define SYSCALL_ERROR_MAX 4094

/*
 * The number of a call on the native ABI. -ENOSYS: Linux has such a call, but this ABI or the installed
 * libseccomp has no number for it, so it cannot be let through. -EINVAL: there is no such call.
 */
int syscall_number(const char *name);

/* Whether the native ABI has a call of this number, as far as the installed libseccomp knows. */
bool syscall_number_is_known(int number);

/* What immured-exec and every program after it cannot do without: read, write, execve, …; NULL-terminated. */
extern const char *const syscalls_always[];
