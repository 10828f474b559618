/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/terms.h"

#include "base/text.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

bool signal_ends_cleanly(int signo) {
        return signo == SIGHUP || signo == SIGINT || signo == SIGTERM || signo == SIGPIPE;
}

static bool signal_is_clean(const Terms *t, const Ending *e) {
        return signal_ends_cleanly(e->status) || (e->stopped && e->status == t->kill_signal) ||
               (e->killed && e->status == SIGKILL) ||
               (e->status > 0 && e->status < 64 && t->success_signals & UINT64_C(1) << e->status);
}

static bool status_is_clean(const Terms *t, const Ending *e) {
        unsigned status = (unsigned) e->status & 0xff;

        return status == 0 || t->success_statuses[status / 32] & UINT32_C(1) << status % 32;
}

/* Under OOMPolicy=continue the loss of a helper process is the application's own business. */
static bool oom_ended_it(const Terms *t, const Ending *e) {
        return e->oom_kills > 0 &&
               (t->oom_policy != OOM_POLICY_CONTINUE || (e->code == CLD_KILLED && e->status == SIGKILL));
}

static SandboxResult judge_end(const Terms *t, const Ending *e) {
        if (e->stuck)
                return SANDBOX_WATCHDOG;
        if (e->timed_out)
                return SANDBOX_TIMEOUT;
        if (oom_ended_it(t, e))
                return SANDBOX_OOM_KILL;
        if (e->code == CLD_EXITED)
                return status_is_clean(t, e) ? SANDBOX_SUCCESS : SANDBOX_EXIT_CODE;
        if (signal_is_clean(t, e))
                return SANDBOX_SUCCESS;

        return e->code == CLD_DUMPED ? SANDBOX_CORE_DUMP : SANDBOX_SIGNAL;
}

SandboxResult terms_judge(const Terms *t, const Ending *e) {
        SandboxResult result = judge_end(t, e);

        /* An application that ends cleanly before it said READY=1 has failed all the same. */
        if (result == SANDBOX_SUCCESS && e->unready && !e->stopped)
                return e->code == CLD_EXITED ? SANDBOX_EXIT_CODE : SANDBOX_SIGNAL;

        return result;
}

bool terms_restart(const Terms *t, SandboxResult result) {
        switch (t->restart) {
        case RESTART_ALWAYS:
                return true;
        case RESTART_ON_SUCCESS:
                return result == SANDBOX_SUCCESS;
        case RESTART_ON_FAILURE:
                return result != SANDBOX_SUCCESS;
        case RESTART_ON_ABNORMAL:
                return result != SANDBOX_SUCCESS && result != SANDBOX_EXIT_CODE;
        default:
                return false;
        }
}

/* The steps are a geometric row: each wait is longer than the last by the same factor. */
uint64_t terms_restart_delay(const Terms *t, uint32_t n) {
        if (n == 0 || t->restart_steps == 0 || t->restart_max_delay_usec == USEC_INFINITY ||
            t->restart_usec == 0 || t->restart_usec >= t->restart_max_delay_usec)
                return t->restart_usec;
        if (n >= t->restart_steps)
                return t->restart_max_delay_usec;

        return (uint64_t) ((double) t->restart_usec *
                           pow((double) t->restart_max_delay_usec / (double) t->restart_usec,
                               (double) n / (double) t->restart_steps));
}

uint64_t terms_unit_timeout(uint64_t timeout_usec) {
        const uint64_t year = UINT64_C(366) * 24 * 3600 * USEC_PER_SEC;

        return MIN(timeout_usec, year) + 10 * USEC_PER_SEC;
}

bool terms_count_start(const Terms *t, StartCount *count, uint64_t now_usec) {
        if (t->start_limit_interval_usec == 0 || t->start_limit_burst == 0)
                return true;

        if (count->n == 0 || (t->start_limit_interval_usec != USEC_INFINITY &&
                              now_usec - count->begin > t->start_limit_interval_usec))
                *count = (StartCount){ .begin = now_usec };
        if (count->n >= t->start_limit_burst)
                return false;

        count->n++;
        return true;
}

bool wait_status_split(int wait_status, int *ret_code, int *ret_status) {
        if (WIFEXITED(wait_status)) {
                *ret_code = CLD_EXITED;
                *ret_status = WEXITSTATUS(wait_status);
                return true;
        }

        if (WIFSIGNALED(wait_status)) {
                *ret_code = WCOREDUMP(wait_status) ? CLD_DUMPED : CLD_KILLED;
                *ret_status = WTERMSIG(wait_status);
                return true;
        }

        return false;
}

const char *ending_code_name(int code) {
        return code == CLD_EXITED ? "exited" : code == CLD_DUMPED ? "dumped" : "killed";
}
