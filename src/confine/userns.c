/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/userns.h"

#include "base/fd.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* One write(2) of less than a page is all the kernel takes, user_namespaces(7). */
#define MAP_TEXT_MAX 4096

static int map_write(pid_t pid, const char *file, const PlanIdMap *map, size_t n, uint32_t base) {
        char path[64], text[MAP_TEXT_MAX];
        size_t size = 0;

        for (size_t i = 0; i < n; i++) {
                uint64_t outside = (uint64_t) base + map[i].outside;
                int k;

                if (outside + map[i].count > UINT32_MAX)
                        return -ERANGE;

                k = snprintf(text + size,
                             sizeof(text) - size,
                             "%u %u %u\n",
                             map[i].inside,
                             (uint32_t) outside,
                             map[i].count);
                if (k < 0 || (size_t) k >= sizeof(text) - size)
                        return -E2BIG;
                size += (size_t) k;
        }

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
        return file_write_kernel(AT_FDCWD, path, text);
}

/* setgroups first: once the groups are mapped it can be denied no more. */
static int maps_write(pid_t pid, const Plan *plan, uint32_t base, Problem *problem) {
        char path[64];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
        r = file_write_kernel(AT_FDCWD, path, "deny");
        if (r < 0)
                return problem_set(problem, r, "setgroups deny");

        r = map_write(pid, "uid_map", plan->uid_map, plan->n_uid_map, base);
        if (r < 0)
                return problem_set(problem, r, "uid_map");

        r = map_write(pid, "gid_map", plan->gid_map, plan->n_gid_map, base);
        if (r < 0)
                return problem_set(problem, r, "gid_map");

        return 0;
}

/*
 * The first inhabitant. It shares the descriptors of its parent and puts the namespace's into slot itself: for the
 * parent to open it would take CAP_SYS_PTRACE, as neither of the two is dumpable. Then it waits, since maps are
 * written through a process that lives in the namespace.
 */
static _noreturn_ void inhabit(int go, int slot) {
        uint64_t word;
        int fd;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

        fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || dup3(fd, slot, O_CLOEXEC) < 0 || close(fd) < 0)
                _exit(EXIT_FAILURE);

        _exit(read(go, &word, sizeof(word)) == sizeof(word) ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int inhabitant_end(pid_t pid, int go, bool well) {
        static const uint64_t word = 1;
        int status;

        if (!well || write(go, &word, sizeof(word)) < 0)
                (void) kill(pid, SIGKILL);

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;

        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -ECHILD;
}

int userns_new(const Plan *plan, uint32_t base, Problem *problem) {
        struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_FILES, .exit_signal = SIGCHLD };
        _cleanup_close_ int go = -EBADF, slot = -EBADF;
        pid_t pid;
        int r, q;

        go = eventfd(0, EFD_CLOEXEC);
        if (go < 0)
                return problem_set(problem, -errno, "eventfd");
        slot = fcntl(go, F_DUPFD_CLOEXEC, 0);
        if (slot < 0)
                return problem_set(problem, -errno, "dup");

        pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                return problem_set(problem, -errno, "clone3 CLONE_NEWUSER");
        if (pid == 0)
                inhabit(go, slot);

        r = maps_write(pid, plan, base, problem);
        q = inhabitant_end(pid, go, r >= 0);
        if (r < 0)
                return r;
        if (q < 0)
                return problem_set(problem, q, "First process of the user namespace");

        if (ioctl(slot, NS_GET_NSTYPE) != CLONE_NEWUSER)
                return problem_set(problem, -EBADF, "No user namespace came back");

        return TAKE_FD(slot);
}

int userns_enter(int userns_fd, Problem *problem) {
        if (setns(userns_fd, CLONE_NEWUSER) < 0)
                return problem_set(problem, -errno, "setns user namespace");

        /* Copied into another user namespace: that is what locks the mounts. */
        if (unshare(CLONE_NEWNS) < 0)
                return problem_set(problem, -errno, "unshare CLONE_NEWNS");

        return 0;
}
