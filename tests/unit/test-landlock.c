/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/landlock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* landlock(7), the bits by their numbers: a table of the same names would repeat a mistake. */
#define EXECUTE UINT64_C(0x1)
#define WRITE_FILE UINT64_C(0x2)
#define READ_FILE UINT64_C(0x4)
#define READ_DIR UINT64_C(0x8)
#define FIRST_WRITES UINT64_C(0x1ff2)
#define REFER UINT64_C(0x2000)
#define TRUNCATE UINT64_C(0x4000)
#define IOCTL_DEV UINT64_C(0x8000)
#define READS (READ_FILE | READ_DIR)
#define WRITES (FIRST_WRITES | REFER | TRUNCATE)

#define NODE(k, t, f) \
        { .kind = PLAN_NODE_##k, .target = (char *) (t), .flags = (f) }

static uint64_t rights_of(PlanNode *nodes, size_t n_nodes, size_t i, unsigned version) {
        const Plan plan = { .nodes = nodes, .n_nodes = n_nodes, .landlock = true };

        return landlock_node_rights(&plan, i, version);
}

static void rights_grow_with_the_version(void **state) {
        static const uint64_t expected[] = { 0,      0x1fff, 0x3fff, 0x7fff, 0x7fff,
                                             0xffff, 0xffff, 0xffff, 0xffff };

        for (unsigned v = 0; v < ELEMENTSOF(expected); v++)
                assert_int_equal(landlock_rights(v), expected[v]);
}

/* Each kind as the default tree has it, and each that a mount flag makes narrower. */
static void a_node_grants_what_its_mount_allows(void **state) {
        const uint32_t safe = PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV;
        const struct {
                PlanNode node;
                uint64_t rights;
        } cases[] = {
                { NODE(DIRECTORY, "/a", PLAN_NODE_OWNED), 0 },
                { NODE(SYMLINK, "/a", 0), 0 },
                { NODE(MASK, "/a", 0), 0 },
                { NODE(REMOUNT, "/a", PLAN_NODE_READ_ONLY), 0 },
                { NODE(BIND, "/usr", safe | PLAN_NODE_READ_ONLY), EXECUTE },
                { NODE(BIND, "/usr", safe | PLAN_NODE_READ_ONLY | PLAN_NODE_NO_EXEC), 0 },
                { NODE(BIND, "/data", safe), EXECUTE | WRITES },
                { NODE(BIND, "/data", safe | PLAN_NODE_NO_EXEC), WRITES },
                { NODE(TMPFS, "/tmp", safe), EXECUTE | WRITES },
                { NODE(TMPFS, "/dev", PLAN_NODE_NO_EXEC | PLAN_NODE_READ_ONLY), 0 },
                { NODE(PROC, "/proc", safe | PLAN_NODE_NO_EXEC), WRITES },
                { NODE(MQUEUE, "/dev/mqueue", safe | PLAN_NODE_NO_EXEC), READS | WRITES },
                { NODE(DEVICE, "/dev/null", PLAN_NODE_NO_EXEC), WRITES | IOCTL_DEV },
                { NODE(DEVPTS, "/dev/pts", PLAN_NODE_NO_EXEC), WRITES | IOCTL_DEV },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                PlanNode node = cases[i].node;

                for (unsigned v = 2; v <= 8; v++)
                        if (rights_of(&node, 1, 0, v) != (cases[i].rights & landlock_rights(v)))
                                fail_msg("%s, version %u: 0x%llx",
                                         node.target,
                                         v,
                                         (unsigned long long) rights_of(&node, 1, 0, v));
        }
}

static void files_of_ours_execute_by_their_mode(void **state) {
        PlanNode nodes[] = { NODE(FILE, "/etc/passwd", 0), NODE(FILE, "/run-me", 0) };

        nodes[0].mode = 0644;
        nodes[1].mode = 0755;
        assert_int_equal(rights_of(nodes, 2, 0, 6), 0);
        assert_int_equal(rights_of(nodes, 2, 1, 6), EXECUTE);
}

/* What comes later takes away from what it reaches, and from nothing else. */
static void remounts_take_away(void **state) {
        const uint32_t recursive = PLAN_NODE_RECURSIVE;
        PlanNode nodes[] = {
                NODE(TMPFS, "/home", 0),
                NODE(BIND, "/home/data", 0),
                NODE(BIND, "/homely", 0),
                NODE(REMOUNT, "/home", recursive | PLAN_NODE_READ_ONLY),
                NODE(REMOUNT, "/homely", PLAN_NODE_NO_EXEC),
                NODE(BIND, "/home/data/open", 0),
                NODE(REMOUNT, "/home/data/deeper", recursive | PLAN_NODE_NO_EXEC),
        };

        assert_int_equal(rights_of(nodes, ELEMENTSOF(nodes), 0, 6), EXECUTE);
        assert_int_equal(rights_of(nodes, ELEMENTSOF(nodes), 1, 6), EXECUTE);
        assert_int_equal(rights_of(nodes, ELEMENTSOF(nodes), 2, 6), WRITES);
        assert_int_equal(rights_of(nodes, ELEMENTSOF(nodes), 5, 6), EXECUTE | WRITES);

        nodes[3].flags = PLAN_NODE_READ_ONLY;
        assert_int_equal(rights_of(nodes, ELEMENTSOF(nodes), 0, 6), EXECUTE);
        assert_int_equal(rights_of(nodes, ELEMENTSOF(nodes), 1, 6), EXECUTE | WRITES);
}

/*
 * Reading is granted for the whole tree at once: a rule that repeats it would only hide a mistake in the others.
 * Message queues are opened in a mount of the kernel's own, which is in no tree.
 */
static void queues_alone_speak_of_reading(void **state) {
        for (uint8_t kind = 0; kind < _PLAN_NODE_KIND_MAX; kind++) {
                PlanNode node = { .kind = kind, .target = (char *) "/x", .mode = 0777 };

                assert_int_equal(rights_of(&node, 1, 0, 8) & READS, kind == PLAN_NODE_MQUEUE ? READS : 0);
        }
}

static void the_version_is_told_or_why_not(void **state) {
        int version = landlock_version();

        assert_true(version >= 1 || version == -ENOSYS || version == -EOPNOTSUPP);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(rights_grow_with_the_version),
                cmocka_unit_test(a_node_grants_what_its_mount_allows),
                cmocka_unit_test(files_of_ours_execute_by_their_mode),
                cmocka_unit_test(remounts_take_away),
                cmocka_unit_test(queues_alone_speak_of_reading),
                cmocka_unit_test(the_version_is_told_or_why_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
