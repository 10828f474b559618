/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * security-label — what may be the name of an AppArmor profile, and what an SELinux context
 *
 * Runs in: broker, keeper, exec, immurectl. Privilege: none. Input: hostile.
 */

#include "base/util.h"

/* One profile: nothing that the kernel would take for a stack of them, another namespace, or none. */
bool apparmor_profile_is_valid(const char *s);
/* user:role:type, or with a range of levels behind. */
bool selinux_context_is_valid(const char *s);
