/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-policy — groups of system calls in text files, and the way from a profile's filter to a BPF program
 *
 * A file NAME.policy defines the group @NAME: one system call or @group per line, "#" starts a comment. A file in
 * /etc/immured/seccomp replaces the one of the same name in /usr/share/immured/seccomp; an empty one empties the
 * group.
 *
 * Life: loaded once and never changed; a reload makes another.
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"

typedef struct SeccompPolicy SeccompPolicy;

SeccompPolicy *seccomp_policy_free(SeccompPolicy *p); /* takes NULL, returns NULL */
DEFINE_CLEANUP(SeccompPolicy *, seccomp_policy_free);

/* NULL-terminated. The first directory that has a group wins. */
extern const char *const seccomp_policy_path[];

/*
 * Reads all groups in the directories (NULL: seccomp_policy_path), whose files must belong to required_uid. Unknown
 * system calls, unknown groups, loops and wrong owners are findings, and -EBADMSG. -ENOMEM.
 */
int seccomp_policy_load(SeccompPolicy **ret,
                        char *const *directories,
                        uid_t required_uid,
                        Findings *findings);

/* The system calls of a group ("@system-service"), sorted, groups in it expanded; NULL: no such group. p owns them. */
char *const *seccomp_policy_group(const SeccompPolicy *p, const char *group);
/* The names of all groups with their "@", sorted. p owns them. */
char *const *seccomp_policy_groups(const SeccompPolicy *p);

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
