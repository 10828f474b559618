/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-restrict — what is refused by argument: RestrictNamespaces=, RestrictAddressFamilies= and their
 * like
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"

#include <seccomp.h>

/*
 * Adds the rules to a filter that lets everything through by default; every rule answers an errno. So no two
 * rules ever contradict each other, and their order does not matter. 0 also where a finding was added.
 * -ENOMEM or another errno of libseccomp.
 */
int seccomp_restrict(scmp_filter_ctx filter, const Profile *profile, Findings *findings);
