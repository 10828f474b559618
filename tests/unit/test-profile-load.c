/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-load.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "files-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PROGRAM "[Exec]\nExecStart=/usr/bin/true\n"

static ProfileSet *load(const Files *f) {
        _cleanup_free_ char *etc = files_path(f, "etc"), *run = files_path(f, "run"),
                            *lib = files_path(f, "lib");
        char *directories[] = { etc, run, lib, NULL };
        ProfileSet *set = NULL;

        assert_int_equal(profile_set_load(&set, directories, getuid()), 0);
        return set;
}

static const Profile *assert_taken(const ProfileSet *set, const char *name) {
        const ProfileEntry *entry = profile_set_find(set, name);

        if (!entry)
                fail_msg("no %s", name);
        for (size_t i = 0; i < entry->findings.n_items; i++)
                print_message("%s: %s\n", name, entry->findings.items[i].text);
        assert_non_null(entry->profile);
        assert_int_equal(entry->findings.n_items, 0);
        return entry->profile;
}

static const ProfileEntry *assert_refused(const ProfileSet *set, const char *name) {
        const ProfileEntry *entry = profile_set_find(set, name);

        if (!entry)
                fail_msg("no %s", name);
        assert_null(entry->profile);
        assert_true(entry->findings.n_items > 0);
        return entry;
}

/* Finding i, at a line of a file below the root, about a key, with this in its text. */
static void assert_finding(const ProfileEntry *entry,
                           size_t i,
                           const char *file,
                           unsigned line,
                           const char *key,
                           const char *text) {
        const Finding *f;
        size_t n, n_file = strlen(file);

        assert_true(i < entry->findings.n_items);
        f = &entry->findings.items[i];
        n = strlen(f->file);
        if (n < n_file || !streq(f->file + n - n_file, file) || f->line != line || !strstr(f->text, text) ||
            (key ? !f->key || !streq(f->key, key) : f->key != NULL))
                fail_msg("%s:%u: %s: %s", f->file, f->line, f->key ?: "(none)", f->text);
}

static void no_directory_is_an_empty_set(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = load(&f);

        (void) state;
        assert_int_equal(set->n_entries, 0);
        assert_null(profile_set_find(set, "a"));
        assert_null(profile_set_free(NULL));
}

static void the_first_directory_wins(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        (void) state;
        files_write(&f, "lib/a.profile", PROGRAM "[Profile]\nDescription=lib\n");
        files_write(&f, "etc/a.profile", PROGRAM "[Profile]\nDescription=etc\n");
        files_write(&f, "lib/b.profile", PROGRAM);
        files_write(&f, "run/b.profile", "broken");
        files_write(&f, "lib/c.profile", PROGRAM);
        files_write(&f, "lib/README", "not a profile");
        files_write(&f, "lib/d.profile~", "not a profile");
        files_write(&f, "lib/.e.profile", "not a profile");
        set = load(&f);
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

        (void) state;
        files_write(&f, "lib/a.profile", PROGRAM);
        files_write(&f, "lib/b.profile", PROGRAM);
        files_write(&f, "lib/b.profile.d/10.conf", "[Profile]\nDescription=dropin\n");
        files_make_directory(&f, "etc");
        files_link(&f, "/dev/null", "etc/a.profile");
        files_make_directory(&f, "etc/b.profile.d");
        files_link(&f, "/dev/null", "etc/b.profile.d/10.conf");
        set = load(&f);
        assert_int_equal(set->n_entries, 1);
        assert_null(assert_taken(set, "b")->description);
        assert_int_equal(strv_length(assert_taken(set, "b")->dropin_paths), 0);
}

static void dropins_apply_in_the_order_of_their_names(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        (void) state;
        files_write(&f, "lib/a.profile", PROGRAM "[Access]\nAllowUsers=one\n[Resources]\nTasksMax=1\n");
        files_write(&f, "lib/a.profile.d/20.conf", "[Access]\nAllowUsers=three\n[Resources]\nTasksMax=3\n");
        files_write(&f, "run/a.profile.d/10.conf", "[Access]\nAllowUsers=two\n[Resources]\nTasksMax=2\n");
        files_write(&f,
                    "etc/a.profile.d/30.conf",
                    "[Access]\nAllowUsers=four\n[Exec]\nExecStart=/usr/bin/false\n");
        /* The same name in a directory that comes later is hidden. */
        files_write(&f, "lib/a.profile.d/30.conf", "broken");
        files_write(&f, "lib/a.profile.d/40.conf.bak", "broken");
        set = load(&f);
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

        (void) state;
        files_write(&f, "lib/a.profile", PROGRAM);
        files_write(&f, "etc/a.profile.d/10.conf", "[Resources]\nTaskMax=1\n");
        files_write(&f, "lib/b.profile", PROGRAM);
        set = load(&f);
        assert_finding(assert_refused(set, "a"), 0, "/etc/a.profile.d/10.conf", 2, "TaskMax", "unknown key");
        assert_taken(set, "b");
}

static void the_first_line_of_a_list_replaces_its_default(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        (void) state;
        files_write(&f,
                    "lib/a.profile",
                    PROGRAM "[Network]\nRestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=AF_INET\n"
                            "[Access]\nPassEnvironment=\n[Security]\nSystemCallFilter=read\n");
        set = load(&f);
        p = assert_taken(set, "a");
        assert_int_equal(strv_length(p->address_families), 2);
        assert_int_equal(strv_length(p->pass_environment), 0);
        assert_int_equal(p->n_syscalls, 1);
}

static void scalars_stand_once_in_a_file(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        (void) state;
        files_write(&f,
                    "lib/a.profile",
                    PROGRAM "[Resources]\nTasksMax=1\n[Exec]\nNice=1\n[Resources]\nTasksMax=2\n");
        files_write(&f, "lib/b.profile", PROGRAM "[Resources]\nTasksMax=1\n");
        files_write(&f, "lib/b.profile.d/x.conf", "[Resources]\nTasksMax=2\n");
        set = load(&f);
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

        (void) state;
        files_write(&f,
                    "lib/a.profile",
                    "[Exec]\nExecStart=true\nMemoryMax=1G\nexecstart=x\n indented\n[Exce]\nNice=1\n"
                    "[Resources]\nTasksMax=0\n[Files]\nRootImage=/x\nProtectHome=no\n");
        files_write(&f, "lib/a.profile.d/x.conf", "[Exec]\nNice=x\n");
        set = load(&f);
        e = assert_refused(set, "a");
        assert_int_equal(e->findings.n_items, 9);
        assert_finding(e, 0, "/a.profile", 2, "ExecStart", "absolute path");
        assert_finding(e, 1, "/a.profile", 3, "MemoryMax", "there is MemoryMax= in [Resources]");
        assert_finding(e, 2, "/a.profile", 4, "execstart", "there is ExecStart= in [Exec]");
        assert_finding(e, 3, "/a.profile", 5, NULL, "begins with a blank");
        assert_finding(e, 4, "/a.profile", 7, "Nice", "unknown section [Exce]");
        assert_finding(e, 5, "/a.profile", 9, "TasksMax", "out of range");
        assert_finding(e, 6, "/a.profile", 11, "RootImage", "not supported by this version");
        assert_finding(e, 7, "/a.profile", 12, "ProtectHome", "not supported by this version");
        assert_finding(e, 8, "/a.profile.d/x.conf", 2, "Nice", "not valid");
}

/* Whatever the format knows and this version does not enforce must refuse the profile. */
static void keys_of_later_versions_are_refused(void **state) {
        static const char *const lines[] = {
                "[Files]\nPersistentHome=no\n",
                "[Files]\nExecPaths=/x\n",
                "[Files]\nStateDirectory=\n",
                "[Network]\nIPAccounting=yes\n",
                "[Network]\nPort=80\n",
                "[Network]\nMode=shared:a\n",
                "[Security]\nAppArmorProfile=x\n",
                "[Service]\nRestart=always\n",
                "[Service]\nWatchdogSec=1\n",
                "[Log]\nLogRateLimitBurst=1\n",
                "[Access]\nUserSettable=Nice\n",
                "[Security]\nSystemCallNotify=no\n",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_(profile_set_freep) ProfileSet *set = NULL;
                _cleanup_buffer_ Buffer text = {};

                buffer_printf(&text, "%s%s", PROGRAM, lines[i]);
                files_write_bytes(&f, "lib/a.profile", text.data, text.size);
                set = load(&f);
                assert_int_equal(assert_refused(set, "a")->findings.n_items, 1);
        }
}

static void keys_must_hold_together(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *key, *finding;
        } cases[] = {
                { "[Profile]\nDescription=x\n", 0, "ExecStart", "is missing" },
                { PROGRAM "[Access]\nArguments=pattern\n", 0, "ArgumentPattern", "is missing" },
                { PROGRAM "[Access]\nArgumentPattern=x\n", 4, "ArgumentPattern", "no effect" },
                { PROGRAM "[Access]\nArgumentPattern=x\nArguments=append\n",
                  4,
                  "ArgumentPattern",
                  "no effect" },
                { PROGRAM "[Resources]\nMemoryMax=1G\nMemoryHigh=2G\n", 4, "MemoryMax", "must hold" },
                { PROGRAM "[Resources]\nMemoryMin=2M\nMemoryLow=1M\n", 5, "MemoryLow", "must hold" },
                { PROGRAM "[Resources]\nMemoryLow=2G\nMemoryMax=1G\n", 5, "MemoryMax", "must hold" },
                { PROGRAM "[Security]\nAmbientCapabilities=CAP_KILL\n",
                  4,
                  "AmbientCapabilities",
                  "names a capability" },
                { PROGRAM "[Files]\nBindPaths=/a:/x\nBindReadOnlyPaths=/b:/x/\n",
                  5,
                  "BindReadOnlyPaths",
                  "already" },
                { PROGRAM "[Files]\nTemporaryFileSystem=/x\nBindPaths=/x\n",
                  4,
                  "TemporaryFileSystem",
                  "already" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_(profile_set_freep) ProfileSet *set = NULL;

                files_write(&f, "lib/a.profile", cases[i].text);
                set = load(&f);
                assert_finding(assert_refused(set, "a"),
                               0,
                               "/a.profile",
                               cases[i].line,
                               cases[i].key,
                               cases[i].finding);
        }
}

static void keys_that_hold_together_are_taken(void **state) {
        static const char *const texts[] = {
                "[Profile]\nAbstract=yes\n",
                PROGRAM "[Access]\nArguments=pattern\nArgumentPattern=[a-z]+\n",
                PROGRAM "[Resources]\nMemoryMin=1M\nMemoryLow=1M\nMemoryHigh=2M\nMemoryMax=infinity\n",
                PROGRAM
                "[Security]\nAmbientCapabilities=CAP_KILL\nCapabilityBoundingSet=CAP_CHOWN CAP_KILL\n",
                PROGRAM "[Files]\nBindPaths=/x/a /x\nTemporaryFileSystem=/xa\n",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_(profile_set_freep) ProfileSet *set = NULL;

                files_write(&f, "lib/a.profile", texts[i]);
                set = load(&f);
                assert_taken(set, "a");
        }
}

static void heirs_add_to_what_they_inherit(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        (void) state;
        files_write(&f,
                    "lib/base.profile",
                    "[Profile]\nAbstract=yes\nEnabled=no\nDescription=base\n[Access]\nDenyUsers=mallory\n"
                    "[Resources]\nTasksMax=7\n[Exec]\nNice=1\n[Access]\nPassEnvironment=A\n");
        files_write(&f, "etc/base.profile.d/local.conf", "[Access]\nDenyUsers=trudy\n");
        files_write(&f,
                    "etc/app.profile",
                    "[Profile]\nInherits=base\n" PROGRAM
                    "Nice=2\n[Access]\nDenyUsers=eve\nPassEnvironment=B\n");
        set = load(&f);
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

static void a_common_ancestor_counts_once(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const Profile *p;

        (void) state;
        files_write(&f,
                    "lib/top.profile",
                    "[Profile]\nAbstract=yes\n[Access]\nAllowUsers=top\n[Exec]\nNice=1\n");
        files_write(&f, "lib/left.profile", "[Profile]\nAbstract=yes\nInherits=top\n[Exec]\nNice=2\n");
        files_write(&f,
                    "lib/right.profile",
                    "[Profile]\nAbstract=yes\nInherits=top\n[Access]\nAllowUsers=right\n");
        files_write(&f, "lib/app.profile", "[Profile]\nInherits=left right\n" PROGRAM);
        set = load(&f);
        p = assert_taken(set, "app");
        assert_int_equal(strv_length(p->allow_users), 2);
        assert_string_equal(p->allow_users[0], "top");
        assert_string_equal(p->allow_users[1], "right");
        assert_int_equal(p->nice, 2);
}

static void families_with_faults_are_refused(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        (void) state;
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
        set = load(&f);
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

        (void) state;
        files_write(&f, "lib/g0.profile", PROGRAM);
        for (char i = '1'; i <= '9'; i++) {
                char name[] = "lib/gX.profile", text[] = "[Profile]\nInherits=gX\n" PROGRAM;

                name[5] = i;
                text[20] = (char) (i - 1);
                files_write(&f, name, text);
        }
        set = load(&f);
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
        Sha256 s;

        (void) state;
        files_write(&f, "lib/base.profile", base);
        files_write(&f, "lib/app.profile", app);
        files_write(&f, "run/app.profile.d/x.conf", dropin);
        sha256_init(&s);
        sha256_update(&s, base, strlen(base));
        sha256_update(&s, app, strlen(app));
        sha256_update(&s, dropin, strlen(dropin));
        sha256_finish(&s, digest);
        sha256_hex(digest, hex);

        set = load(&f);
        assert_string_equal(assert_taken(set, "app")->hash, hex);
        assert_string_not_equal(assert_taken(set, "base")->hash, hex);
        set = profile_set_free(set);

        /* One byte anywhere makes another one. */
        files_write(&f, "run/app.profile.d/x.conf", "[Access]\n\n");
        set = load(&f);
        assert_string_not_equal(assert_taken(set, "app")->hash, hex);
        profile_set_free(set);
}

static void set_mode(const Files *f, const char *name, mode_t mode) {
        _cleanup_free_ char *path = files_path(f, name);

        assert_int_equal(chmod(path, mode), 0);
}

static void files_that_others_can_write_are_refused(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;

        (void) state;
        files_write(&f, "lib/group.profile", PROGRAM);
        set_mode(&f, "lib/group.profile", 0664);
        files_write(&f, "lib/world.profile", PROGRAM);
        set_mode(&f, "lib/world.profile", 0646);
        files_write(&f, "lib/dropin.profile", PROGRAM);
        files_write(&f, "lib/dropin.profile.d/x.conf", "");
        set_mode(&f, "lib/dropin.profile.d/x.conf", 0666);
        files_write(&f, "lib/dropins.profile", PROGRAM);
        files_write(&f, "lib/dropins.profile.d/x.conf", "");
        set_mode(&f, "lib/dropins.profile.d", 0777);
        files_write(&f, "etc/directory.profile", PROGRAM);
        set_mode(&f, "etc", 0775);
        files_write(&f, "lib/good.profile", PROGRAM);
        set = load(&f);
        assert_finding(assert_refused(set, "group"), 0, "/group.profile", 0, NULL, "mode 0664");
        assert_finding(assert_refused(set, "world"), 0, "/world.profile", 0, NULL, "mode 0646");
        assert_finding(assert_refused(set, "dropin"), 0, "/x.conf", 0, NULL, "mode 0666");
        assert_finding(assert_refused(set, "dropins"), 0, "/dropins.profile.d", 0, NULL, "mode 0777");
        assert_finding(assert_refused(set, "directory"), 0, "/etc", 0, NULL, "mode 0775");
        assert_taken(set, "good");
}

static void files_of_others_are_refused(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_free_ char *path = NULL;

        (void) state;
        if (getuid() != 0)
                skip();
        files_write(&f, "lib/a.profile", PROGRAM);
        path = files_path(&f, "lib/a.profile");
        assert_int_equal(chown(path, 12345, 0), 0);
        set = load(&f);
        assert_finding(assert_refused(set, "a"), 0, "/a.profile", 0, NULL, "belongs to uid 12345");
}

static void only_regular_files_count(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_free_ char *fifo = files_path(&f, "lib/fifo.profile");

        (void) state;
        files_write(&f, "lib/good.profile", PROGRAM);
        files_write(&f, "outside", PROGRAM);
        assert_int_equal(mkfifo(fifo, 0644), 0);
        files_make_directory(&f, "lib/directory.profile");
        files_link(&f, "../outside", "lib/up.profile");
        files_link(&f, "/etc/passwd", "lib/absolute.profile");
        files_link(&f, "loop.profile", "lib/loop.profile");
        files_link(&f, "missing", "lib/dangling.profile");
        files_link(&f, "good.profile", "lib/inside.profile");
        files_link(&f, "/dev/zero", "lib/zero.profile");
        files_write(&f, "other/x.conf", "");
        files_link(&f, "../other", "lib/good.profile.d");
        set = load(&f);
        assert_finding(assert_refused(set, "fifo"), 0, "/fifo.profile", 0, NULL, "not a regular file");
        assert_finding(
                assert_refused(set, "directory"), 0, "/directory.profile", 0, NULL, "not a regular file");
        assert_finding(assert_refused(set, "up"), 0, "/up.profile", 0, NULL, "leads out of its directory");
        assert_finding(assert_refused(set, "absolute"),
                       0,
                       "/absolute.profile",
                       0,
                       NULL,
                       "leads out of its directory");
        assert_finding(
                assert_refused(set, "zero"), 0, "/zero.profile", 0, NULL, "leads out of its directory");
        assert_refused(set, "loop");
        assert_finding(assert_refused(set, "dangling"), 0, "/dangling.profile", 0, NULL, "does not exist");
        assert_finding(assert_refused(set, "good"), 0, "/good.profile.d", 0, NULL, "cannot be opened");
        assert_taken(set, "inside");
}

static void names_and_sizes_are_limited(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_free_ char *big = malloc(1024 * 1024 + 1);

        (void) state;
        memset(big, '\n', 1024 * 1024 + 1);
        files_write_bytes(&f, "lib/big.profile", big, 1024 * 1024 + 1);
        files_write_bytes(&f, "lib/nearly.profile", big, 1024 * 1024);
        files_write(&f, "lib/Upper.profile", PROGRAM);
        files_write(&f, "lib/new\nline.profile", PROGRAM);
        files_write(&f, "lib/good.profile", PROGRAM);
        set = load(&f);
        assert_finding(assert_refused(set, "big"), 0, "/big.profile", 0, NULL, "larger than");
        assert_finding(assert_refused(set, "nearly"), 0, "/nearly.profile", 0, "ExecStart", "is missing");
        assert_finding(assert_refused(set, "Upper"), 0, "/Upper.profile", 0, NULL, "no profile name");
        assert_refused(set, "new\\x0aline");
        assert_taken(set, "good");
}

static void a_file_alone(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_free_ char *good = files_path(&f, "work/good.profile"),
                            *bad = files_path(&f, "work/bad.profile"),
                            *missing = files_path(&f, "work/missing.profile"), *lib = files_path(&f, "lib");
        char *directories[] = { lib, NULL };
        Profile *p = NULL;

        (void) state;
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

        (void) state;
        files_write(&f, "lib/a.profile", PROGRAM);
        files_write(&f, "lib/a.profile.d/x.conf", "[Exec]\n");
        files_write(&f, "lib/b.profile", "broken");
        for (int fd = 0; fd < 256; fd++)
                before += fcntl(fd, F_GETFD) >= 0;
        profile_set_free(load(&f));
        for (int fd = 0; fd < 256; fd++)
                after += fcntl(fd, F_GETFD) >= 0;
        assert_int_equal(before, after);
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
                cmocka_unit_test(keys_must_hold_together),
                cmocka_unit_test(keys_that_hold_together_are_taken),
                cmocka_unit_test(heirs_add_to_what_they_inherit),
                cmocka_unit_test(a_common_ancestor_counts_once),
                cmocka_unit_test(families_with_faults_are_refused),
                cmocka_unit_test(families_have_eight_generations),
                cmocka_unit_test(the_hash_is_that_of_the_files_in_order),
                cmocka_unit_test(files_that_others_can_write_are_refused),
                cmocka_unit_test(files_of_others_are_refused),
                cmocka_unit_test(only_regular_files_count),
                cmocka_unit_test(names_and_sizes_are_limited),
                cmocka_unit_test(a_file_alone),
                cmocka_unit_test(nothing_stays_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
