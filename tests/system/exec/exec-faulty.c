/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * exec-faulty — immured-exec with one step that fails or is left out, as FAULT=fail:STEP or FAULT=skip:STEP says
 *
 * For the tests that a failing step leaves nothing behind, and that the read-back notices one that did nothing. The
 * installed program has no such door: the table is replaced here.
 */

#include "exec/exec.h"

#include <stdio.h>

static int fail_step(Exec *x) { return problem_set(&x->problem, -EIO, "On purpose"); }

static int skip_step(Exec *x) {
        (void) x;
        return 0;
}

int main(int argc, char **argv) {
        const char *fault = getenv("FAULT") ?: "";
        const bool fail = startswith(fault, "fail:");
        const char *name = strchr(fault, ':');
        Step steps[64] = {};
        size_t n_found = 0;

        for (size_t i = 0; i + 1 < ELEMENTSOF(steps) && exec_steps[i].name; i++) {
                steps[i] = exec_steps[i];
                if (name && streq(steps[i].name, name + 1)) {
                        steps[i].run = fail ? fail_step : skip_step;
                        n_found++;
                }
        }

        if (name && n_found != 1)
                return 70;

        _exit(exec_main(steps, argc, argv));
}
