/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * launch-profile — what one launch is made from: the admin's profile, or that as its user has tightened it
 *
 * Life: from one look at the catalog to the plan; borrows from the catalog what is not its own.
 *
 * Runs in: broker. Privilege: none. Input: settings are a hostile user's.
 */

#include "broker/call/call.h"
#include "broker/launch/launch-options.h"

typedef struct LaunchProfile {
        const Profile *profile;
        const uint8_t *seccomp;
        size_t n_seccomp;
        Profile *tightened;   /* NULL: nothing was asked for */
        uint8_t *own_seccomp; /* of the tightened one */
} LaunchProfile;

void launch_profile_done(LaunchProfile *p);
#define _cleanup_launch_profile_ _cleanup_(launch_profile_done)

/* 0; negative errno with the call's error set: SettingNotPermitted, BadSetting. *ret is untouched then. */
int launch_profile_make(Call *c, const CatalogEntry *e, const LaunchOptions *options, LaunchProfile *ret);
