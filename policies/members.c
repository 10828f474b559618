/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * members — prints what follows from the broker's tables: the bus policy and a manual page are made of it, other files
 * are compared with it
 *
 * usage: members access|actions|manual|policy
 *
 * Fails, and the build with it, where a member of the bus interface has no rule.
 */

#include "broker/bus/interface.h"
#include "link/sandbox-event.h"

#include <stdio.h>

typedef struct Role {
        const char *name;
        uid_t uid;
        Account *account;
} Role;

static char *list_managers[] = { (char *) "staff", NULL };
static char *list_users[] = { (char *) "users", NULL };
static AccountGroup group_none[] = { { 999, NULL } };
static AccountGroup group_staff[] = { { 50, (char *) "staff" } };
static AccountGroup group_users[] = { { 100, (char *) "users" } };

static Account accounts[] = {
        { (char *) "owner", 1001, 999, NULL, NULL, group_none, 1 },
        { (char *) "manager", 1002, 50, NULL, NULL, group_staff, 1 },
        { (char *) "listed", 1003, 100, NULL, NULL, group_users, 1 },
        { (char *) "unlisted", 1004, 999, NULL, NULL, group_none, 1 },
};

static const Profile profile = { .allow_groups = list_users, .manage_groups = list_managers };

/* clang-format off */
static const Role roles[] = {
        { "root",     0,    NULL },
        { "owner",    1001, accounts + 0 },
        { "manager",  1002, accounts + 1 },
        { "listed",   1003, accounts + 2 },
        { "unlisted", 1004, accounts + 3 },
        { "nobody",   1005, NULL }, /* whose account cannot be had */
};

static const ObjectKind subject_kinds[_SUBJECT_MAX] = {
        [SUBJECT_SANDBOX] = OBJECT_SANDBOX,
        [SUBJECT_PROCESS] = OBJECT_SANDBOX,
        [SUBJECT_PROFILE] = OBJECT_PROFILE,
        [SUBJECT_USER]    = OBJECT_USER,
};
/* clang-format on */

static const char *answer_to(const Role *role, AccessVerb verb, ObjectKind kind, unsigned *actions) {
        const bool owned = kind == OBJECT_SANDBOX || kind == OBJECT_USER;
        const bool named = kind == OBJECT_SANDBOX || kind == OBJECT_PROFILE;
        const Caller caller = { .uid = role->uid, .account = role->account };
        const AccessObject object = { .kind = kind,
                                      .owner = owned ? 1001 : UID_NOBODY,
                                      .profile = named ? &profile : NULL };
        AccessQuestion question = { 0 };

        switch (access_check(&caller, verb, &object, &question)) {
        case 0:
                return "yes";
        case -EACCES:
                return "no";
        case -ENOENT:
                return "none";
        default:
                *actions |= question.actions;
                return question.own ? "yes?" : question.hidden ? "none?" : "no?";
        }
}

static bool print_row(ObjectKind on, const char *name, AccessVerb verb, ObjectKind kind) {
        unsigned actions = 0;

        if (!access_has_rule(verb, kind)) {
                fprintf(stderr,
                        "%s of a %s: the table of access has no rule for \"%s\" on a %s\n",
                        name,
                        object_kind_name(on),
                        access_verb_name(verb),
                        object_kind_name(kind));
                return false;
        }

        printf("%-8s %-36s %-14s %-8s",
               object_kind_name(on),
               name,
               access_verb_name(verb),
               object_kind_name(kind));
        for (size_t i = 0; i < ELEMENTSOF(roles); i++)
                printf(" %-8s", answer_to(roles + i, verb, kind, &actions));
        for (AccessAction a = 0; a < _ACCESS_ACTION_MAX; a++)
                if (actions & ACTION_BIT(a))
                        printf(" %s", strrchr(access_action_id(a), '.') + 1);
        printf("%s\n", actions ? "" : " -");
        return true;
}

static bool print_interface(ObjectKind kind, const Interface *i) {
        const char *short_name = strrchr(i->name, '.') + 1;
        bool complete = true;
        char name[128];

        for (size_t k = 0; k < i->n_members; k++) {
                const Member *m = i->members + k;
                ObjectKind subject = m->subject == SUBJECT_PATH ? kind : subject_kinds[m->subject];

                (void) snprintf(name, sizeof(name), "%s.%s()", short_name, m->name);
                complete &= print_row(kind, name, m->verb, subject);
        }
        for (size_t k = 0; k < i->n_properties; k++) {
                (void) snprintf(name, sizeof(name), "%s.%s", short_name, i->properties[k].name);
                complete &= print_row(kind, name, ACCESS_INSPECT, kind);
        }
        for (size_t k = 0; k < i->n_signals; k++) {
                (void) snprintf(name, sizeof(name), "%s.%s signal", short_name, i->signals[k].name);
                complete &= print_row(kind, name, ACCESS_SUBSCRIBE, OBJECT_MANAGER);
        }
        for (SandboxEventKind k = 0; i->tells_events && k < _SANDBOX_EVENT_MAX; k++) {
                (void) snprintf(name, sizeof(name), "%s.%s signal", short_name, sandbox_event_row(k)->name);
                complete &= print_row(kind, name, ACCESS_SUBSCRIBE, OBJECT_MANAGER);
        }

        return complete;
}

static bool print_access(void) {
        bool complete = true;

        printf("# Who may do what. yes; no; none: to them there is no such object. With ?, polkit is asked and can\n"
               "# turn it round: what it is asked stands at the end. Signals reach who may see what they are about.\n"
               "#%-7s %-36s %-14s %-8s",
               "on",
               "member",
               "verb",
               "object");
        for (size_t i = 0; i < ELEMENTSOF(roles); i++)
                printf(" %-8s", roles[i].name);
        printf(" polkit\n");

        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                for (const Interface *const *i = interfaces_by_kind[kind]; *i; i++)
                        complete &= print_interface(kind, *i);

        return print_row(OBJECT_PROFILE, "start by a unit", ACCESS_START_AT_BOOT, OBJECT_PROFILE) &&
               complete;
}

/* What each object has is listed once. */
static bool print_policy(void) {
        const Interface *seen[16] = { NULL };
        size_t n = 0;

        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                for (const Interface *const *i = interfaces_by_kind[kind]; *i; i++) {
                        bool again = false;

                        for (size_t k = 0; k < n; k++)
                                again |= seen[k] == *i;
                        if (again || n == ELEMENTSOF(seen))
                                continue;
                        seen[n++] = *i;
                        for (size_t k = 0; k < (*i)->n_members; k++)
                                printf("%s %s\n", (*i)->name, (*i)->members[k].name);
                }

        return n < ELEMENTSOF(seen);
}

/* "s _id_, i _signal_" as scdoc(5) wants it. */
static void print_arguments(const char *types, const char *names) {
        const char *separator = "";

        while (*types) {
                size_t type = strcspn(types, "sih"), name = strcspn(names, " ");

                /* A list, or what is none: (…) is one type, whatever is in it. */
                type = *types == 'a' ? strlen(types) : type + 1;
                printf("%s%.*s _%.*s_", separator, (int) type, types, (int) name, names);
                types += type;
                names += name + (names[name] == ' ');
                separator = ", ";
        }
}

/* Lines of: method, its arguments, its answer, its verb, and what the manual says of it; tabs between. */
static bool print_manual(void) {
#define VERB(verb, name, rule, member, types, names, handler, help) \
        fputs(member "\t", stdout);                                 \
        print_arguments(types, &names[sizeof(names) > 1]);          \
        fputs("\t\t" name "\t" help "\n", stdout);
#define QUESTION(member, types, names, handler, help) fputs(member "\t\t" types "\t\t" help "\n", stdout);
#include "broker/access/sandbox-verbs.def"

        return true;
}

static bool print_actions(void) {
        for (AccessAction a = ACTION_NONE + 1; a < _ACCESS_ACTION_MAX; a++)
                printf("%s %s\n", access_action_id(a), access_action_is_free(a) ? "free" : "authenticated");

        return true;
}

/* clang-format off */
static const struct {
        const char *word;
        bool (*print)(void);
} modes[] = {
        { "access", print_access },
        { "actions", print_actions },
        { "manual", print_manual },
        { "policy", print_policy },
};
/* clang-format on */

int main(int argc, char **argv) {
        for (size_t i = 0; argc == 2 && i < ELEMENTSOF(modes); i++)
                if (streq(argv[1], modes[i].word))
                        return modes[i].print() && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

        fprintf(stderr, "usage: members access|actions|manual|policy\n");
        return EXIT_FAILURE;
}
