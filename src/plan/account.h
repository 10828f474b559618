/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * account — one user as the account database knows them: looked up before planning, never while planning
 *
 * Runs in: broker. Privilege: none.
 */

#include "base/util.h"
#include "profile/profile.h"

#include <sys/types.h>

typedef struct AccountGroup {
        gid_t gid;
        char *name; /* NULL: a gid without a name */
} AccountGroup;

typedef struct Account {
        char *name;
        uid_t uid;
        gid_t gid;
        char *home;
        char *shell;
        AccountGroup *groups; /* primary and supplementary */
        size_t n_groups;
} Account;

Account *account_free(Account *a); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Account *, account_free);

/* Whether it is one of these, or in one of these groups: each by its name or its decimal id. Either may be NULL. */
bool account_is_listed(const Account *a, char *const *users, char *const *groups);

/*
 * Whether [Access] of the profile lets the account launch it, perhaps only after authentication. Never an abstract
 * profile, which is there to inherit from.
 */
bool account_is_admitted(const Account *a, const Profile *p);
