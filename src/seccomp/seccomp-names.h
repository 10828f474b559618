/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-names — which system calls exist by name, and their numbers on this machine
 *
 * Pure: it asks the table of libseccomp, not the kernel.
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "base/util.h"

/* Native calls have numbers below this, on every ABI that immured is built for. */
#define SYSCALL_NUMBER_MAX 1024

/* The highest errno that libseccomp lets a filter return; the kernel takes one more (MAX_ERRNO, 4095). */
#define SYSCALL_ERROR_MAX 4094

/*
 * The number of a call on the native ABI. -ENOSYS: Linux has the call, but this ABI or the installed libseccomp has
 * no number for it, so it cannot be allowed. -EINVAL: there is no such call.
 */
int syscall_number(const char *name);

/*
 * Whether the native ABI has a call of this number, as far as the installed libseccomp knows. Not those that no kernel
 * of ours has any more: they answer ENOSYS.
 */
bool syscall_number_is_known(int number);

/* What immured-exec and every program after it need to start and to end: read, write, execve, …; NULL-terminated. */
extern const char *const syscalls_always[];
