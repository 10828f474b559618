/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * spoil — what makes a sandbox weaker than planned, at a step of its making; for exec-faulty
 *
 * Runs in: tests.
 */

#include "exec/exec.h"

typedef enum Moment {
        BEFORE,
        AFTER,
        INSTEAD,
} Moment;

/* A fault of one name may take several steps. */
typedef struct Spoil {
        const char *name, *step; /* NULL ends a table */
        Moment moment;
        int (*run)(Exec *x);
} Spoil;

/* What is mounted. */
extern const Spoil spoils_of_mounts[];
