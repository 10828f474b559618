/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

#define SAFE (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)
#define KEPT (SAFE | PLAN_NODE_STATE)

static void test_directories_have_their_places(void **state) {
        _cleanup_fixture_ Fixture f = {};
        const PlanNode *n;

        fixture_init(&f);
        f.request.instance = "blue";
        set_words(&f.profile->state_directory, "web web-%i");
        set_words(&f.profile->cache_directory, "%N");
        set_words(&f.profile->runtime_directory, "web");
        fixture_must_compile(&f);

        n = node_at(f.plan, "/var/lib/web");
        assert_int_equal(n->kind, PLAN_NODE_BIND);
        assert_int_equal(n->flags, KEPT | PLAN_NODE_IDMAP);
        assert_string_equal(n->source, "/var/lib/immured/3001/web/data/web");
        assert_string_equal(node_at(f.plan, "/var/lib/web-blue")->source,
                            "/var/lib/immured/3001/web/data/web-blue");
        assert_string_equal(node_at(f.plan, "/var/cache/web")->source,
                            "/var/cache/immured/3001/web/data/web");
        n = node_at(f.plan, "/run/web");
        assert_int_equal(n->kind, PLAN_NODE_DIRECTORY);
        assert_int_equal(n->flags, PLAN_NODE_OWNED);

        assert_string_equal(strv_env_get(f.plan->environment, "STATE_DIRECTORY"),
                            "/var/lib/web:/var/lib/web-blue");
        assert_string_equal(strv_env_get(f.plan->environment, "CACHE_DIRECTORY"), "/var/cache/web");
        assert_string_equal(strv_env_get(f.plan->environment, "RUNTIME_DIRECTORY"), "/run/web");
}

static void test_nothing_is_kept_unasked(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);
        assert_null(strv_env_get(f.plan->environment, "STATE_DIRECTORY"));
        for (size_t i = 0; i < f.plan->n_nodes; i++)
                assert_false(f.plan->nodes[i].flags & PLAN_NODE_STATE);
}

static void test_ids_on_disk_are_the_users(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->private_users = PRIVATE_USERS_SELF;
        set_words(&f.profile->state_directory, "web");
        fixture_must_compile(&f);
        assert_int_equal(node_at(f.plan, "/var/lib/web")->flags, KEPT);
}

static void test_home_is_kept(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->persistent_home = true;
        add_bind(f.profile, "%h/notes", "%h/notes", false);
        fixture_must_compile(&f);
        assert_string_equal(node_at(f.plan, "/home/alice")->source, "/var/lib/immured/3001/web/home");
        assert_int_equal(node_at(f.plan, "/home/alice")->flags, KEPT | PLAN_NODE_IDMAP);
        assert_string_equal(node_at(f.plan, "/home/alice/notes")->source, "/home/alice/notes");
}

static void test_bad_names_and_places_are_refused(void **state) {
        static const struct {
                const char *state, *runtime, *instance;
                const char *word;
        } cases[] = {
                { "%i", NULL, NULL, "not the name" }, { "%H/..", NULL, NULL, "not the name" },
                { "web web", NULL, NULL, "twice" },   { NULL, "user", NULL, "of its own" },
                { NULL, "lock", NULL, "of its own" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                f.request.instance = cases[i].instance;
                if (cases[i].state)
                        set_words(&f.profile->state_directory, cases[i].state);
                if (cases[i].runtime)
                        set_words(&f.profile->runtime_directory, cases[i].runtime);
                fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, cases[i].word);
        }
}

static void test_a_name_that_a_bind_takes_is_refused(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_words(&f.profile->state_directory, "web");
        add_bind(f.profile, "/srv/x", "/var/lib/web", false);
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "twice");
}

static void test_root_keeps_nothing_that_others_could_run(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.account->uid = f.account->gid = 0;
        set_text(&f.account->home, "/root");
        f.profile->persistent_home = true;
        f.profile->restrict_suid_sgid = true;
        fixture_must_compile(&f);
        f.profile->restrict_suid_sgid = false;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "RestrictSUIDSGID");
}

static void test_devices_are_opened_with_the_users_rights(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_path(&p->devices, "-/dev/dri/renderD128");
        add_path(&p->devices, "/dev/null");
        fixture_must_compile(&f);
        assert_int_equal(node_at(f.plan, "/dev/dri/renderD128")->kind, PLAN_NODE_DEVICE);
        assert_int_equal(node_at(f.plan, "/dev/dri/renderD128")->flags,
                         PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC | PLAN_NODE_AS_USER | PLAN_NODE_OPTIONAL);
        assert_int_equal(node_at(f.plan, "/dev/dri")->kind, PLAN_NODE_DIRECTORY);
        assert_int_equal(node_at(f.plan, "/dev/null")->flags, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC);

        set_text(&p->devices.items[0].path, "/dev/%i/0");
        f.request.instance = "pts";
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "leads out");
}

static void test_devices_of_the_host_are_for_who_says_so(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);
        assert_false(f.plan->host_devices);
        f.profile->private_devices = false;
        fixture_must_compile(&f);
        assert_true(f.plan->host_devices);
        /* Which they are is none of the plan's business, so that equal requests have equal plans. */
        assert_null(node_at(f.plan, "/dev/fuse"));
        assert_int_equal(node_at(f.plan, "/dev/pts")->kind, PLAN_NODE_DEVPTS);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_directories_have_their_places),
                cmocka_unit_test(test_nothing_is_kept_unasked),
                cmocka_unit_test(test_ids_on_disk_are_the_users),
                cmocka_unit_test(test_home_is_kept),
                cmocka_unit_test(test_bad_names_and_places_are_refused),
                cmocka_unit_test(test_a_name_that_a_bind_takes_is_refused),
                cmocka_unit_test(test_root_keeps_nothing_that_others_could_run),
                cmocka_unit_test(test_devices_are_opened_with_the_users_rights),
                cmocka_unit_test(test_devices_of_the_host_are_for_who_says_so),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
