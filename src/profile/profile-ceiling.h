/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-ceiling — what "at most as loose as the profile" means, once for each key that has such an order
 *
 * A key that has none cannot be listed in UserSettable=: it is never the user's to set.
 *
 * Runs in: broker, immurectl. Privilege: none. Input: values that their parsers took.
 */

#include "profile/profile-keys.h"

/* The key of this name that a user can be allowed to tighten; NULL: there is none, or it has no order. */
const ProfileKey *profile_settable_key(const char *name);

/*
 * Whether the value of this key in one profile lets the application do nothing that the other's does not. No value is
 * at most as loose as one that is not known, such as a limit that the profile leaves to be inherited.
 */
bool profile_is_at_most(const ProfileKey *key, const Profile *asked, const Profile *ceiling);

/* Whether a user's list of this key takes the place of the profile's; otherwise it is added to it. */
bool profile_setting_replaces(const ProfileKey *key);
