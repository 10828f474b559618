/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-load — from files to Profiles: search path, drop-ins, masks, inheritance, strictness
 *
 * Runs in: broker, immurectl lint. Privilege: the caller's, to read files. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"

typedef struct ProfileEntry {
        char *name;
        char *path;   /* the .profile file that counts */
        char **files; /* all that it was made of, in the order they are applied: ancestors and drop-ins, too */
        Profile *profile; /* NULL: refused, findings say why */
        Findings findings;
} ProfileEntry;

/* All profiles of a search path, sorted by name. Shared by reference; a reload makes a new one. */
typedef struct ProfileSet {
        ProfileEntry *entries;
        size_t n_entries;
} ProfileSet;

ProfileSet *profile_set_free(ProfileSet *set); /* takes NULL, returns NULL */
DECLARE_CLEANUP(ProfileSet *, profile_set_free);

/*
 * Reads every profile below the directories, of which the first that has a name wins; NULL:
 * {/etc,/run,/usr/lib}/immured/profiles. A bad profile is an entry with findings and never hides a good one; a masked
 * profile (link to /dev/null) is no entry. required_uid: who, besides root, may own the files and directories (0 in
 * production). 0, -ENOMEM, or -EIO/… when a directory that exists cannot be read.
 */
int profile_set_load(ProfileSet **ret, char *const *directories, uid_t required_uid);
const ProfileEntry *profile_set_find(const ProfileSet *set, const char *name);

/* One file alone, for lint: 0 and a profile, -EBADMSG with findings, -ENOMEM. */
int profile_load_file(
        Profile **ret, const char *path, char *const *directories, uid_t required_uid, Findings *findings);
