/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/access/access.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Everybody a caller can be to one and the same sandbox, profile and user object. */
typedef enum Who {
        WHO_ROOT,
        WHO_OWNER,
        WHO_MANAGER,
        WHO_LISTED,
        WHO_DENIED, /* listed, and denied by a group as well */
        WHO_UNLISTED,
        WHO_UNKNOWN, /* his account cannot be had */
        _WHO_MAX,
} Who;

static AccountGroup groups_staff[] = { { 100, (char *) "users" }, { 50, (char *) "staff" } };
static AccountGroup groups_barred[] = { { 100, (char *) "users" }, { 51, (char *) "barred" } };
static AccountGroup groups_users[] = { { 100, (char *) "users" } };
static AccountGroup groups_none[] = { { 999, NULL } };

static Account accounts[_WHO_MAX] = {
        [WHO_ROOT] = { (char *) "root", 0, 0, NULL, NULL, groups_none, 1 },
        [WHO_OWNER] = { (char *) "owner", 1001, 999, NULL, NULL, groups_none, 1 },
        [WHO_MANAGER] = { (char *) "manager", 1002, 100, NULL, NULL, groups_staff, 2 },
        [WHO_LISTED] = { (char *) "listed", 1003, 100, NULL, NULL, groups_users, 1 },
        [WHO_DENIED] = { (char *) "denied", 1004, 100, NULL, NULL, groups_barred, 2 },
        [WHO_UNLISTED] = { (char *) "unlisted", 1005, 999, NULL, NULL, groups_none, 1 },
};

static char *allow_groups[] = { (char *) "users", NULL };
static char *deny_groups[] = { (char *) "51", NULL };
static char *manage_groups[] = { (char *) "staff", NULL };

static Profile profile = {
        .allow_groups = allow_groups,
        .deny_groups = deny_groups,
        .manage_groups = manage_groups,
};

static Caller caller_of(Who who) {
        return (Caller){ .uid = who == WHO_UNKNOWN ? 1003 : accounts[who].uid,
                         .account = who == WHO_UNKNOWN ? NULL : accounts + who };
}

/*
 * y: may; q: may, where polkit does not say no; p: denied, unless polkit says yes; h: does not exist, unless polkit
 * says yes; d: denied; -: does not exist. In the order of Who.
 */
typedef struct Row {
        AccessVerb verb;
        ObjectKind kind;
        const char *answers;
        AccessAction narrows, lends;
} Row;

/* clang-format off */
static const Row rows[] = {
        /*                                        ROMLDUx */
        { ACCESS_INSPECT,        OBJECT_BRANCH,  "yyyyyyy", ACTION_NONE,       ACTION_NONE },
        { ACCESS_INSPECT,        OBJECT_MANAGER, "yyyyyyy", ACTION_NONE,       ACTION_NONE },
        { ACCESS_SUBSCRIBE,      OBJECT_MANAGER, "yyyyyyy", ACTION_NONE,       ACTION_NONE },
        { ACCESS_RELOAD,         OBJECT_MANAGER, "ypppppp", ACTION_NONE,       ACTION_RELOAD },
        { ACCESS_CHECK_ACCESS,   OBJECT_MANAGER, "yyyyyyy", ACTION_NONE,       ACTION_NONE },
        { ACCESS_CHECK_ACCESS,   OBJECT_PROFILE, "y-yd---", ACTION_NONE,       ACTION_NONE },
        { ACCESS_INSPECT,        OBJECT_PROFILE, "y-yy---", ACTION_NONE,       ACTION_NONE },
        { ACCESS_PLAN,           OBJECT_PROFILE, "y-yy---", ACTION_NONE,       ACTION_NONE },
        { ACCESS_LAUNCH,         OBJECT_PROFILE, "y-qq---", ACTION_LAUNCH,     ACTION_NONE },
        { ACCESS_LAUNCH_AS_USER, OBJECT_PROFILE, "y-pp---", ACTION_NONE,       ACTION_LAUNCH_AS_USER },
        { ACCESS_START_AT_BOOT,  OBJECT_PROFILE, "ydyyddd", ACTION_NONE,       ACTION_NONE },
        { ACCESS_INSPECT,        OBJECT_SANDBOX, "yyyhhhh", ACTION_NONE,       ACTION_INSPECT },
        { ACCESS_STOP,           OBJECT_SANDBOX, "yqyhhhh", ACTION_MANAGE_OWN, ACTION_MANAGE },
        { ACCESS_KILL,           OBJECT_SANDBOX, "yqyhhhh", ACTION_MANAGE_OWN, ACTION_MANAGE },
        { ACCESS_RESTART,        OBJECT_SANDBOX, "yqyhhhh", ACTION_MANAGE_OWN, ACTION_MANAGE },
        { ACCESS_FREEZE,         OBJECT_SANDBOX, "yqyhhhh", ACTION_MANAGE_OWN, ACTION_MANAGE },
        { ACCESS_THAW,           OBJECT_SANDBOX, "yqyhhhh", ACTION_MANAGE_OWN, ACTION_MANAGE },
        { ACCESS_SET_PROPERTIES, OBJECT_SANDBOX, "ypphhhh", ACTION_NONE,       ACTION_SET_PROPERTIES },
        { ACCESS_RESET_FAILED,   OBJECT_SANDBOX, "yqyhhhh", ACTION_MANAGE_OWN, ACTION_MANAGE },
        { ACCESS_INSPECT,        OBJECT_USER,    "yyhhhhh", ACTION_NONE,       ACTION_INSPECT },
        { ACCESS_TERMINATE,      OBJECT_USER,    "yqhhhhh", ACTION_MANAGE_OWN, ACTION_MANAGE },
};
/* clang-format on */

static AccessObject object_of(ObjectKind kind) {
        const bool owned = kind == OBJECT_SANDBOX || kind == OBJECT_USER;
        const bool named = kind == OBJECT_SANDBOX || kind == OBJECT_PROFILE;

        return (AccessObject){
                .kind = kind,
                .owner = owned ? 1001 : UID_NOBODY,
                .profile = named ? &profile : NULL,
        };
}

static char answer_to(Who who, AccessVerb verb, ObjectKind kind, unsigned *ret_actions) {
        const Caller caller = caller_of(who);
        const AccessObject object = object_of(kind);
        AccessQuestion question = { 0 };
        int r;

        r = access_check(&caller, verb, &object, &question);
        *ret_actions = question.actions;
        switch (r) {
        case 0:
                return 'y';
        case -EACCES:
                return 'd';
        case -ENOENT:
                return '-';
        case -ENOKEY:
                assert_false(question.own && question.hidden);
                return question.own ? 'q' : question.hidden ? 'h' : 'p';
        default:
                return '?';
        }
}

static void check_answer(const Row *row, Who who) {
        unsigned actions;
        char answer = answer_to(who, row->verb, row->kind, &actions);

        if (answer != row->answers[who])
                fail_msg("%s a %s, caller %d: '%c', not '%c'",
                         access_verb_name(row->verb),
                         object_kind_name(row->kind),
                         who,
                         answer,
                         row->answers[who]);

        if (answer == 'q')
                assert_int_equal(actions, ACTION_BIT(row->narrows));
        else if (answer == 'p' || answer == 'h')
                assert_int_equal(actions, ACTION_BIT(row->lends));
        else
                assert_int_equal(actions, 0);
}

static void every_row_answers_everyone_as_written(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (Who who = 0; who < _WHO_MAX; who++)
                        check_answer(rows + i, who);
}

static void who_does_not_ask_polkit_gets_a_no(void **state) {
        const AccessObject sandbox = object_of(OBJECT_SANDBOX);
        const Caller owner = caller_of(WHO_OWNER), listed = caller_of(WHO_LISTED);

        assert_int_equal(access_check(&owner, ACCESS_STOP, &sandbox, NULL), -ENOKEY);
        assert_int_equal(access_check(&listed, ACCESS_STOP, &sandbox, NULL), -ENOKEY);
        assert_int_equal(access_check(&listed, ACCESS_INSPECT, &sandbox, NULL), -ENOKEY);
}

static void polkit_is_never_asked_about_root(void **state) {
        const Caller root = caller_of(WHO_ROOT);

        for (AccessVerb verb = 0; verb < _ACCESS_VERB_MAX; verb++)
                for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                        const AccessObject object = object_of(kind);

                        assert_int_not_equal(access_check(&root, verb, &object, NULL), -ENOKEY);
                }
}

static void what_one_owns_is_free_and_what_polkit_lends_is_not(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (rows[i].narrows != ACTION_NONE)
                        assert_true(access_action_is_free(rows[i].narrows));
                assert_false(access_action_is_free(rows[i].lends));
        }
        assert_false(access_action_is_free(ACTION_AUTHENTICATE_SELF));
        assert_false(access_action_is_free(ACTION_AUTHENTICATE_ADMIN));
        assert_false(access_action_is_free(_ACCESS_ACTION_MAX));
}

static bool is_row(AccessVerb verb, ObjectKind kind) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].verb == verb && rows[i].kind == kind)
                        return true;

        return false;
}

static void what_is_not_listed_is_nobodys(void **state) {
        const Caller root = caller_of(WHO_ROOT);

        for (AccessVerb verb = 0; verb < _ACCESS_VERB_MAX; verb++)
                for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                        const AccessObject object = { .kind = kind, .owner = 0, .profile = &profile };

                        assert_int_equal(access_has_rule(verb, kind), is_row(verb, kind));
                        if (!is_row(verb, kind))
                                assert_int_equal(access_check(&root, verb, &object, NULL), -EACCES);
                }
}

static void what_does_not_exist_answers_like_what_may_not_be_seen(void **state) {
        const AccessObject none = { .kind = OBJECT_SANDBOX, .owner = UID_NOBODY };
        const Caller listed = caller_of(WHO_LISTED), nobody = { .uid = UID_NOBODY };

        for (size_t i = 0; i < 2; i++) {
                AccessQuestion question = { 0 };

                assert_int_equal(access_check(i ? &listed : &nobody, ACCESS_STOP, &none, &question),
                                 -ENOKEY);
                assert_int_equal(question.actions, ACTION_BIT(ACTION_MANAGE));
                assert_true(question.hidden);
        }
        /* And takes the same look-up before it does. */
        assert_true(access_needs_account(1003, ACCESS_STOP, &none));
}

static void accounts_are_looked_up_only_where_they_matter(void **state) {
        const AccessObject sandbox = { .kind = OBJECT_SANDBOX, .owner = 1001, .profile = &profile };
        const AccessObject manager = { .kind = OBJECT_MANAGER, .owner = UID_NOBODY };
        const AccessObject user = { .kind = OBJECT_USER, .owner = 1001 };

        assert_false(access_needs_account(0, ACCESS_STOP, &sandbox));
        assert_false(access_needs_account(1001, ACCESS_STOP, &sandbox));
        assert_true(access_needs_account(1002, ACCESS_STOP, &sandbox));
        assert_false(access_needs_account(1002, ACCESS_RELOAD, &manager));
        assert_false(access_needs_account(1002, ACCESS_TERMINATE, &user));
        assert_false(access_needs_account(1002, ACCESS_NONE, &sandbox));
}

static void another_uids_account_lends_no_rights(void **state) {
        const Caller mixed_up = { .uid = 1005, .account = accounts + WHO_MANAGER };
        const AccessObject sandbox = { .kind = OBJECT_SANDBOX, .owner = 1001, .profile = &profile };
        AccessQuestion question = { 0 };

        assert_int_equal(access_check(&mixed_up, ACCESS_STOP, &sandbox, &question), -ENOKEY);
        assert_true(question.hidden);
}

static void abstract_profiles_are_seen_by_those_who_manage_them(void **state) {
        Profile abstract = profile;
        const AccessObject object = { .kind = OBJECT_PROFILE, .owner = UID_NOBODY, .profile = &abstract };
        const Caller root = caller_of(WHO_ROOT), listed = caller_of(WHO_LISTED),
                     manager = caller_of(WHO_MANAGER);

        abstract.abstract = true;
        assert_int_equal(access_check(&root, ACCESS_INSPECT, &object, NULL), 0);
        assert_int_equal(access_check(&manager, ACCESS_INSPECT, &object, NULL), 0);
        assert_int_equal(access_check(&manager, ACCESS_LAUNCH, &object, NULL), -EACCES);
        assert_int_equal(access_check(&listed, ACCESS_INSPECT, &object, NULL), -ENOENT);
}

static void what_asks_for_authentication_asks_for_both(void **state) {
        static const struct {
                ProfileAuthentication authentication;
                unsigned actions;
        } table[] = {
                { PROFILE_AUTHENTICATION_NONE, ACTION_BIT(ACTION_LAUNCH) },
                { PROFILE_AUTHENTICATION_SELF,
                  ACTION_BIT(ACTION_LAUNCH) | ACTION_BIT(ACTION_AUTHENTICATE_SELF) },
                { PROFILE_AUTHENTICATION_ADMIN,
                  ACTION_BIT(ACTION_LAUNCH) | ACTION_BIT(ACTION_AUTHENTICATE_ADMIN) },
        };
        Profile asking = profile;
        const AccessObject object = { .kind = OBJECT_PROFILE, .owner = UID_NOBODY, .profile = &asking };
        const Caller root = caller_of(WHO_ROOT), listed = caller_of(WHO_LISTED);

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                AccessQuestion question = { 0 };

                asking.authentication = table[i].authentication;
                assert_int_equal(access_check(&root, ACCESS_LAUNCH, &object, NULL), 0);
                assert_int_equal(access_check(&listed, ACCESS_INSPECT, &object, NULL), 0);
                assert_int_equal(access_check(&listed, ACCESS_LAUNCH, &object, &question), -ENOKEY);
                assert_int_equal(question.actions, table[i].actions);
                assert_true(question.own);
        }
}

static void a_refused_profile_is_roots_alone(void **state) {
        const AccessObject object = { .kind = OBJECT_PROFILE, .owner = UID_NOBODY };

        for (Who who = 0; who < _WHO_MAX; who++) {
                const Caller caller = caller_of(who);

                assert_int_equal(access_check(&caller, ACCESS_INSPECT, &object, NULL),
                                 who == WHO_ROOT ? 0 : -ENOENT);
        }
}

static void verbs_kinds_and_actions_have_names(void **state) {
        for (AccessAction action = ACTION_NONE + 1; action < _ACCESS_ACTION_MAX; action++)
                assert_memory_equal(access_action_id(action), "org.immured.Broker1.", 20);
        assert_string_equal(access_action_id(_ACCESS_ACTION_MAX), "none");

        for (AccessVerb verb = 0; verb < _ACCESS_VERB_MAX; verb++)
                assert_non_null(access_verb_name(verb));
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                assert_non_null(object_kind_name(kind));
        assert_string_equal(access_verb_name(_ACCESS_VERB_MAX), "none");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_row_answers_everyone_as_written),
                cmocka_unit_test(who_does_not_ask_polkit_gets_a_no),
                cmocka_unit_test(polkit_is_never_asked_about_root),
                cmocka_unit_test(what_one_owns_is_free_and_what_polkit_lends_is_not),
                cmocka_unit_test(what_is_not_listed_is_nobodys),
                cmocka_unit_test(what_does_not_exist_answers_like_what_may_not_be_seen),
                cmocka_unit_test(accounts_are_looked_up_only_where_they_matter),
                cmocka_unit_test(another_uids_account_lends_no_rights),
                cmocka_unit_test(abstract_profiles_are_seen_by_those_who_manage_them),
                cmocka_unit_test(what_asks_for_authentication_asks_for_both),
                cmocka_unit_test(a_refused_profile_is_roots_alone),
                cmocka_unit_test(verbs_kinds_and_actions_have_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
