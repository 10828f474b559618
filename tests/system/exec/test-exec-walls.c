/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec-rig.h"

#include "base/strv.h"
#include "confine/landlock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define BIND_FLAGS (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)

/* alice's plan for the second probe, with a directory and a FIFO of hers on the host's disk. */
static Plan *walls_plan_new(const char *verb) {
        const char *program = getenv("IMMURED_PROBE_WALLS");
        Plan *p = rig_plan_new("/walls");

        assert_non_null(program);
        rig_add_node(p, PLAN_NODE_BIND, BIND_FLAGS | PLAN_NODE_READ_ONLY, program, "/walls");
        rig_add_node(p,
                     PLAN_NODE_BIND,
                     BIND_FLAGS | PLAN_NODE_AS_USER | PLAN_NODE_IDMAP,
                     rig_path("data"),
                     "/data");
        rig_add_node(p, PLAN_NODE_SYMLINK, 0, "usr/lib", "/lib");
        rig_add_node(p, PLAN_NODE_SYMLINK, 0, "usr/lib64", "/lib64");
        assert_int_equal(strv_extend(&p->argv, verb), 0);
        return p;
}

static bool has_landlock(void) { return landlock_version() >= LANDLOCK_VERSION_LEAST; }

static void skip_without_landlock(void) {
        if (!has_landlock())
                skip();
}

static bool is_enforced(const Run *r, const char *layer) {
        char text[sizeof(r->verification.text) + 2], word[64];

        (void) snprintf(text, sizeof(text), "%s ", r->verification.text);
        (void) snprintf(word, sizeof(word), " %s ", layer);
        return strstr(text, word);
}

/* Without the layer nothing runs, unless the profile can do without; then nobody is told that it is there. */
static void test_a_kernel_without_it(void **state) {
        _cleanup_(plan_freep) Plan *p = walls_plan_new("uses");
        static Run r;

        p->landlock = true;
        if (has_landlock()) {
                rig_run(&r, p);
                assert_true(is_enforced(&r, "landlock"));
                return;
        }

        rig_must_fail(&r, p, NULL, "layers", LAUNCH_FAILURE_LAYER, "landlock: ");
        assert_false(r.verified);

        assert_int_equal(strv_extend(&p->degrade, "landlock"), 0);
        rig_run(&r, p);
        assert_false(is_enforced(&r, "landlock"));
}

static void test_labels_without_their_modules(void **state) {
        static const struct {
                size_t offset;
                const char *label, *layer, *file;
        } cases[] = {
                { offsetof(Plan, apparmor_profile),
                  "immured-test-none",
                  "apparmor",
                  "/sys/module/apparmor/parameters/enabled" },
                { offsetof(Plan, selinux_context),
                  "system_u:system_r:web_t",
                  "selinux",
                  "/sys/fs/selinux/enforce" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(plan_freep) Plan *p = walls_plan_new("label");
                static Run r;

                *(char **) (void *) ((char *) p + cases[i].offset) = strdup(cases[i].label);
                if (access(cases[i].file, F_OK) >= 0)
                        continue;
                rig_must_fail(&r, p, NULL, "layers", LAUNCH_FAILURE_LAYER, cases[i].layer);

                assert_int_equal(strv_extend(&p->degrade, cases[i].layer), 0);
                rig_run(&r, p);
                assert_false(is_enforced(&r, cases[i].layer));
        }
}

/* What the mounts alone allow and forbid, the rules change nothing of. */
static void test_it_forbids_nothing_that_mounts_allow(void **state) {
        static const char *const allowed[] = {
                "home-rename",   "home-link",     "home-truncate",  "home-execute", "tmp-rename",
                "data-rename",   "data-link",     "data-socket",    "data-execute", "data-tmpfile",
                "root-list",     "usr-execute",   "etc-read",       "ro-read",      "null-write",
                "ptmx-ioctl",    "proc-write",    "namespace-read", "pipe-reopen",  "self-execute",
                "memory-reopen", "stdin-reopen",  "signal-init",    "signal-child", "abstract",
                "tcp",           "mqueue-create", "home-remove",    "data-remove",
        };
        static const char *const forbidden[] = { "root-write", "ro-write" };
        _cleanup_(plan_freep) Plan *p = walls_plan_new("uses");
        const int input = open(rig_path("input"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        static Run without, with;

        assert_true(input >= 0);
        without.input_fd = input;
        rig_run(&without, p);
        for (size_t i = 0; i < ELEMENTSOF(allowed); i++)
                if (!streq(rig_value(&without, allowed[i]), "0"))
                        fail_msg("%s=%s", allowed[i], rig_value(&without, allowed[i]));
        for (size_t i = 0; i < ELEMENTSOF(forbidden); i++)
                assert_string_not_equal(rig_value(&without, forbidden[i]), "0");

        if (has_landlock())
                for (unsigned init = 0; init < 2; init++) {
                        p->init = init;
                        p->landlock = true;
                        with.input_fd = input;
                        rig_run(&with, p);
                        for (size_t i = 0; i < ELEMENTSOF(allowed); i++)
                                if (!streq(rig_value(&with, allowed[i]), "0"))
                                        fail_msg("%s=%s", allowed[i], rig_value(&with, allowed[i]));
                        for (size_t i = 0; i < ELEMENTSOF(forbidden); i++)
                                assert_string_not_equal(rig_value(&with, forbidden[i]), "0");
                        if (init)
                                assert_string_equal(with.output, without.output);
                }
        (void) close(input);
}

/* What no mount is in the way of. */
static void test_it_forbids_what_mounts_cannot(void **state) {
        static const struct {
                const char *name, *errno_with;
        } cases[] = {
                { "mount", "1" },
                { "outside", "13" },
                { "stdin-write", "13" },
                { "fifo-write", "13" },
        };
        _cleanup_(plan_freep) Plan *p = walls_plan_new("leaves");
        static Run r;
        int input;

        input = open(rig_path("input"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_true(input >= 0);
        r.input_fd = input;
        rig_run(&r, p);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (streq(rig_value(&r, cases[i].name), "(not said)") ||
                    streq(rig_value(&r, cases[i].name), cases[i].errno_with))
                        fail_msg("%s=%s without rules", cases[i].name, rig_value(&r, cases[i].name));

        if (has_landlock()) {
                p->landlock = true;
                r.input_fd = input;
                rig_run(&r, p);
                for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                        if (!streq(rig_value(&r, cases[i].name), cases[i].errno_with))
                                fail_msg("%s=%s", cases[i].name, rig_value(&r, cases[i].name));
        }
        (void) close(input);
}

/* Every capability in its own namespaces takes nothing of it away. */
static void test_capabilities_do_not_open_it(void **state) {
        _cleanup_(plan_freep) Plan *p = NULL;
        static Run r;

        skip_without_landlock();
        p = walls_plan_new("leaves");
        p->landlock = p->landlock_no_tcp = true;
        p->bounding_set = p->ambient_set = (UINT64_C(1) << 41) - 1;
        rig_run(&r, p);
        assert_string_equal(rig_value(&r, "mount"), "1");
        assert_string_equal(rig_value(&r, "outside"), "13");
        assert_string_equal(rig_value(&r, "tcp"), landlock_version() >= 4 ? "13" : "0");
}

/* A step that did nothing is noticed, though the kernel shows of no process whether it is in a domain. */
static void test_a_wall_that_is_not_there(void **state) {
        _cleanup_(plan_freep) Plan *p = NULL;
        static Run r;

        skip_without_landlock();
        p = walls_plan_new("uses");
        p->landlock = true;
        rig_must_fail(&r,
                      p,
                      "skip:landlock",
                      "landlock-proof",
                      LAUNCH_FAILURE_VERIFICATION,
                      "outside of the tree");
        assert_string_equal(r.output, "");
        rig_must_fail(
                &r, p, "skip:landlock-rules", "landlock", LAUNCH_FAILURE_SETUP, "landlock_restrict_self");
        assert_string_equal(r.output, "");
}

/*
 * IMMURED_TEST_APPARMOR names a profile that is loaded and enforced, which allows everything but writing below /tmp;
 * with "-complain" behind it, one that only complains.
 */
static void test_apparmor(void **state) {
        const char *profile = getenv("IMMURED_TEST_APPARMOR");
        _cleanup_(plan_freep) Plan *p = NULL;
        char text[256];
        static Run r;

        if (!profile)
                skip(); /* comes back no more: nothing may be held here */

        p = walls_plan_new("label");

        for (unsigned init = 0; init < 2; init++) {
                p->init = init;
                p->landlock = has_landlock();
                free(p->apparmor_profile);
                p->apparmor_profile = strdup(profile);
                rig_run(&r, p);
                (void) snprintf(text, sizeof(text), "%s (enforce)", profile);
                assert_string_equal(rig_value(&r, "label"), text);
                assert_string_equal(rig_value(&r, "tmp"), "13");
                assert_string_equal(rig_value(&r, "home"), "0");
                assert_true(is_enforced(&r, "apparmor"));
        }

        rig_must_fail(
                &r, p, "skip:label", "label-proof", LAUNCH_FAILURE_VERIFICATION, "apparmor: the label");
        assert_string_equal(r.output, "");

        free(p->apparmor_profile);
        p->apparmor_profile = strdup("immured-test-none");
        rig_must_fail(&r, p, NULL, "label", LAUNCH_FAILURE_LAYER, "apparmor: the kernel's policy has no");

        (void) snprintf(text, sizeof(text), "%s-complain", profile);
        free(p->apparmor_profile);
        p->apparmor_profile = strdup(text);
        rig_must_fail(&r, p, NULL, "label-proof", LAUNCH_FAILURE_VERIFICATION, "(complain)");
        assert_string_equal(r.output, "");
}

static void make_fifo(const char *below) {
        assert_int_equal(mkfifo(rig_path(below), 0666), 0);
        assert_int_equal(chown(rig_path(below), RIG_UID, RIG_GID), 0);
        assert_int_equal(chmod(rig_path(below), 0666), 0);
}

static int setup(void **state) {
        rig_setup();
        rig_make_directory("data");
        make_fifo("input");
        make_fifo("ro/fifo");
        return 0;
}

static int teardown(void **state) {
        rig_teardown();
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_kernel_without_it),
                cmocka_unit_test(test_labels_without_their_modules),
                cmocka_unit_test(test_it_forbids_nothing_that_mounts_allow),
                cmocka_unit_test(test_it_forbids_what_mounts_cannot),
                cmocka_unit_test(test_capabilities_do_not_open_it),
                cmocka_unit_test(test_a_wall_that_is_not_there),
                cmocka_unit_test(test_apparmor),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
