/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/explain-exit.h"

#include "base/text.h"
#include "plan/sandbox-state.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

static void ends_are_said_in_one_sentence(void **state) {
        static const struct {
                const char *result;
                int code, status;
                const char *sentence;
        } cases[] = {
                { "success", CLD_EXITED, 0, "It exited with status 0: all went well." },
                { "exit-code", CLD_EXITED, 127, "a program it started does not exist." },
                { "exit-code", CLD_EXITED, 78, "its configuration is wrong." },
                { "exit-code",
                  CLD_EXITED,
                  42,
                  "It exited with status 42, which only its own manual explains." },
                { "exit-code", CLD_EXITED, 139, "SIGSEGV ended a program that it started." },
                { "exit-code", CLD_EXITED, 200, "which only its own manual explains." },
                { "signal", CLD_KILLED, SIGKILL, "SIGKILL ended it: it was killed" },
                { "signal", CLD_KILLED, SIGSYS, "system call" },
                { "signal", CLD_KILLED, 63, "ended it: what that means" },
                { "core-dump", CLD_DUMPED, SIGSEGV, "SIGSEGV ended it, with a core dump: it used memory" },
                { "oom-kill", CLD_KILLED, SIGKILL, "MemoryMax=" },
                { "timeout", CLD_KILLED, SIGTERM, "RuntimeMaxSec=" },
                { "start-limit", CLD_EXITED, 1, "StartLimitBurst=" },
                { "setup", 0, 0, "could not be built" },
                { "resources", 0, 0, "not known" },
                { "of a later version", 0, 0, "how is not known" },
        };
        char text[EXPLAIN_EXIT_SIZE];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (!strstr(explain_exit(cases[i].result, cases[i].code, cases[i].status, text),
                            cases[i].sentence))
                        fail_msg("%s %d %d: %s", cases[i].result, cases[i].code, cases[i].status, text);
}

/* Whatever comes: one line, with a full stop, and not cut off. */
static void every_end_has_a_whole_sentence(void **state) {
        static const int codes[] = { 0, CLD_EXITED, CLD_KILLED, CLD_DUMPED, 99 };
        char text[EXPLAIN_EXIT_SIZE];

        for (SandboxResult result = 0; result < _SANDBOX_RESULT_MAX; result++)
                for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                        for (int status = -1; status <= 256; status++) {
                                (void) explain_exit(sandbox_result_name(result), codes[i], status, text);
                                assert_true(strlen(text) > 10 && strlen(text) < EXPLAIN_EXIT_SIZE - 1);
                                assert_int_equal(text[strlen(text) - 1], '.');
                                assert_null(strchr(text, '\n'));
                        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(ends_are_said_in_one_sentence),
                cmocka_unit_test(every_end_has_a_whole_sentence),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
