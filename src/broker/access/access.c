/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/access/access.h"

/* What a caller can be to an object, several at once. */
enum {
        ROLE_ANYONE = 1 << 0,
        ROLE_ROOT = 1 << 1,
        ROLE_OWNER = 1 << 2,   /* the sandbox runs as them; the user object is theirs */
        ROLE_LISTED = 1 << 3,  /* [Access] allows them the profile */
        ROLE_MANAGER = 1 << 4, /* ManageUsers=, ManageGroups= of the profile */
};

#define ROLES_BY_UID (ROLE_ANYONE | ROLE_ROOT | ROLE_OWNER)
#define ROLES_OF_SANDBOX (ROLE_ROOT | ROLE_OWNER | ROLE_MANAGER)
#define ROLES_OF_PROFILE (ROLE_ROOT | ROLE_LISTED | ROLE_MANAGER)
#define ROLES_OF_USER (ROLE_ROOT | ROLE_OWNER)

typedef struct AccessRule {
        AccessVerb verb;
        ObjectKind kind;
        unsigned may_see; /* roles that get "denied" and not "no such object" */
        unsigned may_do;  /* by their own right */
        AccessAction
                narrows; /* what polkit is asked before they use their own right; never asked about root */
        AccessAction lends; /* what polkit is asked for those who have none … */
        unsigned lends_to;  /* … but is one of these */
} AccessRule;

/*
 * polkit is not asked about those whom a profile names as its managers: the profile has said yes. It is asked about
 * those who may not see an object whether that exists or not.
 */
/* clang-format off */
static const AccessRule rules[] = {
        { ACCESS_INSPECT,        OBJECT_BRANCH,  ROLE_ANYONE,      ROLE_ANYONE },
        { ACCESS_INSPECT,        OBJECT_MANAGER, ROLE_ANYONE,      ROLE_ANYONE },
        { ACCESS_SUBSCRIBE,      OBJECT_MANAGER, ROLE_ANYONE,      ROLE_ANYONE },
        { ACCESS_RELOAD,         OBJECT_MANAGER, ROLE_ANYONE,      ROLE_ROOT,
          ACTION_NONE,       ACTION_RELOAD,         ROLE_ANYONE },

        { ACCESS_CHECK_ACCESS,   OBJECT_MANAGER, ROLE_ANYONE,      ROLE_ANYONE },

        { ACCESS_INSPECT,        OBJECT_PROFILE, ROLES_OF_PROFILE, ROLES_OF_PROFILE },
        { ACCESS_CHECK_ACCESS,   OBJECT_PROFILE, ROLES_OF_PROFILE, ROLE_ROOT | ROLE_MANAGER },
        { ACCESS_PLAN,           OBJECT_PROFILE, ROLES_OF_PROFILE, ROLE_ROOT | ROLE_LISTED },
        { ACCESS_LAUNCH,         OBJECT_PROFILE, ROLES_OF_PROFILE, ROLE_ROOT | ROLE_LISTED,
          ACTION_LAUNCH },
        { ACCESS_LAUNCH_AS_USER, OBJECT_PROFILE, ROLES_OF_PROFILE, ROLE_ROOT,
          ACTION_NONE,       ACTION_LAUNCH_AS_USER, ROLE_LISTED },
        { ACCESS_START_AT_BOOT,  OBJECT_PROFILE, ROLE_ANYONE,      ROLE_ROOT | ROLE_LISTED },

        { ACCESS_INSPECT,        OBJECT_SANDBOX, ROLES_OF_SANDBOX, ROLES_OF_SANDBOX,
          ACTION_NONE,       ACTION_INSPECT,        ROLE_ANYONE },
#define RULE_OWN ROLES_OF_SANDBOX, ACTION_MANAGE_OWN, ACTION_MANAGE, ROLE_ANYONE
#define RULE_LIMITS ROLE_ROOT, ACTION_NONE, ACTION_SET_PROPERTIES, ROLE_ANYONE
#define VERB(verb, name, rule, ...) { ACCESS_##verb, OBJECT_SANDBOX, ROLES_OF_SANDBOX, RULE_##rule },
#include "broker/access/sandbox-verbs.def"

        { ACCESS_INSPECT,        OBJECT_USER,    ROLES_OF_USER,    ROLES_OF_USER,
          ACTION_NONE,       ACTION_INSPECT,        ROLE_ANYONE },
        { ACCESS_TERMINATE,      OBJECT_USER,    ROLES_OF_USER,    ROLES_OF_USER,
          ACTION_MANAGE_OWN, ACTION_MANAGE,         ROLE_ANYONE },
};

/* free: allowed where there is no polkit. asked_of: the roles whose own right it narrows. */
static const struct {
        const char *id;
        bool free;
        unsigned asked_of;
} actions[_ACCESS_ACTION_MAX] = {
        [ACTION_NONE]               = { "none" },
        [ACTION_LAUNCH]             = { "org.immured.Broker1.launch",             true, ROLE_LISTED },
        [ACTION_AUTHENTICATE_SELF]  = { "org.immured.Broker1.authenticate-self",  false, ROLE_LISTED },
        [ACTION_AUTHENTICATE_ADMIN] = { "org.immured.Broker1.authenticate-admin", false, ROLE_LISTED },
        [ACTION_LAUNCH_AS_USER]     = { "org.immured.Broker1.launch-as-user" },
        [ACTION_MANAGE_OWN]         = { "org.immured.Broker1.manage-own",         true, ROLE_OWNER },
        [ACTION_MANAGE]             = { "org.immured.Broker1.manage" },
        [ACTION_SET_PROPERTIES]     = { "org.immured.Broker1.set-properties" },
        [ACTION_INSPECT]            = { "org.immured.Broker1.inspect" },
        [ACTION_RELOAD]             = { "org.immured.Broker1.reload" },
};

/* What Authentication= asks in addition. */
static const AccessAction authentications[] = {
        [PROFILE_AUTHENTICATION_NONE]  = ACTION_NONE,
        [PROFILE_AUTHENTICATION_SELF]  = ACTION_AUTHENTICATE_SELF,
        [PROFILE_AUTHENTICATION_ADMIN] = ACTION_AUTHENTICATE_ADMIN,
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
#define VERB(verb, name, ...) [ACCESS_##verb] = name,
#include "broker/access/sandbox-verbs.def"
        [ACCESS_TERMINATE]      = "terminate",
        [ACCESS_CHECK_ACCESS]   = "check-access",
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

        if (account_is_admitted(account, p))
                roles |= ROLE_LISTED;

        return roles;
}

/*
 * The account must be the uid's own: a look-up that was mixed up may cost callers their rights, but never lend them
 * another's.
 */
static unsigned roles_of(const Caller *caller, const AccessObject *object) {
        unsigned roles = roles_by_uid(caller->uid, object);

        if (caller->account && caller->account->uid == caller->uid && object->profile)
                roles |= roles_by_lists(caller->account, object->profile);

        return roles;
}

static unsigned narrowing_actions(const AccessRule *rule, unsigned roles, const AccessObject *object) {
        unsigned found = 0;

        if (rule->narrows == ACTION_NONE || !(roles & actions[rule->narrows].asked_of))
                return 0;

        found |= ACTION_BIT(rule->narrows);
        if (rule->narrows == ACTION_LAUNCH &&
            authentications[object->profile->authentication] != ACTION_NONE)
                found |= ACTION_BIT(authentications[object->profile->authentication]);

        return found;
}

int access_check(const Caller *caller,
                 AccessVerb verb,
                 const AccessObject *object,
                 AccessQuestion *ret_question) {
        const AccessRule *rule = rule_find(verb, object->kind);
        AccessQuestion question = { 0 };
        unsigned roles;

        if (!rule)
                return -EACCES;

        roles = roles_of(caller, object);
        question.hidden = !(roles & rule->may_see);
        question.own = !question.hidden && (roles & rule->may_do);
        if (question.own && (roles & ROLE_ROOT))
                return 0;

        if (question.own)
                question.actions = narrowing_actions(rule, roles, object);
        else if (rule->lends != ACTION_NONE && (roles & rule->lends_to))
                question.actions = ACTION_BIT(rule->lends);

        if (question.actions != 0) {
                if (ret_question)
                        *ret_question = question;
                return -ENOKEY;
        }

        if (question.own)
                return 0;

        return question.hidden ? -ENOENT : -EACCES;
}

bool access_needs_account(uid_t uid, AccessVerb verb, const AccessObject *object) {
        const AccessRule *rule = rule_find(verb, object->kind);

        if (!rule || !((rule->may_see | rule->may_do) & ~ROLES_BY_UID))
                return false;

        return !(roles_by_uid(uid, object) & rule->may_do);
}

bool access_has_rule(AccessVerb verb, ObjectKind kind) { return rule_find(verb, kind) != NULL; }

bool access_action_is_free(AccessAction action) {
        return action < _ACCESS_ACTION_MAX && actions[action].free;
}

const char *access_action_id(AccessAction action) {
        return action < _ACCESS_ACTION_MAX ? actions[action].id : actions[ACTION_NONE].id;
}

const char *access_verb_name(AccessVerb verb) {
        return verb < _ACCESS_VERB_MAX ? verb_names[verb] : verb_names[ACCESS_NONE];
}

const char *object_kind_name(ObjectKind kind) {
        return kind < _OBJECT_KIND_MAX ? kind_names[kind] : kind_names[OBJECT_BRANCH];
}
