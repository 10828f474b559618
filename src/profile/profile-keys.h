/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-keys — the one table of every key an admin may write
 *
 * Runs in: broker, immurectl. Privilege: none.
 */

#include "profile/profile-rows.h"

typedef struct ProfileKey ProfileKey;

/*
 * Reads text into the field. 0, or negative errno with *ret_why saying what would be right (static text, or NULL). An
 * empty text resets a list to empty and a scalar to its default, as in systemd.
 */
typedef int (*ProfileParser)(const ProfileKey *key, const char *text, Profile *p, const char **ret_why);

/* Whether the value asked for lets the application do nothing that the profile's own value does not. */
typedef bool (*ProfileAtMost)(const ProfileKey *key, const Profile *asked, const Profile *ceiling);

struct ProfileKey {
        const char *section;
        const char *name;
        ProfileParser parse; /* NULL: known, but not built yet; refuses the profile */
        size_t offset;
        ProfileFieldKind kind;
        uint64_t min, max; /* range of numbers; maximum length of texts and lists; the last of names */
        const char *const *names; /* by value */
        uint32_t foreign, later;  /* bits of names: not among the values of this key; not enforced yet */
        int (*read)(const char *s, uint64_t *ret); /* the form of numbers */
        size_t variant;           /* tells keys with the same parser apart, in the parser's own terms */
        bool list;                /* may be given more than once in a file */
        ProfileAtMost at_most;    /* NULL: there is no such order, so the key is never the user's to set */
        bool replaces;            /* a user's list replaces the profile's instead of being added to it */
        const char *default_text; /* as an admin would write it; "" where the default is empty */
        const char *syntax;       /* "yes|no", "size", "path…": for help and messages */
        const char *help;         /* one line, without a full stop */
};

extern const ProfileKey profile_keys[];
extern const size_t n_profile_keys;

/* NULL: no such key. */
const ProfileKey *profile_key_find(const char *section, const char *name);
bool profile_section_exists(const char *section);

/* The key of this name that a user can be allowed to tighten; NULL: there is none, or it has no order. */
const ProfileKey *profile_settable_key(const char *name);
