/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * security-label — which texts can be the name of an AppArmor profile, or an SELinux context
 *
 * Runs in: broker, keeper, exec, immurectl. Privilege: none. Input: hostile.
 */

#include "base/util.h"

/*
 * The name of one profile. The kernel must not take it for a stack of profiles, another namespace, or no
 * confinement.
 */
bool apparmor_profile_is_valid(const char *s);
/* user:role:type, with or without a range of levels. */
bool selinux_context_is_valid(const char *s);
