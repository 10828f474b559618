/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-restrict — system calls refused for an argument: RestrictNamespaces=, RestrictAddressFamilies= and the
 * like
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"

#include <seccomp.h>

/*
 * Adds the rules to a filter that allows everything by default. Every rule answers an errno, so no two of them
 * contradict each other and their order does not matter. -ENOMEM or another errno of libseccomp. 0 also where a
 * finding was added.
 */
int seccomp_restrict(scmp_filter_ctx filter, const Profile *profile, Findings *findings);
