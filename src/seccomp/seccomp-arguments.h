/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-arguments — SystemCallArgumentFilter=: calls that are refused by what an argument is
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"
#include "profile/profile.h"

#include <linux/filter.h>

/*
 * A program that answers the errno of the first item that holds, and lets through what no item speaks of. It must only
 * ever see calls of the native ABI. *ret is the caller's to free, NULL where the profile has no items.
 *
 * An argument that is known to be of 32 bits is compared as the kernel sees it, by its lower half. Of any other the
 * width is not known here, and a comparison counts as true where it is true of the whole or of the lower half: so
 * nothing passes by what it has in the half that the kernel may not look at.
 *
 * 0 also where findings were added. -ENOMEM.
 */
int seccomp_arguments(const Profile *profile, struct sock_filter **ret, size_t *ret_n, Findings *findings);
