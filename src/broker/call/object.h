/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * object — what a call is about, and who may see it
 *
 * Life: made afresh whenever it is looked at. Pointers are borrowed and hold until the loop goes on.
 *
 * Runs in: broker. Privilege: none. Input: names in the caller's words.
 */

#include "broker/access/object-path.h"
#include "broker/call/member.h"
#include "broker/state/catalog.h"
#include "broker/state/sandboxes.h"

#include <systemd/sd-bus.h>

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

/*
 * What a message is about: the sandbox, profile or user that its first argument names, or that its path does, taken
 * apart already. 0; negative errno, with error set where the first argument cannot be what it should.
 */
int object_resolve(const struct Manager *m,
                   sd_bus_message *message,
                   Subject subject,
                   const ObjectName *name,
                   Object *ret,
                   sd_bus_error *error);

Object object_of_sandbox(SandboxEntry *s);
Object object_of_profile(const CatalogEntry *e);

/* The object as access_check() wants it. */
AccessObject object_access(const struct Manager *m, const Object *object);

/* Whether polkit has no say in it, too: for lists and signals, which cannot ask. */
bool object_is_visible(const struct Manager *m, const Caller *caller, const Object *object);

/*
 * Goes through what the caller may see of a kind, sandboxes, profiles or users, in the order of the tables: *i is 0 at
 * first, and moves on. A user is there once, without a path. False: that was all.
 */
bool object_next_visible(
        const struct Manager *m, const Caller *caller, ObjectKind kind, size_t *i, Object *ret);

/* The property MayLaunch: [Access] lets them, whatever polkit may say yet, and nothing is wrong with the profile. */
bool object_may_launch(const Caller *caller, const CatalogEntry *e);
