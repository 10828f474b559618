/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * fake-exec — speaks plan/launch.h like immured-exec, builds no sandbox, and fails in any way a test asks for
 *
 * FAKE= in the plan's environment names what goes wrong; without it the program is run by an init of its own.
 */

#include "base/fd.h"
#include "base/strv.h"
#include "confine/streams.h"
#include "exec/hold.h"
#include "plan/launch.h"
#include "plan/plan-recent.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pid_t fork_with(unsigned long flags) {
        return (pid_t) syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static void send_status(LaunchStatus *status, const int *fds, size_t n_fds) {
        (void) fd_send_packet(LAUNCH_FD_STATUS, status, sizeof(*status), fds, n_fds);
}

static int send_failure(LaunchFailure failure, int error, const char *step, const char *text) {
        LaunchStatus status = { .kind = LAUNCH_STATUS_FAILED, .failure = failure, .error = error };

        (void) snprintf(status.step, sizeof(status.step), "%s", step);
        (void) snprintf(status.text, sizeof(status.text), "%s", text);
        send_status(&status, NULL, 0);
        return EXIT_FAILURE;
}

static int fail_setup(void) {
        return send_failure(LAUNCH_FAILURE_SETUP, ENOENT, "mounts", "open_tree /srv/data");
}

static int fail_layer(void) { return send_failure(LAUNCH_FAILURE_LAYER, EINVAL, "mounts", "idmap: /home"); }

static int fail_verification(void) {
        return send_failure(LAUNCH_FAILURE_VERIFICATION, 0, "verify", "CapEff");
}

static int send_nonsense(void) {
        (void) fd_send_packet(LAUNCH_FD_STATUS, "hello", 5, NULL, 0);
        return EXIT_SUCCESS;
}

/* Says it verified processes that its descriptors do not show. */
static int send_lie(void) {
        LaunchStatus status = { .kind = LAUNCH_STATUS_VERIFIED, .leader = 1, .main = 1 };
        int pidfd = pidfd_open_pid(getpid());

        send_status(&status, (int[]){ pidfd, pidfd }, 2);
        return EXIT_SUCCESS;
}

/* Two processes that are there, but another one says so: what an application that is not yet executed could do. */
static int send_as_another(void) {
        int status;
        pid_t pid;

        pid = fork_with(0);
        if (pid == 0) {
                LaunchStatus s = { .kind = LAUNCH_STATUS_VERIFIED, .leader = getppid(), .main = getpid() };

                send_status(&s, (int[]){ pidfd_open_pid(getppid()), pidfd_open_pid(getpid()) }, 2);
                _exit(EXIT_SUCCESS);
        }

        (void) waitpid(pid, &status, 0);
        return EXIT_SUCCESS;
}

static int say_nothing(void) { return EXIT_SUCCESS; }

static int crash(void) {
        (void) kill(getpid(), SIGKILL);
        return EXIT_FAILURE;
}

static int hang(void) {
        (void) pause();
        return EXIT_FAILURE;
}

/* Leaves a pid 1 behind that nobody was told of. */
static int orphan(void) {
        if (fork_with(CLONE_PARENT | CLONE_NEWPID) == 0)
                (void) pause();

        return fail_setup();
}

/* clang-format off */
static const struct {
        const char *name;
        int (*run)(void);
} ways[] = {
        { "setup",        fail_setup },
        { "layer",        fail_layer },
        { "verification", fail_verification },
        { "nonsense",     send_nonsense },
        { "lie",          send_lie },
        { "impostor",     send_as_another },
        { "nothing",      say_nothing },
        { "crash",        crash },
        { "hang",         hang },
        { "orphan",       orphan },
};
/* clang-format on */

static _noreturn_ void application(const Plan *plan, int barrier) {
        char byte;

        (void) fcntl(LAUNCH_FD_STATUS, F_SETFD, FD_CLOEXEC);
        (void) fcntl(LAUNCH_FD_RESULT, F_SETFD, FD_CLOEXEC);
        (void) fcntl(LAUNCH_FD_PLAN, F_SETFD, FD_CLOEXEC);
        if (read(barrier, &byte, 1) != 1)
                _exit(EXIT_FAILURE);

        (void) execve(plan->argv[0], plan->argv, plan->environment);
        _exit(send_failure(LAUNCH_FAILURE_SETUP, errno, "exec", plan->argv[0]));
}

static _noreturn_ void init(const Plan *plan, int barrier) {
        int status = 0;
        pid_t app, pid;

        app = fork();
        if (app == 0)
                application(plan, barrier);

        (void) close(LAUNCH_FD_STATUS);
        (void) close(LAUNCH_FD_PLAN);
        while ((pid = wait(&status)) != app)
                if (pid < 0)
                        _exit(EXIT_FAILURE);

        (void) fd_write_full(LAUNCH_FD_RESULT, &status, sizeof(status));
        _exit(EXIT_SUCCESS);
}

static pid_t only_child_of(pid_t pid) {
        char path[64], *end;

        (void) snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
        for (;;) {
                _cleanup_free_ char *text = NULL;
                long child;

                if (file_read_full(AT_FDCWD, path, 4096, &text, NULL) < 0)
                        return -1;
                child = strtol(text, &end, 10);
                if (end != text)
                        return (pid_t) child;
        }
}

static int run(const Plan *plan, bool release) {
        LaunchStatus status = { .kind = LAUNCH_STATUS_VERIFIED, .text = "fake layers" };
        int barrier[2];

        if (pipe2(barrier, O_CLOEXEC) < 0)
                return fail_setup();

        status.leader = fork_with(CLONE_PARENT | CLONE_NEWPID);
        if (status.leader < 0)
                return fail_setup();
        if (status.leader == 0)
                init(plan, barrier[0]);

        status.main = only_child_of(status.leader);
        send_status(&status, (int[]){ pidfd_open_pid(status.leader), pidfd_open_pid(status.main) }, 2);
        if (!release)
                return crash();

        (void) fd_write_full(barrier[1], "x", 1);
        return EXIT_SUCCESS;
}

static int receive_streams(void) {
        LaunchStatus status = { .kind = LAUNCH_STATUS_STREAMS };
        Problem problem = {};
        uint32_t streams = 0;
        int r;

        if (fcntl(LAUNCH_FD_STREAMS, F_GETFD) < 0)
                return 0;

        r = streams_await(LAUNCH_FD_PLAN, &streams);
        if (r >= 0)
                r = streams_receive(LAUNCH_FD_STREAMS, streams, &problem);
        if (r < 0)
                return send_failure(LAUNCH_FAILURE_SETUP, -r, "streams", problem.text);

        (void) close(LAUNCH_FD_STREAMS);
        send_status(&status, NULL, 0);
        return 0;
}

int main(int argc, char **argv) {
        _cleanup_(plan_recent_done) PlanRecent recent = { .max = 1 };
        const Plan *plan;
        const char *fake;

        if (argc > 1 && streq(argv[1], "--hold"))
                return hold_main();
        if (receive_streams() != 0)
                return EXIT_FAILURE;

        if (plan_recent_read(&recent, LAUNCH_FD_PLAN, &plan, NULL) < 0)
                return EXIT_FAILURE;

        fake = strv_env_get(plan->environment, "FAKE");
        for (size_t i = 0; fake && i < ELEMENTSOF(ways); i++)
                if (streq(ways[i].name, fake))
                        return ways[i].run();

        return run(plan, !fake || !streq(fake, "late"));
}
