/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

#define SAFE (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)

static void test_default_tree_has_what_it_should(void **state) {
        static const struct {
                const char *target;
                PlanNodeKind kind;
                uint32_t flags;
        } expected[] = {
                { "/usr", PLAN_NODE_BIND, SAFE | PLAN_NODE_READ_ONLY | PLAN_NODE_RECURSIVE },
                { "/bin", PLAN_NODE_SYMLINK, 0 },
                { "/lib64", PLAN_NODE_SYMLINK, 0 },
                { "/etc", PLAN_NODE_DIRECTORY, 0 },
                { "/etc/passwd", PLAN_NODE_FILE, 0 },
                { "/etc/resolv.conf", PLAN_NODE_FILE, 0 },
                { "/etc/ld.so.cache", PLAN_NODE_BIND, SAFE | PLAN_NODE_READ_ONLY | PLAN_NODE_OPTIONAL },
                { "/etc/ssl", PLAN_NODE_BIND, SAFE | PLAN_NODE_READ_ONLY | PLAN_NODE_OPTIONAL },
                { "/proc",
                  PLAN_NODE_PROC,
                  SAFE | PLAN_NODE_NO_EXEC | PLAN_NODE_HIDE_PIDS | PLAN_NODE_PID_ONLY },
                { "/dev", PLAN_NODE_TMPFS, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC },
                { "/dev/null", PLAN_NODE_DEVICE, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC },
                { "/dev/pts", PLAN_NODE_DEVPTS, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC },
                { "/dev/mqueue", PLAN_NODE_MQUEUE, SAFE | PLAN_NODE_NO_EXEC },
                { "/dev/ptmx", PLAN_NODE_SYMLINK, 0 },
                { "/tmp", PLAN_NODE_TMPFS, SAFE },
                { "/var/tmp", PLAN_NODE_TMPFS, SAFE },
                { "/dev/shm", PLAN_NODE_TMPFS, SAFE },
                { "/run", PLAN_NODE_TMPFS, SAFE },
                { "/run/user", PLAN_NODE_DIRECTORY, 0 },
                { "/run/user/3001", PLAN_NODE_DIRECTORY, PLAN_NODE_OWNED },
                { "/home/alice", PLAN_NODE_TMPFS, SAFE | PLAN_NODE_OWNED },
        };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                const PlanNode *n = node_at(f.plan, expected[i].target);

                if (!n)
                        fail_msg("no %s", expected[i].target);
                if (n->kind != expected[i].kind || n->flags != expected[i].flags)
                        fail_msg("%s is of kind %d with flags %#x", n->target, n->kind, n->flags);
        }

        assert_int_equal(node_at(f.plan, "/tmp")->mode, 01777);
        assert_int_equal(node_at(f.plan, "/tmp")->size, 64 << 20);
        assert_int_equal(node_at(f.plan, "/home/alice")->mode, 0700);
        assert_string_equal(node_at(f.plan, "/etc/resolv.conf")->data, "");
        assert_null(node_at(f.plan, "/sys"));
}

static void test_nothing_of_the_host_is_writable_by_default(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        fixture_must_compile(&f);
        for (size_t i = 0; i < f.plan->n_nodes; i++)
                if (f.plan->nodes[i].kind == PLAN_NODE_BIND)
                        assert_true(f.plan->nodes[i].flags & PLAN_NODE_READ_ONLY);
}

static void test_parents_come_first(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        add_bind(f.profile, "/srv/c/d", "/srv/c/d", false);
        add_bind(f.profile, "/srv/a", "/srv/a/b/x", true);
        add_bind(f.profile, "/srv/b", "/srv/a", false);
        add_tmpfs(f.profile, "/srv/a-z");
        add_bind(f.profile, "%h/in", "%h/deep/er/in", false);
        fixture_must_compile(&f);

        for (size_t i = 0; i < f.plan->n_nodes; i++)
                for (size_t k = 0; k < i; k++)
                        assert_false(path_is_below(f.plan->nodes[k].target, f.plan->nodes[i].target));

        assert_int_equal(node_at(f.plan, "/srv/c")->kind, PLAN_NODE_DIRECTORY);
        assert_int_equal(node_at(f.plan, "/srv/c")->flags, 0);
        /* Within the user's home, their own; within a directory of the host, nothing is made. */
        assert_int_equal(node_at(f.plan, "/home/alice/deep/er")->flags, PLAN_NODE_OWNED);
        assert_null(node_at(f.plan, "/srv/a/b"));
        assert_non_null(node_at(f.plan, "/srv/a/b/x"));
}

static void test_binds_are_the_users(void **state) {
        static const struct {
                PrivateUsers users;
                uint32_t flags;
        } cases[] = {
                { PRIVATE_USERS_PICK, PLAN_NODE_IDMAP },
                { PRIVATE_USERS_SELF, 0 },
                { PRIVATE_USERS_IDENTITY, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                f.profile->private_users = cases[i].users;
                add_bind(f.profile, "%h/data", "/data", false);
                add_bind(f.profile, "/srv/%u", "/srv/%U", true);
                f.profile->binds[1].optional = true;
                f.profile->binds[1].recursive = false;
                fixture_must_compile(&f);

                assert_string_equal(node_at(f.plan, "/data")->source, "/home/alice/data");
                assert_int_equal(node_at(f.plan, "/data")->flags,
                                 SAFE | PLAN_NODE_AS_USER | PLAN_NODE_RECURSIVE | cases[i].flags);
                assert_string_equal(node_at(f.plan, "/srv/3001")->source, "/srv/alice");
                assert_int_equal(node_at(f.plan, "/srv/3001")->flags,
                                 SAFE | PLAN_NODE_AS_USER | PLAN_NODE_READ_ONLY | PLAN_NODE_OPTIONAL |
                                         cases[i].flags);
        }
}

static void test_bad_places_are_refused(void **state) {
        static const struct {
                const char *source, *destination;
                const char *word;
        } cases[] = {
                { "/srv", "/", "root" },
                { "/srv", "/proc", "/proc" },
                { "/srv", "/proc/sys", "/proc" },
                { "/srv", "/dev", "/dev" },
                { "/srv", "/dev/kvm", "/dev" },
                { "/srv", "/sys/fs/cgroup", "/sys" },
                { "/srv", "/etc", "/etc/" },
                { "/srv", "/home", "/home/alice" },
                { "/srv", "/var", "/var/" },
                { "/srv", "/run", "/run/" },
                { "/srv", "/run/user", "/run/user/3001" },
                { "/srv", "/bin/tool", "/bin" },
                { "/srv", "/lib/x", "usr/lib" },
                { "/srv", "/etc/passwd/x", "/etc/passwd" },
                { "/srv", "/a/../b", "absolute" },
                { "srv", "/srv", "absolute" },
                { "/", "/host", "leads out" },
                { "/run", "/host", "leads out" },
                { "/run/dbus", "/host", "leads out" },
                { "/run/dbus/system_bus_socket", "/bus", "leads out" },
                { "/var/run/dbus/system_bus_socket", "/bus", "leads out" },
                { "/var/run", "/host", "leads out" },
                { "/run/immured", "/host", "leads out" },
                { "/run/systemd/private", "/host", "leads out" },
                { "/run/user/3001", "/host", "leads out" },
                { "/run/user/%U/bus", "/bus", "leads out" },
                { "//run/dbus/", "/bus", "leads out" },
                { "/proc", "/host", "leads out" },
                { "/proc/1/root", "/host", "leads out" },
                { "/sys/fs/cgroup", "/host", "leads out" },
                { "/dev/sda", "/disk", "leads out" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                add_bind(f.profile, cases[i].source, cases[i].destination, true);
                fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, cases[i].word);
        }
}

static void test_good_places_are_not_refused(void **state) {
        static const char *const places[] = { "/usr",       "/usr/local/share/x",
                                              "/tmp",       "/home/alice",
                                              "/etc/hosts", "/etc/new.conf",
                                              "/run/x",     "/opt",
                                              "/var/lib/x", "/device",
                                              "/processes", "/bin" };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                add_bind(f.profile, "/srv/x", places[i], true);
                fixture_must_compile(&f);
                assert_int_equal(node_at(f.plan, places[i])->kind, PLAN_NODE_BIND);
                assert_string_equal(node_at(f.plan, places[i])->source, "/srv/x");
        }
}

static void test_a_place_is_given_once(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        add_bind(f.profile, "/srv/a", "/data", true);
        add_bind(f.profile, "/srv/b", "/data/", true);
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "twice");
        free(f.profile->binds[1].destination);
        f.profile->binds[1].destination = strdup("/other");
        add_tmpfs(f.profile, "/data");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "twice");
}

static void test_temporary_file_systems(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        add_tmpfs(f.profile, "/tmp");
        add_tmpfs(f.profile, "%h/cache");
        add_tmpfs(f.profile, "/var");
        fixture_must_compile(&f);
        assert_int_equal(node_at(f.plan, "/tmp")->size, 1024 * 1024);
        assert_int_equal(node_at(f.plan, "/home/alice/cache")->flags, SAFE | PLAN_NODE_OWNED);
        assert_int_equal(node_at(f.plan, "/var")->kind, PLAN_NODE_TMPFS);
        assert_int_equal(node_at(f.plan, "/var/tmp")->kind, PLAN_NODE_TMPFS);
}

static void test_homes(void **state) {
        static const struct {
                const char *home;
                bool possible;
        } cases[] = {
                { "/home/alice", true },  { "/home/group/alice", true },
                { "/root", true },        { "/nonexistent", true },
                { "/var/www", true },     { "/var", true },
                { "/tmp/x", true },       { "/", false },
                { "/usr/sbin", false },   { "/usr", false },
                { "/bin", false },        { "/bin/x", false },
                { "/proc", false },       { "/dev", false },
                { "/dev/x", false },      { "/sys/x", false },
                { "/etc/passwd", false }, { "/tmp", false },
                { "/etc/ssl", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                set_text(&f.account->home, cases[i].home);
                if (!cases[i].possible) {
                        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, cases[i].home);
                        f.profile->protect_home = PROTECT_HOME_YES;
                        fixture_must_compile(&f);
                        assert_string_equal(f.plan->working_directory, "/");
                        continue;
                }

                fixture_must_compile(&f);
                assert_int_equal(node_at(f.plan, cases[i].home)->flags, SAFE | PLAN_NODE_OWNED);
                assert_string_equal(f.plan->working_directory, cases[i].home);
        }
}

static void test_homes_of_the_host(void **state) {
        static const struct {
                ProtectHome protect;
                PrivateUsers users;
                uint32_t flags;
        } cases[] = {
                { PROTECT_HOME_NO, PRIVATE_USERS_PICK, PLAN_NODE_IDMAP },
                { PROTECT_HOME_NO, PRIVATE_USERS_SELF, 0 },
                { PROTECT_HOME_READ_ONLY, PRIVATE_USERS_PICK, PLAN_NODE_IDMAP | PLAN_NODE_READ_ONLY },
                { PROTECT_HOME_READ_ONLY, PRIVATE_USERS_SELF, PLAN_NODE_READ_ONLY },
        };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                f.profile->protect_home = cases[i].protect;
                f.profile->private_users = cases[i].users;
                fixture_must_compile(&f);
                assert_int_equal(node_at(f.plan, "/home/alice")->kind, PLAN_NODE_BIND);
                assert_string_equal(node_at(f.plan, "/home/alice")->source, "/home/alice");
                assert_int_equal(node_at(f.plan, "/home/alice")->flags,
                                 SAFE | PLAN_NODE_AS_USER | PLAN_NODE_RECURSIVE | cases[i].flags);
                assert_int_equal(node_at(f.plan, "/home")->kind, PLAN_NODE_DIRECTORY);
        }

        f.profile->persistent_home = true;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "PersistentHome");
        f.profile->persistent_home = false;

        /* A home that is, or holds, what leads out. */
        set_text(&f.account->home, "/run/user");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "/run/user");
        set_text(&f.account->home, "/run/dbus");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "leads out");
}

static void test_full_leaves_directories_in_memory(void **state) {
        static const char *const places[] = { "/mnt", "/opt", "/run", "/srv", "/var" };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->protect_system = PROTECT_SYSTEM_FULL;
        fixture_must_compile(&f);
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                const PlanNode *n = node_at(f.plan, places[i]);

                assert_int_equal(n->kind, PLAN_NODE_TMPFS);
                assert_int_equal(n->flags, SAFE | PLAN_NODE_OWNED);
                assert_int_equal(n->size, 64 << 20);
        }
        assert_int_equal(node_at(f.plan, "/etc")->flags, 0);
        assert_true(node_at(f.plan, "/usr")->flags & PLAN_NODE_READ_ONLY);
        for (size_t i = 0; i < f.plan->n_nodes; i++)
                if (f.plan->nodes[i].kind == PLAN_NODE_BIND)
                        assert_true(f.plan->nodes[i].flags & PLAN_NODE_READ_ONLY);
}

static void test_root_directory_is_below_all_else(void **state) {
        _cleanup_fixture_ Fixture f = {};
        const PlanNode *root;

        fixture_init(&f);
        set_text(&f.profile->root_directory, "/srv/images/%N");
        fixture_must_compile(&f);
        root = &f.plan->nodes[0];
        assert_string_equal(root->target, "/");
        assert_string_equal(root->source, "/srv/images/web");
        assert_int_equal(root->kind, PLAN_NODE_OVERLAY);
        assert_int_equal(root->flags, SAFE | PLAN_NODE_AS_USER | PLAN_NODE_READ_ONLY);
        assert_false(plan_root_is_writable(f.plan));

        /* Nothing of the host's, all of the sandbox's own. */
        assert_null(node_at(f.plan, "/usr"));
        assert_null(node_at(f.plan, "/bin"));
        assert_null(node_at(f.plan, "/etc/ssl"));
        assert_int_equal(node_at(f.plan, "/etc/passwd")->kind, PLAN_NODE_FILE);
        assert_int_equal(node_at(f.plan, "/proc")->kind, PLAN_NODE_PROC);
        assert_int_equal(node_at(f.plan, "/dev/null")->kind, PLAN_NODE_DEVICE);
        assert_int_equal(node_at(f.plan, "/home/alice")->kind, PLAN_NODE_TMPFS);

        f.profile->root_ephemeral = true;
        fixture_must_compile(&f);
        assert_int_equal(f.plan->nodes[0].flags, SAFE | PLAN_NODE_AS_USER | PLAN_NODE_IDMAP);
        assert_int_equal(f.plan->nodes[0].size, 64 << 20);
        assert_true(plan_root_is_writable(f.plan));
}

static void test_bad_root_directories_are_refused(void **state) {
        static const struct {
                const char *path;
                bool ephemeral;
                const char *word;
        } cases[] = {
                { "/", false, "leads out" },
                { "%t/x", false, "leads out" },
                { "%h/root", true, "user's" },
                { "x", false, "absolute" },
        };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                set_text(&f.profile->root_directory, cases[i].path);
                f.profile->root_ephemeral = cases[i].ephemeral;
                fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, cases[i].word);
        }

        set_text(&f.profile->root_directory, "%h/root");
        f.profile->root_ephemeral = false;
        fixture_must_compile(&f);
        f.profile->protect_system = PROTECT_SYSTEM_FULL;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ProtectSystem");
}

static void test_proc_is_as_open_as_the_profile_says(void **state) {
        static const struct {
                ProtectProc protect;
                uint32_t flag;
        } cases[] = {
                { PROTECT_PROC_INVISIBLE, PLAN_NODE_HIDE_PIDS },
                { PROTECT_PROC_NO_ACCESS, PLAN_NODE_LOCK_PIDS },
                { PROTECT_PROC_PTRACEABLE, PLAN_NODE_TRACED_PIDS },
                { PROTECT_PROC_DEFAULT, 0 },
        };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->proc_subset_pid = false;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                f.profile->protect_proc = cases[i].protect;
                fixture_must_compile(&f);
                assert_int_equal(node_at(f.plan, "/proc")->flags, SAFE | PLAN_NODE_NO_EXEC | cases[i].flag);
        }
}

static void test_etc_names_the_user_and_nobody_else(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_words(&f.profile->supplementary_groups, "staff");
        set_text(&f.profile->hostname, "box");
        fixture_must_compile(&f);

        assert_string_equal(node_at(f.plan, "/etc/passwd")->data,
                            "root:x:0:0:root:/root:/usr/sbin/nologin\n"
                            "alice:x:3001:3001::/home/alice:/bin/bash\n"
                            "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
        assert_string_equal(node_at(f.plan, "/etc/group")->data,
                            "root:x:0:\nalice:x:3001:\nstaff:x:50:\nnogroup:x:65534:\n");
        assert_string_equal(node_at(f.plan, "/etc/hostname")->data, "box\n");
        assert_non_null(strstr(node_at(f.plan, "/etc/hosts")->data, "127.0.1.1 box\n"));

        /* A shell that would break the line, and a group that nobody named. */
        set_text(&f.account->shell, "/bin/sh:x\nroot2:x:0:0");
        free(f.account->groups[1].name);
        f.account->groups[1].name = NULL;
        set_words(&f.profile->supplementary_groups, "50");
        fixture_must_compile(&f);
        assert_non_null(strstr(node_at(f.plan, "/etc/passwd")->data, ":/home/alice:/bin/sh\n"));
        assert_null(strstr(node_at(f.plan, "/etc/passwd")->data, "root2"));
        assert_non_null(strstr(node_at(f.plan, "/etc/group")->data, "gid-50:x:50:\n"));
}

static void test_too_many_parts_are_refused(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        for (int i = 0; i < 600; i++) {
                _cleanup_free_ char *path = text_printf("/data/%d", i);

                add_bind(f.profile, "/srv", path, true);
        }
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "512");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default_tree_has_what_it_should),
                cmocka_unit_test(test_nothing_of_the_host_is_writable_by_default),
                cmocka_unit_test(test_parents_come_first),
                cmocka_unit_test(test_binds_are_the_users),
                cmocka_unit_test(test_bad_places_are_refused),
                cmocka_unit_test(test_good_places_are_not_refused),
                cmocka_unit_test(test_a_place_is_given_once),
                cmocka_unit_test(test_temporary_file_systems),
                cmocka_unit_test(test_homes),
                cmocka_unit_test(test_homes_of_the_host),
                cmocka_unit_test(test_full_leaves_directories_in_memory),
                cmocka_unit_test(test_root_directory_is_below_all_else),
                cmocka_unit_test(test_bad_root_directories_are_refused),
                cmocka_unit_test(test_proc_is_as_open_as_the_profile_says),
                cmocka_unit_test(test_etc_names_the_user_and_nobody_else),
                cmocka_unit_test(test_too_many_parts_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
