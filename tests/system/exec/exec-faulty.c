/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * exec-faulty — immured-exec with one fault, as FAULT= says: fail:STEP, skip:STEP, wait:STEP, or spoil:WHAT behind the
 * tree
 *
 * For the tests that a failing step leaves nothing behind, that the read-back notices what is weaker than planned, and
 * that nobody gets hold of what stands still before a step.
 * The installed program has no such door: the table is replaced here.
 */

#include "exec/exec.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

static int fail_step(Exec *x) { return problem_set(&x->problem, -EIO, "On purpose"); }

static int skip_step(Exec *x) {
        (void) x;
        return 0;
}

/* For good. The application's output is everybody's until then. */
static int wait_before_step(Exec *x) {
        (void) x;
        if (write(STDOUT_FILENO, "waiting\n", strlen("waiting\n")) < 0)
                return -errno;
        for (;;)
                (void) pause();
}

static int clear_attribute(const char *path, uint64_t attribute) {
        struct mount_attr attr = { .attr_clr = attribute };

        return mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int spoil_root(void) { return clear_attribute("/", MOUNT_ATTR_RDONLY); }
static int spoil_usr(void) { return clear_attribute("/usr", MOUNT_ATTR_RDONLY); }
static int spoil_nosuid(void) { return clear_attribute("/tmp", MOUNT_ATTR_NOSUID); }
static int spoil_nodev(void) { return clear_attribute("/home/alice", MOUNT_ATTR_NODEV); }
static int spoil_noexec(void) { return clear_attribute("/proc", MOUNT_ATTR_NOEXEC); }
static int spoil_mask(void) { return umount2("/ro/masked", MNT_DETACH) < 0 ? -errno : 0; }
static int spoil_mount(void) {
        return mount("none", "/home", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0 ? -errno : 0;
}

static const struct {
        const char *name;
        int (*run)(void);
} spoils[] = {
        { "root", spoil_root },   { "usr", spoil_usr },       { "nosuid", spoil_nosuid },
        { "nodev", spoil_nodev }, { "noexec", spoil_noexec }, { "mask", spoil_mask },
        { "mount", spoil_mount },
};

static const char *fault = "";
static int (*real_tree)(Exec *x);

static int spoil_tree(Exec *x) {
        int r;

        r = real_tree(x);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(spoils); i++)
                if (streq(spoils[i].name, fault + strlen("spoil:")))
                        return spoils[i].run();

        return r < 0 ? r : -ENOSYS;
}

/* clang-format off */
static const struct {
        const char *prefix;
        int (*run)(Exec *x);
} faults[] = {
        { "fail:", fail_step },
        { "skip:", skip_step },
        { "wait:", wait_before_step },
};
/* clang-format on */

int main(int argc, char **argv) {
        Step steps[64] = {};
        const char *name;

        fault = getenv("FAULT") ?: "";
        name = strchr(fault, ':');
        name = name ? name + 1 : "";

        for (size_t i = 0; i + 1 < ELEMENTSOF(steps) && exec_steps[i].name; i++) {
                steps[i] = exec_steps[i];
                for (size_t k = 0; k < ELEMENTSOF(faults) && streq(steps[i].name, name); k++)
                        if (startswith(fault, faults[k].prefix))
                                steps[i].run = faults[k].run;
                if (startswith(fault, "spoil:") && streq(steps[i].name, "tree")) {
                        real_tree = steps[i].run;
                        steps[i].run = spoil_tree;
                }
        }

        _exit(exec_main(steps, argc, argv));
}
