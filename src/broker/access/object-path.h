/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * object-path — from the names of things to bus object paths, and back
 *
 * Each object has exactly one path: a second way to spell the same label is not accepted.
 *
 * Runs in: broker. Privilege: none. Input of object_path_parse(): hostile.
 */

#include "broker/access/access.h"

#define OBJECT_PATH_MANAGER "/org/immured/Broker1"
#define OBJECT_PATH_SANDBOXES OBJECT_PATH_MANAGER "/sandbox"
#define OBJECT_PATH_PROFILES OBJECT_PATH_MANAGER "/profile"
#define OBJECT_PATH_USERS OBJECT_PATH_MANAGER "/user"

/* A path taken apart. name is the sandbox's id or the profile's name; uid the user's. */
typedef struct ObjectName {
        ObjectKind kind;
        char *name;
        uid_t uid;
} ObjectName;

void object_name_done(ObjectName *n);
#define _cleanup_object_name_ _cleanup_(object_name_done)

int object_path_of_sandbox(const char *id, char **ret);
int object_path_of_profile(const char *name, char **ret);
int object_path_of_user(uid_t uid, char **ret);

/* -ENOENT: not one of our paths, or a label that no sandbox, profile or user can have. -ENOMEM. */
int object_path_parse(const char *path, ObjectName *ret);

/* What is below a branch whatever exists ("org"), as words; NULL: nothing fixed, or not a branch. */
const char *object_path_children(const char *path);
