/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/strv.h"
#include "base/text.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

#define UNTOUCHED UINT64_C(0x5555555555555555)

typedef struct NumberCase {
        const char *text;
        int error; /* 0: taken */
        uint64_t value;
} NumberCase;

static void check_numbers(int (*read)(const char *, uint64_t *), const NumberCase *cases, size_t n) {
        for (size_t i = 0; i < n; i++) {
                uint64_t value = UNTOUCHED;
                int r = read(cases[i].text, &value);

                if (r != cases[i].error || value != (r < 0 ? UNTOUCHED : cases[i].value))
                        fail_msg("“%s”: %d, %llu", cases[i].text, r, (unsigned long long) value);
        }
}

static void booleans(void **state) {
        static const char *const good[] = { "yes", "true", "on", "1" }, *const bad[] = {
                "no", "false", "off", "0"
        };
        static const char *const neither[] = { "", "Yes", "y", "2", " yes", "yes ", "disable" };
        bool value;

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                value = false;
                assert_int_equal(parse_boolean(good[i], &value), 0);
                assert_true(value);
                assert_int_equal(parse_boolean(bad[i], &value), 0);
                assert_false(value);
        }
        value = true;
        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                assert_int_equal(parse_boolean(neither[i], &value), -EINVAL);
        assert_true(value);
}

static void unsigned_numbers(void **state) {
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "007", 0, 7 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE, 0 },
                { "99999999999999999999999", -ERANGE, 0 },
                { "", -EINVAL, 0 },
                { "-1", -EINVAL, 0 },
                { "+1", -EINVAL, 0 },
                { " 1", -EINVAL, 0 },
                { "1 ", -EINVAL, 0 },
                { "0x10", -EINVAL, 0 },
                { "1e3", -EINVAL, 0 },
                { "１", -EINVAL, 0 },
        };
        uint32_t small = 7;

        check_numbers(parse_u64, cases, ELEMENTSOF(cases));
        assert_int_equal(parse_u32("4294967295", &small), 0);
        assert_int_equal(small, UINT32_MAX);
        small = 7;
        assert_int_equal(parse_u32("4294967296", &small), -ERANGE);
        assert_int_equal(small, 7);
}

static void signed_numbers(void **state) {
        int32_t value = 7;

        assert_int_equal(parse_i32("2147483648", &value), -ERANGE);
        assert_int_equal(parse_i32("-2147483649", &value), -ERANGE);
        assert_int_equal(parse_i32("--1", &value), -EINVAL);
        assert_int_equal(parse_i32("-", &value), -EINVAL);
        assert_int_equal(value, 7);
        assert_int_equal(parse_i32("2147483647", &value), 0);
        assert_int_equal(value, INT32_MAX);
        assert_int_equal(parse_i32("-2147483648", &value), 0);
        assert_int_equal(value, INT32_MIN);
}

static void ids_and_modes(void **state) {
        uid_t id = 7;
        mode_t mode = 7;

        assert_int_equal(parse_id("65535", &id), -ERANGE);
        assert_int_equal(parse_id("4294967295", &id), -ERANGE);
        assert_int_equal(parse_id("-1", &id), -EINVAL);
        assert_int_equal(id, 7);
        assert_int_equal(parse_id("65534", &id), 0);
        assert_int_equal(id, 65534);

        assert_int_equal(parse_mode("8", &mode), -EINVAL);
        assert_int_equal(parse_mode("10000", &mode), -ERANGE);
        assert_int_equal(parse_mode("", &mode), -EINVAL);
        assert_int_equal(mode, 7);
        assert_int_equal(parse_mode("0077", &mode), 0);
        assert_int_equal(mode, 077);
}

static void sizes(void **state) {
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "123", 0, 123 },
                { "4K", 0, 4096 },
                { "64M", 0, 64 << 20 },
                { "1.5G", 0, UINT64_C(3) << 29 },
                { "0.25K", 0, 256 },
                { "15E", 0, UINT64_C(15) << 60 },
                { "infinity", 0, UINT64_MAX },
                { "16E", -ERANGE, 0 },
                { "18446744073709551615", -ERANGE, 0 }, /* it would mean infinity */
                { "1.5", -EINVAL, 0 },
                { "1k", -EINVAL, 0 },
                { "1KB", -EINVAL, 0 },
                { "1 K", -EINVAL, 0 },
                { ".5K", -EINVAL, 0 },
                { "1.K", -EINVAL, 0 },
                { "K", -EINVAL, 0 },
                { "-1K", -EINVAL, 0 },
                { "Infinity", -EINVAL, 0 },
                { "", -EINVAL, 0 },
        };

        check_numbers(parse_size, cases, ELEMENTSOF(cases));
}

static void time_spans(void **state) {
        static const NumberCase cases[] = {
                { "0", 0, 0 },
                { "5", 0, 5000000 },
                { "5s", 0, 5000000 },
                { "5 s", 0, 5000000 },
                { "1min 30s", 0, 90000000 },
                { "1min30s", 0, 90000000 },
                { "1h 1", 0, UINT64_C(3601000000) },
                { "500ms", 0, 500000 },
                { "1.5s", 0, 1500000 },
                { "2us", 0, 2 },
                { "2µs", 0, 2 },
                { "2 weeks 1 day", 0, UINT64_C(1296000000000) },
                { "infinity", 0, USEC_INFINITY },
                { "", -EINVAL, 0 },
                { " 5", -EINVAL, 0 },
                { "5 ", -EINVAL, 0 },
                { "5s ", -EINVAL, 0 },
                { "-5s", -EINVAL, 0 },
                { "5x", -EINVAL, 0 },
                { "s", -EINVAL, 0 },
                { "1min infinity", -EINVAL, 0 },
                { "600000 years", -ERANGE, 0 },
                { "18446744073709551615us", -ERANGE, 0 },
        };

        check_numbers(parse_usec, cases, ELEMENTSOF(cases));
}

static void percentages(void **state) {
        uint32_t value = 7;

        assert_int_equal(parse_permyriad("50", &value), -EINVAL);
        assert_int_equal(parse_permyriad("50.123%", &value), -EINVAL);
        assert_int_equal(parse_permyriad("-1%", &value), -EINVAL);
        assert_int_equal(parse_permyriad("50%%", &value), -EINVAL);
        assert_int_equal(parse_permyriad("42949672.95%", &value), -ERANGE);
        assert_int_equal(value, 7);
        assert_int_equal(parse_permyriad("12.34%", &value), 0);
        assert_int_equal(value, 1234);
        assert_int_equal(parse_permyriad("400%", &value), 0);
        assert_int_equal(value, 40000);
        assert_int_equal(parse_permyriad("0.5%", &value), 0);
        assert_int_equal(value, 50);
}

static void signals(void **state) {
        int signo = 7;

        assert_int_equal(parse_signal("0", &signo), -ERANGE);
        assert_int_equal(parse_signal("65", &signo), -ERANGE);
        assert_int_equal(parse_signal("RTMIN+99", &signo), -ERANGE);
        assert_int_equal(parse_signal("RTMIN-1", &signo), -EINVAL);
        assert_int_equal(parse_signal("sigterm", &signo), -EINVAL);
        assert_int_equal(parse_signal("SIG", &signo), -EINVAL);
        assert_int_equal(parse_signal("", &signo), -EINVAL);
        assert_int_equal(signo, 7);
        assert_int_equal(parse_signal("TERM", &signo), 0);
        assert_int_equal(signo, SIGTERM);
        assert_int_equal(parse_signal("SIGKILL", &signo), 0);
        assert_int_equal(signo, SIGKILL);
        assert_int_equal(parse_signal("15", &signo), 0);
        assert_int_equal(signo, 15);
        assert_int_equal(parse_signal("SIGRTMIN+3", &signo), 0);
        assert_int_equal(signo, SIGRTMIN + 3);

        assert_string_equal(signal_name(15), "SIGTERM");
        assert_string_equal(signal_name(SIGRTMIN), "SIGRTMIN+0");
        assert_null(signal_name(0));
        assert_null(signal_name(-1));
        assert_null(signal_name(1000));
}

static void every_signal_name_reads_back(void **state) {
        for (int i = 1; i < NSIG; i++) {
                const char *name = signal_name(i);
                int signo = 0;

                if (!name)
                        continue;
                assert_int_equal(parse_signal(name, &signo), 0);
                assert_int_equal(signo, i);
        }
}

static void numbers_for_people(void **state) {
        char buf[64], tiny[4];

        assert_string_equal(format_size(0, buf, sizeof(buf)), "0");
        assert_string_equal(format_size(1023, buf, sizeof(buf)), "1023");
        assert_string_equal(format_size(1024, buf, sizeof(buf)), "1K");
        assert_string_equal(format_size(UINT64_C(3) << 29, buf, sizeof(buf)), "1.5G");
        assert_string_equal(format_size(UINT64_MAX - 1, buf, sizeof(buf)), "15.9E");
        assert_string_equal(format_size(UINT64_MAX, buf, sizeof(buf)), "infinity");
        assert_string_equal(format_usec(0, buf, sizeof(buf)), "0");
        assert_string_equal(format_usec(90000000, buf, sizeof(buf)), "1min 30s");
        assert_string_equal(format_usec(1500, buf, sizeof(buf)), "1ms 500us");
        assert_string_equal(format_usec(USEC_INFINITY, buf, sizeof(buf)), "infinity");
        assert_string_equal(format_usec(90000000, tiny, sizeof(tiny)), "1mi");
}

typedef struct NameCase {
        const char *text;
        bool profile, instance, account;
} NameCase;

static void names(void **state) {
        static const NameCase cases[] = {
                { "web", true, true, true },
                { "a", true, true, true },
                { "a-b_9", true, true, true },
                { "9a", false, true, false },
                { "A", false, false, true },
                { "_x", false, false, true },
                { "-x", false, false, false },
                { "", false, false, false },
                { "a.b", false, false, false },
                { "a/b", false, false, false },
                { "..", false, false, false },
                { "a b", false, false, false },
                { "a\n", false, false, false },
                { "ä", false, false, false },
                { "abcdefghijklmnopqrstuvwxyz01234", true, true, true },
                { "abcdefghijklmnopqrstuvwxyz012345", true, true, false },
                { "abcdefghijklmnopqrstuvwxyz0123456", false, false, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(profile_name_is_valid(cases[i].text), cases[i].profile);
                assert_int_equal(instance_name_is_valid(cases[i].text), cases[i].instance);
                assert_int_equal(account_name_is_valid(cases[i].text), cases[i].account);
        }
}

static void environment_and_hostnames(void **state) {
        char long_name[300];

        assert_true(env_name_is_valid("PATH"));
        assert_false(env_name_is_valid("9X"));
        assert_false(env_name_is_valid("A-B"));
        assert_false(env_name_is_valid(""));
        assert_true(env_assignment_is_valid("A="));
        assert_true(env_assignment_is_valid("A=b=c\nd"));
        assert_false(env_assignment_is_valid("A"));
        assert_false(env_assignment_is_valid("=x"));
        assert_false(env_assignment_is_valid("A=\x1b[2J"));
        assert_false(env_assignment_is_valid("A=\xff"));
        memset(long_name, 'A', sizeof(long_name));
        long_name[sizeof(long_name) - 2] = '=';
        long_name[sizeof(long_name) - 1] = '\0';
        assert_false(env_assignment_is_valid(long_name));

        assert_true(hostname_is_valid("web-1.example"));
        assert_false(hostname_is_valid("-web"));
        assert_false(hostname_is_valid("web-"));
        assert_false(hostname_is_valid("a..b"));
        assert_false(hostname_is_valid(".a"));
        assert_false(hostname_is_valid("a."));
        assert_false(hostname_is_valid("a_b"));
        assert_false(hostname_is_valid(""));
        memset(long_name, 'a', 65);
        long_name[65] = '\0';
        assert_false(hostname_is_valid(long_name));
}

static void utf8(void **state) {
        static const char *const good[] = {
                "", "a", "ä", "€", "😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"
        };
        static const char *const bad[] = {
                "\x80",         "\xc0\x80",     "\xc1\xbf",         "\xe0\x80\x80",     "\xe0\x9f\xbf",
                "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                "\xff",         "\xc3",         "\xe2\x82",         "\xf0\x9f\x98",     "a\xc3z",
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(utf8_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(utf8_is_valid(bad[i]));
}

static void printable_and_escaped(void **state) {
        static const struct {
                const char *text, *escaped;
        } cases[] = {
                { "", "" },
                { "plain ä 😀", "plain ä 😀" },
                { "a\nb\x1b[31m", "a\\x0ab\\x1b[31m" },
                { "back\\slash", "back\\x5cslash" },
                { "\x7f\xff\xc3", "\\x7f\\xff\\xc3" },
                { "\xc2\x9b", "\\xc2\\x9b" }, /* CSI in one character */
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *escaped = text_escape(cases[i].text);

                assert_string_equal(escaped, cases[i].escaped);
        }
        assert_true(text_is_printable("a b", ""));
        assert_true(text_is_printable("a\tb", "\t"));
        assert_false(text_is_printable("a\tb", ""));
        assert_false(text_is_printable("\x7f", "\t"));
        assert_false(text_is_printable("\xc2\x85", "\t"));
}

/* UTF-8 of a code point, for a test that goes over all of them. */
static void put_character(uint32_t c, char ret[static 5]) {
        unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        ret[n] = '\0';
        for (unsigned i = n - 1; i > 0; i--, c >>= 6)
                ret[i] = (char) (0x80 | (c & 63));
        ret[0] = (char) (c | (n == 1 ? 0 : 0xf00 >> n));
}

/* What a terminal obeys, draws in another order, or does not draw: Unicode's Bidi_Control, and format marks. */
static void no_mark_reaches_a_terminal(void **state) {
        static const struct {
                uint32_t first, last;
        } marks[] = {
                { 0x0001, 0x001f }, { 0x005c, 0x005c }, { 0x007f, 0x009f },   { 0x061c, 0x061c },
                { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
                { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
        };

        for (uint32_t c = 1; c <= 0x10ffff; c++) {
                char text[7] = "a", shown[16];
                _cleanup_free_ char *escaped = NULL;
                bool mark = false;

                if (c == 0xd800)
                        c = 0xe000; /* surrogates are no characters */
                for (size_t i = 0; i < ELEMENTSOF(marks); i++)
                        mark = mark || (c >= marks[i].first && c <= marks[i].last);
                put_character(c, text + 1);
                assert_true(utf8_is_valid(text));

                escaped = text_escape(text);
                if (mark == streq(escaped, text))
                        fail_msg("text_escape() of U+%04X: %s", c, escaped);
                text_clean(text, shown, sizeof(shown));
                if (c != '\\' && mark != streq(shown, "a\xef\xbf\xbd") && c != 0xfffd)
                        fail_msg("text_clean() of U+%04X: %s", c, shown);
        }
}

static void paths(void **state) {
        static const struct {
                const char *text, *normal; /* NULL: refused */
        } cases[] = {
                { "/", "/" },
                { "//", "/" },
                { "/a", "/a" },
                { "/a/", "/a" },
                { "//a///b/./c", "/a/b/c" },
                { "/.", "/" },
                { "/...", "/..." },
                { "/a/..b", "/a/..b" },
                { "", NULL },
                { "a", NULL },
                { "./a", NULL },
                { "/..", NULL },
                { "/a/../b", NULL },
                { "/a/..", NULL },
        };
        char long_path[PATH_MAX + 10];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *path = NULL;
                int r = path_normalize(cases[i].text, &path);

                assert_int_equal(r, cases[i].normal ? 0 : -EINVAL);
                if (cases[i].normal)
                        assert_string_equal(path, cases[i].normal);
                else
                        assert_null(path);
                assert_int_equal(path_is_normalized(cases[i].text),
                                 cases[i].normal && streq(cases[i].normal, cases[i].text));
                free(path);
        }

        for (size_t i = 0; i < sizeof(long_path); i++)
                long_path[i] = i % 100 ? 'a' : '/';
        long_path[PATH_MAX - 1] = '\0';
        assert_true(path_is_normalized(long_path));
        long_path[PATH_MAX - 1] = 'a';
        long_path[PATH_MAX] = '\0';
        assert_false(path_is_normalized(long_path));

        assert_true(path_is_below("/a/b", "/a"));
        assert_true(path_is_below("/a", "/a"));
        assert_true(path_is_below("/a", "/"));
        assert_true(path_is_below("/", "/"));
        assert_false(path_is_below("/ab", "/a"));
        assert_false(path_is_below("/", "/a"));
}

static void words(void **state) {
        static const struct {
                const char *text;
                const char *words[6];
        } cases[] = {
                { "", {} },
                { " \t ", {} },
                { "a  b\tc", { "a", "b", "c" } },
                { "'a b' \"c d\"", { "a b", "c d" } },
                { "''", { "" } },
                { "a'b c'd", { "ab cd" } },
                { "\"it's\" 'say \"x\"'", { "it's", "say \"x\"" } },
                { "\\x41\\102\\s\\t\\\\", { "AB \t\\" } },
                { "\"\\\"\" '\\''", { "\"", "'" } },
                { "a\\sb", { "a b" } },
                { "\\xc3\\xa4", { "ä" } },
                { "$HOME;|&*", { "$HOME;|&*" } },
        };
        static const char *const bad[] = {
                "'",     "\"a",  "a'b",   "\\",    "\\q", "\\x4", "\\xg1", "\\x00",
                "\\000", "\\08", "\\777", "\\xff", "\\1", "\\:",  "\\xc3",
        };
        char **l = (char **) 1;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(split_words(bad[i], &l), -EINVAL);
        assert_ptr_equal(l, (char **) 1);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_strv_ char **split = NULL;
                size_t n = 0;

                assert_int_equal(split_words(cases[i].text, &split), 0);
                for (; cases[i].words[n]; n++)
                        assert_string_equal(split[n], cases[i].words[n]);
                assert_null(split[n]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(booleans),
                cmocka_unit_test(unsigned_numbers),
                cmocka_unit_test(signed_numbers),
                cmocka_unit_test(ids_and_modes),
                cmocka_unit_test(sizes),
                cmocka_unit_test(time_spans),
                cmocka_unit_test(percentages),
                cmocka_unit_test(signals),
                cmocka_unit_test(every_signal_name_reads_back),
                cmocka_unit_test(numbers_for_people),
                cmocka_unit_test(names),
                cmocka_unit_test(environment_and_hostnames),
                cmocka_unit_test(utf8),
                cmocka_unit_test(printable_and_escaped),
                cmocka_unit_test(no_mark_reaches_a_terminal),
                cmocka_unit_test(paths),
                cmocka_unit_test(words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
