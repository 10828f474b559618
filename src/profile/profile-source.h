/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-source — what stands under one profile's name, before inheritance: its file and its drop-ins
 *
 * Each value has been read once, against a profile with defaults, so that what is wrong with a file is known where the
 * file is, and not again in everything that inherits from it.
 *
 * Runs in: broker, immurectl lint. Privilege: the caller's, to read files. Input: the admin's.
 */

#include "base/buffer.h"
#include "profile/finding.h"
#include "profile/profile-check.h"
#include "profile/strict-file.h"

typedef struct SourceItem {
        const ProfileKey *key;
        char *value;
        const char *file; /* the source's */
        unsigned line;
        bool bad; /* refused already */
} SourceItem;

typedef struct ProfileSource {
        char *name;
        char *path;
        char **dropins;
        SourceItem *items; /* in the order they were written */
        size_t n_items;
        Buffer content; /* of all files, for the hash */
        char **inherits;
        bool incomplete;   /* some line has a key that is not known */
        Findings findings; /* none: the files are right in themselves */
} ProfileSource;

ProfileSource *profile_source_free(ProfileSource *s); /* takes NULL, returns NULL */
DECLARE_CLEANUP(ProfileSource *, profile_source_free);

/* The directories of a search path that are open, first wins. */
typedef struct ProfileDirectories {
        StrictDirectory *items;
        size_t n_items;
        uid_t required_uid;
} ProfileDirectories;

/* Reads file_name of directories->items[index] and the drop-ins of all. 0 (also with findings) or -ENOMEM. */
int profile_source_load(ProfileSource **ret,
                        const char *name,
                        const char *file_name,
                        const ProfileDirectories *directories,
                        size_t index);

/* Which keys were written so far, one for each row of profile_keys. */
typedef struct ProfileBuild {
        Profile *profile;
        KeyOrigin *origins;
} ProfileBuild;

/*
 * Applies one value. The first one of a list takes the place of its default, later ones append. 0, -ENOMEM, or another
 * error with *ret_why, as ProfileParser.
 */
int profile_build_apply(ProfileBuild *b, const SourceItem *item, const char **ret_why);

/* Adds what is wrong with an item's value, from what its parser returned. 0 or -ENOMEM. */
int source_item_refuse(const SourceItem *item, int error, const char *why, Findings *findings);
