/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

#include <jansson.h>

static json_t *parse(const Plan *p) {
        _cleanup_free_ char *text = NULL;
        json_error_t error;
        json_t *j;

        assert_int_equal(plan_to_json(p, &text), 0);
        j = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        if (!j)
                fail_msg("%s at %d: %s", error.text, error.position, text);

        return j;
}

static const char *text_of(const json_t *j, const char *name) {
        return json_string_value(json_object_get(j, name));
}

static void test_plan_is_one_object_people_can_read(void **state) {
        _cleanup_fixture_ Fixture f = {};
        json_t *j, *tree, *tmp = NULL;

        fixture_init(&f);
        set_words(&f.profile->exec_start, "/usr/bin/printf '\"\\\\ \n\t\x01 ü'");
        set_words(&f.profile->capability_bounding_set, "CAP_NET_RAW");
        f.profile->terms.success_statuses[4] = 1U << 3;
        f.profile->terms.success_signals = 1U << 15;
        f.profile->terms.runtime_max_usec = UINT64_MAX;
        f.profile->terms.timeout_stop_usec = (UINT64_C(1) << 53) + 1;
        fixture_must_compile(&f);
        j = parse(f.plan);

        assert_string_equal(text_of(j, "User"), "alice");
        assert_int_equal(json_integer_value(json_object_get(j, "UID")), 3001);
        assert_true(json_is_null(json_object_get(j, "Instance")));
        assert_string_equal(text_of(j, "PrivateUsers"), "pick");
        assert_string_equal(text_of(j, "UMask"), "0077");
        assert_string_equal(text_of(j, "RuntimeMaxUSec"), "infinity");
        assert_string_equal(text_of(j, "TimeoutStopUSec"), "9007199254740993");
        assert_string_equal(text_of(j, "KillSignal"), "SIGTERM");
        assert_string_equal(json_string_value(json_array_get(json_object_get(j, "ExecStart"), 1)),
                            "\"\\ \n\t\x01 ü");
        assert_string_equal(
                json_string_value(json_array_get(json_object_get(j, "CapabilityBoundingSet"), 0)),
                "CAP_NET_RAW");
        assert_int_equal(json_integer_value(json_array_get(json_object_get(j, "SuccessExitStatus"), 1)),
                         131);
        assert_string_equal(json_string_value(json_array_get(json_object_get(j, "SuccessSignals"), 0)),
                            "SIGTERM");
        assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "Seccomp"), "Instructions")),
                         1);

        tree = json_object_get(j, "Tree");
        assert_int_equal(json_array_size(tree), f.plan->n_nodes);
        for (size_t i = 0; i < json_array_size(tree); i++)
                if (streq(text_of(json_array_get(tree, i), "Target"), "/tmp"))
                        tmp = json_array_get(tree, i);
        assert_non_null(tmp);
        assert_string_equal(text_of(tmp, "Kind"), "tmpfs");
        assert_string_equal(text_of(tmp, "Mode"), "1777");
        assert_string_equal(json_string_value(json_array_get(json_object_get(tmp, "Flags"), 0)), "nosuid");

        json_decref(j);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plan_is_one_object_people_can_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
