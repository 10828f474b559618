/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"
#include "base/sha256.h"
#include "profile-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void no_directory_is_an_empty_set(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = load_profiles(&f);

        assert_int_equal(set->n_entries, 0);
        assert_null(profile_set_find(set, "a"));
        assert_null(profile_set_free(NULL));
}

static void the_first_directory_wins(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&f, "lib/a.profile", PROGRAM "[Profile]\nDescription=lib\n");
        files_write(&f, "etc/a.profile", PROGRAM "[Profile]\nDescription=etc\n");
        files_write(&f, "lib/b.profile", PROGRAM);
        files_write(&f, "run/b.profile", "broken");
        files_write(&f, "lib/c.profile", PROGRAM);
        files_write(&f, "lib/README", "not a profile");
        files_write(&f, "lib/d.profile~", "not a profile");
        files_write(&f, "lib/.e.profile", "not a profile");
        set = load_profiles(&f);
        assert_int_equal(set->n_entries, 3);
        assert_string_equal(set->entries[0].name, "a");
        assert_string_equal(set->entries[1].name, "b");
        assert_string_equal(set->entries[2].name, "c");
        assert_string_equal(assert_taken(set, "a")->description, "etc");
        assert_int_equal(assert_refused(set, "b")->findings.n_items, 1);
        assert_finding(assert_refused(set, "b"), 0, "/run/b.profile", 1, NULL, "neither");
        assert_taken(set, "c");
}

static void links_to_dev_null_mask(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&f, "lib/a.profile", PROGRAM);
        files_write(&f, "lib/b.profile", PROGRAM);
        files_write(&f, "lib/b.profile.d/10.conf", "[Profile]\nDescription=dropin\n");
        files_make_directory(&f, "etc");
        files_link(&f, "/dev/null", "etc/a.profile");
        files_make_directory(&f, "etc/b.profile.d");
        files_link(&f, "/dev/null", "etc/b.profile.d/10.conf");
        set = load_profiles(&f);
        assert_int_equal(set->n_entries, 1);
        assert_null(assert_taken(set, "b")->description);
        assert_int_equal(strv_length(assert_taken(set, "b")->dropin_paths), 0);
}

static void dropins_apply_in_the_order_of_their_names(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        files_write(&f, "lib/a.profile", PROGRAM "[Access]\nAllowUsers=one\n[Resources]\nTasksMax=1\n");
        files_write(&f, "lib/a.profile.d/20.conf", "[Access]\nAllowUsers=three\n[Resources]\nTasksMax=3\n");
        files_write(&f, "run/a.profile.d/10.conf", "[Access]\nAllowUsers=two\n[Resources]\nTasksMax=2\n");
        files_write(&f,
                    "etc/a.profile.d/30.conf",
                    "[Access]\nAllowUsers=four\n[Exec]\nExecStart=/usr/bin/false\n");
        /* The same name in a directory that comes later is hidden. */
        files_write(&f, "lib/a.profile.d/30.conf", "broken");
        files_write(&f, "lib/a.profile.d/40.conf.bak", "broken");
        set = load_profiles(&f);
        p = assert_taken(set, "a");
        assert_int_equal(strv_length(p->allow_users), 4);
        assert_string_equal(p->allow_users[0], "one");
        assert_string_equal(p->allow_users[1], "two");
        assert_string_equal(p->allow_users[2], "three");
        assert_string_equal(p->allow_users[3], "four");
        assert_int_equal(p->tasks_max, 3);
        assert_string_equal(p->exec_start[0], "/usr/bin/false");
        assert_int_equal(strv_length(p->dropin_paths), 3);
        assert_non_null(strstr(p->dropin_paths[0], "/run/a.profile.d/10.conf"));
        assert_non_null(strstr(p->dropin_paths[2], "/etc/a.profile.d/30.conf"));
}

static void a_bad_dropin_refuses_the_profile(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&f, "lib/a.profile", PROGRAM);
        files_write(&f, "etc/a.profile.d/10.conf", "[Resources]\nTaskMax=1\n");
        files_write(&f, "lib/b.profile", PROGRAM);
        set = load_profiles(&f);
        assert_finding(assert_refused(set, "a"), 0, "/etc/a.profile.d/10.conf", 2, "TaskMax", "unknown key");
        assert_taken(set, "b");
}

static void the_first_line_of_a_list_replaces_its_default(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        files_write(&f,
                    "lib/a.profile",
                    PROGRAM "[Network]\nRestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=AF_INET\n"
                            "[Access]\nPassEnvironment=\n[Security]\nSystemCallFilter=read\n");
        set = load_profiles(&f);
        p = assert_taken(set, "a");
        assert_int_equal(strv_length(p->address_families), 2);
        assert_int_equal(strv_length(p->pass_environment), 0);
        assert_int_equal(p->n_syscalls, 1);
}

static void scalars_stand_once_in_a_file(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&f,
                    "lib/a.profile",
                    PROGRAM "[Resources]\nTasksMax=1\n[Exec]\nNice=1\n[Resources]\nTasksMax=2\n");
        files_write(&f, "lib/b.profile", PROGRAM "[Resources]\nTasksMax=1\n");
        files_write(&f, "lib/b.profile.d/x.conf", "[Resources]\nTasksMax=2\n");
        set = load_profiles(&f);
        assert_finding(assert_refused(set, "a"),
                       0,
                       "/a.profile",
                       8,
                       "TasksMax",
                       "given twice in this file, first in line 4");
        assert_int_equal(assert_taken(set, "b")->tasks_max, 2);
}

static void all_findings_of_all_files_come_at_once(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const ProfileEntry *e;

        files_write(&f,
                    "lib/a.profile",
                    "[Exec]\nExecStart=true\nMemoryMax=1G\nexecstart=x\n indented\n[Exce]\nNice=1\n"
                    "[Resources]\nTasksMax=0\n[Files]\nRootImage=/x\nDeviceAllow=/dev/kvm r\n");
        files_write(&f, "lib/a.profile.d/x.conf", "[Exec]\nNice=x\n");
        set = load_profiles(&f);
        e = assert_refused(set, "a");
        assert_int_equal(e->findings.n_items, 9);
        assert_finding(e, 0, "/a.profile", 2, "ExecStart", "absolute path");
        assert_finding(e, 1, "/a.profile", 3, "MemoryMax", "there is MemoryMax= in [Resources]");
        assert_finding(e, 2, "/a.profile", 4, "execstart", "there is ExecStart= in [Exec]");
        assert_finding(e, 3, "/a.profile", 5, NULL, "begins with a blank");
        assert_finding(e, 4, "/a.profile", 7, "Nice", "unknown section [Exce]");
        assert_finding(e, 5, "/a.profile", 9, "TasksMax", "out of range");
        assert_finding(e, 6, "/a.profile", 11, "RootImage", "not supported by this version");
        assert_finding(e, 7, "/a.profile", 12, "DeviceAllow", "not supported by this version");
        assert_finding(e, 8, "/a.profile.d/x.conf", 2, "Nice", "not valid");
}

/* Whatever the format knows and this version does not enforce must refuse the profile. */
static void keys_of_later_versions_are_refused(void **state) {
        static const char *const lines[] = {
                "[Files]\nRootImage=\n",         "[Files]\nDeviceAllow=/dev/kvm r\n",
                "[Network]\nIPAccounting=yes\n", "[Network]\nPort=80\n",
                "[Network]\nMode=shared:a\n",    "[Service]\nIdleTimeoutSec=1\n",
                "[Service]\nHealthRetries=1\n",  "[Log]\nLogRateLimitBurst=1\n",
                "[Access]\nUserSettable=Nice\n", "[Security]\nSystemCallNotify=no\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_(profile_set_freep) ProfileSet *set = NULL;
                _cleanup_buffer_ Buffer text = {};

                buffer_printf(&text, "%s%s", PROGRAM, lines[i]);
                files_write_bytes(&f, "lib/a.profile", text.data, text.size);
                set = load_profiles(&f);
                assert_int_equal(assert_refused(set, "a")->findings.n_items, 1);
        }
}

static void heirs_add_to_what_they_inherit(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        files_write(&f,
                    "lib/base.profile",
                    "[Profile]\nAbstract=yes\nEnabled=no\nDescription=base\n[Access]\nDenyUsers=mallory\n"
                    "[Resources]\nTasksMax=7\n[Exec]\nNice=1\n[Access]\nPassEnvironment=A\n");
        files_write(&f, "etc/base.profile.d/local.conf", "[Access]\nDenyUsers=trudy\n");
        files_write(&f,
                    "etc/app.profile",
                    "[Profile]\nInherits=base\n" PROGRAM
                    "Nice=2\n[Access]\nDenyUsers=eve\nPassEnvironment=B\n");
        set = load_profiles(&f);
        p = assert_taken(set, "app");
        /* What base says about itself stays with it. */
        assert_false(p->abstract);
        assert_true(p->enabled);
        assert_null(p->description);
        assert_int_equal(strv_length(p->deny_users), 3);
        assert_string_equal(p->deny_users[1], "trudy");
        assert_string_equal(p->deny_users[2], "eve");
        assert_int_equal(p->tasks_max, 7);
        assert_int_equal(p->nice, 2);
        assert_int_equal(strv_length(p->pass_environment), 2);
        assert_string_equal(p->pass_environment[0], "A");
        assert_true(assert_taken(set, "base")->abstract);
}

static void a_key_is_known_by_where_it_was_written_last(void **state) {
        static const struct {
                const char *key, *file;
                unsigned line;
        } cases[] = {
                { "AllowUsers", "/lib/base.profile", 4 }, { "TasksMax", "/etc/base.profile.d/x.conf", 3 },
                { "BindPaths", "/etc/app.profile", 7 },   { "Nice", "/etc/app.profile", 0 },
                { "None", "/etc/app.profile", 0 },
        };
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        files_write(&f,
                    "lib/base.profile",
                    "[Profile]\nAbstract=yes\n[Access]\nAllowUsers=a\n[Resources]\nTasksMax=7\n");
        files_write(&f, "etc/base.profile.d/x.conf", "\n[Resources]\nTasksMax=8\n");
        files_write(
                &f,
                "etc/app.profile",
                "[Profile]\nInherits=base\n[Exec]\nExecStart=/usr/bin/true\n[Files]\nBindPaths=/a\nBindPaths=/b\n");
        set = load_profiles(&f);
        p = assert_taken(set, "app");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                unsigned line = 99;
                const char *file = profile_origin(p, cases[i].key, &line);

                assert_non_null(strstr(file, cases[i].file));
                assert_int_equal(line, cases[i].line);
        }
}

static void a_common_ancestor_counts_once(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        files_write(&f,
                    "lib/top.profile",
                    "[Profile]\nAbstract=yes\n[Access]\nAllowUsers=top\n[Exec]\nNice=1\n");
        files_write(&f, "lib/left.profile", "[Profile]\nAbstract=yes\nInherits=top\n[Exec]\nNice=2\n");
        files_write(&f,
                    "lib/right.profile",
                    "[Profile]\nAbstract=yes\nInherits=top\n[Access]\nAllowUsers=right\n");
        files_write(&f, "lib/app.profile", "[Profile]\nInherits=left right\n" PROGRAM);
        set = load_profiles(&f);
        p = assert_taken(set, "app");
        assert_int_equal(strv_length(p->allow_users), 2);
        assert_string_equal(p->allow_users[0], "top");
        assert_string_equal(p->allow_users[1], "right");
        assert_int_equal(p->nice, 2);
}

static void families_with_faults_are_refused(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&f, "lib/self.profile", "[Profile]\nInherits=self\n" PROGRAM);
        files_write(&f, "lib/x.profile", "[Profile]\nInherits=y\n" PROGRAM);
        files_write(&f, "lib/y.profile", "[Profile]\nInherits=z\n" PROGRAM);
        files_write(&f, "lib/z.profile", "[Profile]\nInherits=x\n" PROGRAM);
        files_write(&f, "lib/orphan.profile", "[Profile]\nInherits=nobody\n" PROGRAM);
        files_write(&f, "lib/bad.profile", PROGRAM "Nice=99\n");
        files_write(&f, "lib/heir.profile", "[Profile]\nInherits=bad\n" PROGRAM);
        files_write(&f, "lib/grandheir.profile", "[Profile]\nInherits=heir\n" PROGRAM);
        files_write(&f, "lib/masked.profile", PROGRAM);
        files_make_directory(&f, "etc");
        files_link(&f, "/dev/null", "etc/masked.profile");
        files_write(&f, "lib/unmasked.profile", "[Profile]\nInherits=masked\n" PROGRAM);
        files_write(&f, "lib/good.profile", PROGRAM);
        set = load_profiles(&f);
        assert_finding(
                assert_refused(set, "self"), 0, "/self.profile", 2, "Inherits", "this profile itself");
        assert_finding(assert_refused(set, "x"), 0, "/z.profile", 2, "Inherits", "“x” inherits from");
        assert_refused(set, "y");
        assert_refused(set, "z");
        assert_finding(
                assert_refused(set, "orphan"), 0, "/orphan.profile", 2, "Inherits", "no profile “nobody”");
        assert_finding(
                assert_refused(set, "heir"), 0, "/heir.profile", 2, "Inherits", "“bad” is refused itself");
        assert_finding(
                assert_refused(set, "grandheir"), 0, "/heir.profile", 2, "Inherits", "“bad” is refused");
        assert_refused(set, "unmasked");
        assert_taken(set, "good");
}

static void families_have_eight_generations(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        files_write(&f, "lib/g0.profile", PROGRAM);
        for (char i = '1'; i <= '9'; i++) {
                char name[] = "lib/gX.profile", text[] = "[Profile]\nInherits=gX\n" PROGRAM;

                name[5] = i;
                text[20] = (char) (i - 1);
                files_write(&f, name, text);
        }
        set = load_profiles(&f);
        assert_taken(set, "g8");
        assert_finding(
                assert_refused(set, "g9"), 0, "/g9.profile", 2, "Inherits", "more than 8 generations");
}

static void the_hash_is_that_of_the_files_in_order(void **state) {
        static const char base[] = "[Profile]\nAbstract=yes\n", dropin[] = "[Access]\n",
                          app[] = "[Profile]\nInherits=base\n" PROGRAM;
        _cleanup_files_ Files f = files_new();
        uint8_t digest[SHA256_SIZE];
        char hex[SHA256_HEX_SIZE];
        ProfileSet *set = NULL;
        char *all = text_printf("%s%s%s", base, app, dropin);

        assert_non_null(all);
        files_write(&f, "lib/base.profile", base);
        files_write(&f, "lib/app.profile", app);
        files_write(&f, "run/app.profile.d/x.conf", dropin);
        sha256(all, strlen(all), digest);
        free(all);
        sha256_hex(digest, hex);

        set = load_profiles(&f);
        assert_string_equal(assert_taken(set, "app")->hash, hex);
        assert_string_not_equal(assert_taken(set, "base")->hash, hex);
        set = profile_set_free(set);

        /* One byte anywhere makes another one. */
        files_write(&f, "run/app.profile.d/x.conf", "[Access]\n\n");
        set = load_profiles(&f);
        assert_string_not_equal(assert_taken(set, "app")->hash, hex);
        profile_set_free(set);
}

static void a_file_alone(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_free_ char *good = files_path(&f, "work/good.profile"),
                            *bad = files_path(&f, "work/bad.profile"),
                            *missing = files_path(&f, "work/missing.profile"), *lib = files_path(&f, "lib");
        char *directories[] = { lib, NULL };
        Profile *p = NULL;

        files_write(&f, "lib/base.profile", "[Profile]\nAbstract=yes\n[Exec]\nNice=3\n");
        files_write(&f, "lib/good.profile.d/x.conf", "[Profile]\nDescription=dropin\n");
        files_write(&f, "lib/good.profile", "not this one");
        files_write(&f, "work/good.profile", "[Profile]\nInherits=base\n" PROGRAM);
        files_write(&f, "work/bad.profile", PROGRAM "Nice=x\nFoo=1\n");

        {
                _cleanup_findings_ Findings findings = {};

                assert_int_equal(profile_load_file(&p, good, directories, getuid(), &findings), 0);
                assert_int_equal(findings.n_items, 0);
                assert_int_equal(p->nice, 3);
                assert_string_equal(p->description, "dropin");
                p = profile_unref(p);
        }
        {
                _cleanup_findings_ Findings findings = {};

                assert_int_equal(profile_load_file(&p, bad, directories, getuid(), &findings), -EBADMSG);
                assert_int_equal(findings.n_items, 2);
                assert_null(p);
        }
        {
                _cleanup_findings_ Findings findings = {};

                assert_int_equal(profile_load_file(&p, missing, directories, getuid(), &findings), -EBADMSG);
                assert_int_equal(findings.n_items, 1);
                assert_null(p);
        }
}

static void nothing_stays_open(void **state) {
        _cleanup_files_ Files f = files_new();
        size_t before = 0, after = 0;

        files_write(&f, "lib/a.profile", PROGRAM);
        files_write(&f, "lib/a.profile.d/x.conf", "[Exec]\n");
        files_write(&f, "lib/b.profile", "broken");
        for (int fd = 0; fd < 256; fd++)
                before += fcntl(fd, F_GETFD) >= 0;
        profile_set_free(load_profiles(&f));
        for (int fd = 0; fd < 256; fd++)
                after += fcntl(fd, F_GETFD) >= 0;
        assert_int_equal(before, after);
}

/* All inherit from the last one, which an earlier directory replaces. */
static void test_ten_thousand_profiles(void **state) {
        enum { N = 10000 };
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        for (int i = 0; i < N; i++) {
                _cleanup_free_ char *name = text_printf("lib/p%05d.profile", i);

                assert_non_null(name);
                files_write(&f, name, "[Profile]\nInherits=p09999\n");
        }
        files_write(&f, "etc/p09999.profile", PROGRAM);
        files_link(&f, "/dev/null", "etc/p00000.profile");

        set = load_profiles(&f);
        assert_int_equal(set->n_entries, N - 1);
        assert_null(profile_set_find(set, "p00000"));
        for (size_t i = 0; i < set->n_entries; i++)
                assert_non_null(set->entries[i].profile);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_directory_is_an_empty_set),
                cmocka_unit_test(the_first_directory_wins),
                cmocka_unit_test(links_to_dev_null_mask),
                cmocka_unit_test(dropins_apply_in_the_order_of_their_names),
                cmocka_unit_test(a_bad_dropin_refuses_the_profile),
                cmocka_unit_test(the_first_line_of_a_list_replaces_its_default),
                cmocka_unit_test(scalars_stand_once_in_a_file),
                cmocka_unit_test(all_findings_of_all_files_come_at_once),
                cmocka_unit_test(keys_of_later_versions_are_refused),
                cmocka_unit_test(heirs_add_to_what_they_inherit),
                cmocka_unit_test(a_key_is_known_by_where_it_was_written_last),
                cmocka_unit_test(a_common_ancestor_counts_once),
                cmocka_unit_test(families_with_faults_are_refused),
                cmocka_unit_test(families_have_eight_generations),
                cmocka_unit_test(the_hash_is_that_of_the_files_in_order),
                cmocka_unit_test(a_file_alone),
                cmocka_unit_test(nothing_stays_open),
                cmocka_unit_test(test_ten_thousand_profiles),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
