/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/ids.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void ranges_that_touch_are_told_from_those_that_meet(void **state) {
        static const struct {
                const char *text;
                bool overlap;
        } cases[] = {
                { "", false },
                { "alice:100000:65536\n", false },
                { "alice:1999999:1\n", false },
                { "alice:2000000:1\n", true },
                { "alice:2065535:1", true },
                { "alice:2065536:65536", false },
                { "alice:1934464:65536\n", false },
                { "alice:1934465:65536\n", true },
                { "alice:0:4294967295\n", true },
                { "alice:1:1\n\nbob:2000010:5\n", true },
                { "alice:2000000:0\n", false },
                { "nonsense\n2000000:1\nbob:2000000:1\n", true },
                { "bob:2000000\n", false },
                { "bob:2000000:1:2\n", false },
                { "bob:x:1\n", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (subids_overlap(cases[i].text, 2000000, IDS_BLOCK_SIZE) != cases[i].overlap)
                        fail_msg("\"%s\"", cases[i].text);
}

static void a_line_that_is_too_long_is_passed_over(void **state) {
        char text[1024];

        memset(text, 'x', sizeof(text));
        memcpy(text + sizeof(text) - 18, ":1:1\na:2000000:1\n", 18);
        assert_true(subids_overlap(text, 2000000, IDS_BLOCK_SIZE));
}

static void the_range_ends_where_others_begin(void **state) {
        /* systemd's container range; above it lies what nobody has promised to anybody. */
        assert_int_equal(IDS_FIRST, 524288);
        assert_int_equal((uint64_t) IDS_FIRST + (uint64_t) (IDS_N_BLOCKS - 1) * IDS_BLOCK_SIZE, 1878982656);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ranges_that_touch_are_told_from_those_that_meet),
                cmocka_unit_test(a_line_that_is_too_long_is_passed_over),
                cmocka_unit_test(the_range_ends_where_others_begin),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
