/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/label.h"

#include "base/fd.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

/* A profile's name with the mode that the kernel adds, or a context. */
#define LABEL_MAX 4096U

static bool apparmor_matches(const char *found, const char *label) {
        const char *mode = startswith(found, label);

        return mode && (streq(mode, " (enforce)") || streq(mode, " (kill)"));
}

static bool selinux_matches(const char *found, const char *label) { return streq(found, label); }

/* clang-format off */
static const struct {
        const char *layer;
        size_t offset;       /* a char * in Plan */
        const char *enforce; /* below the host's root; its first letter tells */
        char enforced;
        const char *files[2]; /* in /proc/PID/attr; the second where there is no first */
        const char *command;
        bool (*matches)(const char *found, const char *label);
} kinds[] = {
        [LABEL_APPARMOR] = { "apparmor", offsetof(Plan, apparmor_profile),
                             "sys/module/apparmor/parameters/enabled", 'Y',
                             { "apparmor/exec", "exec" }, "exec ", apparmor_matches },
        [LABEL_SELINUX]  = { "selinux", offsetof(Plan, selinux_context),
                             "sys/fs/selinux/enforce", '1',
                             { "exec", NULL }, "", selinux_matches },
};
/* clang-format on */

_Static_assert(ELEMENTSOF(kinds) == _LABEL_KIND_MAX, "every kind of label has its row");

const char *label_layer(LabelKind kind) { return kinds[kind].layer; }

const char *label_of(const Plan *plan, LabelKind kind) {
        return *(char *const *) (const void *) ((const char *) plan + kinds[kind].offset);
}

bool label_is_enforced(LabelKind kind, int root_fd) {
        _cleanup_free_ char *line = NULL;

        return file_read_line(root_fd, kinds[kind].enforce, &line) >= 0 && line[0] == kinds[kind].enforced;
}

int label_open(Problem *problem) {
        _cleanup_close_ int fd = -EBADF;
        struct statfs fs;

        fd = open("/proc/self/attr", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstatfs(fd, &fs) < 0)
                return problem_set(problem, -errno, "/proc/self/attr");
        /* Any other file would accept what is written, and return it when it is read. */
        if (fs.f_type != PROC_SUPER_MAGIC)
                return problem_set(problem, -EXDEV, "/proc/self/attr is not of the kernel's");

        return TAKE_FD(fd);
}

static const char *file_of(LabelKind kind, int attr_fd) {
        const char *first = kinds[kind].files[0], *second = kinds[kind].files[1];

        return second && faccessat(attr_fd, first, F_OK, 0) < 0 ? second : first;
}

int label_set(LabelKind kind, int attr_fd, const char *label, Problem *problem) {
        char text[LABEL_MAX];
        int r;

        if (snprintf(text, sizeof(text), "%s%s", kinds[kind].command, label) >= (int) sizeof(text))
                return problem_set(problem, -ENAMETOOLONG, "%s: %s", kinds[kind].layer, label);

        r = file_write_kernel(attr_fd, file_of(kind, attr_fd), text);
        if (r == -ENOENT || r == -EINVAL)
                return problem_set_layer(
                        problem, r, "%s: the kernel's policy has no \"%s\"", kinds[kind].layer, label);
        if (r < 0)
                return problem_set(problem, r, "%s: change to \"%s\"", kinds[kind].layer, label);

        return 0;
}

int label_check(LabelKind kind, int attr_fd, const char *label, Problem *problem) {
        _cleanup_free_ char *found = NULL;
        int r;

        r = file_read_line(attr_fd, file_of(kind, attr_fd), &found);
        if (r < 0)
                return problem_set_difference(
                        problem, "%s: the label that was asked for cannot be read back", kinds[kind].layer);
        if (!kinds[kind].matches(found, label))
                return problem_set_difference(problem,
                                              "%s: the label is \"%.200s\", not \"%s\" enforced",
                                              kinds[kind].layer,
                                              found,
                                              label);

        return 0;
}
