/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * app-unit — what makes immured-app@USER:PROFILE.service run at boot, as files
 *
 *   DIRECTORY/UNIT.d/immured.conf            puts the unit into the slice of its user
 *   DIRECTORY/multi-user.target.wants/UNIT   what "systemctl enable" makes; here where systemd is not running
 *
 * Nothing here writes on standard error. Everything may be done twice.
 *
 * Runs in: immurectl. Privilege: root's, to write there. Input: names that were checked.
 */

#include "base/util.h"
#include "link/app-name.h"
#include "plan/account.h"

#define APP_UNIT_DIRECTORY "/etc/systemd/system"
#define APP_UNIT_TEMPLATE APP_UNIT_PREFIX ".service"
#define APP_UNIT_SIZE (sizeof(APP_UNIT_PREFIX ".service") + APP_NAME_SIZE)

/* The unit's name; by uid where the account's name is none for a unit. */
void app_unit_name(const char *user, uid_t uid, const char *profile, char ret[static APP_UNIT_SIZE]);

/* 1: it was written; 0: it said so already. */
int app_unit_set_slice(const char *directory, const char *unit, uid_t uid);
/* 1: it was there. What else is in its directory stays. */
int app_unit_unset_slice(const char *directory, const char *unit);

/* template: the file that is to be linked. 1: it was linked; 0: it was already; -EEXIST: to something else. */
int app_unit_link(const char *directory, const char *unit, const char *template);
/* 1: it was linked. */
int app_unit_unlink(const char *directory, const char *unit);

/* The file of a unit where systemd looks for it; static text. NULL: there is none. */
const char *app_unit_find_template(void);
