/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-arguments — SystemCallArgumentFilter=: system calls that are refused for the value of an argument
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"

#include <linux/filter.h>

/*
 * A BPF program that returns the errno of the first item that holds, and allows whatever no item is about. It must
 * only ever see calls of the native ABI. Caller frees *ret, which is left alone where the profile has no items.
 *
 * An argument that is known to be 32 bits wide is compared as the kernel sees it, by its lower half. The width of
 * any other argument is not known here, so its comparison holds if it is true of the whole or of the lower half.
 * That way nothing gets past with bits in a half that the kernel may not look at.
 *
 * -ENOMEM; -EINVAL: an errno out of range. 0 also where findings were added.
 */
int seccomp_arguments(const Profile *profile, struct sock_filter **ret, size_t *ret_n, Findings *findings);
