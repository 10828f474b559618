/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-tighten — the profile as one launch wants it: with values of the user's own, none looser than the admin's
 *
 * UserSettable= names the keys, and the profile's own value of each is the ceiling, see profile-ceiling.h.
 *
 * Runs in: broker. Privilege: none. Input: settings are a hostile user's.
 */

#include "profile/profile.h"

/* A key and its value as a line of a profile would have them; both owned. */
typedef struct ProfileSetting {
        char *key, *value;
} ProfileSetting;

/*
 * The profile made once more with these settings behind all that it says: a list of what is let in takes the place of
 * the profile's and has to be a part of it, a list of what is taken away is added to it. Name, files and hash stay.
 *
 * 0 and a new profile. -EPERM: a key that UserSettable= does not list, or a value looser than the profile's. -EBADMSG:
 * no value of its key, or none that goes with the others. Both with *ret_text, which names the key (caller frees).
 * -ENOMEM.
 */
int profile_tighten(
        Profile **ret, const Profile *p, const ProfileSetting *settings, size_t n_settings, char **ret_text);
