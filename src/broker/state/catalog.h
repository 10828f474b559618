/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * catalog — everything the admin wrote, read at one moment: settings, profiles, and their seccomp programs
 *
 * A reload makes a whole new one and swaps it in, or keeps the old one; nothing changes in between.
 *
 * Runs in: broker. Privilege: root's, to read the files. Input: the admin's.
 */

#include "profile/config.h"
#include "profile/profile-load.h"
#include "seccomp/seccomp-filters.h"

typedef struct CatalogEntry {
        const ProfileEntry *loaded;
        const Profile *profile; /* NULL: refused, by its reader or by the seccomp compiler */
        char *path;             /* of its bus object */
        const uint8_t *seccomp; /* one of the catalog's filters */
        size_t n_seccomp;
        Findings findings; /* of the seccomp compiler */
} CatalogEntry;

typedef struct Catalog {
        uint64_t generation; /* one more with each reload: what was made from another one is out of date */
        Config config;
        SeccompPolicy *policy; /* for profiles that a user has tightened */
        SeccompFilters filters;
        ProfileSet *profiles;
        CatalogEntry *entries; /* sorted by name */
        size_t n_entries;
} Catalog;

/* Where to read; NULL: the usual places. */
typedef struct CatalogSources {
        char *config;
        char **profiles;
        char **seccomp;
        uid_t required_uid; /* who must own all of it */
} CatalogSources;

/*
 * 0; -EBADMSG when settings or system call groups are wrong: those hold for every profile, so nothing
 * can be taken over. A profile that is wrong is an entry without a profile. -ENOMEM, -EIO…
 *
 * before is the catalog that this one follows, or NULL: filters that would be the same are shared with it. Both may be
 * freed in any order.
 *
 * Every finding goes to the journal. When it fails, *ret_text is the first of them, or what else is wrong; the caller
 * frees it.
 */
int catalog_load(Catalog **ret, const CatalogSources *sources, const Catalog *before, char **ret_text);
Catalog *catalog_free(Catalog *c); /* takes NULL, returns NULL */
DECLARE_CLEANUP(Catalog *, catalog_free);

const CatalogEntry *catalog_find(const Catalog *c, const char *name);

/* The first finding as text, and how many more there are; caller frees. NULL: no memory. */
char *catalog_entry_error(const CatalogEntry *e);

/* Same in both: the same files with the same content, with the same outcome. */
bool catalog_entry_equal(const CatalogEntry *a, const CatalogEntry *b);
