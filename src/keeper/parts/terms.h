/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * terms — what follows from them: the verdict on an end, and whether and when another run begins
 *
 * A plan is large and a sandbox lives long: of the plan, only its Terms are kept.
 *
 * Runs in: keeper. Privilege: none.
 */

#include "base/util.h"
#include "plan/plan.h"
#include "plan/sandbox-state.h"

/* How a sandbox ended. */
typedef struct Ending {
        int code;           /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
        int status;         /* exit status or signal */
        bool stopped;       /* it was told to stop */
        bool killed;        /* it was to end at once, as by OnDisconnect=kill */
        bool timed_out;     /* a deadline ended it */
        bool stuck;         /* its watchdog ended it */
        bool unready;       /* it was to say that it is ready, and did not */
        uint64_t oom_kills; /* processes lost to the out-of-memory killer */
} Ending;

/* The verdict. */
SandboxResult terms_judge(const Terms *t, const Ending *e);

/* Whether Restart= wants another run after one that ended so, unless somebody asked for the end. */
bool terms_restart(const Terms *t, SandboxResult result);
/* How long to wait before a restart that n automatic ones came before; RestartSteps= as in systemd.service(5). */
uint64_t terms_restart_delay(const Terms *t, uint32_t n);

/*
 * What systemd is told to wait where we wait this long, µs: longer, as we end things in better order; and never
 * infinity, which it takes for no answer.
 */
uint64_t terms_unit_timeout(uint64_t timeout_usec);

/* The starts of one sandbox: windows one behind the other, each as long as StartLimitIntervalSec=. */
typedef struct StartCount {
        uint64_t begin; /* CLOCK_MONOTONIC µs */
        uint32_t n;
} StartCount;

/* One start now. False: it is one too many, and not counted. */
bool terms_count_start(const Terms *t, StartCount *count, uint64_t now_usec);

/* Whether systemd takes it for a clean end of whatever it runs (systemd.service(5), SuccessExitStatus=). */
bool signal_ends_cleanly(int signo);

/* wait(2)'s status apart; false: it is none of a process that has ended. */
bool wait_status_split(int wait_status, int *ret_code, int *ret_status);
/* "exited", "killed", "dumped". Static text. */
const char *ending_code_name(int code);
