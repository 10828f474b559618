/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * inject-attach — attaches to a daemon that runs and makes one of its system calls fail, or one of a child's
 *
 *   inject-attach self PID N ERRNO      the n-th call that it makes itself
 *   inject-attach child PID N ERRNO     that of its next child, until that executes a program
 *   inject-attach started PID N ERRNO   that of its next child, once it has executed a program
 *
 * Says "ready" when it is attached and the daemon waits for events, and, when it is told to end by SIGTERM, how many
 * calls there were and which one was made to fail: "73 openat", "73 -". N is counted from 1; with 0 nothing fails.
 * Only the main thread and one child are looked at.
 *
 * Not like strace(1) -e inject, as that counts from wherever it came in, the descriptors that go away too, and the
 * calls of all children alike.
 */
#include "inject-call.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))
#define PATIENCE_SEC 180

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define OPTIONS_SELF PTRACE_O_TRACESYSGOOD
#define OPTIONS_CHILD                                                                             \
        (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
         PTRACE_O_TRACEEXEC)

typedef enum Who {
        WHO_SELF,
        WHO_CHILD,
        WHO_STARTED,
        _WHO_MAX,
} Who;

static const char *const who_names[_WHO_MAX] = {
        [WHO_SELF] = "self",
        [WHO_CHILD] = "child",
        [WHO_STARTED] = "started",
};

/* Where a daemon has nothing to do. */
static const char *const waits[] = { "epoll_wait", "epoll_pwait", "epoll_pwait2",
                                     "poll",       "ppoll",       "restart_syscall" };

/*
 * These do what they are for whatever they return, or return nothing: a descriptor that is still open because its
 * close() was not made would be nobody's mistake. Clocks that there are can be read, and who one is can be asked.
 */
static const char *const infallible[] = {
        "close",           "close_range",   "exit",   "exit_group", "rt_sigreturn",
        "restart_syscall", "clock_gettime", "getpid", "gettid",
};

typedef struct Trace {
        Who who;
        pid_t daemon, child; /* 0: there is none any more, or not yet */
        bool ready, counting, failing, ending;
        unsigned n, n_calls;
        int error;
        char name[64]; /* of the call that failed */
} Trace;

static bool is_among(const char *name, const char *const *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(name, names[i]) == 0)
                        return true;

        return false;
}

static void name_call(unsigned long long nr, char *ret, size_t size) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int) nr);

        (void) snprintf(ret, size, "%s", name ? name : "unknown");
        free(name);
}

static void say_ready(Trace *t) {
        t->ready = true;
        (void) printf("ready\n");
        (void) fflush(stdout);
}

static void on_entry(Trace *t, pid_t pid, const char *name) {
        if (!t->ready) {
                if (is_among(name, waits, ELEMENTSOF(waits))) {
                        say_ready(t);
                        t->counting = t->who == WHO_SELF;
                }
                return;
        }

        if (!t->counting || pid != (t->who == WHO_SELF ? t->daemon : t->child) ||
            is_among(name, infallible, ELEMENTSOF(infallible)))
                return;
        if (++t->n_calls != t->n || inject_skip_call(pid) < 0)
                return;

        t->failing = true;
        (void) snprintf(t->name, sizeof(t->name), "%s", name);
}

static void on_call(Trace *t, pid_t pid) {
        struct __ptrace_syscall_info info = {};
        char name[64];

        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
                return;

        if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->failing) {
                (void) inject_answer_call(pid, t->error);
                t->failing = false;
        } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                name_call(info.entry.nr, name, sizeof(name));
                on_entry(t, pid, name);
        }
}

static void on_child(Trace *t, pid_t parent) {
        unsigned long pid = 0;

        if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &pid) < 0 || t->child != 0 || parent != t->daemon)
                return;

        t->child = (pid_t) pid;
        t->counting = t->who == WHO_CHILD;
}

/* Whether it is no business of ours any more. */
static bool on_execution(Trace *t, pid_t pid) {
        if (pid != t->child)
                return true;

        t->counting = t->who == WHO_STARTED;
        return !t->counting;
}

/* Gone meanwhile is fine: it was killed. */
static void resume(const Trace *t, pid_t pid, int signo, bool leave) {
        /* Detached where it will not notice: not between a call and its answer. */
        if (leave || (t->ending && !t->failing))
                (void) ptrace(PTRACE_DETACH, pid, NULL, (long) signo);
        else
                (void) ptrace(PTRACE_SYSCALL, pid, NULL, (long) signo);
}

static void on_stop(Trace *t, pid_t pid, int status) {
        const int event = status >> 16, signo = WSTOPSIG(status);
        bool leave = false;
        int deliver = 0;

        switch (event) {
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
        case PTRACE_EVENT_CLONE:
                on_child(t, pid);
                break;
        case PTRACE_EVENT_EXEC:
                leave = on_execution(t, pid);
                break;
        case PTRACE_EVENT_STOP:
                /* Born traced, perhaps before its parent's event; whoever comes after the first is let go. */
                leave = pid != t->daemon && t->child != 0 && pid != t->child;
                break;
        case 0:
                if (signo == SYSCALL_STOP)
                        on_call(t, pid);
                else
                        deliver = signo;
                break;
        default:
                break;
        }

        resume(t, pid, deliver, leave);
}

/* Whether there is anybody left. */
static bool reap(Trace *t) {
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
                if (WIFSTOPPED(status))
                        on_stop(t, pid, status);
                else if (pid == t->daemon)
                        t->daemon = 0;
                else if (pid == t->child)
                        t->counting = false;

        return pid == 0;
}

static void end(Trace *t) {
        t->ending = true;
        if (t->daemon > 0)
                (void) ptrace(PTRACE_INTERRUPT, t->daemon, NULL, NULL);
        if (t->child > 0)
                (void) ptrace(PTRACE_INTERRUPT, t->child, NULL, NULL);
}

static int attach(const Trace *t) {
        const long options = t->who == WHO_SELF ? OPTIONS_SELF : OPTIONS_CHILD;

        if (ptrace(PTRACE_SEIZE, t->daemon, NULL, options) < 0 ||
            ptrace(PTRACE_INTERRUPT, t->daemon, NULL, NULL) < 0) {
                perror("inject-attach");
                return -1;
        }

        return 0;
}

static void trace(Trace *t, const sigset_t *signals) {
        while (reap(t)) {
                siginfo_t info;

                if (sigwaitinfo(signals, &info) == SIGTERM)
                        end(t);
        }
}

int main(int argc, char **argv) {
        sigset_t signals;
        Trace t = {};

        while (argc == 5 && t.who < _WHO_MAX && strcmp(argv[1], who_names[t.who]) != 0)
                t.who++;
        if (argc != 5 || t.who == _WHO_MAX)
                return 2;
        t.daemon = (pid_t) atol(argv[2]);
        t.n = (unsigned) atol(argv[3]);
        t.error = (int) atol(argv[4]);

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGCHLD);
        (void) sigaddset(&signals, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return 1;

        /* Whoever is traced goes on without us. */
        (void) alarm(PATIENCE_SEC);
        if (attach(&t) < 0)
                return 1;

        trace(&t, &signals);
        (void) printf("%u %s\n", t.n_calls, t.name[0] ? t.name : "-");
        return 0;
}
