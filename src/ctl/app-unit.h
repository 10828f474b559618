/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * app-unit — the files that make immured-app@USER:PROFILE.service start at boot
 *
 *   DIRECTORY/UNIT.d/immured.conf            puts the unit into the slice of its user
 *   DIRECTORY/multi-user.target.wants/UNIT   the link of "systemctl enable", for when systemd is not running
 *
 * Nothing here writes to standard error. Doing something twice does no harm.
 *
 * Runs in: immurectl. Privilege: root, to write there. Input: names that have been checked.
 */

#include "base/util.h"
#include "link/app-name.h"
#include "plan/account.h"

#define APP_UNIT_DIRECTORY "/etc/systemd/system"
#define APP_UNIT_TEMPLATE APP_UNIT_PREFIX ".service"
#define APP_UNIT_SIZE (sizeof(APP_UNIT_PREFIX ".service") + APP_NAME_SIZE)

/* The unit's name; it has the uid if the account's name cannot be part of a unit's name. */
void app_unit_name(const char *user, uid_t uid, const char *profile, char ret[static APP_UNIT_SIZE]);

/* 1: it was written; 0: it was there and says the same. */
int app_unit_set_slice(const char *directory, const char *unit, uid_t uid);
/* 1: it was there. Other files in the directory stay. */
int app_unit_unset_slice(const char *directory, const char *unit);

/* template: the file to link to. 1: it was linked; 0: it was linked already; -EEXIST: to something else. */
int app_unit_link(const char *directory, const char *unit, const char *template);
/* 1: it was linked. */
int app_unit_unlink(const char *directory, const char *unit);

/* The file of a unit in the first place where systemd looks for one; static text. NULL: there is none. */
const char *app_unit_find_template(void);
