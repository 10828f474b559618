/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec-rig.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>

#define ALL_CAPABILITIES ((UINT64_C(1) << 41) - 1)

/* "status=CapEff:\t0000…" and its like. */
static void assert_status(const Run *r, const char *name, const char *value) {
        char line[256];

        (void) snprintf(line, sizeof(line), "status=%s:\t%s", name, value);
        if (!rig_has_line(r, line))
                fail_msg("No line \"%s\" in:\n%s", line, r->output);
}

static void assert_value(const Run *r, const char *name, const char *value) {
        if (!streq(rig_value(r, name), value))
                fail_msg("%s is \"%s\", not \"%s\"", name, rig_value(r, name), value);
}

/* This program's own, but that the keeper's capabilities let nobody take back what is above 0, and so much more. */
static int niceness(int more) { return MAX(getpriority(PRIO_PROCESS, 0), 0) + more; }

static void assert_niceness(const Run *r, int expected) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%d", expected);
        assert_value(r, "nice", text);
}

static void test_first_instruction(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts 'two words'");
        static Run r;

        rig_run(&r, p);

        /* Descriptors, arguments, environment: exactly the plan's. */
        assert_value(&r, "fds", " 0 1 2");
        assert_value(&r, "argv0", "/probe");
        assert_value(&r, "argv2", "two words");
        assert_value(&r, "argv3", "(not said)");
        assert_non_null(strstr(r.output, "env=HOME=/home/alice\nenv-end="));

        assert_value(&r, "uids", "3001 3001 3001");
        assert_value(&r, "gids", "3001 3001 3001");
        assert_value(&r, "groups", "");
        assert_value(&r, "setgroups", "deny");
        assert_value(&r, "uid_map", "      3001     600000          1");

        assert_value(&r, "hostname", "web");
        assert_value(&r, "domain", "");
        assert_value(&r, "cwd", "/home/alice");
        assert_value(&r, "umask", "0027");
        assert_niceness(&r, niceness(0));
        assert_value(&r, "personality", "0");
        assert_value(&r, "signals-blocked", "0");
        assert_value(&r, "signals-changed", "0");
        assert_value(&r, "session-keyring-name", "_ses");
        assert_value(&r, "securebits", "3");
        assert_value(&r, "rlimit7", "100:200");
        assert_true(strncmp(rig_value(&r, "rlimit4"), "0:", 2) == 0);

        assert_value(&r, "interfaces", " lo");
        assert_value(&r, "lo-up", "1");

        /* The init is pid 1, not to be seen; the application leads a process group of its own in its session. */
        assert_value(&r, "pid", "2");
        assert_value(&r, "ppid", "1");
        assert_value(&r, "sid", "1");
        assert_value(&r, "pgid", "2");
        assert_value(&r, "proc-1", "-1");
        assert_value(&r, "proc-sys", "-1");
}

static void test_no_rights(void **state) {
        static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        rig_run(&r, p);

        for (size_t i = 0; i < ELEMENTSOF(sets); i++)
                assert_status(&r, sets[i], "0000000000000000");
        assert_status(&r, "NoNewPrivs", "1");
        assert_status(&r, "Seccomp", "2");
        assert_value(&r, "setgroups", "deny");
        assert_value(&r, "securebits", "3");
}

/* What the keeper hears. */
static void test_status_records(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe exit 0");
        static Run r;

        rig_run(&r, p);

        assert_true(r.has_result);
        assert_int_equal(r.result, 0);
        assert_int_equal(r.leader_status, 0);
        assert_int_equal(r.outer_status, 0);
        assert_int_equal(r.verification.error, 0);
        assert_true(r.verification.leader > 0);
        assert_true(r.verification.main > 0);
        assert_int_not_equal(r.verification.leader, r.verification.main);
        assert_string_equal(
                r.verification.text,
                "userns pidns mntns netns ipcns utsns cgroupns locked-mounts read-only-root idmap "
                "capabilities no-new-privileges seccomp rlimits");
}

static void test_without_init(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        p->init = false;
        rig_run(&r, p);

        assert_value(&r, "pid", "1");
        assert_value(&r, "sid", "1");
        assert_value(&r, "fds", " 0 1 2");
        assert_status(&r, "CapBnd", "0000000000000000");
        assert_false(r.has_result);
        assert_int_equal(r.verification.leader, r.verification.main);
        assert_int_equal(r.leader_status, 0);
}

static void test_planned_values(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        p->nice_set = true;
        p->nice = niceness(7);
        p->oom_score_adjust_set = true;
        p->oom_score_adjust = 321;
        rig_add_rlimit(p, RLIMIT_CORE, 0, 0);
        rig_add_rlimit(p, RLIMIT_NPROC, 20, 30);
        rig_add_rlimit(p, RLIMIT_FSIZE, 1 << 20, 2 << 20);
        p->bounding_set = UINT64_C(1) << 10 | UINT64_C(1) << 0;
        p->ambient_set = UINT64_C(1) << 10;
        rig_run(&r, p);

        assert_niceness(&r, niceness(7));
        assert_value(&r, "oom", "321");
        assert_value(&r, "rlimit4", "0:0");
        assert_value(&r, "rlimit6", "20:30");
        assert_value(&r, "rlimit1", "1048576:2097152");
        assert_status(&r, "CapInh", "0000000000000400");
        assert_status(&r, "CapPrm", "0000000000000400");
        assert_status(&r, "CapEff", "0000000000000400");
        assert_status(&r, "CapBnd", "0000000000000401");
        assert_status(&r, "CapAmb", "0000000000000400");
}

static void test_own_ids(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        rig_use_ids(p, PRIVATE_USERS_SELF);
        rig_run(&r, p);
        assert_value(&r, "uids", "3001 3001 3001");
        assert_value(&r, "uid_map", "      3001       3001          1");

        rig_use_ids(p, PRIVATE_USERS_IDENTITY);
        rig_run(&r, p);
        assert_value(&r, "uids", "3001 3001 3001");
        assert_value(&r, "uid_map", "         0          0      65536");
        assert_status(&r, "CapEff", "0000000000000000");
        assert_status(&r, "CapBnd", "0000000000000000");
}

static void test_groups(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        p->gid_map = reallocarray(p->gid_map, 3, sizeof(*p->gid_map));
        assert_non_null(p->gid_map);
        p->gid_map[1] = (PlanIdMap){ 50, 1, 1 };
        p->gid_map[2] = (PlanIdMap){ 29, 2, 1 };
        p->n_gid_map = 3;
        p->groups = calloc(2, sizeof(*p->groups));
        assert_non_null(p->groups);
        p->groups[0] = 29;
        p->groups[1] = 50;
        p->n_groups = 2;
        rig_run(&r, p);

        assert_value(&r, "groups", " 50 29");
}

static void test_prepared_network(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        _cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), prepared = -EBADF;
        static Run r;

        assert_true(own >= 0);
        assert_int_equal(unshare(CLONE_NEWNET), 0);
        prepared = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        assert_int_equal(setns(own, CLONE_NEWNET), 0);
        assert_true(prepared >= 0);

        r.netns_fd = prepared;
        rig_run(&r, p);
        r.netns_fd = 0;
        assert_value(&r, "interfaces", " lo");
        assert_value(&r, "lo-up", "1");
        assert_value(&r, "fds", " 0 1 2");
}

/* With every capability in its own user namespace, an application undoes nothing. */
static void test_mounts_are_locked(void **state) {
        static const char *const attacks[] = {
                "remount_root",
                "remount_usr",
                "setattr_root",
                "setattr_usr",
                "umount_ro",
                "umount_mask",
                "umount_file_mask",
                "umount_proc",
                "umount_null",
                "mount_proc",
                "mount_sysfs",
                "sethostname",
                "setgroups",
                "setuid_root",
                "mknod",
                "ptrace_init",
                "join_init",
                "init_root",
                "open_tree_below_mask",
                "move_mount",
                "nested_umount_mask",
                "nested_remount",
                "bind_writable",
                "write_root",
                "reconfigure_root",
        };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe attack");
        static Run r;

        p->bounding_set = p->ambient_set = ALL_CAPABILITIES;
        rig_run(&r, p);

        for (size_t i = 0; i < ELEMENTSOF(attacks); i++) {
                const char *value = rig_value(&r, attacks[i]);

                if (streq(value, "0") || streq(value, "(not said)"))
                        fail_msg("%s: errno %s\n%s", attacks[i], value, r.output);
        }
        assert_value(&r, "control", "0");
}

/* What an application of the same host user would be: no more than any other process. */
static void test_nothing_reaches_the_host(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        _cleanup_free_ char *before = NULL, *after = NULL;
        static Run r;
        int lowest;

        assert_int_equal(file_read_full(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &before, NULL), 0);
        lowest = dup(0);
        (void) close(lowest);

        rig_run(&r, p);

        assert_int_equal(file_read_full(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &after, NULL), 0);
        assert_string_equal(before, after);
        assert_int_equal(dup(0), lowest);
        (void) close(lowest);
}

static int setup(void **state) {
        rig_setup();
        return 0;
}

static int teardown(void **state) {
        rig_teardown();
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_instruction),
                cmocka_unit_test(test_no_rights),
                cmocka_unit_test(test_status_records),
                cmocka_unit_test(test_without_init),
                cmocka_unit_test(test_planned_values),
                cmocka_unit_test(test_own_ids),
                cmocka_unit_test(test_groups),
                cmocka_unit_test(test_prepared_network),
                cmocka_unit_test(test_mounts_are_locked),
                cmocka_unit_test(test_nothing_reaches_the_host),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
