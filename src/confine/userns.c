/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/userns.h"

#include "base/fd.h"
#include "confine/caps.h"
#include "confine/identity.h"
#include "confine/idmap.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* The kernel takes a map in one write(2) of less than a page, user_namespaces(7). */
#define MAP_TEXT_MAX 4096

typedef struct Maps {
        const PlanIdMap *uid, *gid;
        size_t n_uid, n_gid;
} Maps;

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

/* setgroups first: with a gid_map in place the kernel refuses to have it denied. */
static int maps_write(pid_t pid, const Maps *maps, uint32_t base, Problem *problem) {
        char path[64];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
        r = file_write_kernel(AT_FDCWD, path, "deny");
        if (r < 0)
                return problem_set(problem, r, "setgroups deny");

        r = map_write(pid, "uid_map", maps->uid, maps->n_uid, base);
        if (r < 0)
                return problem_set(problem, r, "uid_map");

        r = map_write(pid, "gid_map", maps->gid, maps->n_gid, base);
        if (r < 0)
                return problem_set(problem, r, "gid_map");

        return 0;
}

/*
 * The first process of a namespace. Maps are written through the /proc/PID of a process that lives in it, and that
 * is all it is for.
 */
static int inhabit(void *parent) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != *(const pid_t *) parent)
                _exit(EXIT_FAILURE);

        for (;;)
                (void) pause();
}

/*
 * It shares its parent's memory, since copying the page tables would be for nothing: it only waits, on a stack of
 * its own. All signals are blocked by now, so it never runs a handler either.
 */
static pid_t clone_inhabitant(bool second) {
        static uint8_t stacks[2][16 * 1024] __attribute__((__aligned__(16)));
        uint8_t *stack = stacks[second];
        static pid_t parent;
        pid_t pid;

        parent = getpid();
        pid = clone(inhabit, stack + sizeof(stacks[0]), CLONE_NEWUSER | CLONE_VM | SIGCHLD, &parent);
        return pid < 0 ? -errno : pid;
}

/*
 * The owner of a user namespace is its maker's effective user id. Leaving id 0 empties the effective capabilities;
 * CAP_SYS_ADMIN is taken back for the call, which Debian's kernel.unprivileged_userns_clone=0 forbids otherwise.
 * Coming back to 0 makes effective all that is permitted, so the set is put back as it was.
 */
static int clone_inhabitant_as(uid_t owner, bool second, pid_t *ret_first, Problem *problem) {
        CapsEffective effective;
        pid_t pid;
        int r;

        r = caps_save(&effective);
        if (r < 0)
                return problem_set(problem, r, "capget");
        if (setresuid((uid_t) -1, owner, (uid_t) -1) < 0)
                return problem_set(problem, -errno, "setresuid %u", owner);

        r = caps_set_effective(&(CapsEffective){ CAP_TO_MASK(CAP_SYS_ADMIN) });
        pid = r < 0 ? r : clone_inhabitant(second);
        if (pid > 0)
                *ret_first = pid;

        if (setresuid((uid_t) -1, 0, (uid_t) -1) < 0)
                return problem_set(problem, -errno, "setresuid 0");
        r = caps_set_effective(&effective);
        if (r < 0)
                return problem_set(problem, r, "capset");

        return pid < 0 ? problem_set(problem, pid, "clone CLONE_NEWUSER") : 0;
}

static int new_with_maps(
        const Maps *maps, uint32_t base, uid_t owner, bool second, pid_t *ret_first, Problem *problem) {
        char path[64];
        int fd, r;

        r = clone_inhabitant_as(owner, second, ret_first, problem);
        if (r < 0)
                return r;

        r = maps_write(*ret_first, maps, base, problem);
        if (r < 0)
                return r;

        /* Undumpable, and of another user's ids: CAP_SYS_PTRACE, ptrace(2) "ptrace access mode checking". */
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/user", *ret_first);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? problem_set(problem, -errno, "opening the user namespace") : fd;
}

int userns_new(const Plan *plan, uint32_t base, uid_t owner, pid_t *ret_first, Problem *problem) {
        const Maps maps = { .uid = plan->uid_map,
                            .n_uid = plan->n_uid_map,
                            .gid = plan->gid_map,
                            .n_gid = plan->n_gid_map };

        return new_with_maps(&maps, base, owner, false, ret_first, problem);
}

/* Through these maps nothing runs: the first process has done its part once they are written. */
static int new_without_process(const Maps *maps, uid_t owner, Problem *problem) {
        pid_t first = 0;
        int fd;

        fd = new_with_maps(maps, 0, owner, true, &first, problem);
        if (userns_reap(first) != 0) {
                (void) safe_close(fd);
                return problem_set(
                        problem, -ECHILD, "The first process of the user namespace cannot be ended");
        }

        return fd;
}

int userns_new_for_mounts(const Plan *plan, UsernsView view, uint32_t base, uid_t owner, Problem *problem) {
        PlanIdMap uid = { .count = 1 }, gid = { .count = 1 };
        _cleanup_free_ PlanIdMap *groups = NULL;
        Maps maps = { .uid = &uid, .n_uid = 1 };
        int r;

        /* These are the host's numbers, with the base already in them. */
        if (identity_outside(plan->uid_map, plan->n_uid_map, base, plan->uid, &uid.outside) < 0 ||
            identity_outside(plan->gid_map, plan->n_gid_map, base, plan->gid, &gid.outside) < 0)
                return problem_set(problem, -EINVAL, "The user's own ids are not mapped");

        if (view == USERNS_VIEW_USER) {
                uid.inside = plan->uid;
                r = idmap_groups(plan->gid_map, plan->n_gid_map, base, &groups, &maps.n_gid);
        } else
                r = idmap_groups(&gid, 1, 0, &groups, &maps.n_gid);
        if (r < 0)
                return problem_set(problem, r, "Groups of files");

        maps.gid = groups;
        return new_without_process(&maps, owner, problem);
}

pid_t userns_reap(pid_t first) {
        if (first <= 0)
                return 0;

        /* If it cannot be killed, waiting would never end. It dies with us in any case. */
        if (kill(first, SIGKILL) < 0 && errno != ESRCH)
                return first;
        while (waitpid(first, NULL, 0) < 0)
                if (errno != EINTR)
                        return errno == ECHILD ? 0 : first;

        return 0;
}

int userns_enter(int userns_fd, Problem *problem) {
        if (setns(userns_fd, CLONE_NEWUSER) < 0)
                return problem_set(problem, -errno, "setns user namespace");

        /* A copy into another user namespace: this is what locks the mounts. */
        if (unshare(CLONE_NEWNS) < 0)
                return problem_set(problem, -errno, "unshare CLONE_NEWNS");

        return 0;
}
