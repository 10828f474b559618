/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-policy — groups of system calls as text files, and from a profile's filter to a BPF program
 *
 * A group file NAME.policy holds one system call or @group a line, "#" starts a comment. Directories: local
 * ones in /etc/immured/seccomp win over /usr/share/immured/seccomp, file by file; an empty local file
 * empties a group.
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"

typedef struct SeccompPolicy SeccompPolicy;

SeccompPolicy *seccomp_policy_free(SeccompPolicy *p); /* takes NULL, returns NULL */
DEFINE_CLEANUP(SeccompPolicy *, seccomp_policy_free);

/* NULL-terminated; first wins. */
extern const char *const seccomp_policy_path[];

/*
 * Reads every group below the directories (NULL: seccomp_policy_path). Unknown names of system calls,
 * unknown groups, loops, bad owners: findings and -EBADMSG. -ENOMEM.
 */
int seccomp_policy_load(SeccompPolicy **ret,
                        char *const *directories,
                        uid_t required_uid,
                        Findings *findings);

/* The system calls of a group ("@system-service"), sorted, groups inside resolved; NULL: no such group. */
char *const *seccomp_policy_group(const SeccompPolicy *p, const char *group);
/* Names of all groups, sorted, with their "@". */
char *const *seccomp_policy_groups(const SeccompPolicy *p);

/*
 * The program for a profile: struct sock_filter[] in *ret (caller frees), its size in bytes. Everything of
 * [Security] and [Network] that is a filter goes in here, plus what always holds: clone3 answers ENOSYS,
 * foreign ABIs are killed, ioctl TIOCSTI and TIOCLINUX and netlink sockets of netfilter are refused, and
 * what no program starts without (syscalls_always in seccomp-names.h) is let through.
 *
 * SystemCallFilter= is always a list of what may pass: a first item that removes, removes from
 * @system-service; a first item that adds, starts from @default alone. Other calls answer
 * SystemCallErrorNumber=, and calls that the installed libseccomp does not know, ENOSYS. SystemCallLog=
 * notes calls that pass. SystemCallArgumentFilter= refuses calls that would pass, and never lets one
 * through. The same input makes the same bytes, on every kernel.
 *
 * -EBADMSG with findings (key "SystemCallFilter" and the like): a name that does not exist, or a call of
 * syscalls_always that is to be refused. -EINVAL: an errno out of range. -ENOMEM.
 */
int seccomp_compile(const SeccompPolicy *policy,
                    const Profile *profile,
                    uint8_t **ret,
                    size_t *ret_size,
                    Findings *findings);
