/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec-rig.h"

#include "base/cgroup2.h"
#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What of ours a failing launch could leave on the host; processes are counted by rig_finish(). */
typedef struct Remains {
        char *mounts;
        int lowest_fd;
} Remains;

static void remains_done(Remains *r) { free(r->mounts); }

static Remains remains_look(void) {
        Remains r = {};

        assert_int_equal(file_read_full(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &r.mounts, NULL), 0);
        r.lowest_fd = dup(0);
        assert_true(r.lowest_fd >= 0);
        (void) close(r.lowest_fd);
        return r;
}

static void assert_nothing_left(const Remains *before) {
        _cleanup_(remains_done) Remains after = remains_look();

        assert_string_equal(after.mounts, before->mounts);
        assert_int_equal(after.lowest_fd, before->lowest_fd);
}

static void assert_never_ran(const Run *r) {
        assert_string_equal(r->output, "");
        assert_false(r->verified);
        assert_true(WIFEXITED(r->outer_status));
        assert_int_not_equal(WEXITSTATUS(r->outer_status), 0);
}

static void use_working_directory(Plan *p, const char *path) {
        free(p->working_directory);
        p->working_directory = strdup(path);
        assert_non_null(p->working_directory);
}

static void test_every_step_that_fails(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        _cleanup_(remains_done) Remains before = remains_look();
        static Run r;

        for (unsigned init = 0; init < 2; init++)
                for (const Step *s = exec_steps; s->name; s++) {
                        char fault[64];

                        p->init = init;
                        (void) snprintf(fault, sizeof(fault), "fail:%s", s->name);
                        rig_must_fail(&r,
                                      p,
                                      fault,
                                      s->name,
                                      LAUNCH_FAILURE_SETUP,
                                      "On purpose: Input/output error");
                        assert_int_equal(r.failure.error, EIO);
                        assert_never_ran(&r);
                        assert_nothing_left(&before);
                }
}

/* In two processes at once: one of them tells, and which one is not said. rig_wait_executed() counts. */
static void test_every_pair_of_steps_that_fail(void **state) {
        static const char *const others[] = { "network", "host-rest", "reap", "init" };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        _cleanup_(remains_done) Remains before = remains_look();
        static Run r;

        for (const Step *s = exec_steps; s->name; s++)
                for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                        char fault[64];

                        if (s->stage != STAGE_INSIDE && s->stage != STAGE_APPLICATION)
                                continue;
                        (void) snprintf(fault, sizeof(fault), "fail:%s:%s", s->name, others[i]);
                        rig_start(&r, p, getenv("IMMURED_EXEC_FAULTY"), fault);
                        rig_wait_executed(&r);
                        rig_finish(&r);
                        if (!r.failed)
                                fail_msg("%s: nobody told", fault);
                        if (!streq(r.failure.step, s->name) && !streq(r.failure.step, others[i]))
                                fail_msg("%s: %s: %s", fault, r.failure.step, r.failure.text);
                        assert_int_equal(r.failure.error, EIO);
                        assert_never_ran(&r);
                        assert_nothing_left(&before);
                }
}

static void test_every_step_has_its_own_name(void **state) {
        for (const Step *a = exec_steps; a->name; a++) {
                assert_true(strlen(a->name) < sizeof(((LaunchStatus *) NULL)->step));
                for (const Step *b = exec_steps; b < a; b++)
                        assert_string_not_equal(a->name, b->name);
        }
}

/* A step that says it went well, and did nothing: what is read back tells. */
static void test_verification(void **state) {
        static const struct {
                const char *step, *text;
        } cases[] = {
                { "capabilities", "CapInh is \"0000000000000000\"" },
                { "seccomp", "Seccomp is \"0\", not \"2\"" },
                { "rlimits", "RLIMIT_NOFILE differs" },
                { "lock", "Uid is \"3001" },
                { "identity", "Uid is \"0" },
                { "groups", "Groups is \"0 4242\", not \"\"" },
        };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        _cleanup_(remains_done) Remains before = remains_look();
        static Run r;

        use_working_directory(p, "/");
        p->bounding_set = p->ambient_set = UINT64_C(1) << 5; /* CAP_KILL, which the keeper has as well */
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char fault[64];

                (void) snprintf(fault, sizeof(fault), "skip:%s", cases[i].step);
                rig_must_fail(&r, p, fault, "verification", LAUNCH_FAILURE_VERIFICATION, cases[i].text);
                assert_never_ran(&r);
                assert_nothing_left(&before);
        }
}

typedef enum Inits {
        INIT_NONE = 1 << 0,
        INIT_OURS = 1 << 1,
        INIT_BOTH = INIT_NONE | INIT_OURS,
} Inits;

typedef struct Spoil {
        const char *fault, *text;
        Inits inits; /* with which of them it is tried */
        const char *step;
} Spoil;

static void must_be_noticed(const Plan *plan, const Spoil *cases, size_t n) {
        _cleanup_(remains_done) Remains before = remains_look();
        Plan p = *plan;
        static Run r;

        for (size_t i = 0; i < n; i++)
                for (unsigned init = 0; init < 2; init++) {
                        if (!(cases[i].inits & (init ? INIT_OURS : INIT_NONE)))
                                continue;
                        p.init = init;
                        rig_must_fail(&r,
                                      &p,
                                      cases[i].fault,
                                      cases[i].step ?: "verification",
                                      LAUNCH_FAILURE_VERIFICATION,
                                      cases[i].text);
                        assert_never_ran(&r);
                        assert_nothing_left(&before);
                }
}

/* What a process may have that no step of its own gave it. */
static void test_verification_of_processes(void **state) {
        static const Spoil cases[] = {
                { "spoil:uid-map", "uid_map differs from the plan", INIT_BOTH, NULL },
                { "spoil:uid-map-longer", "uid_map differs from the plan", INIT_BOTH, NULL },
                { "spoil:gid-map", "gid_map differs from the plan", INIT_BOTH, NULL },
                { "spoil:setgroups", "setgroups is not denied", INIT_BOTH, NULL },
                { "spoil:uts", "ns/uts is the host's", INIT_BOTH, NULL },
                { "spoil:ipc", "ns/ipc is the host's", INIT_BOTH, NULL },
                { "spoil:cgroup-namespace", "ns/cgroup is the host's", INIT_BOTH, NULL },
                { "spoil:mounts", "ns/mnt is the host's", INIT_BOTH, NULL },
                { "spoil:unlocked", "ns/mnt belongs to the wrong user namespace", INIT_BOTH, NULL },
                { "spoil:nested", "ns/user belongs to the wrong user namespace", INIT_BOTH, NULL },
                { "spoil:owner", "ns/user belongs to user 0, not 665535", INIT_BOTH, NULL },
                { "spoil:own-processes", "ns/pid belongs to the wrong user namespace", INIT_OURS, NULL },
                { "spoil:own-uts", "ns/uts belongs to the wrong user namespace", INIT_BOTH, NULL },
                { "spoil:own-ipc", "ns/ipc belongs to the wrong user namespace", INIT_BOTH, NULL },
                { "spoil:own-groups", "ns/cgroup belongs to the wrong user namespace", INIT_BOTH, NULL },
                { "spoil:own-network", "ns/net belongs to the wrong user namespace", INIT_BOTH, NULL },
                { "spoil:new-privileges", "NoNewPrivs is \"0\", not \"1\"", INIT_BOTH, NULL },
                { "spoil:filter-of-others", "Seccomp_filters is \"", INIT_BOTH, NULL },
                { "spoil:filter-more", "Seccomp_filters is \"", INIT_BOTH, NULL },
                { "spoil:soft-limit", "RLIMIT_NOFILE differs from the plan", INIT_BOTH, NULL },
                { "spoil:hard-limit", "RLIMIT_NOFILE differs from the plan", INIT_BOTH, NULL },
                { "spoil:parent", "is no child of the sandbox's init", INIT_OURS, NULL },
                { "spoil:parent", "is not the sandbox's first", INIT_NONE, NULL },
                /* Nobody else would end with such an init. */
                { "spoil:processes", "ns/pid is the host's", INIT_NONE, NULL },
                { "spoil:false-init", "is not the init", INIT_OURS, "barrier" },
                { "spoil:init-capabilities",
                  "CapPrm is \"000001ffffffffff\", not \"0000000000000000\"",
                  INIT_OURS,
                  NULL },
                { "spoil:init-privileges", "NoNewPrivs is \"0\", not \"1\"", INIT_OURS, NULL },
        };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");

        use_working_directory(p, "/");
        must_be_noticed(p, cases, ELEMENTSOF(cases));
}

/* Each set, where all are the same but one. */
static void test_verification_of_capabilities(void **state) {
        static const Spoil cases[] = {
                { "spoil:permitted", "CapPrm is \"0000000000000000\"", INIT_BOTH, NULL },
                { "spoil:effective", "CapEff is \"0000000000000000\"", INIT_BOTH, NULL },
                { "spoil:bounding", "CapBnd is \"0000000000000021\"", INIT_BOTH, NULL },
                { "spoil:ambient", "CapAmb is \"0000000000000000\"", INIT_BOTH, NULL },
        };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");

        p->bounding_set = p->ambient_set = UINT64_C(1) << 5;
        must_be_noticed(p, cases, ELEMENTSOF(cases));
}

/* Where a line more is mapped than that of the ids which the process has. */
static void test_verification_of_maps(void **state) {
        static const Spoil cases[] = {
                { "spoil:gid", "Gid is \"600001", INIT_BOTH, NULL },
                { "spoil:uid-map-shorter", "uid_map differs from the plan", INIT_BOTH, NULL },
                { "spoil:uid-map-inside", "uid_map differs from the plan", INIT_BOTH, NULL },
                { "spoil:uid-map-outside", "uid_map differs from the plan", INIT_BOTH, NULL },
        };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");

        use_working_directory(p, "/");
        p->uid_map = reallocarray(p->uid_map, 2, sizeof(*p->uid_map));
        p->gid_map = reallocarray(p->gid_map, 2, sizeof(*p->gid_map));
        assert_true(p->uid_map && p->gid_map);
        p->uid_map[1] = p->gid_map[1] = (PlanIdMap){ RIG_UID + 1, 1, 1 };
        p->n_uid_map = p->n_gid_map = 2;
        must_be_noticed(p, cases, ELEMENTSOF(cases));
}

/* Where other limits are, or none; the application alone, and with its init. */
static void test_verification_of_the_cgroup(void **state) {
        static const char *const whose[] = { "-of-all", "-of-all", "", "-of-init" };
        _cleanup_free_ char *mountinfo = NULL, *group = NULL, *own = NULL, *other = NULL;
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        assert_int_equal(file_read_full(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mountinfo, NULL), 0);
        assert_int_equal(cgroup2_own_group(&group), 0);
        assert_int_equal(cgroup2_directory(mountinfo, group, &own), 0);
        other = text_printf("%s/immured-exec-%d", own, getpid());
        assert_non_null(other);
        assert_int_equal(mkdir(other, 0755), 0);

        for (unsigned i = 0; i < ELEMENTSOF(whose); i++) {
                _cleanup_free_ char *fault = text_printf("spoil:cgroup%s:%s/cgroup.procs", whose[i], other);

                assert_non_null(fault);
                p->init = i > 0;
                rig_must_fail(&r,
                              p,
                              fault,
                              "verification",
                              LAUNCH_FAILURE_VERIFICATION,
                              "The process has left its cgroup");
                assert_never_ran(&r);
        }

        assert_int_equal(rmdir(other), 0);
}

static void test_verification_of_the_network(void **state) {
        _cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), prepared = -EBADF;
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        assert_true(own >= 0);
        assert_int_equal(unshare(CLONE_NEWNET), 0);
        prepared = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        assert_int_equal(setns(own, CLONE_NEWNET), 0);
        assert_true(prepared >= 0);

        r.netns_fd = prepared;
        rig_must_fail(&r,
                      p,
                      "skip:enter-network",
                      "verification",
                      LAUNCH_FAILURE_VERIFICATION,
                      "ns/net is the host's");
        assert_never_ran(&r);
}

/* A tree that is wider than the plan's, or not the plan's at all. */
static void test_verification_of_mounts(void **state) {
        static const struct {
                const char *fault, *text;
        } cases[] = {
                { "skip:tree", "mounted" },
                { "spoil:root", "/ is not mounted ro" },
                { "spoil:usr", "/usr is not mounted ro" },
                { "spoil:nosuid", "/tmp is not mounted nosuid" },
                { "spoil:nodev", "/home/alice is not mounted nodev" },
                { "spoil:noexec", "/proc is not mounted noexec" },
                { "spoil:mask", "Nothing is mounted on /ro/masked" },
                { "spoil:excused", "Nothing is mounted on /ro/masked" },
                { "spoil:mount", "/home is mounted beyond the plan" },
                { "spoil:mask-ro", "/ro/masked is not mounted ro" },
                { "spoil:mask-nodev", "/dev/tty is not mounted nodev" },
                { "spoil:device", "/dev/null is not mounted noexec" },
                { "spoil:remount", "/dev/mqueue is not mounted ro" },
                { "spoil:below", "/usr/share is not mounted ro" },
                { "spoil:idmap", "/ro is not mounted idmapped" },
                { "spoil:cover", "More is mounted on /tmp than the 1 planned" },
                { "spoil:cover-root", "/ is mounted beyond the plan" },
                { "spoil:cover-bind", "More is mounted on /usr than the 1 planned" },
                { "spoil:proc", "/proc is tmpfs, not proc" },
                { "spoil:hidepid", "/proc is not mounted hidepid=invisible" },
                { "spoil:chroot", "Nothing is mounted on /" },
        };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        use_working_directory(p, "/");
        rig_add_node(p, PLAN_NODE_MASK, 0, NULL, "/dev/tty");
        rig_add_node(p,
                     PLAN_NODE_REMOUNT,
                     PLAN_NODE_NO_SUID | PLAN_NODE_READ_ONLY | PLAN_NODE_RECURSIVE,
                     NULL,
                     "/dev");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                rig_must_fail(
                        &r, p, cases[i].fault, "verification", LAUNCH_FAILURE_VERIFICATION, cases[i].text);
                assert_never_ran(&r);
        }
}

static void test_exec_errors(void **state) {
        static const struct {
                const char *path, *text;
                int error, status;
        } cases[] = {
                { "/none", "/none: No such file or directory", ENOENT, 127 },
                { "/etc/passwd", "/etc/passwd: Permission denied", EACCES, 126 },
                { "/ro", "/ro: Permission denied", EACCES, 126 },
                { "/home/alice/x/y", "No such file or directory", ENOENT, 127 },
        };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe");
        _cleanup_(remains_done) Remains before = remains_look();
        static Run r;

        for (size_t i = 0; i < 2 * ELEMENTSOF(cases); i++) {
                size_t k = i / 2;

                p->init = i % 2;
                rig_set_argv(p, cases[k].path);
                rig_must_fail(&r, p, NULL, "exec", LAUNCH_FAILURE_SETUP, cases[k].text);
                assert_int_equal(r.failure.error, cases[k].error);
                assert_true(r.verified);
                assert_true(WIFEXITED(r.leader_status));
                assert_int_equal(WEXITSTATUS(r.leader_status), cases[k].status);
                assert_nothing_left(&before);
        }
}

static void test_not_executable(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/home/alice/text");
        static Run r;
        PlanNode *n;

        n = rig_add_node(p, PLAN_NODE_FILE, PLAN_NODE_OWNED, NULL, "/home/alice/text");
        n->mode = 0700;
        n->data = strdup("no program\n");
        assert_non_null(n->data);
        rig_must_fail(&r, p, NULL, "exec", LAUNCH_FAILURE_SETUP, "Exec format error");
        assert_int_equal(r.failure.error, ENOEXEC);
}

static void test_working_directory(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe");
        static Run r;

        use_working_directory(p, "/none");
        rig_must_fail(&r, p, NULL, "working-directory", LAUNCH_FAILURE_SETUP, "chdir /none: No such file");

        /* By its own right: the mask has no owner that would count. */
        use_working_directory(p, "/ro/masked");
        rig_must_fail(&r, p, NULL, "working-directory", LAUNCH_FAILURE_SETUP, "Permission denied");
}

/* A hard limit above the keeper's needs a capability that not every machine grants. */
static void test_hard_limit(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        rig_add_rlimit(p, RLIMIT_MSGQUEUE, 1, UINT64_MAX);
        rig_start(&r, p, NULL, NULL);
        rig_wait_executed(&r);
        rig_finish(&r);
        if (r.failed) {
                assert_string_equal(r.failure.step, "hard-limits");
                assert_string_equal(
                        r.failure.text,
                        "RLIMIT_MSGQUEUE above the keeper's own hard limit: Operation not permitted");
        } else
                assert_true(rig_has_line(&r, "rlimit12=1:18446744073709551615"));
}

/* A filter that does not even let the application wait: nothing runs, and the keeper is told. */
static void test_filter_that_kills(void **state) {
        static const struct sock_filter kill[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS) };
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        _cleanup_(remains_done) Remains before = remains_look();
        static Run r;

        memcpy(p->seccomp, kill, sizeof(kill));
        p->n_seccomp = sizeof(kill);

        p->init = false;
        rig_must_fail(&r, p, NULL, "barrier", LAUNCH_FAILURE_SETUP, "The sandbox ended before it was ready");
        assert_never_ran(&r);
        assert_nothing_left(&before);

        p->init = true;
        rig_must_fail(&r, p, NULL, "barrier", LAUNCH_FAILURE_SETUP, "The sandbox ended before it was ready");
        assert_never_ran(&r);
        assert_nothing_left(&before);
}

static void test_unknown_network(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        p->network = NETWORK_HOST;
        rig_must_fail(&r, p, NULL, "plan", LAUNCH_FAILURE_SETUP, "Network mode");
        assert_never_ran(&r);
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
                cmocka_unit_test(test_every_step_that_fails),
                cmocka_unit_test(test_every_pair_of_steps_that_fail),
                cmocka_unit_test(test_every_step_has_its_own_name),
                cmocka_unit_test(test_verification),
                cmocka_unit_test(test_verification_of_processes),
                cmocka_unit_test(test_verification_of_capabilities),
                cmocka_unit_test(test_verification_of_maps),
                cmocka_unit_test(test_verification_of_the_cgroup),
                cmocka_unit_test(test_verification_of_the_network),
                cmocka_unit_test(test_verification_of_mounts),
                cmocka_unit_test(test_exec_errors),
                cmocka_unit_test(test_not_executable),
                cmocka_unit_test(test_working_directory),
                cmocka_unit_test(test_hard_limit),
                cmocka_unit_test(test_filter_that_kills),
                cmocka_unit_test(test_unknown_network),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
