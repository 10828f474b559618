/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-tighten.h"

#include "profile-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char base[] = "[Access]\n"
                           "UserSettable=MemoryMax MemoryHigh RestrictAddressFamilies InaccessiblePaths\n"
                           "UserSettable=SystemCallFilter ProtectHome PersistentHome IOReadBandwidthMax\n"
                           "[Exec]\n"
                           "ExecStart=/usr/bin/true\n"
                           "[Files]\n"
                           "PersistentHome=yes\n"
                           "InaccessiblePaths=/usr/share/doc\n"
                           "[Resources]\n"
                           "MemoryHigh=512M\n"
                           "MemoryMax=1G\n"
                           "IOReadBandwidthMax=/srv 1M\n"
                           "IOReadBandwidthMax=/var 2M\n";

typedef struct Case {
        Files files;
        ProfileSet *set;
        const Profile *profile;
        Profile *tightened;
        char *text;
        int result;
} Case;

static void case_done(Case *c) {
        profile_unref(c->tightened);
        free(c->text);
        profile_set_free(c->set);
        files_done(&c->files);
}

static Case tighten(const char *text, const ProfileSetting *settings, size_t n) {
        Case c = { .files = files_new() };

        files_write(&c.files, "etc/app.profile", text);
        c.set = load_profiles(&c.files);
        c.profile = assert_taken(c.set, "app");
        c.result = profile_tighten(&c.tightened, c.profile, settings, n, &c.text);
        return c;
}

#define SETTINGS(...) ((const ProfileSetting[]){ __VA_ARGS__ })
#define SET(k, v) \
        { (char *) (k), (char *) (v) }
#define TIGHTEN(...) tighten(base, SETTINGS(__VA_ARGS__), ELEMENTSOF(SETTINGS(__VA_ARGS__)))

static void the_same_profile_with_other_values_is_made(void **state) {
        _cleanup_(case_done) Case c = TIGHTEN(SET("MemoryMax", "600M"),
                                              SET("RestrictAddressFamilies", "AF_UNIX"),
                                              SET("InaccessiblePaths", "/usr/share/man"),
                                              SET("SystemCallFilter", "~ptrace"),
                                              SET("IOReadBandwidthMax", "/var 1M"));
        Profile *t = c.tightened;

        assert_int_equal(c.result, 0);
        assert_string_equal(t->name, "app");
        assert_string_equal(t->hash, c.profile->hash);
        assert_string_equal(t->source_path, c.profile->source_path);
        assert_int_equal(t->memory_max, 600 << 20);
        assert_int_equal(t->memory_high, 512 << 20);
        assert_int_equal(strv_length(t->address_families), 1);
        assert_int_equal(t->inaccessible.n, 2);
        assert_string_equal(t->inaccessible.items[0].path, "/usr/share/doc");
        assert_int_equal(t->n_syscalls, 2);
        assert_true(t->syscalls[1].deny && !t->syscalls[0].deny);
        assert_int_equal(t->n_io_limits, 2);
        assert_int_equal(t->io_limits[1].rbps, 1 << 20);

        /* And the admin's own stays what it was. */
        assert_int_equal(c.profile->memory_max, 1 << 30);
        assert_int_equal(strv_length(c.profile->address_families), 4);
        assert_int_equal(c.profile->inaccessible.n, 1);
        assert_int_equal(c.profile->n_syscalls, 1);
}

static void lists_grow_over_several_settings(void **state) {
        _cleanup_(case_done) Case c = TIGHTEN(SET("RestrictAddressFamilies", "AF_UNIX"),
                                              SET("InaccessiblePaths", "/opt"),
                                              SET("RestrictAddressFamilies", "AF_INET"),
                                              SET("InaccessiblePaths", "/srv"));
        _cleanup_(case_done) Case none = TIGHTEN(SET("RestrictAddressFamilies", ""));

        assert_int_equal(c.result, 0);
        assert_int_equal(strv_length(c.tightened->address_families), 2);
        assert_int_equal(c.tightened->inaccessible.n, 3);
        assert_int_equal(none.result, 0);
        assert_int_equal(strv_length(none.tightened->address_families), 0);
}

static void nothing_asked_is_the_profile_again(void **state) {
        _cleanup_(case_done) Case c = tighten(base, NULL, 0);

        assert_int_equal(c.result, 0);
        assert_int_equal(c.tightened->n_lines, c.profile->n_lines);
        assert_true(strv_length(c.tightened->user_settable) == 8);
}

#define ASSERT_REFUSED(call, error, ...)                                             \
        ({                                                                           \
                static const char *const _words_[] = { __VA_ARGS__ };                \
                _cleanup_(case_done) Case _c_ = (call);                              \
                assert_int_equal(_c_.result, error);                                 \
                assert_null(_c_.tightened);                                          \
                assert_non_null(_c_.text);                                           \
                for (size_t _i_ = 0; _i_ < ELEMENTSOF(_words_); _i_++)               \
                        if (!strstr(_c_.text, _words_[_i_]))                         \
                                fail_msg("\"%s\" lacks %s", _c_.text, _words_[_i_]); \
        })

static void what_is_not_listed_is_not_permitted(void **state) {
        ASSERT_REFUSED(TIGHTEN(SET("TasksMax", "1")), -EPERM, "TasksMax", "UserSettable=");
        ASSERT_REFUSED(TIGHTEN(SET("ExecStart", "/bin/sh")), -EPERM, "ExecStart");
        ASSERT_REFUSED(
                TIGHTEN(SET("UserSettable", "TasksMax"), SET("TasksMax", "1")), -EPERM, "UserSettable");
        ASSERT_REFUSED(TIGHTEN(SET("memorymax", "1M")), -EPERM, "memorymax");
        ASSERT_REFUSED(TIGHTEN(SET("", "1M")), -EPERM, "UserSettable=");
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax=1M\nNice", "-20")), -EPERM, "UserSettable=");
}

static void what_is_looser_is_not_permitted_and_names_the_ceiling(void **state) {
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax", "1025M")), -EPERM, "MemoryMax=1025M", "1G");
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax", "")), -EPERM, "MemoryMax=", "1G");
        ASSERT_REFUSED(TIGHTEN(SET("RestrictAddressFamilies", "AF_VSOCK")),
                       -EPERM,
                       "RestrictAddressFamilies",
                       "AF_UNIX AF_INET AF_INET6 AF_NETLINK");
        ASSERT_REFUSED(TIGHTEN(SET("RestrictAddressFamilies", "AF_UNIX"),
                               SET("RestrictAddressFamilies", "AF_PACKET")),
                       -EPERM,
                       "AF_INET6");
        ASSERT_REFUSED(TIGHTEN(SET("InaccessiblePaths", "")), -EPERM, "InaccessiblePaths", "/usr/share/doc");
        ASSERT_REFUSED(TIGHTEN(SET("InaccessiblePaths", ""), SET("InaccessiblePaths", "/opt")),
                       -EPERM,
                       "/usr/share/doc");
        ASSERT_REFUSED(
                TIGHTEN(SET("SystemCallFilter", "ptrace")), -EPERM, "SystemCallFilter", "@system-service");
        ASSERT_REFUSED(TIGHTEN(SET("SystemCallFilter", "~ptrace"), SET("SystemCallFilter", "ptrace")),
                       -EPERM,
                       "SystemCallFilter");
        ASSERT_REFUSED(TIGHTEN(SET("ProtectHome", "no")), -EPERM, "ProtectHome", "tmpfs");
        ASSERT_REFUSED(TIGHTEN(SET("IOReadBandwidthMax", "/opt 1")), -EPERM, "/srv 1M /var 2M");
        ASSERT_REFUSED(TIGHTEN(SET("IOReadBandwidthMax", "/srv infinity")), -EPERM, "/srv 1M");
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax", "infinity"), SET("MemoryHigh", "1M")), -EPERM, "MemoryMax");
}

static void what_is_malformed_or_contradicts_is_bad(void **state) {
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax", "much")), -EBADMSG, "MemoryMax=much", "size");
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax", "1")), -EBADMSG, "MemoryMax=1", "range");
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax", "1M\n")), -EBADMSG, "MemoryMax", "control");
        ASSERT_REFUSED(TIGHTEN(SET("InaccessiblePaths", "/a\x1b[0m")), -EBADMSG, "InaccessiblePaths");
        ASSERT_REFUSED(
                TIGHTEN(SET("InaccessiblePaths", "relative")), -EBADMSG, "InaccessiblePaths=relative");
        ASSERT_REFUSED(
                TIGHTEN(SET("MemoryMax", "1M"), SET("MemoryMax", "1M")), -EBADMSG, "MemoryMax", "twice");
        /* Right by itself, and wrong with what the profile says. */
        ASSERT_REFUSED(TIGHTEN(SET("MemoryMax", "1M")), -EBADMSG, "MemoryHigh ≤ MemoryMax");
        ASSERT_REFUSED(TIGHTEN(SET("ProtectHome", "yes")), -EBADMSG, "PersistentHome");
        {
                _cleanup_(case_done) Case c =
                        TIGHTEN(SET("ProtectHome", "yes"), SET("PersistentHome", "no"));

                assert_int_equal(c.result, 0);
        }
}

static void inherited_lines_count_in_their_order(void **state) {
        _cleanup_files_ Files files = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_(profile_unrefp) Profile *t = NULL;
        _cleanup_free_ char *text = NULL;

        files_write(&files,
                    "etc/base.profile",
                    "[Profile]\nAbstract=yes\n[Access]\nUserSettable=Nice TasksMax\n"
                    "[Resources]\nTasksMax=50\n[Network]\nRestrictAddressFamilies=AF_UNIX\n");
        files_write(&files,
                    "etc/app.profile",
                    "[Profile]\nInherits=base\nDescription=Mine\n" PROGRAM "Nice=3\n"
                    "[Network]\nRestrictAddressFamilies=AF_INET\n");
        files_write(&files, "etc/app.profile.d/1.conf", "[Resources]\nTasksMax=20\n");
        set = load_profiles(&files);
        (void) assert_taken(set, "base"); /* abstract: the ceiling of Nice= may come with its heirs */

        assert_int_equal(profile_tighten(&t, assert_taken(set, "app"), SETTINGS(SET("Nice", "4")), 1, &text),
                         0);
        assert_int_equal(t->tasks_max, 20);
        assert_int_equal(t->nice, 4);
        assert_int_equal(strv_length(t->address_families), 2);
        assert_string_equal(t->description, "Mine");
        assert_false(t->abstract);
        assert_int_equal(strv_length(t->dropin_paths), 1);
}

static void a_list_of_keys_that_cannot_be_set_is_refused_with_its_line(void **state) {
        _cleanup_files_ Files files = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&files, "etc/order.profile", "[Access]\nUserSettable=MemoryMax ExecStart\n" PROGRAM);
        files_write(&files, "etc/unknown.profile", "[Access]\nUserSettable=MemoryMaximum\n" PROGRAM);
        files_write(&files, "etc/ceiling.profile", PROGRAM "[Access]\nUserSettable=TasksMax Nice\n");
        set = load_profiles(&files);
        assert_finding(assert_refused(set, "order"), 0, "order.profile", 2, "UserSettable", "tightened");
        assert_finding(
                assert_refused(set, "unknown"), 0, "unknown.profile", 2, "UserSettable", "immurectl keys");
        assert_finding(
                assert_refused(set, "ceiling"), 0, "ceiling.profile", 4, "UserSettable", "lists Nice");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_profile_with_other_values_is_made),
                cmocka_unit_test(lists_grow_over_several_settings),
                cmocka_unit_test(nothing_asked_is_the_profile_again),
                cmocka_unit_test(what_is_not_listed_is_not_permitted),
                cmocka_unit_test(what_is_looser_is_not_permitted_and_names_the_ceiling),
                cmocka_unit_test(what_is_malformed_or_contradicts_is_bad),
                cmocka_unit_test(inherited_lines_count_in_their_order),
                cmocka_unit_test(a_list_of_keys_that_cannot_be_set_is_refused_with_its_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
