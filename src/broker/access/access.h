/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * access — who may do what: one table, one function, no state
 *
 * Every method call, property read and signal is a verb on an object. A verb that has no row for that kind of object
 * is nobody's. What a caller may not see answers as if it did not exist.
 *
 * polkit has its part, but not here: the answer can be that polkit decides. It can only narrow what a caller may do by
 * his own right, which is the profile's to give, and it can lend an administrator's rights to who authenticates.
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
        ACCESS_CHECK_ACCESS, /* ask what others may do with a profile; about himself anybody may */
        _ACCESS_VERB_MAX,
} AccessVerb;

/* What polkit can be asked, by the names of the actions file. */
typedef enum AccessAction {
        ACTION_NONE = 0,
        ACTION_LAUNCH,
        ACTION_AUTHENTICATE_SELF,
        ACTION_AUTHENTICATE_ADMIN,
        ACTION_LAUNCH_AS_USER,
        ACTION_MANAGE_OWN,
        ACTION_MANAGE,
        ACTION_SET_PROPERTIES,
        ACTION_INSPECT,
        ACTION_RELOAD,
        _ACCESS_ACTION_MAX,
} AccessAction;

#define ACTION_BIT(action) (1U << (action))

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

/* What polkit decides: each of the actions must be answered with yes. */
typedef struct AccessQuestion {
        unsigned actions; /* ACTION_BIT(); never empty */
        bool own;         /* the right is the caller's own, and polkit can only narrow it */
        bool hidden;      /* unless polkit lends him more, the object does not exist to him */
} AccessQuestion;

/*
 * 0, -EACCES: he may see the object but not do this, -ENOENT: to him it does not exist; -ENOKEY: polkit decides, as
 * *ret_question says. Who does not mean to ask polkit passes NULL, and gets a no.
 */
int access_check(const Caller *caller,
                 AccessVerb verb,
                 const AccessObject *object,
                 AccessQuestion *ret_question);

/* Whether the answer depends on the account, which then has to be looked up before access_check(). */
bool access_needs_account(uid_t uid, AccessVerb verb, const AccessObject *object);

/* Whether the table has a row at all. */
bool access_has_rule(AccessVerb verb, ObjectKind kind);

/* Whether the answer of a machine without polkit is yes: it is for what a caller may do by his own right. */
bool access_action_is_free(AccessAction action);

/* "org.immured.Broker1.launch"; static text. */
const char *access_action_id(AccessAction action);

/* "launch", "sandbox": for messages; static text. */
const char *access_verb_name(AccessVerb verb);
const char *object_kind_name(ObjectKind kind);
