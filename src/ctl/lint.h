/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * lint — for other verbs: is this profile one that the broker would take?
 *
 * Runs in: immurectl. Privilege: none. Input: the admin's files.
 */

#include "profile/profile.h"

/*
 * The profile of this name as the broker would read it, with what is wrong with it told on standard output. -ENOENT,
 * -EBADMSG, told.
 */
int lint_profile(const char *name, Profile **ret);
