/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * app-name — USER:PROFILE: which profile a unit runs, and for whom
 *
 * The instance of immured-app@.service, without any unescaping. USER is a name, or a uid if the name cannot be part of
 * a unit's name.
 *
 * Runs in: keeper, broker, immurectl. Privilege: none. Input: the name of a unit, the admin's.
 */

#include "base/util.h"

#include <sys/types.h>

#define APP_UNIT_PREFIX "immured-app@"

/* Of the longest text, with its terminating zero. */
#define APP_NAME_SIZE (31 + sizeof(":") + 32)

typedef struct AppName {
        char user[32]; /* "": it has the uid instead */
        uid_t uid;     /* if there is no name */
        char profile[33];
} AppName;

/* -EINVAL: it is not of this form. */
int app_name_parse(const char *text, AppName *ret);

/* Whether it means this account. */
bool app_name_is_user(const AppName *a, const char *name, uid_t uid);
