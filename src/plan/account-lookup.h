/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * account-lookup — one user asked of the name service, with all groups
 *
 * It may hang on a network, and has modules of its own in the process: the broker asks in a process of its own.
 *
 * Runs in: the broker's process for accounts, immurectl. Privilege: none. Input: the name service's answers.
 */

#include "plan/account.h"

/*
 * name NULL: by uid. -ENOENT: there is no such user; -E2BIG: they are in too many groups; -ENOMEM, -EIO, ….
 */
int account_look_up(const char *name, uid_t uid, Account **ret);
