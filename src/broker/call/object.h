/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * object — what a call is about, and who may see it
 *
 * Life: made afresh whenever it is looked at. Pointers are borrowed and hold until the loop goes on.
 *
 * Runs in: broker. Privilege: none. Input: names in the caller's words.
 */

#include "broker/access/access.h"
#include "broker/state/catalog.h"
#include "broker/state/sandboxes.h"

struct Manager;

typedef struct Object {
        ObjectKind kind;
        const char *path;
        const char *name; /* in the caller's words, of a sandbox or profile; NULL: they have none for it */
        uid_t named_uid;  /* likewise of a user */
        SandboxEntry *sandbox;       /* of a sandbox; NULL: there is none of that name */
        const CatalogEntry *profile; /* of a profile, likewise */
        uid_t uid;                   /* of a user; UID_NOBODY: they have no sandboxes */
} Object;

Object object_of_sandbox(SandboxEntry *s);
Object object_of_profile(const CatalogEntry *e);

/* The object as access_check() wants it. */
AccessObject object_access(const struct Manager *m, const Object *object);

/* Whether polkit has no say in it, too: for lists and signals, which cannot ask. */
bool object_is_visible(const struct Manager *m, const Caller *caller, const Object *object);

/* The property MayLaunch: [Access] lets them, whatever polkit may say yet, and nothing is wrong with the profile. */
bool object_may_launch(const Caller *caller, const CatalogEntry *e);
