/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-compile — from what a profile says about system calls to a BPF program
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"
#include "seccomp/seccomp-policy.h"

/*
 * The program for a profile: struct sock_filter[] in *ret, its size in bytes in *ret_size. Caller frees. It covers
 * every filter of [Security] and [Network], and what always holds: clone3 answers ENOSYS, foreign ABIs are killed,
 * ioctl TIOCSTI and TIOCLINUX and netlink sockets of netfilter are refused, and what no program starts without
 * (syscalls_always in seccomp-names.h) is allowed.
 *
 * SystemCallFilter= is always an allow list. If its first item removes, it starts from @system-service; if that
 * adds, from @default alone. Other calls answer SystemCallErrorNumber=, and calls that the installed libseccomp does
 * not know ENOSYS. SystemCallLog= logs calls that are allowed. SystemCallArgumentFilter= refuses calls that would be
 * allowed, and never allows one. The same input gives the same bytes on every kernel.
 *
 * -EBADMSG with findings (key "SystemCallFilter" and the like): an unknown name, or a call of syscalls_always that
 * is to be refused. -EINVAL: an errno out of range. -E2BIG: more than BPF_MAXINSNS instructions, which is all that
 * the kernel takes. -ENOMEM.
 */
int seccomp_compile(const SeccompPolicy *policy,
                    const Profile *profile,
                    uint8_t **ret,
                    size_t *ret_size,
                    Findings *findings);
