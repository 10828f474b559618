/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * problem — what went wrong, in words: filled in where it happens, sent by whoever runs the step
 *
 * The mechanisms of this floor do not log. They return a negative errno and write here what they were doing to what.
 *
 * Runs in: exec. Privilege: none. Input: the words may contain paths of a user's; whoever shows them escapes them.
 */

#include "base/util.h"
#include "plan/launch.h"

typedef struct Problem {
        LaunchFailure failure;
        int error; /* negative errno; 0: nothing was said yet */
        char text[sizeof(((LaunchStatus *) NULL)->text)];
} Problem;

/*
 * Each sets "words: description of error" and returns the negative errno, for "return problem_set(p, -errno, …)".
 * The first words stay: whoever is closest to the fault knows best.
 */
int problem_set(Problem *p, int error, const char *format, ...) _printf_(3, 4);
/* The words start with the layer's name and ": ". */
int problem_set_layer(Problem *p, int error, const char *format, ...) _printf_(3, 4);

/* What was read back differs from the plan. Sets the words alone and returns -EBADE. */
int problem_set_difference(Problem *p, const char *format, ...) _printf_(2, 3);
