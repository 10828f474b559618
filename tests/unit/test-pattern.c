/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

static void test_patterns_that_are_refused(void **state) {
        static const struct {
                const char *pattern, *why;
        } cases[] = {
                { "n?+++++++++++++++", "repeated" },
                { "a**", "repeated" },
                { "a{2}{2}", "repeated" },
                { "?a", "nothing to repeat" },
                { "(|*a)", "nothing to repeat" },
                { "^*", "nothing to repeat" },
                { "(a*)\\1", "refers back" },
                { "a)|(b", "not opened" },
                { "a)", "not opened" },
                { "(a", "not closed" },
                { "((((((((((a))))))))))", "nested too deeply" },
                { "(((((a*)*)*)*)*)", "nested too deeply" },
                { "a{513}", "{N,M}" },
                { "a{3,2}", "{N,M}" },
                { "a{,2}", "{N,M}" },
                { "a{x}", "{N,M}" },
                { "a{1", "no repetition" },
                { "((a{30}){30})", "too long" },
                { "(abc){200}", "too long" },
                { "[a-z", "does not compile" },
                { "a\\", "does not compile" },
                { "[z-a]", "does not compile" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *why = NULL;

                if (pattern_check(cases[i].pattern, &why) != -EINVAL || !why || !strstr(why, cases[i].why))
                        fail_msg("%s: %s", cases[i].pattern, why ?: "accepted");
                assert_int_equal(pattern_matches(cases[i].pattern, "a"), -EINVAL);
        }
}

static void test_whole_texts_match(void **state) {
        static const struct {
                const char *pattern, *text;
                bool matches;
        } cases[] = {
                { "[a-z]+", "abc", true },
                { "[a-z]+", "abc1", false },
                { "[a-z]+", "1abc", false },
                { "a|b", "b", true },
                { "a|b", "ab", false },
                { "a|ab", "ab", true },
                { "^a$", "a", true },
                { "", "", true },
                { "(a|)", "", true },
                { "[]x]+", "]x", true },
                { "[^]x]+", "ab", true },
                { "[[:alpha:]]{2,3}", "ab", true },
                { "[[:alpha:]]{2,3}", "abcd", false },
                { "[)(*{]+", "({*)", true },
                { "\\(\\)\\*\\{", "()*{", true },
                { "x{0}y", "y", true },
                { "a{2,}", "aaaaa", true },
                { "([a-z]+(,[a-z]+)*)?", "ab,cd,ef", true },
                { "([a-z]+(,[a-z]+)*)?", "ab,", false },
                { "--(output|input)=/home/[^/]+/[A-Za-z0-9._-]{1,64}", "--output=/home/alice/a.txt", true },
                { ".*", "line\nline", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *why = NULL;

                assert_int_equal(pattern_check(cases[i].pattern, &why), 0);
                if (pattern_matches(cases[i].pattern, cases[i].text) != cases[i].matches)
                        fail_msg("%s and %s", cases[i].pattern, cases[i].text);
        }
}

/* The longest text there is, against what matchers brood over: all is said in an instant, or the limit ends this. */
static void test_no_text_is_brooded_over(void **state) {
        static const char *const patterns[] = {
                "[a-z]*x", "(a|b)*a(a|b){20}", "(((a*)*)*)*b", "(a|aa)*b", "(a?){9}a{9}",
        };
        const struct rlimit limit = { 20, 20 };
        char text[4096];

        assert_int_equal(setrlimit(RLIMIT_CPU, &limit), 0);
        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                for (unsigned k = 0; k < 64; k++) {
                        memset(text, 'a', sizeof(text));
                        for (size_t n = 0; k % 2 && n < sizeof(text); n++)
                                text[n] = random() % 2 ? 'a' : 'b';
                        text[sizeof(text) - 2] = '!';
                        text[sizeof(text) - 1] = '\0';
                        assert_int_equal(pattern_matches(patterns[i], text), 0);
                }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_patterns_that_are_refused),
                cmocka_unit_test(test_whole_texts_match),
                cmocka_unit_test(test_no_text_is_brooded_over),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
