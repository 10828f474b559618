/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-fixture — profiles from etc, run and lib below a throw-away directory, and what must have become of them
 *
 * Runs in: unit tests. Privilege: none.
 */

#include "files-fixture.h"
#include "profile/profile-load.h"

/* The least that a profile must say. */
#define PROGRAM "[Exec]\nExecStart=/usr/bin/true\n"

ProfileSet *load_profiles(const Files *f);
const Profile *assert_taken(const ProfileSet *set, const char *name);
const ProfileEntry *assert_refused(const ProfileSet *set, const char *name);
/* Finding i, at a line of a file below the root, about a key, with this in its text. */
void assert_finding(const ProfileEntry *entry,
                    size_t i,
                    const char *file,
                    unsigned line,
                    const char *key,
                    const char *text);
