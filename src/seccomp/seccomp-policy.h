/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-policy — groups of system calls in text files
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
DECLARE_CLEANUP(SeccompPolicy *, seccomp_policy_free);

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

/* The same groups with the same system calls in them. */
bool seccomp_policy_equal(const SeccompPolicy *a, const SeccompPolicy *b);

/* The system calls of a group ("@system-service"), sorted, groups in it expanded; NULL: no such group. p owns them. */
char *const *seccomp_policy_group(const SeccompPolicy *p, const char *group);
/* The names of all groups with their "@", sorted, for tests that compile each. p owns them. */
char *const *seccomp_policy_groups(const SeccompPolicy *p);
