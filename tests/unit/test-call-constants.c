/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/call-constants.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cmocka.h>

static void values_are_those_of_c(void **state) {
        static const struct {
                const char *text;
                uint64_t value;
        } cases[] = {
                { "0", 0 },
                { "7", 7 },
                { "4294967296", UINT64_C(1) << 32 },
                { "0x10", 16 },
                { "0XfF", 255 },
                { "0755", 0755 },
                { "00", 0 },
                { "18446744073709551615", UINT64_MAX },
                { "0xffffffffffffffff", UINT64_MAX },
                { "01777777777777777777777", UINT64_MAX },
                { "TIOCSTI", TIOCSTI },
                { "CLONE_NEWUSER", CLONE_NEWUSER },
                { "CLONE_NEWUSER|CLONE_NEWNET", CLONE_NEWUSER | CLONE_NEWNET },
                { "PROT_WRITE|4|0x8", PROT_WRITE | 4 | 8 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value = 12345;

                assert_int_equal(call_value_parse(cases[i].text, &value), 0);
                assert_true(value == cases[i].value);
        }
}

static void mistakes_are_refused(void **state) {
        static const struct {
                const char *text;
                int error;
        } cases[] = {
                { "", -EINVAL },
                { "|", -EINVAL },
                { "1|", -EINVAL },
                { "|1", -EINVAL },
                { "1||2", -EINVAL },
                { "-1", -EINVAL },
                { "+1", -EINVAL },
                { " 1", -EINVAL },
                { "1 ", -EINVAL },
                { "0x", -EINVAL },
                { "0xg", -EINVAL },
                { "08", -EINVAL },
                { "1a", -EINVAL },
                { "tiocsti", -EINVAL },
                { "TIOCST", -EINVAL },
                { "TIOCSTII", -EINVAL },
                { "TIOCSTI ", -EINVAL },
                { "18446744073709551616", -ERANGE },
                { "0x10000000000000000", -ERANGE },
                { "02000000000000000000000", -ERANGE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value = 12345;

                if (call_value_parse(cases[i].text, &value) != cases[i].error)
                        fail_msg("\"%s\"", cases[i].text);
                assert_int_equal(value, 12345);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_those_of_c),
                cmocka_unit_test(mistakes_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
