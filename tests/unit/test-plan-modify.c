/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

#include "base/text.h"

#include <stdio.h>

static void test_modifiers_come_last(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;
        bool modified = false;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->inaccessible, "-/data/secret");
        add_path(&p->read_only, "/data/docs");
        add_path(&p->read_only, "/data/secret/below");
        add_path(&p->no_exec, "/data/docs");
        add_path(&p->no_exec, "-/data");
        fixture_must_compile(&f);

        for (size_t i = 0; i < f.plan->n_nodes; i++) {
                bool modifies = f.plan->nodes[i].kind == PLAN_NODE_MASK ||
                                f.plan->nodes[i].kind == PLAN_NODE_REMOUNT;

                assert_false(modified && !modifies);
                modified = modified || modifies;
        }

        assert_int_equal(node_of_kind_at(f.plan, PLAN_NODE_MASK, "/data/secret")->flags, PLAN_NODE_OPTIONAL);
        assert_int_equal(node_of_kind_at(f.plan, PLAN_NODE_REMOUNT, "/data/docs")->flags,
                         PLAN_NODE_READ_ONLY | PLAN_NODE_NO_EXEC | PLAN_NODE_RECURSIVE);
        assert_int_equal(node_of_kind_at(f.plan, PLAN_NODE_REMOUNT, "/data")->flags,
                         PLAN_NODE_NO_EXEC | PLAN_NODE_RECURSIVE | PLAN_NODE_OPTIONAL);
        assert_null(node_at(f.plan, "/data/secret/below"));
}

static void test_a_part_of_a_read_only_path_stays_writable(void **state) {
        _cleanup_fixture_ Fixture f = {};
        const PlanNode *n;
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->read_only, "/data");
        add_path(&p->no_exec, "/data");
        add_path(&p->read_write, "/data/spool");
        fixture_must_compile(&f);

        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/spool");
        assert_non_null(n);
        assert_string_equal(n->source, "/srv/data/spool");
        assert_false(n->flags & PLAN_NODE_READ_ONLY);
        assert_true(n->flags & PLAN_NODE_NO_EXEC);
        assert_true(n->flags & PLAN_NODE_AS_USER);
        assert_true(n > node_of_kind_at(f.plan, PLAN_NODE_REMOUNT, "/data"));

        /* Not where a mount of its own would be hidden, or nothing would be left to open. */
        add_bind(p, "/srv/other", "/data/spool/other", false);
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "/data/spool/other");
        set_text(&p->read_write.items[0].path, "/data");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "same path");
}

static void test_read_write_paths_never_reach_further_than_binds(void **state) {
        static const struct {
                const char *path;
                bool possible;
        } cases[] = {
                { "/data", true },     { "/data/x", true }, { "/tmp", true },  { "/run/user/3001", true },
                { "/usr", false },     { "/usr/x", false }, { "/etc", false }, { "/docs", false },
                { "/nowhere", false }, { "/proc", false },  { "/", false },    { "/bin", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};
                Profile *p;

                fixture_init(&f);
                p = f.profile;
                add_bind(p, "/srv/data", "/data", false);
                add_bind(p, "/srv/docs", "/docs", true);
                add_path(&p->read_write, cases[i].path);
                if (cases[i].possible)
                        fixture_must_compile(&f);
                else
                        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ReadWritePaths");
        }
}

static void test_a_part_of_a_noexec_path_stays_executable(void **state) {
        _cleanup_fixture_ Fixture f = {};
        const PlanNode *n;
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->no_exec, "/data");
        add_path(&p->read_only, "/data");
        add_path(&p->exec, "-/data/bin");
        add_path(&p->read_write, "/data/bin/spool");
        fixture_must_compile(&f);

        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/bin");
        assert_string_equal(n->source, "/srv/data/bin");
        assert_false(n->flags & PLAN_NODE_NO_EXEC);
        assert_true(n->flags & PLAN_NODE_READ_ONLY);
        assert_true(n->flags & PLAN_NODE_OPTIONAL);
        assert_true(n->flags & PLAN_NODE_AS_USER);

        /* What is nearest holds, for each right apart. */
        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/bin/spool");
        assert_false(n->flags & (PLAN_NODE_NO_EXEC | PLAN_NODE_READ_ONLY));

        add_path(&p->no_exec, "/data/bin/spool");
        fixture_must_compile(&f);
        n = node_of_kind_at(f.plan, PLAN_NODE_BIND, "/data/bin/spool");
        assert_true(n->flags & PLAN_NODE_NO_EXEC);
        assert_false(n->flags & PLAN_NODE_READ_ONLY);

        add_path(&p->exec, "/data");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "same path");
}

static void test_one_part_may_keep_both_rights(void **state) {
        _cleanup_fixture_ Fixture f = {};
        size_t n = 0;
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/data", "/data", false);
        add_path(&p->no_exec, "/data");
        add_path(&p->read_only, "/data");
        add_path(&p->exec, "/data/x");
        add_path(&p->read_write, "/data/x");
        fixture_must_compile(&f);

        for (size_t i = 0; i < f.plan->n_nodes; i++)
                n += streq(f.plan->nodes[i].target, "/data/x");
        assert_int_equal(n, 1);
        assert_false(node_at(f.plan, "/data/x")->flags & (PLAN_NODE_NO_EXEC | PLAN_NODE_READ_ONLY));
}

static void test_noexec_of_the_root_reaches_every_mount(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        add_bind(p, "/srv/tools", "/opt/tools", true);
        add_path(&p->no_exec, "/");
        fixture_must_compile(&f);
        for (size_t i = 0; i < f.plan->n_nodes; i++)
                if (f.plan->nodes[i].kind == PLAN_NODE_BIND || f.plan->nodes[i].kind == PLAN_NODE_TMPFS)
                        assert_true(f.plan->nodes[i].flags & PLAN_NODE_NO_EXEC);

        /* A whole mount, a part of one, and a directory that holds one. */
        add_path(&p->exec, "/usr");
        add_path(&p->exec, "/opt");
        add_path(&p->exec, "/etc/alternatives/x");
        fixture_must_compile(&f);
        assert_false(node_at(f.plan, "/usr")->flags & PLAN_NODE_NO_EXEC);
        assert_false(node_at(f.plan, "/opt/tools")->flags & PLAN_NODE_NO_EXEC);
        assert_true(node_at(f.plan, "/etc/alternatives")->flags & PLAN_NODE_NO_EXEC);
        assert_false(node_at(f.plan, "/etc/alternatives/x")->flags & PLAN_NODE_NO_EXEC);
        assert_true(node_at(f.plan, "/tmp")->flags & PLAN_NODE_NO_EXEC);

        add_path(&p->exec, "/tmp/bin");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "ExecPaths=/tmp/bin");
}

static void test_what_is_kept_is_not_opened_in_part(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Profile *p;

        fixture_init(&f);
        p = f.profile;
        set_words(&p->state_directory, "web");
        add_path(&p->no_exec, "/var/lib/web");
        fixture_must_compile(&f);
        add_path(&p->exec, "/var/lib/web/bin");
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "kept");
}

/* One entry of [Files] that changes what is there. */
typedef struct Entry {
        size_t list; /* in Profile */
        const char *path;
        const char *hides; /* what a mask hides in the end; NULL: nothing that is there */
} Entry;

#define MASK(path, hides) \
        { offsetof(Profile, inaccessible), path, hides }
#define PART(list, path) \
        { offsetof(Profile, list), path, NULL }

/* clang-format off */
static const Entry entries[] = {
        MASK("/data", "/data"), MASK("-/data", "/data"), MASK("/data/a", "/data/a"), MASK("/data/a/b", "/data/a/b"),
        MASK("/bin", "/usr/bin"), MASK("/bin/gdb", "/usr/bin/gdb"), MASK("/usr/bin/gdb", "/usr/bin/gdb"),
        MASK("/usr", "/usr"), MASK("/var/run", "/run"), MASK("/run/lock", "/run/lock"),
        MASK("/etc/os-release", "/usr/lib/os-release"), MASK("/dev/ptmx", "/dev/pts/ptmx"),
        MASK("/proc/kcore", NULL), MASK("/proc/1/environ", "/proc/1/environ"),
        PART(read_only, "/data"), PART(read_only, "/data/a"), PART(read_only, "/bin/gdb"),
        PART(read_only, "/run/lock"),
        PART(no_exec, "/data"), PART(no_exec, "/usr/bin"), PART(no_exec, "/"), PART(no_exec, "/data/a/b"),
        PART(read_write, "/data/a"), PART(read_write, "/data/a/b"), PART(exec, "/bin/gdb"), PART(exec, "/data/a"),
};
/* clang-format on */

#define N_ENTRIES ELEMENTSOF(entries)

/* What becomes of these entries, in that order: the modifiers of the plan, or that it is refused. */
static char *outcome(const Entry *const *e, size_t n) {
        _cleanup_fixture_ Fixture f = {};
        char *text = NULL;
        size_t size = 0;
        FILE *out;

        fixture_init(&f);
        add_bind(f.profile, "/srv/data", "/data", false);
        for (size_t i = 0; i < n; i++)
                add_path((void *) ((char *) f.profile + e[i]->list), e[i]->path);

        out = open_memstream(&text, &size);
        assert_non_null(out);
        if (fixture_compile(&f) < 0)
                (void) fputs("refused", out);
        for (size_t i = 0; f.plan && i < f.plan->n_nodes; i++) {
                const PlanNode *node = &f.plan->nodes[i];

                (void) fprintf(
                        out, "%u %x %s %s\n", node->kind, node->flags, node->target, node->source ?: "-");
        }
        assert_int_equal(fclose(out), 0);
        return text;
}

/* All orders of the entries, by Heap's algorithm, and the first of them twice: always the same. */
static void assert_order_is_nothing(const Entry **e, size_t n) {
        _cleanup_free_ char *first = outcome(e, n);
        size_t turns[4] = {};
        const Entry *more[4];

        for (size_t i = 0; i < n;) {
                _cleanup_free_ char *other = NULL;
                const Entry *swapped;
                size_t k;

                if (turns[i] >= i) {
                        turns[i++] = 0;
                        continue;
                }
                k = i % 2 == 0 ? 0 : turns[i];
                swapped = e[i];
                e[i] = e[k];
                e[k] = swapped;
                turns[i]++;
                i = 0;

                other = outcome(e, n);
                assert_string_equal(other, first);
        }

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *other = NULL;

                memcpy(more, e, n * sizeof(*more));
                more[n] = e[i];
                other = outcome(more, n + 1);
                assert_string_equal(other, first);
        }
}

static void test_the_order_of_entries_means_nothing(void **state) {
        for (size_t i = 0; i < N_ENTRIES; i++)
                for (size_t j = i + 1; j < N_ENTRIES; j++)
                        for (size_t k = j + 1; k < N_ENTRIES; k++) {
                                const Entry *e[] = { &entries[i], &entries[j], &entries[k] };

                                assert_order_is_nothing(e, ELEMENTSOF(e));
                        }
}

/* Each place that is to be hidden is, or something above it, and each once. */
static void assert_masks(const Entry *const *e, size_t n) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        add_bind(f.profile, "/srv/data", "/data", false);
        for (size_t i = 0; i < n; i++)
                add_path(&f.profile->inaccessible, e[i]->path);
        fixture_must_compile(&f);

        for (size_t i = 0; i < n; i++) {
                size_t n_hiding = 0;

                for (size_t k = 0; k < f.plan->n_nodes; k++)
                        n_hiding += f.plan->nodes[k].kind == PLAN_NODE_MASK && e[i]->hides &&
                                    path_is_below(e[i]->hides, f.plan->nodes[k].target);
                assert_int_equal(n_hiding, e[i]->hides != NULL);
        }
}

static void test_every_place_has_one_mask_whatever_its_names(void **state) {
        for (size_t i = 0; i < N_ENTRIES; i++)
                for (size_t j = 0; j < N_ENTRIES; j++)
                        for (size_t k = 0; k < N_ENTRIES; k++) {
                                const Entry *e[] = { &entries[i], &entries[j], &entries[k] };
                                const size_t masks = offsetof(Profile, inaccessible);

                                if (e[0]->list == masks && e[1]->list == masks && e[2]->list == masks)
                                        assert_masks(e, ELEMENTSOF(e));
                        }
}

static void test_links_of_the_kernels_have_no_place(void **state) {
        static const char *const links[] = { "/proc/self/mem", "/proc/mounts", "/dev/stdin", "/etc/mtab" };

        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                _cleanup_fixture_ Fixture f = {};

                fixture_init(&f);
                add_path(&f.profile->inaccessible, links[i]);
                fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "each process");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_modifiers_come_last),
                cmocka_unit_test(test_a_part_of_a_read_only_path_stays_writable),
                cmocka_unit_test(test_read_write_paths_never_reach_further_than_binds),
                cmocka_unit_test(test_a_part_of_a_noexec_path_stays_executable),
                cmocka_unit_test(test_one_part_may_keep_both_rights),
                cmocka_unit_test(test_noexec_of_the_root_reaches_every_mount),
                cmocka_unit_test(test_what_is_kept_is_not_opened_in_part),
                cmocka_unit_test(test_the_order_of_entries_means_nothing),
                cmocka_unit_test(test_every_place_has_one_mask_whatever_its_names),
                cmocka_unit_test(test_links_of_the_kernels_have_no_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
