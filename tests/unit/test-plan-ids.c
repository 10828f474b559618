/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

static void assert_map(const PlanIdMap *m, uint32_t inside, uint32_t outside, uint32_t count) {
        assert_int_equal(m->inside, inside);
        assert_int_equal(m->outside, outside);
        assert_int_equal(m->count, count);
}

static void test_pick_maps_own_ids_to_places_in_a_block(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_words(&f.profile->supplementary_groups, "staff audio");
        fixture_must_compile(&f);

        assert_int_equal(f.plan->private_users, PRIVATE_USERS_PICK);
        assert_int_equal(f.plan->n_groups, 3);
        assert_int_equal(f.plan->groups[0], 3001);
        assert_int_equal(f.plan->n_uid_map, 1);
        assert_map(&f.plan->uid_map[0], 3001, 0, 1);
        assert_int_equal(f.plan->n_gid_map, 3);
        assert_map(&f.plan->gid_map[0], 3001, 0, 1);
        assert_map(&f.plan->gid_map[1], 29, 1, 1);
        assert_map(&f.plan->gid_map[2], 50, 2, 1);
}

static void test_self_maps_own_ids_to_themselves(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->private_users = PRIVATE_USERS_SELF;
        f.account->uid = f.account->gid = 4000000;
        set_words(&f.profile->supplementary_groups, "50");
        fixture_must_compile(&f);
        assert_map(&f.plan->uid_map[0], 4000000, 4000000, 1);
        assert_map(&f.plan->gid_map[0], 4000000, 4000000, 1);
        assert_map(&f.plan->gid_map[1], 50, 50, 1);
}

static void test_identity_maps_the_first_65536(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->private_users = PRIVATE_USERS_IDENTITY;
        fixture_must_compile(&f);
        assert_int_equal(f.plan->n_uid_map, 1);
        assert_map(&f.plan->uid_map[0], 0, 0, 65536);
        assert_map(&f.plan->gid_map[0], 0, 0, 65536);

        f.account->uid = 65536;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "65536");
        f.account->uid = 3001;
        f.account->gid = 70000;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "65536");
        f.account->gid = 3001;
        f.account->groups[1].gid = 70000;
        fixture_must_compile(&f);
        set_words(&f.profile->supplementary_groups, "staff");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "65536");
}

static void test_groups_are_those_the_account_has(void **state) {
        static const struct {
                const char *listed;
                size_t n;
        } cases[] = {
                { "", 0 },         { "staff", 1 },           { "50", 1 },
                { "staff 50", 1 }, { "docker", 0 },          { "0", 0 },
                { "alice", 0 },    { "3001 root audio", 1 }, { "staff audio", 2 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                set_words(&f.profile->supplementary_groups, cases[i].listed);
                fixture_must_compile(&f);
                assert_int_equal(f.plan->n_groups, 1 + cases[i].n);
                assert_int_equal(f.plan->groups[0], f.account->gid);
                assert_int_equal(f.plan->n_gid_map, 1 + cases[i].n);
        }
}

/* What of the host's root a sandbox could turn against the host. */
static void test_root_gets_picked_ids_only(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_text(&f.account->name, "root");
        set_text(&f.account->home, "/root");
        f.account->uid = f.account->gid = 0;

        f.profile->private_users = PRIVATE_USERS_SELF;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "root");
        f.profile->private_users = PRIVATE_USERS_IDENTITY;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "root");
        f.profile->private_users = PRIVATE_USERS_PICK;
        fixture_must_compile(&f);
        assert_map(&f.plan->uid_map[0], 0, 0, 1);

        add_bind(f.profile, "/srv/data", "/srv/data", false);
        fixture_must_compile(&f);
        f.profile->restrict_suid_sgid = false;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "RestrictSUIDSGID");
        f.profile->binds[0].read_only = true;
        fixture_must_compile(&f);
}

static void test_identity_and_capabilities_do_not_meet(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_words(&f.profile->capability_bounding_set, "CAP_SETUID");
        set_words(&f.profile->ambient_capabilities, "CAP_SETUID");
        fixture_must_compile(&f);
        f.profile->private_users = PRIVATE_USERS_IDENTITY;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "identity");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pick_maps_own_ids_to_places_in_a_block),
                cmocka_unit_test(test_self_maps_own_ids_to_themselves),
                cmocka_unit_test(test_identity_maps_the_first_65536),
                cmocka_unit_test(test_groups_are_those_the_account_has),
                cmocka_unit_test(test_root_gets_picked_ids_only),
                cmocka_unit_test(test_identity_and_capabilities_do_not_meet),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
