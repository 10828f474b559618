/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/access.h"

/* What a caller can be to an object; he may be several things at once. */
enum {
        ROLE_ANYONE = 1 << 0,
        ROLE_ROOT = 1 << 1,
        ROLE_OWNER = 1 << 2,    /* the sandbox runs as him; the user object is his */
        ROLE_LISTED = 1 << 3,   /* [Access] allows him the profile, perhaps only after authentication */
        ROLE_LAUNCHER = 1 << 4, /* the same, and nothing else is asked of him */
        ROLE_MANAGER = 1 << 5,  /* ManageUsers=, ManageGroups= of the profile */
};

#define ROLES_BY_UID (ROLE_ANYONE | ROLE_ROOT | ROLE_OWNER)
#define ROLES_OF_SANDBOX (ROLE_ROOT | ROLE_OWNER | ROLE_MANAGER)
#define ROLES_OF_PROFILE (ROLE_ROOT | ROLE_LISTED | ROLE_MANAGER)

typedef struct AccessRule {
        AccessVerb verb;
        ObjectKind kind;
        unsigned may_see; /* roles that get "denied" rather than "no such object" */
        unsigned may_do;
} AccessRule;

/* clang-format off */
static const AccessRule rules[] = {
        { ACCESS_INSPECT,        OBJECT_BRANCH,  ROLE_ANYONE,      ROLE_ANYONE },
        { ACCESS_INSPECT,        OBJECT_MANAGER, ROLE_ANYONE,      ROLE_ANYONE },
        { ACCESS_SUBSCRIBE,      OBJECT_MANAGER, ROLE_ANYONE,      ROLE_ANYONE },
        { ACCESS_RELOAD,         OBJECT_MANAGER, ROLE_ANYONE,      ROLE_ROOT },

        { ACCESS_INSPECT,        OBJECT_PROFILE, ROLES_OF_PROFILE, ROLES_OF_PROFILE },
        { ACCESS_PLAN,           OBJECT_PROFILE, ROLES_OF_PROFILE, ROLE_ROOT | ROLE_LISTED },
        { ACCESS_LAUNCH,         OBJECT_PROFILE, ROLES_OF_PROFILE, ROLE_ROOT | ROLE_LAUNCHER },
        { ACCESS_LAUNCH_AS_USER, OBJECT_PROFILE, ROLES_OF_PROFILE, ROLE_ROOT },
        { ACCESS_START_AT_BOOT,  OBJECT_PROFILE, ROLE_ANYONE,      ROLE_ROOT | ROLE_LISTED },

        { ACCESS_INSPECT,        OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX },
        { ACCESS_STOP,           OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX },
        { ACCESS_KILL,           OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX },
        { ACCESS_RESTART,        OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX },
        { ACCESS_FREEZE,         OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX },
        { ACCESS_THAW,           OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX },
        { ACCESS_SET_PROPERTIES, OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLE_ROOT },
        { ACCESS_RESET_FAILED,   OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX },

        { ACCESS_INSPECT,        OBJECT_USER,    ROLE_ROOT | ROLE_OWNER, ROLE_ROOT | ROLE_OWNER },
        { ACCESS_TERMINATE,      OBJECT_USER,    ROLE_ROOT | ROLE_OWNER, ROLE_ROOT | ROLE_OWNER },
};

static const char *const verb_names[_ACCESS_VERB_MAX] = {
        [ACCESS_NONE]           = "none",
        [ACCESS_INSPECT]        = "inspect",
        [ACCESS_SUBSCRIBE]      = "subscribe",
        [ACCESS_RELOAD]         = "reload",
        [ACCESS_LAUNCH]         = "launch",
        [ACCESS_LAUNCH_AS_USER] = "launch-as-user",
        [ACCESS_START_AT_BOOT]  = "start-at-boot",
        [ACCESS_PLAN]           = "plan",
        [ACCESS_STOP]           = "stop",
        [ACCESS_KILL]           = "kill",
        [ACCESS_RESTART]        = "restart",
        [ACCESS_FREEZE]         = "freeze",
        [ACCESS_THAW]           = "thaw",
        [ACCESS_SET_PROPERTIES] = "set-properties",
        [ACCESS_RESET_FAILED]   = "reset-failed",
        [ACCESS_TERMINATE]      = "terminate",
};

static const char *const kind_names[_OBJECT_KIND_MAX] = {
        [OBJECT_BRANCH]  = "path",
        [OBJECT_MANAGER] = "broker",
        [OBJECT_SANDBOX] = "sandbox",
        [OBJECT_PROFILE] = "profile",
        [OBJECT_USER]    = "user",
};
/* clang-format on */

static const AccessRule *rule_find(AccessVerb verb, ObjectKind kind) {
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (rules[i].verb == verb && rules[i].kind == kind)
                        return rules + i;

        return NULL;
}

static unsigned roles_by_uid(uid_t uid, const AccessObject *object) {
        unsigned roles = ROLE_ANYONE;

        if (uid == 0)
                roles |= ROLE_ROOT;
        if (uid != UID_NOBODY && object->owner == uid)
                roles |= ROLE_OWNER;

        return roles;
}

static unsigned roles_by_lists(const Account *account, const Profile *p) {
        unsigned roles = 0;

        if (account_is_listed(account, p->manage_users, p->manage_groups))
                roles |= ROLE_MANAGER;

        if (account_is_admitted(account, p)) {
                roles |= ROLE_LISTED;
                if (p->authentication == PROFILE_AUTHENTICATION_NONE)
                        roles |= ROLE_LAUNCHER;
        }

        return roles;
}

/* The account must be that of the uid: a mixed-up look-up may cost a caller his rights, never lend him another's. */
static unsigned roles_of(const Caller *caller, const AccessObject *object) {
        unsigned roles = roles_by_uid(caller->uid, object);

        if (caller->account && caller->account->uid == caller->uid && object->profile)
                roles |= roles_by_lists(caller->account, object->profile);

        return roles;
}

int access_check(const Caller *caller, AccessVerb verb, const AccessObject *object) {
        const AccessRule *rule = rule_find(verb, object->kind);
        unsigned roles;

        if (!rule)
                return -EACCES;

        roles = roles_of(caller, object);
        if (!(roles & rule->may_see))
                return -ENOENT;

        return roles & rule->may_do ? 0 : -EACCES;
}

bool access_needs_account(uid_t uid, AccessVerb verb, const AccessObject *object) {
        const AccessRule *rule = rule_find(verb, object->kind);

        if (!rule || !((rule->may_see | rule->may_do) & ~ROLES_BY_UID))
                return false;

        return !(roles_by_uid(uid, object) & rule->may_do);
}

bool access_has_rule(AccessVerb verb, ObjectKind kind) { return rule_find(verb, kind) != NULL; }

const char *access_verb_name(AccessVerb verb) {
        return verb < _ACCESS_VERB_MAX ? verb_names[verb] : verb_names[ACCESS_NONE];
}

const char *object_kind_name(ObjectKind kind) {
        return kind < _OBJECT_KIND_MAX ? kind_names[kind] : kind_names[OBJECT_BRANCH];
}
