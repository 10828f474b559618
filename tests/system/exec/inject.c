/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inject.h"

#include "base/fd.h"
#include "inject-call.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PATIENCE_SEC 60
#define TRACEES_MAX 16

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define OPTIONS                                                                                   \
        (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
         PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

typedef struct Tracee {
        pid_t pid;
        Role role;
        bool known;   /* its role is */
        bool waiting; /* stopped until it is */
        bool counted;
        bool failing; /* in the call that is to fail */
} Tracee;

typedef struct Trace {
        Injection injection;
        InjectReport report;
        Tracee tracees[TRACEES_MAX];
        size_t n_tracees;
} Trace;

const char *role_name(Role role) {
        static const char *const names[_ROLE_MAX] = {
                [ROLE_OUTER] = "outer",
                [ROLE_FIRST] = "first",
                [ROLE_INNER] = "inner",
                [ROLE_APPLICATION] = "application",
        };

        return names[role];
}

static Tracee *find_tracee(Trace *t, pid_t pid) {
        for (size_t i = 0; i < t->n_tracees; i++)
                if (t->tracees[i].pid == pid)
                        return &t->tracees[i];

        if (t->n_tracees == TRACEES_MAX)
                _exit(80);
        t->tracees[t->n_tracees] = (Tracee){ .pid = pid };
        return &t->tracees[t->n_tracees++];
}

/* Gone meanwhile is fine: it was killed. */
static void resume(const Tracee *tracee, int signo) {
        if (ptrace(PTRACE_SYSCALL, tracee->pid, NULL, (long) signo) < 0 && errno != ESRCH)
                _exit(81);
}

static void on_call(Trace *t, Tracee *tracee) {
        struct __ptrace_syscall_info info = {};

        if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), &info) <= 0)
                return;

        if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
                if (tracee->failing)
                        (void) inject_answer_call(tracee->pid, t->injection.error);
                tracee->failing = false;
                return;
        }
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !tracee->counted)
                return;
        if (tracee->role == ROLE_INNER && info.entry.nr == SYS_rt_sigtimedwait) {
                tracee->counted = false;
                return;
        }

        if (++t->report.n_calls[tracee->role] != t->injection.n || tracee->role != t->injection.role)
                return;
        if (inject_skip_call(tracee->pid) < 0)
                return;
        tracee->failing = true;
        t->report.hit = true;
        t->report.call = (long) info.entry.nr;
}

static void on_child(Trace *t, const Tracee *parent, bool has_other_parent) {
        unsigned long pid = 0;
        Tracee *child;

        if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) < 0)
                return;

        child = find_tracee(t, (pid_t) pid);
        child->role = parent->role != ROLE_OUTER ? ROLE_APPLICATION
                      : has_other_parent         ? ROLE_INNER
                                                 : ROLE_FIRST;
        child->known = child->counted = true;
        if (child->waiting)
                resume(child, 0);
}

static void on_execution(Trace *t, Tracee *tracee) {
        t->report.executed = t->report.executed || tracee->role == ROLE_APPLICATION;
        tracee->counted = tracee->role == ROLE_OUTER;
}

static void on_stop(Trace *t, Tracee *tracee, int status) {
        const int event = status >> 16, signo = WSTOPSIG(status);

        switch (event) {
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
        case PTRACE_EVENT_CLONE:
                on_child(t, tracee, event == PTRACE_EVENT_CLONE);
                break;
        case PTRACE_EVENT_EXEC:
                on_execution(t, tracee);
                break;
        case 0:
                if (signo == SYSCALL_STOP)
                        on_call(t, tracee);
                else if (signo != SIGSTOP) {
                        resume(tracee, signo);
                        return;
                }
                break;
        default:
                break;
        }

        tracee->waiting = !tracee->known;
        if (tracee->known)
                resume(tracee, 0);
}

static _noreturn_ void trace(Trace *t, int order_fd, int report_fd) {
        int32_t first;
        int status;
        pid_t pid;

        /* Whoever is still traced ends with us. */
        (void) alarm(PATIENCE_SEC);
        if (read(order_fd, &first, sizeof(first)) != sizeof(first))
                _exit(82);
        *find_tracee(t, first) = (Tracee){ .pid = first, .role = ROLE_OUTER, .known = true };
        if (ptrace(PTRACE_SEIZE, first, NULL, OPTIONS) < 0)
                _exit(83);
        (void) kill(first, SIGCONT);

        while ((pid = waitpid(-1, &status, __WALL)) > 0)
                if (WIFSTOPPED(status))
                        on_stop(t, find_tracee(t, pid), status);

        _exit(write(report_fd, &t->report, sizeof(t->report)) < 0);
}

void inject_start(Tracer *t, const Injection *injection) {
        int order[2], report[2];

        assert_int_equal(pipe2(order, O_CLOEXEC), 0);
        assert_int_equal(pipe2(report, O_CLOEXEC), 0);
        t->pid = fork();
        assert_true(t->pid >= 0);
        if (t->pid == 0) {
                static Trace trace_state;

                (void) close(order[1]);
                trace_state.injection = *injection;
                trace(&trace_state, order[0], report[1]);
        }

        (void) close(order[0]);
        (void) close(report[1]);
        t->order_fd = order[1];
        t->report_fd = report[0];
}

void inject_attach(const Tracer *t, pid_t pid) {
        const int32_t first = pid;

        assert_int_equal(write(t->order_fd, &first, sizeof(first)), sizeof(first));
}

bool inject_finish(Tracer *t, InjectReport *ret) {
        ssize_t n;

        n = read(t->report_fd, ret, sizeof(*ret));
        (void) close(t->order_fd);
        (void) close(t->report_fd);
        return n == sizeof(*ret);
}
