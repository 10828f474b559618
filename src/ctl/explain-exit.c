/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/explain-exit.h"

#include "base/text.h"
#include "plan/sandbox-state.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

typedef struct Meaning {
        int number;
        const char *text;
} Meaning;

/* clang-format off */

/* Follows "It exited with status N: ". From the shell, sysexits.h, and LSB's list for services. */
static const Meaning statuses[] = {
        { 0,   "all went well" },
        { 1,   "an error that it does not tell apart from others" },
        { 2,   "its arguments were wrong, or something it needs was missing" },
        { EX_USAGE,       "its arguments were wrong" },
        { EX_DATAERR,     "its input was wrong" },
        { EX_NOINPUT,     "an input file is missing or cannot be read" },
        { EX_NOUSER,      "it does not know a user" },
        { EX_NOHOST,      "it does not know a host" },
        { EX_UNAVAILABLE, "a service it needs is not there" },
        { EX_SOFTWARE,    "it found an error in itself" },
        { EX_OSERR,       "the system refused what it needs, such as a new process" },
        { EX_OSFILE,      "a file of the system is missing or wrong" },
        { EX_CANTCREAT,   "it cannot create a file" },
        { EX_IOERR,       "reading or writing failed" },
        { EX_TEMPFAIL,    "something failed for now, and may work later" },
        { EX_PROTOCOL,    "the other end of a connection does not keep to the protocol" },
        { EX_NOPERM,      "it lacks a permission" },
        { EX_CONFIG,      "its configuration is wrong" },
        { 126, "a program it started is there but could not be executed" },
        { 127, "a program it started does not exist" },
        { 255, "an error that it does not tell apart from others" },
};

/* Follows "Signal N ended it: ". */
static const Meaning signals[] = {
        { SIGHUP,  "its terminal or client went away" },
        { SIGINT,  "it was interrupted, as by Ctrl+C" },
        { SIGQUIT, "it was told to quit and leave a core dump" },
        { SIGILL,  "it ran into an instruction that the processor does not know" },
        { SIGTRAP, "it ran into a breakpoint" },
        { SIGABRT, "it gave up by itself, after an error that it found" },
        { SIGBUS,  "it used memory whose file had become shorter, or that does not exist" },
        { SIGFPE,  "it divided by zero, or so" },
        { SIGKILL, "it was killed, which it cannot prevent" },
        { SIGUSR1, "somebody sent it a signal that it does not handle" },
        { SIGSEGV, "it used memory that is not its own" },
        { SIGUSR2, "somebody sent it a signal that it does not handle" },
        { SIGPIPE, "it wrote to a pipe or socket that nobody reads any more" },
        { SIGALRM, "an alarm that it had set went off" },
        { SIGTERM, "it was asked to end" },
        { SIGSTKFLT, "somebody sent it a signal that it does not handle" },
        { SIGXCPU, "it used more processor time than LimitCPU= allows" },
        { SIGXFSZ, "it wrote a file larger than LimitFSIZE= allows" },
        { SIGVTALRM, "an alarm that it had set went off" },
        { SIGPROF, "an alarm that it had set went off" },
        { SIGIO,   "it was told of input that it does not handle" },
        { SIGPWR,  "it was told of a power failure" },
        { SIGSYS,  "it made a system call that its filter answers with death" },
};

/* Results that say more than the status or signal that comes with them. */
static const char *const results[_SANDBOX_RESULT_MAX] = {
        [SANDBOX_OOM_KILL]    = "It used more memory than there is for it, and the kernel killed it (MemoryMax=).",
        [SANDBOX_TIMEOUT]     = "Its time was over: TimeoutStartSec=, TimeoutStopSec= or RuntimeMaxSec=.",
        [SANDBOX_WATCHDOG]    = "It gave no sign of life within WatchdogSec=, and was ended.",
        [SANDBOX_START_LIMIT] = "It was started too often: StartLimitBurst= in StartLimitIntervalSec=.",
        [SANDBOX_SETUP]       = "Its sandbox could not be built; the status says which step failed.",
        [SANDBOX_RESOURCES]   = "Its keeper went away, and what became of it is not known.",
};
/* clang-format on */

static const char *meaning_of(const Meaning *meanings, size_t n, int number) {
        for (size_t i = 0; i < n; i++)
                if (meanings[i].number == number)
                        return meanings[i].text;

        return NULL;
}

static void explain_status(int status, char *buffer) {
        const char *text = meaning_of(statuses, ELEMENTSOF(statuses), status);
        const char *signal = status > 128 && status < 128 + SIGRTMIN ? signal_name(status - 128) : NULL;

        if (text)
                (void) snprintf(buffer, EXPLAIN_EXIT_SIZE, "It exited with status %d: %s.", status, text);
        else if (signal)
                (void) snprintf(
                        buffer,
                        EXPLAIN_EXIT_SIZE,
                        "It exited with status %d: as a shell says, %s ended a program that it started.",
                        status,
                        signal);
        else
                (void) snprintf(buffer,
                                EXPLAIN_EXIT_SIZE,
                                "It exited with status %d, which only its own manual explains.",
                                status);
}

static void explain_signal(int code, int status, char *buffer) {
        const char *text = meaning_of(signals, ELEMENTSOF(signals), status), *name = signal_name(status);
        char number[32];

        (void) snprintf(number, sizeof(number), "Signal %d", status);
        (void) snprintf(buffer,
                        EXPLAIN_EXIT_SIZE,
                        "%s ended it%s: %s.",
                        name ?: number,
                        code == CLD_DUMPED ? ", with a core dump" : "",
                        text ?: "what that means only its own manual explains");
}

const char *explain_exit(const char *result, int code, int status, char buffer[static EXPLAIN_EXIT_SIZE]) {
        int value = sandbox_result_from_name(result);

        if (value == SANDBOX_EXIT_CODE && code == CLD_EXITED && status == 0)
                (void) snprintf(buffer,
                                EXPLAIN_EXIT_SIZE,
                                "It ended before it had said that it is ready (READY=1).");
        else if (value >= 0 && results[value])
                (void) snprintf(buffer, EXPLAIN_EXIT_SIZE, "%s", results[value]);
        else if (code == CLD_EXITED)
                explain_status(status, buffer);
        else if (code == CLD_KILLED || code == CLD_DUMPED)
                explain_signal(code, status, buffer);
        else
                (void) snprintf(buffer, EXPLAIN_EXIT_SIZE, "It has ended, and how is not known.");

        return buffer;
}
