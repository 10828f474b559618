/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * access — who may do what: one table, one function, no state
 *
 * Every method call, property read and signal is a verb on an object. A verb that has no row for that kind of object
 * is nobody's. What a caller may not see answers as if it did not exist.
 *
 * Runs in: broker. Privilege: none. Input: the caller's uid as the bus vouches for it, never anything he sent.
 */

#include "plan/account.h"
#include "profile/profile.h"

typedef enum ObjectKind {
        OBJECT_BRANCH, /* a path that only leads to others */
        OBJECT_MANAGER,
        OBJECT_SANDBOX,
        OBJECT_PROFILE,
        OBJECT_USER,
        _OBJECT_KIND_MAX,
} ObjectKind;

typedef enum AccessVerb {
        ACCESS_NONE = 0, /* nobody's: what a table that forgets to name a verb gets */
        ACCESS_INSPECT,
        ACCESS_SUBSCRIBE,
        ACCESS_RELOAD,
        ACCESS_LAUNCH,
        ACCESS_LAUNCH_AS_USER,
        ACCESS_START_AT_BOOT, /* a unit for this user, whom nobody can ask to authenticate then; root enabled it */
        ACCESS_PLAN,
        ACCESS_STOP,
        ACCESS_KILL,
        ACCESS_RESTART,
        ACCESS_FREEZE,
        ACCESS_THAW,
        ACCESS_SET_PROPERTIES,
        ACCESS_RESET_FAILED,
        ACCESS_TERMINATE,
        _ACCESS_VERB_MAX,
} AccessVerb;

/* Both borrowed. Without an account, for whatever reason, the caller is in no list. */
typedef struct Caller {
        uid_t uid;
        const Account *account;
} Caller;

/* Nobody's uid: what an object without an owner, or one that does not exist, has. */
#define UID_NOBODY ((uid_t) -1)

typedef struct AccessObject {
        ObjectKind kind;
        uid_t owner;            /* of a sandbox or user object */
        const Profile *profile; /* of a profile or sandbox object; NULL: unknown or refused */
} AccessObject;

/* 0, -EACCES: he may see the object but not do this, -ENOENT: to him it does not exist. */
int access_check(const Caller *caller, AccessVerb verb, const AccessObject *object);

/* Whether the answer depends on the account, which then has to be looked up before access_check(). */
bool access_needs_account(uid_t uid, AccessVerb verb, const AccessObject *object);

/* Whether the table has a row at all. */
bool access_has_rule(AccessVerb verb, ObjectKind kind);

/* "launch", "sandbox": for messages; static text. */
const char *access_verb_name(AccessVerb verb);
const char *object_kind_name(ObjectKind kind);
