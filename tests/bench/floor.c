/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "floor.h"

#include <err.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* glibc 2.36 brings these in <sys/mount.h>, which cannot stand beside <linux/mount.h>. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define MOUNT_REC 0x4000UL
#define MOUNT_SLAVE 0x80000UL
#define MOUNT_PRIVATE 0x40000UL
#define UNMOUNT_DETACH 2

/* An id that nobody has: what the application is outside. */
#define FLOOR_ID "1800000000"

static int template_fd = -1;

double now_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static long checked(long result, const char *what) {
        if (result < 0)
                err(EXIT_FAILURE, "floor: %s", what);
        return result;
}

static int open_tree_clone(int fd, const char *path, unsigned flags) {
        return (int) checked(syscall(SYS_open_tree, fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags),
                             path);
}

static void attach(int fd, const char *target) {
        checked(syscall(SYS_move_mount, fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH), target);
        close(fd);
}

static void mount_new(const char *type, const char *mode, unsigned attributes, const char *target) {
        int fs = (int) checked(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type);

        if (mode)
                checked(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", mode, 0), "mode");
        checked(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "create");
        attach((int) checked(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes), "fsmount"), target);
        close(fs);
}

static void bind_read_only(const char *source, const char *target) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
        int fd = open_tree_clone(AT_FDCWD, source, AT_RECURSIVE);

        checked(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)),
                source);
        attach(fd, target);
}

void floor_prepare(const char *directory) {
        static const char *const directories[] = {
                "usr", "proc", "dev", "tmp", "etc", "home", "run", "opt"
        };
        static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };

        checked(unshare(CLONE_NEWNS), "unshare");
        checked(mount(NULL, "/", NULL, MOUNT_REC | MOUNT_PRIVATE, NULL), "private mounts");
        mount_new("tmpfs", "0755", 0, "/mnt");
        checked(chdir("/mnt"), "/mnt");
        for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
                checked(mkdir(directories[i], 0755), directories[i]);
        checked(symlink("usr/bin", "bin"), "bin");
        checked(symlink("usr/lib", "lib"), "lib");
        checked(symlink("usr/lib64", "lib64"), "lib64");
        bind_read_only("/usr", "usr");
        bind_read_only(directory, "opt");
        mount_new("tmpfs", "0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "dev");
        for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
                char source[32], target[32];

                snprintf(source, sizeof(source), "/dev/%s", devices[i]);
                snprintf(target, sizeof(target), "dev/%s", devices[i]);
                close((int) checked(open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0666), target));
                attach(open_tree_clone(AT_FDCWD, source, 0), target);
        }
        template_fd = (int) checked(open("/mnt", O_PATH | O_CLOEXEC), "/mnt");
}

static void write_map(pid_t pid, const char *name) {
        char path[64];
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        fd = (int) checked(open(path, O_WRONLY | O_CLOEXEC), path);
        checked(write(fd, "0 " FLOOR_ID " 1\n", sizeof("0 " FLOOR_ID " 1\n") - 1), path);
        close(fd);
}

/* The application's side, from a fresh process to its execution. */
static _Noreturn void run_inside(int tree, int go) {
        char *argv[] = { (char *) "/opt/noop", NULL }, *envp[] = { NULL };
        char c;

        checked(read(go, &c, 1) - 1, "go");
        checked(setresgid(0, 0, 0), "gid");
        checked(setresuid(0, 0, 0), "uid");
        checked(mount(NULL, "/", NULL, MOUNT_REC | MOUNT_SLAVE, NULL), "slave mounts");
        attach(tree, "/run");
        checked(chdir("/run"), "/run");
        mount_new("tmpfs", "1777", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "tmp");
        mount_new("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, "proc");
        checked(syscall(SYS_pivot_root, ".", "."), "pivot_root");
        checked(umount2(".", UNMOUNT_DETACH), "old root");
        checked(chdir("/"), "/");
        checked(sethostname("floor", 5), "hostname");
        execve(argv[0], argv, envp);
        err(EXIT_FAILURE, "floor: %s", argv[0]);
}

Sample floor_launch(void) {
        struct clone_args args = { .flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS |
                                            CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET,
                                   .exit_signal = SIGCHLD };
        int executed[2], go[2], pidfd = -1, tree, status;
        Sample sample = {};
        double start = now_usec();
        pid_t pid;
        char c;

        checked(pipe2(executed, O_CLOEXEC), "pipe");
        checked(pipe2(go, O_CLOEXEC), "pipe");
        tree = open_tree_clone(template_fd, "", AT_RECURSIVE | AT_EMPTY_PATH);
        args.pidfd = (uintptr_t) &pidfd;
        pid = (pid_t) checked(syscall(SYS_clone3, &args, sizeof(args)), "clone3");
        if (pid == 0)
                run_inside(tree, go[0]);
        write_map(pid, "uid_map");
        write_map(pid, "gid_map");
        checked(write(go[1], "x", 1), "go");
        close(executed[1]);
        close(tree);

        /* Nobody writes: the end of file is the execution. */
        checked(read(executed[0], &c, 1), "execution");
        sample.ready = now_usec() - start;
        checked(waitpid(pid, &status, 0), "waitpid");
        sample.end = now_usec() - start;
        if (status != 0)
                errx(EXIT_FAILURE, "floor: status %x", (unsigned) status);
        close(executed[0]);
        close(go[0]);
        close(go[1]);
        close(pidfd);
        return sample;
}
