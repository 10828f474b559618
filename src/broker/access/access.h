/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * access — who may do what: one table, one function, no state
 *
 * Every method call, property read and signal is a verb on an object. A verb without a row for that kind of object
 * is allowed to nobody. What callers may not see answers as if it did not exist.
 *
 * polkit is not asked here; the answer may be that it decides. It can only narrow what callers may do by their own
 * right, which the profile gives, and it can lend an administrator's rights to those who authenticate.
 *
 * Runs in: broker. Privilege: none. Input: the caller's uid as the bus vouches for it, never anything that the
 * caller sent.
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
        ACCESS_NONE = 0, /* allowed to nobody: what a table gets that forgets to name a verb */
        ACCESS_INSPECT,
        ACCESS_SUBSCRIBE,
        ACCESS_RELOAD,
        ACCESS_LAUNCH,
        ACCESS_LAUNCH_AS_USER,
        ACCESS_START_AT_BOOT, /* a unit for this user, who cannot be asked to authenticate then; root enabled it */
        ACCESS_PLAN,
#define VERB(verb, ...) ACCESS_##verb, /* ACCESS_STOP and so on */
#include "broker/access/sandbox-verbs.def"
        ACCESS_TERMINATE,
        ACCESS_CHECK_ACCESS, /* ask what others may do with a profile; all may ask about themselves */
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

/* Both borrowed. A caller without an account, for whatever reason, is in no list. */
typedef struct Caller {
        uid_t uid;
        const Account *account;
} Caller;

/* No uid: that of an object without an owner, or of one that does not exist. */
#define UID_NOBODY ((uid_t) -1)

typedef struct AccessObject {
        ObjectKind kind;
        uid_t owner;            /* of a sandbox or user object */
        const Profile *profile; /* of a profile or sandbox object; NULL: unknown or refused */
} AccessObject;

/* What polkit decides: it has to say yes to each of the actions. */
typedef struct AccessQuestion {
        unsigned actions; /* ACTION_BIT(); never empty */
        bool own;         /* the right is the caller's own, and polkit can only narrow it */
        bool hidden;      /* unless polkit lends them more, the object does not exist to them */
} AccessQuestion;

/*
 * 0; -EACCES: they may see the object but not do this; -ENOENT: to them it does not exist; -ENOKEY: polkit decides,
 * as *ret_question says. With NULL for that, anything left to polkit is a no.
 */
int access_check(const Caller *caller,
                 AccessVerb verb,
                 const AccessObject *object,
                 AccessQuestion *ret_question);

/* Whether the answer depends on the account, which must then be looked up before access_check(). */
bool access_needs_account(uid_t uid, AccessVerb verb, const AccessObject *object);

/* Whether the table has a row at all. */
bool access_has_rule(AccessVerb verb, ObjectKind kind);

/* Whether a machine without polkit says yes to this: it does for what callers may do by their own right. */
bool access_action_is_free(AccessAction action);

/* "org.immured.Broker1.launch"; static text. */
const char *access_action_id(AccessAction action);

/* "launch", "sandbox": for messages; static text. */
const char *access_verb_name(AccessVerb verb);
const char *object_kind_name(ObjectKind kind);
