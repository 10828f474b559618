/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-keys — the one table of every key an admin may write
 *
 * Runs in: broker, immurectl. Privilege: none.
 */

#include "profile/profile.h"

typedef struct ProfileKey ProfileKey;

/*
 * Reads text into field. 0, or negative errno with *ret_why saying what would be right (static text or NULL).
 * An empty text resets a list to empty and a scalar to its default, as in systemd.
 */
typedef int (*ProfileParser)(const ProfileKey *key, const char *text, Profile *p, const char **ret_why);

struct ProfileKey {
        const char *section;
        const char *name;
        ProfileParser parse; /* NULL: known, but not supported by this version: refuses the profile */
        size_t offset;
        uint64_t min, max;        /* range of numbers; maximum length of texts and lists */
        bool list;                /* may be given more than once in a file */
        const char *default_text; /* as an admin would write it; "" where the default is empty */
        const char *syntax;       /* "yes|no", "size", "path…": for help and messages */
        const char *help;         /* one line, without a full stop */
};

extern const ProfileKey profile_keys[];
extern const size_t n_profile_keys;

/* NULL: no such key. */
const ProfileKey *profile_key_find(const char *section, const char *name);
bool profile_section_exists(const char *section);
