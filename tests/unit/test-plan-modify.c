/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

static void test_modifiers_come_last(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;
        bool modified = false;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->inaccessible, "-/data/secret");
        add_path(&p->read_only, "/data/docs");
        add_path(&p->read_only, "/data/secret/below");
        add_path(&p->no_exec, "/data/docs");
        add_path(&p->no_exec, "-/data");
        fixture_must_compile(&f);

        for (size_t i = 0; i < f.plan->n_nodes; i++) {
                bool modifies = f.plan->nodes[i].kind == PLAN_NODE_MASK ||
                                f.plan->nodes[i].kind == PLAN_NODE_REMOUNT;

                assert_false(modified && !modifies);
                modified = modified || modifies;
        }

        assert_int_equal(node_of_kind_at(f.plan, PLAN_NODE_MASK, "/data/secret")->flags, PLAN_NODE_OPTIONAL);
        assert_int_equal(node_of_kind_at(f.plan, PLAN_NODE_REMOUNT, "/data/docs")->flags,
                         PLAN_NODE_READ_ONLY | PLAN_NODE_NO_EXEC | PLAN_NODE_RECURSIVE);
        assert_int_equal(node_of_kind_at(f.plan, PLAN_NODE_REMOUNT, "/data")->flags,
                         PLAN_NODE_NO_EXEC | PLAN_NODE_RECURSIVE | PLAN_NODE_OPTIONAL);
        assert_null(node_at(f.plan, "/data/secret/below"));
}

static void test_a_part_of_a_read_only_path_stays_writable(void **state) {
        _cleanup_fixture_ Fixture f = {};
        const PlanNode *n;
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->read_only, "/data");
        add_path(&p->no_exec, "/data");
        add_path(&p->read_write, "/data/spool");
        fixture_must_compile(&f);

        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/spool");
        assert_non_null(n);
        assert_string_equal(n->source, "/srv/data/spool");
        assert_false(n->flags & PLAN_NODE_READ_ONLY);
        assert_true(n->flags & PLAN_NODE_NO_EXEC);
        assert_true(n->flags & PLAN_NODE_AS_USER);
        assert_true(n > node_of_kind_at(f.plan, PLAN_NODE_REMOUNT, "/data"));

        /* Not where a mount of its own would be hidden, or nothing would be left to open. */
        add_bind(p, "/srv/other", "/data/spool/other", false);
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "/data/spool/other");
        set_text(&p->read_write.items[0].path, "/data");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "same path");
}

static void test_read_write_paths_never_reach_further_than_binds(void **state) {
        static const struct {
                const char *path;
                bool possible;
        } cases[] = {
                { "/data", true },     { "/data/x", true }, { "/tmp", true },  { "/run/user/3001", true },
                { "/usr", false },     { "/usr/x", false }, { "/etc", false }, { "/docs", false },
                { "/nowhere", false }, { "/proc", false },  { "/", false },    { "/bin", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};
                Profile *p;

                fixture_init(&f);
                p = f.profile;
                add_bind(p, "/srv/data", "/data", false);
                add_bind(p, "/srv/docs", "/docs", true);
                add_path(&p->read_write, cases[i].path);
                if (cases[i].possible)
                        fixture_must_compile(&f);
                else
                        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ReadWritePaths");
        }
}

static void test_a_part_of_a_noexec_path_stays_executable(void **state) {
        _cleanup_fixture_ Fixture f = {};
        const PlanNode *n;
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->no_exec, "/data");
        add_path(&p->read_only, "/data");
        add_path(&p->exec, "-/data/bin");
        add_path(&p->read_write, "/data/bin/spool");
        fixture_must_compile(&f);

        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/bin");
        assert_string_equal(n->source, "/srv/data/bin");
        assert_false(n->flags & PLAN_NODE_NO_EXEC);
        assert_true(n->flags & PLAN_NODE_READ_ONLY);
        assert_true(n->flags & PLAN_NODE_OPTIONAL);
        assert_true(n->flags & PLAN_NODE_AS_USER);

        /* What is nearest holds, for each right apart. */
        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/bin/spool");
        assert_false(n->flags & (PLAN_NODE_NO_EXEC | PLAN_NODE_READ_ONLY));

        add_path(&p->no_exec, "/data/bin/spool");
        fixture_must_compile(&f);
        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/bin/spool");
        assert_true(n->flags & PLAN_NODE_NO_EXEC);
        assert_false(n->flags & PLAN_NODE_READ_ONLY);

        add_path(&p->exec, "/data");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "same path");
}

static void test_one_part_may_keep_both_rights(void **state) {
        _cleanup_fixture_ Fixture f = {};
        size_t n = 0;
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->no_exec, "/data");
        add_path(&p->read_only, "/data");
        add_path(&p->exec, "/data/x");
        add_path(&p->read_write, "/data/x");
        fixture_must_compile(&f);

        for (size_t i = 0; i < f.plan->n_nodes; i++)
                n += streq(f.plan->nodes[i].target, "/data/x");
        assert_int_equal(n, 1);
        assert_false(node_at(f.plan, "/data/x")->flags & (PLAN_NODE_NO_EXEC | PLAN_NODE_READ_ONLY));
}

static void test_noexec_of_the_root_reaches_every_mount(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/tools", "/opt/tools", true);
        add_path(&p->no_exec, "/");
        fixture_must_compile(&f);
        for (size_t i = 0; i < f.plan->n_nodes; i++)
                if (f.plan->nodes[i].kind == PLAN_NODE_BIND || f.plan->nodes[i].kind == PLAN_NODE_TMPFS)
                        assert_true(f.plan->nodes[i].flags & PLAN_NODE_NO_EXEC);

        /* A whole mount, a part of one, and a directory that holds one. */
        add_path(&p->exec, "/usr");
        add_path(&p->exec, "/opt");
        add_path(&p->exec, "/etc/alternatives/x");
        fixture_must_compile(&f);
        assert_false(node_at(f.plan, "/usr")->flags & PLAN_NODE_NO_EXEC);
        assert_false(node_at(f.plan, "/opt/tools")->flags & PLAN_NODE_NO_EXEC);
        assert_true(node_at(f.plan, "/etc/alternatives")->flags & PLAN_NODE_NO_EXEC);
        assert_false(node_at(f.plan, "/etc/alternatives/x")->flags & PLAN_NODE_NO_EXEC);
        assert_true(node_at(f.plan, "/tmp")->flags & PLAN_NODE_NO_EXEC);

        add_path(&p->exec, "/tmp/bin");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ExecPaths=/tmp/bin");
}

static void test_what_is_kept_is_not_opened_in_part(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        set_words(&p->state_directory, "web");
        add_path(&p->no_exec, "/var/lib/web");
        fixture_must_compile(&f);
        add_path(&p->exec, "/var/lib/web/bin");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "kept");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_modifiers_come_last),
                cmocka_unit_test(test_a_part_of_a_read_only_path_stays_writable),
                cmocka_unit_test(test_read_write_paths_never_reach_further_than_binds),
                cmocka_unit_test(test_a_part_of_a_noexec_path_stays_executable),
                cmocka_unit_test(test_one_part_may_keep_both_rights),
                cmocka_unit_test(test_noexec_of_the_root_reaches_every_mount),
                cmocka_unit_test(test_what_is_kept_is_not_opened_in_part),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
