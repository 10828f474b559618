/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-filters — the programs of many profiles, each compiled once
 *
 * To compile takes milliseconds, and most profiles say the same about system calls. What is equal in all that the
 * compiler reads shares one program, also with the set before it.
 *
 * Life: one for each set of profiles; a program lives as long as a set has it.
 * Runs in: broker. Privilege: none. Input: the admin's.
 */

#include "base/buffer.h"
#include "seccomp/seccomp-compile.h"

typedef struct SeccompFilter {
        unsigned n_ref;
        Buffer key; /* all that was compiled, except for the policy */
        uint8_t *data;
        size_t size; /* bytes */
} SeccompFilter;

typedef struct SeccompFilters {
        const SeccompPolicy *policy;
        void *tree; /* of tsearch(3), by key */
} SeccompFilters;

void seccomp_filters_done(SeccompFilters *f);

/*
 * The program for a profile under f->policy, from f, else from before (NULL: none) where that has an equal policy and
 * the program, else compiled. *ret belongs to f. Errors and findings of seccomp_compile(): what is refused is not
 * remembered, so that each profile gets its own findings.
 */
int seccomp_filters_get(SeccompFilters *f,
                        const SeccompFilters *before,
                        const Profile *profile,
                        const SeccompFilter **ret,
                        Findings *findings);
