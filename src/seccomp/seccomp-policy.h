/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-policy — groups of system calls as text files, and from a profile's filter to a BPF program
 *
 * A group file NAME.policy holds one system call or @group a line, "#" starts a comment. Directories: local ones in
 * /etc/immured/seccomp win over /usr/share/immured/seccomp.
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
 * Reads every group below the directories (NULL: seccomp_policy_path). Unknown names of system calls, unknown groups,
 * loops, bad owners: findings and -EBADMSG. -ENOMEM.
 */
int seccomp_policy_load(SeccompPolicy **ret,
                        char *const *directories,
                        uid_t required_uid,
                        Findings *findings);

/* The system calls of a group ("@system-service"), sorted, all groups inside resolved; NULL: no such group. */
char *const *seccomp_policy_group(const SeccompPolicy *p, const char *group);
/* Names of all groups, sorted, with their "@". */
char *const *seccomp_policy_groups(const SeccompPolicy *p);

/*
 * The program for a profile: struct sock_filter[] in *ret (caller frees), its size in bytes. Everything of [Security]
 * that is a filter goes in here, plus what always holds: clone3 answers ENOSYS, foreign ABIs are killed, ioctl TIOCSTI
 * and TIOCLINUX are refused, and calls that immured-exec itself needs after loading it (read, write, execve,
 * execveat, exit_group) are always let through.
 * -EBADMSG with findings (key "SystemCallFilter" and the like): a name that does not exist. -ENOMEM.
 */
int seccomp_compile(const SeccompPolicy *policy,
                    const Profile *profile,
                    uint8_t **ret,
                    size_t *ret_size,
                    Findings *findings);
