/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandboxes — what the keepers say there is
 *
 * The keepers hold the truth; this is the copy that the bus shows. Sorted by id, so that lists come out in order.
 * Those that are hidden (sandbox-record.h) count, and to the bus they are not there.
 *
 * Runs in: broker. Privilege: none. Input: records that link.h has checked.
 */

#include "link/link.h"

#include <sys/types.h>

struct KeeperEntry;

typedef struct SandboxEntry {
        char *path; /* of its bus object */
        SandboxRecord *record;
        struct KeeperEntry *keeper; /* borrowed; NULL: it has ended, and its keeper has left */
} SandboxEntry;

typedef struct Sandboxes {
        SandboxEntry **items;
        size_t n_items, n_allocated;
} Sandboxes;

void sandboxes_done(Sandboxes *s);

SandboxEntry *sandboxes_find(const Sandboxes *s, const char *id);
/* The same, but NULL too for one that has ended. */
SandboxEntry *sandboxes_find_alive(const Sandboxes *s, const char *id);

/* The same, but NULL too for one that is hidden. */
SandboxEntry *sandboxes_find_shown(const Sandboxes *s, const char *id);

/* The one that this cgroup, or one above it, belongs to. */
SandboxEntry *sandboxes_find_by_cgroup(const Sandboxes *s, const char *group);

/* Takes the record over, also on failure. -EEXIST, -ENOMEM. */
int sandboxes_insert(Sandboxes *s, SandboxRecord *record, struct KeeperEntry *keeper, SandboxEntry **ret);

/* Takes it out; the caller owns it then. */
void sandboxes_remove(Sandboxes *s, SandboxEntry *sandbox);
SandboxEntry *sandbox_entry_free(SandboxEntry *sandbox); /* takes NULL, returns NULL */
DECLARE_CLEANUP(SandboxEntry *, sandbox_entry_free);

/* Whether this keeper has any: of those that hold processes, or of all. */
bool sandboxes_has_keeper(const Sandboxes *s, const struct KeeperEntry *keeper, bool alive);
/* Nobody speaks for those of this keeper any more. */
void sandboxes_orphan(Sandboxes *s, const struct KeeperEntry *keeper);
/* Where more than max of a user's have ended, the oldest of them that no keeper has; else NULL. */
SandboxEntry *sandboxes_surplus(const Sandboxes *s, uid_t uid, size_t max);

/* Those that hold processes. uid (uid_t) -1: of all users; profile NULL: of all profiles. */
size_t sandboxes_count_alive(const Sandboxes *s, uid_t uid, const char *profile);
/* Whether any of theirs is shown. */
bool sandboxes_has_user(const Sandboxes *s, uid_t uid);
size_t sandboxes_count_users(const Sandboxes *s);
