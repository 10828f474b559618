/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * app-name — USER:PROFILE: which profile a unit of its own runs, and for whom
 *
 * The instance of immured-app@.service, as it is and not unescaped. USER is a name, or a uid where the name would not
 * do in that of a unit.
 *
 * Runs in: keeper, broker, immurectl. Privilege: none. Input: the name of a unit, the admin's.
 */

#include "base/util.h"

#include <sys/types.h>

#define APP_UNIT_PREFIX "immured-app@"

/* Of the text, with its end. */
#define APP_NAME_SIZE (31 + sizeof(":") + 32)

typedef struct AppName {
        char user[32]; /* "": by uid */
        uid_t uid;     /* where there is no name */
        char profile[33];
} AppName;

/* -EINVAL: it is none. */
int app_name_parse(const char *text, AppName *ret);

/* Whether this account is the one that is meant. */
bool app_name_is_user(const AppName *a, const char *name, uid_t uid);
