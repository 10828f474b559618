/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/strv.h"
#include "seccomp-program.h"
#include "seccomp/seccomp-names.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Two directories, the local one first; removed again. */
typedef struct Tree {
        char local[64];
        char shipped[64];
} Tree;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static void tree_done(Tree *t) {
        (void) nftw(t->local, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        (void) nftw(t->shipped, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
#define _cleanup_tree_ _cleanup_(tree_done)

static Tree tree_new(void) {
        Tree t = { "/tmp/immured-policy-XXXXXX", "/tmp/immured-policy-XXXXXX" };

        assert_non_null(mkdtemp(t.local));
        assert_non_null(mkdtemp(t.shipped));
        return t;
}

static void write_bytes(const char *directory, const char *name, const char *data, size_t size) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;

        assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
        assert_int_equal(fchmod(fd, 0644), 0);
}

static void write_group(const char *directory, const char *name, const char *text) {
        write_bytes(directory, name, text, strlen(text));
}

static int tree_load(const Tree *t, uid_t uid, SeccompPolicy **ret, Findings *findings) {
        return seccomp_policy_load(
                ret, (char *[]){ (char *) t->local, (char *) t->shipped, NULL }, uid, findings);
}

/* The load is refused, with exactly one finding that stands in this line and says this. */
static void assert_refused(const Tree *t, unsigned line, const char *text) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        _cleanup_findings_ Findings findings = {};

        assert_int_equal(tree_load(t, geteuid(), &p, &findings), -EBADMSG);
        assert_null(p);
        for (size_t i = 0; i < findings.n_items; i++)
                if (findings.n_items != 1 || !strstr(findings.items[i].text, text))
                        print_error("%s:%u: %s\n",
                                    findings.items[i].file,
                                    findings.items[i].line,
                                    findings.items[i].text);
        assert_int_equal(findings.n_items, 1);
        assert_non_null(strstr(findings.items[0].text, text));
        assert_int_equal(findings.items[0].line, line);
}

static void assert_group(const SeccompPolicy *p, const char *group, const char *expected) {
        _cleanup_free_ char *joined = NULL;
        char *const *names = seccomp_policy_group(p, group);

        assert_non_null(names);
        joined = strv_join(names, " ");
        assert_non_null(joined);
        assert_string_equal(joined, expected);
}

static void test_groups_are_sorted_and_resolved(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        _cleanup_findings_ Findings findings = {};
        _cleanup_tree_ Tree t = tree_new();
        _cleanup_free_ char *names = NULL;

        write_group(t.shipped, "outer.policy", "@inner\nwrite\n @innermost \t# why\n\nread");
        write_group(t.shipped, "inner.policy", "# only a comment\n@innermost\nopenat\nread\n");
        write_group(t.shipped, "innermost.policy", "close\n");
        write_group(t.shipped, "empty.policy", "");
        write_group(t.shipped, ".hidden.policy", "nonsense\n");
        write_group(t.shipped, "README", "nonsense\n");
        write_group(t.shipped, "outer.policy~", "nonsense\n");

        assert_int_equal(tree_load(&t, geteuid(), &p, &findings), 0);
        assert_int_equal(findings.n_items, 0);
        assert_group(p, "@outer", "close openat read write");
        assert_group(p, "@inner", "close openat read");
        assert_group(p, "@empty", "");
        assert_null(seccomp_policy_group(p, "@missing"));
        assert_null(seccomp_policy_group(p, "outer"));
        names = strv_join(seccomp_policy_groups(p), " ");
        assert_string_equal(names, "@empty @inner @innermost @outer");
}

static void test_local_directory_wins(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        _cleanup_findings_ Findings findings = {};
        _cleanup_tree_ Tree t = tree_new();

        write_group(t.local, "inner.policy", "getpid\n");
        write_group(t.shipped, "inner.policy", "ptrace\n");
        write_group(t.shipped, "outer.policy", "@inner\n");

        assert_int_equal(tree_load(&t, geteuid(), &p, &findings), 0);
        assert_group(p, "@outer", "getpid");
        assert_int_equal(strv_length((char **) seccomp_policy_groups(p)), 2);
}

static void test_bad_local_group_does_not_fall_back(void **state) {
        _cleanup_tree_ Tree t = tree_new();

        write_group(t.local, "inner.policy", "no_such_call\n");
        write_group(t.shipped, "inner.policy", "ptrace\n");
        assert_refused(&t, 1, "there is no system call no_such_call");
}

static void test_missing_directories_are_empty(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        _cleanup_findings_ Findings findings = {};

        assert_int_equal(
                seccomp_policy_load(&p, (char *[]){ (char *) "/nonexistent/x", NULL }, 0, &findings), 0);
        assert_null(seccomp_policy_group(p, "@default"));
        assert_int_equal(strv_length((char **) seccomp_policy_groups(p)), 0);
}

static void test_bad_lines(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *finding;
        } table[] = {
                { "read\nwrit\n", 2, "no system call writ" },
                { "read write\n", 1, "one per line" },
                { "read,write\n", 1, "one per line" },
                { "READ\n", 1, "one per line" },
                { "~read\n", 1, "one per line" },
                { "read:EPERM\n", 1, "one per line" },
                { "\n\nread\r\n", 3, "one per line" },
                { "\033[31mread\n", 1, "\\x1b[31mread" },
                { "-1\n", 1, "one per line" },
                { "@\n", 1, "one per line" },
                { "@Default\n", 1, "one per line" },
                { "@../x\n", 1, "one per line" },
                { "@nowhere\n", 1, "no group @nowhere" },
                { "read\n# x\nread\n", 3, "already listed in line 1" },
                { "@group\n", 1, "@group contains itself through @group" },
                { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 1, "one per line" },
                { "read\xff\n", 0, "invalid UTF-8" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_tree_ Tree t = tree_new();

                write_group(t.shipped, "group.policy", table[i].text);
                assert_refused(&t, table[i].line, table[i].finding);
        }
}

static void test_nul_is_refused(void **state) {
        _cleanup_tree_ Tree t = tree_new();

        write_bytes(t.shipped, "group.policy", "read\n\0ptrace\n", 13);
        assert_refused(&t, 0, "NUL");
}

static void test_loops_are_found(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        _cleanup_findings_ Findings findings = {};
        _cleanup_tree_ Tree t = tree_new();

        write_group(t.shipped, "a.policy", "read\n@b\n");
        write_group(t.shipped, "b.policy", "@c\n");
        write_group(t.shipped, "c.policy", "@good\n@a\n");
        write_group(t.shipped, "good.policy", "write\n");
        write_group(t.shipped, "waits.policy", "@a\n");

        assert_int_equal(tree_load(&t, geteuid(), &p, &findings), -EBADMSG);
        assert_null(p);
        assert_int_equal(findings.n_items, 3);
        assert_string_equal(findings.items[0].text, "@a contains itself through @b");
        assert_int_equal(findings.items[0].line, 2);
        assert_string_equal(findings.items[2].text, "@c contains itself through @a");
        assert_int_equal(findings.items[2].line, 2);
}

static void test_all_findings_at_once(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        _cleanup_findings_ Findings findings = {};
        _cleanup_tree_ Tree t = tree_new();

        write_group(t.shipped, "a.policy", "one\ntwo\n@three\n");
        write_group(t.shipped, "b.policy", "four five\n");
        write_group(t.shipped, "Bad.policy", "read\n");

        assert_int_equal(tree_load(&t, geteuid(), &p, &findings), -EBADMSG);
        assert_int_equal(findings.n_items, 5);
}

static void test_files_others_could_change(void **state) {
        static const struct {
                mode_t file, directory;
                const char *finding;
        } table[] = {
                { 0664, 0755, "mode 0664" },
                { 0646, 0755, "mode 0646" },
                { 0644, 0775, "mode 0775" },
                { 0644, 0757, "mode 0757" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_tree_ Tree t = tree_new();
                _cleanup_free_ char *path = NULL;

                write_group(t.local, "group.policy", "read\n");
                assert_true(asprintf(&path, "%s/group.policy", t.local) > 0);
                assert_int_equal(chmod(path, table[i].file), 0);
                assert_int_equal(chmod(t.local, table[i].directory), 0);
                assert_refused(&t, 0, table[i].finding);
        }
}

static void test_owner_counts(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        _cleanup_findings_ Findings findings = {};
        _cleanup_free_ char *path = NULL;
        _cleanup_tree_ Tree t = tree_new();

        write_group(t.local, "group.policy", "read\n");
        assert_true(asprintf(&path, "%s/group.policy", t.local) > 0);
        if (geteuid() == 0)
                assert_int_equal(chown(path, 4242, 4242), 0);

        assert_int_equal(tree_load(&t, geteuid() + 1, &p, &findings), -EBADMSG);
        assert_null(p);
        assert_non_null(strstr(findings.items[0].text, "must belong to uid"));
}

static void test_what_is_no_regular_file(void **state) {
        _cleanup_free_ char *path = NULL, *target = NULL;
        _cleanup_tree_ Tree t = tree_new();

        assert_true(asprintf(&path, "%s/group.policy", t.local) > 0);
        assert_true(asprintf(&target, "%s/group.policy", t.shipped) > 0);

        assert_int_equal(mkfifo(path, 0644), 0);
        assert_refused(&t, 0, "not a regular file");
        assert_int_equal(unlink(path), 0);

        assert_int_equal(mkdir(path, 0755), 0);
        assert_refused(&t, 0, "not a regular file");
        assert_int_equal(rmdir(path), 0);

        /* Out of its directory. */
        write_group(t.shipped, "group.policy", "read\n");
        assert_int_equal(symlink(target, path), 0);
        assert_refused(&t, 0, "symbolic link");
}

static void test_failure_leaves_the_output_alone(void **state) {
        SeccompPolicy *p = (SeccompPolicy *) 0x1;
        _cleanup_findings_ Findings findings = {};
        _cleanup_tree_ Tree t = tree_new();

        write_group(t.shipped, "group.policy", "nonsense\n");
        assert_int_equal(tree_load(&t, geteuid(), &p, &findings), -EBADMSG);
        assert_ptr_equal(p, (SeccompPolicy *) 0x1);
        assert_null(seccomp_policy_free(NULL));
}

/*
 * A call that comes with a new libseccomp shows up here, and is put into a group, or into none, on purpose.
 */
static void test_shipped_groups_know_every_call(void **state) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = test_policy_load();
        bool grouped[SYSCALL_NUMBER_MAX] = {};

        STRV_FOREACH (group, seccomp_policy_groups(p)) {
                STRV_FOREACH (name, seccomp_policy_group(p, *group)) {
                        int number = syscall_number(*name);

                        if (number >= 0)
                                grouped[number] = true;
                }
        }

        for (int i = 0; i < SYSCALL_NUMBER_MAX; i++)
                if (syscall_number_is_known(i) && !grouped[i])
                        fail_msg("system call %d is in no group", i);
}

static void test_names(void **state) {
        assert_true(syscall_number("read") >= 0);
        assert_int_equal(syscall_number("no_such_call"), -EINVAL);
        assert_int_equal(syscall_number(""), -EINVAL);
        assert_int_equal(syscall_number("@default"), -EINVAL);
        assert_int_equal(syscall_number("sys_debug_setcontext"), -ENOSYS); /* only on another ABI */
        assert_int_not_equal(syscall_number("file_getattr"), -EINVAL); /* younger than libseccomp, maybe */
        assert_true(syscall_number_is_known(syscall_number("execve")));
        assert_false(syscall_number_is_known(SYSCALL_NUMBER_MAX - 1));
        assert_false(syscall_number_is_known(-1));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_groups_are_sorted_and_resolved),
                cmocka_unit_test(test_local_directory_wins),
                cmocka_unit_test(test_bad_local_group_does_not_fall_back),
                cmocka_unit_test(test_missing_directories_are_empty),
                cmocka_unit_test(test_bad_lines),
                cmocka_unit_test(test_nul_is_refused),
                cmocka_unit_test(test_loops_are_found),
                cmocka_unit_test(test_all_findings_at_once),
                cmocka_unit_test(test_files_others_could_change),
                cmocka_unit_test(test_owner_counts),
                cmocka_unit_test(test_what_is_no_regular_file),
                cmocka_unit_test(test_failure_leaves_the_output_alone),
                cmocka_unit_test(test_shipped_groups_know_every_call),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
