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
        char *name; /* NULL: it has none, or its name could not be found out */
} AccountGroup;

typedef struct Account {
        char *name;
        uid_t uid;
        gid_t gid;
        char *home;
        char *shell;
        AccountGroup *groups; /* primary and supplementary */
        size_t n_groups;
        bool groups_partial; /* there may be more, which could not be found out */
        int64_t expires; /* the day since 1970 from which on it has expired, as shadow(5), or one of these */
} Account;

#define ACCOUNT_EXPIRES_NEVER (-1)
#define ACCOUNT_EXPIRY_UNKNOWN (-2) /* it could not be found out */

Account *account_free(Account *a); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Account *, account_free);

/* Whether it is one of these, or in one of these groups: each by its name or its decimal id. Either may be NULL. */
bool account_is_listed(const Account *a, char *const *users, char *const *groups);

/*
 * Whether it cannot be ruled out that it is one of these: a group whose name is not known may be any that is named,
 * and where not all groups are known every group may be among them.
 */
bool account_may_be_listed(const Account *a, char *const *users, char *const *groups);

/* Whether it has expired at this time, in seconds since 1970, or that cannot be ruled out. */
bool account_may_have_expired(const Account *a, int64_t now);

/*
 * Whether [Access] of the profile lets the account launch it, perhaps only after authentication. Never an abstract
 * profile, which is there to inherit from.
 */
bool account_is_admitted(const Account *a, const Profile *p);
