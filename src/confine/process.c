/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/process.h"

#include "base/fd.h"
#include "confine/caps.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int process_harden(Problem *problem) {
        struct rlimit core;
        sigset_t all;

        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return problem_set(problem, -errno, "PR_SET_DUMPABLE");

        if (getrlimit(RLIMIT_CORE, &core) < 0)
                return problem_set(problem, -errno, "getrlimit RLIMIT_CORE");
        core.rlim_cur = 0;
        if (setrlimit(RLIMIT_CORE, &core) < 0)
                return problem_set(problem, -errno, "setrlimit RLIMIT_CORE");

        /* With SECBIT_NO_SETUID_FIXUP files would be opened as the user, but with root's overrides. */
        if (prctl(PR_GET_SECUREBITS) != 0)
                return problem_set(problem, -EPERM, "Inherited secure bits");

        if (sigfillset(&all) < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0)
                return problem_set(problem, -errno, "sigprocmask");

        if (caps_override_files(false) < 0)
                return problem_set(problem, -EPERM, "capset");
        (void) umask(0);
        if (personality(0) < 0)
                return problem_set(problem, -errno, "personality");

        return 0;
}

static int write_oom_score(int score) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%d", score);
        return file_write_kernel(AT_FDCWD, "/proc/self/oom_score_adj", text);
}

static int set_niceness(int nice) {
        errno = 0;
        if (getpriority(PRIO_PROCESS, 0) == nice && errno == 0)
                return 0;

        return setpriority(PRIO_PROCESS, 0, nice) < 0 ? -errno : 0;
}

int process_schedule(const Plan *plan, Problem *problem) {
        static const struct sched_param normal = {};
        int r;

        /*
         * Where the plan says nothing, 0 is merely tried. A keeper that was made a likelier victim of the OOM
         * killer, or slower, may not undo that without privilege; a sandbox in the same place is no weaker for it.
         */
        r = write_oom_score(plan->oom_score_adjust_set ? plan->oom_score_adjust : 0);
        if (r < 0 && (plan->oom_score_adjust_set || r != -EACCES))
                return problem_set(problem, r, "oom_score_adj %d", plan->oom_score_adjust);

        r = set_niceness(plan->nice_set ? plan->nice : 0);
        if (r < 0 && (plan->nice_set || (r != -EACCES && r != -EPERM)))
                return problem_set(problem, r, "nice %d", plan->nice);

        if (sched_getscheduler(0) != SCHED_OTHER && sched_setscheduler(0, SCHED_OTHER, &normal) < 0)
                return problem_set(problem, -errno, "sched_setscheduler");

        return 0;
}

int process_reset_signals(void) {
        static const struct sigaction normal = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int s = 1; s <= SIGRTMAX; s++)
                /* EINVAL: SIGKILL, SIGSTOP, and the two that libc reserves for itself */
                if (sigaction(s, &normal, NULL) < 0 && errno != EINVAL)
                        return -errno;

        if (sigemptyset(&none) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return -errno;

        return 0;
}

/* Without CONFIG_KEYS the call does not exist, and there is no keyring to share. */
static bool has_keyrings(void) {
        return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) >= 0 ||
               errno != ENOSYS;
}

int process_new_keyring(Problem *problem) {
        int r = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? -errno : 0;

        return r < 0 && (r != -ENOSYS || has_keyrings()) ? problem_set(problem, r, "keyctl") : 0;
}

int process_change_directory(const char *path, Problem *problem) {
        char buf[PATH_MAX];

        if (chdir(path) < 0)
                return problem_set(problem, -errno, "chdir %s", path);

        /* Not getcwd(3): where the kernel answers "(unreachable)", it would go looking for a name. */
        if (syscall(SYS_getcwd, buf, sizeof(buf)) < 0)
                return problem_set(problem, -errno, "getcwd");
        if (buf[0] != '/')
                return problem_set(problem, -EXDEV, "Working directory %s lies outside the root", path);

        return 0;
}
