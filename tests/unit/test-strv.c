/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/strv.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *words[] = { (char *) "one", (char *) "two", (char *) "three", NULL };

static void null_is_the_empty_array(void **state) {
        _cleanup_strv_ char **copy = NULL;
        _cleanup_free_ char *joined = NULL;

        assert_null(strv_free(NULL));
        assert_int_equal(strv_length(NULL), 0);
        assert_false(strv_contains(NULL, ""));
        assert_null(strv_env_get(NULL, "A"));
        assert_int_equal(strv_copy(NULL, &copy), 0);
        assert_non_null(copy);
        assert_null(copy[0]);
        joined = strv_join(NULL, ",");
        assert_string_equal(joined, "");
}

static void arrays_grow(void **state) {
        _cleanup_strv_ char **l = NULL;
        _cleanup_free_ char *joined = NULL;

        assert_int_equal(strv_extend(&l, "zero"), 0);
        assert_int_equal(strv_extend_strv(&l, words), 0);
        assert_int_equal(strv_extend_strv(&l, NULL), 0);
        assert_int_equal(strv_consume(&l, strdup("")), 0);
        assert_int_equal(strv_length(l), 5);
        assert_ptr_not_equal(l[1], words[0]);
        joined = strv_join(l, ", ");
        assert_string_equal(joined, "zero, one, two, three, ");
}

static void without_memory_nothing_changes(void **state) {
        _cleanup_strv_ char **l = NULL;

        assert_int_equal(strv_extend(&l, "one"), 0);
        assert_int_equal(strv_consume(&l, NULL), -ENOMEM);
        assert_int_equal(strv_length(l), 1);
}

static void whole_words_are_contained(void **state) {
        assert_true(strv_contains(words, "two"));
        assert_false(strv_contains(words, "tw"));
        assert_false(strv_contains(words, ""));
}

static void arrays_are_equal_word_by_word(void **state) {
        static char *shorter[] = { (char *) "one", (char *) "two", NULL };
        static char *other[] = { (char *) "one", (char *) "two", (char *) "tree", NULL };
        static char *none[] = { NULL };
        _cleanup_strv_ char **copy = NULL;

        assert_int_equal(strv_copy(words, &copy), 0);
        assert_true(strv_equal(words, copy));
        assert_true(strv_equal(NULL, none));
        assert_false(strv_equal(words, shorter));
        assert_false(strv_equal(shorter, words));
        assert_false(strv_equal(words, other));
        assert_false(strv_equal(words, NULL));
}

static void environment_is_found_by_whole_names(void **state) {
        static char *environment[] = {
                (char *) "PATHS=no", (char *) "PATH=/bin", (char *) "PATH=/second",
                (char *) "EMPTY=",   (char *) "X",         NULL,
        };

        assert_string_equal(strv_env_get(environment, "PATH"), "/bin");
        assert_string_equal(strv_env_get(environment, "EMPTY"), "");
        assert_null(strv_env_get(environment, "X"));
        assert_null(strv_env_get(environment, "PAT"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(null_is_the_empty_array),
                cmocka_unit_test(arrays_grow),
                cmocka_unit_test(without_memory_nothing_changes),
                cmocka_unit_test(whole_words_are_contained),
                cmocka_unit_test(arrays_are_equal_word_by_word),
                cmocka_unit_test(environment_is_found_by_whole_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
