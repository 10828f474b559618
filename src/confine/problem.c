/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/problem.h"

#include <stdarg.h>
#include <stdio.h>

static void problem_write(Problem *p, LaunchFailure failure, int error, const char *format, va_list ap) {
        size_t n;

        if (p->error != 0)
                return;

        p->failure = failure;
        p->error = error;
        (void) vsnprintf(p->text, sizeof(p->text), format, ap);
        if (failure == LAUNCH_FAILURE_VERIFICATION)
                return;

        /* As far as there is room. */
        n = strlen(p->text);
        (void) snprintf(
                p->text + n, sizeof(p->text) - n, ": %s", strerrordesc_np(-error) ?: "Unknown error");
}

int problem_set(Problem *p, int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        problem_write(p, LAUNCH_FAILURE_SETUP, error, format, ap);
        va_end(ap);

        return error;
}

int problem_set_layer(Problem *p, int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        problem_write(p, LAUNCH_FAILURE_LAYER, error, format, ap);
        va_end(ap);

        return error;
}

int problem_set_difference(Problem *p, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        problem_write(p, LAUNCH_FAILURE_VERIFICATION, -EBADE, format, ap);
        va_end(ap);

        return -EBADE;
}
