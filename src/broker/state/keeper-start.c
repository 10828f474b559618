/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/keeper-start.h"

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define KEEPER_PATH LIBEXECDIR "/immured-keeper"

/* What systemd tells the broker about itself is not the keeper's. */
static bool is_ours_alone(const char *assignment) {
        static const char *const prefixes[] = { "NOTIFY_SOCKET=", "WATCHDOG_",      "LISTEN_",
                                                "INVOCATION_ID=", "MAINPID=",       "JOURNAL_STREAM=",
                                                "SYSTEMD_EXEC_",  "MEMORY_PRESSURE" };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (startswith(assignment, prefixes[i]))
                        return true;

        return false;
}

static int keeper_environment(char ***ret) {
        _cleanup_strv_ char **l = NULL;
        int r;

        STRV_FOREACH (e, environ)
                if (!is_ours_alone(*e)) {
                        r = strv_extend(&l, *e);
                        if (r < 0)
                                return r;
                }

        *ret = TAKE_PTR(l);
        return 0;
}

/*
 * Between clone and exec: only calls that are safe there, and nothing to clean up. It enters its group itself, as
 * CLONE_INTO_CGROUP would be killed where the broker's own group and the new one differ in how often they were killed.
 */
_noreturn_ static void child(int cgroup_fd, char *const *argv, char *const *environment) {
        sigset_t none;
        int null;

        (void) setsid();
        (void) umask(0077);
        for (int signo = 1; signo < NSIG; signo++)
                (void) signal(signo, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);

        if (file_write_kernel(cgroup_fd, "cgroup.procs", "0") < 0)
                _exit(EXIT_FAILURE);

        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || chdir("/") < 0 || fd_close_from(3) < 0)
                _exit(EXIT_FAILURE);

        (void) execve(KEEPER_PATH, argv, environment ?: (char *const[]){ NULL });
        _exit(127);
}

int keeper_spawn(uid_t uid, const char *cgroup, int cgroup_fd) {
        _cleanup_free_ char *uid_option = text_printf("--uid=%u", uid),
                            *cgroup_option = text_printf("--cgroup=%s", cgroup);
        _cleanup_strv_ char **environment = NULL;
        _cleanup_close_ int pidfd = -EBADF;
        char *argv[] = { (char *) "immured-keeper", uid_option, cgroup_option, NULL };
        struct clone_args args = {
                .flags = CLONE_PIDFD,
                .pidfd = (uint64_t) (uintptr_t) &pidfd,
                .exit_signal = SIGCHLD,
        };
        long pid;
        int r;

        if (!uid_option || !cgroup_option)
                return -ENOMEM;

        r = keeper_environment(&environment);
        if (r < 0)
                return r;

        if (access(KEEPER_PATH, X_OK) < 0)
                return -errno;

        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                return -errno;
        if (pid == 0)
                child(cgroup_fd, argv, environment);

        return TAKE_FD(pidfd);
}
