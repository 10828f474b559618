/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * lint — for other verbs: would the broker accept this profile?
 *
 * Runs in: immurectl. Privilege: none. Input: the admin's files.
 */

#include "profile/profile.h"

/*
 * Reads the profile of this name as the broker would, and writes what is wrong with it to standard output. -ENOENT,
 * -EBADMSG: with a message.
 */
int lint_profile(const char *name, Profile **ret);
