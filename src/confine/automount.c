/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/automount.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/mount-table.h"
#include "confine/resolve.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>

static bool is_automount(int fd) {
        struct statfs fs;

        return fstatfs(fd, &fs) >= 0 && fs.f_type == AUTOFS_SUPER_MAGIC;
}

/* What can be reached by what the kernel knows already needs nobody. Else the table is asked, which takes longer. */
static bool leads_to_automount(int root_fd, const char *path) {
        _cleanup_mount_table_ MountTable t = {};
        _cleanup_close_ int fd = -EBADF;
        const MountLine *nearest;

        fd = fd_openat2(root_fd,
                        path,
                        O_PATH | O_CLOEXEC,
                        0,
                        RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_CACHED);
        if (fd >= 0)
                return is_automount(fd);

        nearest = mount_table_read(AT_FDCWD, "/proc/self/mountinfo", &t) < 0 ? NULL
                                                                             : mount_table_above(&t, path);
        return nearest && streq(nearest->type, "autofs");
}

static void become_user(const Plan *plan) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setgroups(plan->n_groups, plan->groups) < 0 ||
            setresgid(plan->gid, plan->gid, plan->gid) < 0 ||
            setresuid(plan->uid, plan->uid, plan->uid) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                _exit(EXIT_FAILURE);
}

/* What is found does not matter: it is looked for again. */
_Noreturn static void ask(const Plan *plan, int root_fd, const char *path) {
        char place[PATH_MAX];
        int fd;

        become_user(plan);
        fd = resolve_place(root_fd, path, place, NULL);
        if (fd >= 0 && is_automount(fd))
                (void) resolve_directory(root_fd, place);

        _exit(EXIT_SUCCESS);
}

int automount_trigger(const Plan *plan, int root_fd, const char *path, Problem *problem) {
        pid_t pid;
        int status;

        if (!leads_to_automount(root_fd, path))
                return 0;

        pid = fork();
        if (pid < 0)
                return problem_set(problem, -errno, "fork");
        if (pid == 0)
                ask(plan, root_fd, path);

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return problem_set(problem, -errno, "waitpid");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
                return problem_set(problem, -ECHILD, "Automount for %s", path);

        return 0;
}
