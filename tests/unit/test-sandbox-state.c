/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/sandbox-state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_names_and_values_lead_to_each_other(void **state) {
        for (int s = 0; s < _SANDBOX_STATE_MAX; s++)
                assert_int_equal(sandbox_state_from_name(sandbox_state_name((SandboxState) s)), s);
        for (int r = 0; r < _SANDBOX_RESULT_MAX; r++)
                assert_int_equal(sandbox_result_from_name(sandbox_result_name((SandboxResult) r)), r);

        assert_string_equal(sandbox_state_name(SANDBOX_RUNNING), "running");
        assert_string_equal(sandbox_result_name(SANDBOX_OOM_KILL), "oom-kill");
}

static void test_what_is_not_known_is_no_value(void **state) {
        assert_int_equal(sandbox_state_from_name("Running"), -EINVAL);
        assert_int_equal(sandbox_state_from_name(""), -EINVAL);
        assert_int_equal(sandbox_result_from_name(NULL), -EINVAL);
        assert_string_equal(sandbox_state_name((SandboxState) 99), "unknown");
        assert_int_equal(sandbox_state_from_name("unknown"), -EINVAL);
}

static void test_alive_are_those_that_hold_processes(void **state) {
        assert_true(sandbox_state_is_alive(SANDBOX_STARTING));
        assert_true(sandbox_state_is_alive(SANDBOX_STOPPING));
        assert_false(sandbox_state_is_alive(SANDBOX_EXITED));
        assert_false(sandbox_state_is_alive(SANDBOX_FAILED));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names_and_values_lead_to_each_other),
                cmocka_unit_test(test_what_is_not_known_is_no_value),
                cmocka_unit_test(test_alive_are_those_that_hold_processes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
