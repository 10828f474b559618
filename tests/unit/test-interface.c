/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const ObjectKind subject_kinds[_SUBJECT_MAX] = {
        [SUBJECT_SANDBOX] = OBJECT_SANDBOX,
        [SUBJECT_PROCESS] = OBJECT_SANDBOX,
        [SUBJECT_PROFILE] = OBJECT_PROFILE,
        [SUBJECT_USER] = OBJECT_USER,
};

typedef void (*MemberVisitor)(ObjectKind kind, const Interface *i, const Member *m);

static void each_member(MemberVisitor visit) {
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                for (const Interface *const *i = interfaces_by_kind[kind]; *i; i++)
                        for (size_t k = 0; k < (*i)->n_members; k++)
                                visit(kind, *i, (*i)->members + k);
}

static void check_rule(ObjectKind kind, const Interface *i, const Member *m) {
        ObjectKind subject = m->subject == SUBJECT_PATH ? kind : subject_kinds[m->subject];

        if (!access_has_rule(m->verb, subject))
                fail_msg("%s.%s: \"%s\" on a %s has no rule",
                         i->name,
                         m->name,
                         access_verb_name(m->verb),
                         object_kind_name(subject));
        assert_non_null(m->handler);
}

static void every_member_has_a_rule_and_a_handler(void **state) { each_member(check_rule); }

static void check_first_argument(ObjectKind kind, const Interface *i, const Member *m) {
        static const char first[_SUBJECT_MAX] = {
                [SUBJECT_SANDBOX] = 's',
                [SUBJECT_PROCESS] = 'u',
                [SUBJECT_PROFILE] = 's',
                [SUBJECT_USER] = 'u',
        };

        if (m->subject != SUBJECT_PATH)
                assert_int_equal(m->in.types[0], first[m->subject]);
}

static void subjects_are_what_the_first_argument_names(void **state) { each_member(check_first_argument); }

/* Complete types of a signature. */
static size_t count_types(const char *types) {
        size_t n = 0, depth = 0;

        for (const char *t = types ?: ""; *t; t++) {
                if (*t == '(' || *t == '{')
                        depth++;
                else if (*t == ')' || *t == '}')
                        depth--;
                if (depth == 0 && *t != 'a')
                        n++;
        }

        return n;
}

static size_t count_names(const char *names) {
        size_t n = 0;

        for (const char *s = names ?: ""; *s;) {
                size_t length = strcspn(s, " ");

                assert_true(length > 0);
                n++;
                s += length;
                s += *s == ' ';
        }

        return n;
}

static void check_arguments(const Arguments *args) {
        assert_int_equal(count_types(args->types), count_names(args->names));
}

static void check_member_arguments(ObjectKind kind, const Interface *i, const Member *m) {
        check_arguments(&m->in);
        check_arguments(&m->out);
}

static void every_argument_has_a_name(void **state) {
        each_member(check_member_arguments);

        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                for (const Interface *const *i = interfaces_by_kind[kind]; *i; i++)
                        for (size_t k = 0; k < (*i)->n_signals; k++)
                                check_arguments(&(*i)->signals[k].args);
}

static void names_are_found_once(void **state) {
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++)
                for (const Interface *const *i = interfaces_by_kind[kind]; *i; i++) {
                        bool known;

                        for (size_t k = 0; k < (*i)->n_members; k++)
                                assert_ptr_equal(member_find(interfaces_by_kind[kind],
                                                             (*i)->name,
                                                             (*i)->members[k].name,
                                                             &known),
                                                 (*i)->members + k);
                        for (size_t k = 0; k < (*i)->n_properties; k++) {
                                assert_ptr_equal(property_find(*i, (*i)->properties[k].name),
                                                 (*i)->properties + k);
                                assert_non_null((*i)->properties[k].get);
                        }
                }
}

static void what_there_is_not_is_told_apart(void **state) {
        const Manager m = { .interfaces = interfaces_by_kind };
        bool known = true;

        assert_null(member_find(interfaces_by_kind[OBJECT_SANDBOX], INTERFACE_MANAGER, "Launch", &known));
        assert_false(known);
        assert_null(member_find(interfaces_by_kind[OBJECT_MANAGER], INTERFACE_MANAGER, "Attach", &known));
        assert_true(known);
        assert_null(member_find(interfaces_by_kind[OBJECT_BRANCH], NULL, "Launch", &known));
        assert_true(known);
        assert_non_null(member_find(interfaces_by_kind[OBJECT_MANAGER], NULL, "Launch", &known));
        assert_null(property_find(&interface_user, "Id"));
        assert_null(interface_own(&m, OBJECT_BRANCH));
        assert_ptr_equal(interface_own(&m, OBJECT_SANDBOX), &interface_sandbox);
}

static void assert_contains(const char *xml, const char *format, const char *name) {
        char needle[256];

        (void) snprintf(needle, sizeof(needle), format, name);
        if (!strstr(xml, needle))
                fail_msg("no %s in %s", needle, xml);
}

static void introspection_shows_everything(void **state) {
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                _cleanup_free_ char *xml = NULL;

                assert_int_equal(interfaces_to_xml(interfaces_by_kind[kind], NULL, &xml), 0);
                for (const Interface *const *i = interfaces_by_kind[kind]; *i; i++) {
                        assert_contains(xml, "<interface name=\"%s\">", (*i)->name);
                        for (size_t k = 0; k < (*i)->n_members; k++)
                                assert_contains(xml, "<method name=\"%s\">", (*i)->members[k].name);
                        for (size_t k = 0; k < (*i)->n_properties; k++)
                                assert_contains(xml, "<property name=\"%s\"", (*i)->properties[k].name);
                        for (size_t k = 0; k < (*i)->n_signals; k++)
                                assert_contains(xml, "<signal name=\"%s\">", (*i)->signals[k].name);
                }
        }
}

static void introspection_names_arguments_and_children(void **state) {
        char *children[] = { (char *) "web_2e1000_2e1", NULL };
        _cleanup_free_ char *xml = NULL;

        assert_int_equal(interfaces_to_xml(interfaces_by_kind[OBJECT_MANAGER], children, &xml), 0);
        assert_contains(xml, "%s", "<arg type=\"a{sv}\" name=\"options\" direction=\"in\"/>");
        assert_contains(xml, "%s", "<arg type=\"a(ssussuo)\" name=\"sandboxes\" direction=\"out\"/>");
        assert_contains(xml, "%s", "<arg type=\"h\" name=\"lease\" direction=\"out\"/>");
        assert_contains(xml, "%s", "<arg type=\"ay\" name=\"hash\" direction=\"out\"/>");
        assert_contains(xml, "%s", "<arg type=\"as\" name=\"names\"/>");
        assert_contains(xml, "%s", "<node name=\"web_2e1000_2e1\"/>");
        assert_null(strstr(xml, "name=\"\""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_member_has_a_rule_and_a_handler),
                cmocka_unit_test(subjects_are_what_the_first_argument_names),
                cmocka_unit_test(every_argument_has_a_name),
                cmocka_unit_test(names_are_found_once),
                cmocka_unit_test(what_there_is_not_is_told_apart),
                cmocka_unit_test(introspection_shows_everything),
                cmocka_unit_test(introspection_names_arguments_and_children),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
