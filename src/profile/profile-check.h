/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-check — what keys must hold together, once all files of a profile are read
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: a profile whose keys are each right by themselves.
 */

#include "profile/finding.h"
#include "profile/profile-keys.h"

/* Where a key was last written; one for each row of profile_keys. */
typedef struct KeyOrigin {
        const char *file; /* NULL: nowhere, the default is in force */
        unsigned line;
        bool bad; /* its value was refused: what it should be together with others is not known */
} KeyOrigin;

/*
 * Adds findings at the lines of the keys they name. complete: every line was read; only then can a key be missed.
 * 0 or -ENOMEM.
 */
int profile_check(const Profile *p, const KeyOrigin *origins, bool complete, Findings *findings);
