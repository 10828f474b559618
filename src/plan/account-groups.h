/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * account-groups — the groups that a user is in, and whether every service that knows of groups has said so
 *
 * getgrouplist(3) does not tell a service that answered "in none" from one that could not answer, and without the
 * latter's groups a list that denies would let the user in. So the services of nsswitch.conf(5) are asked here one by
 * one, through the functions that each module has for it (nss(5); GNU C library manual, "Internals of the NSS Module
 * Functions"), and in the order and with the reactions that initgroups(3) has.
 *
 * Runs in: the broker's process for accounts, immurectl. Privilege: none. Input: the name service's answers.
 */

#include "base/util.h"

#include <sys/types.h>

#define ACCOUNT_GROUPS_MAX 1024

/*
 * gid and all others, each once; the caller frees. *ret_partial: a service failed, or cannot be asked, so that groups
 * may be missing. -E2BIG: more than ACCOUNT_GROUPS_MAX; -ENOMEM.
 */
int account_groups_look_up(const char *name, gid_t gid, gid_t **ret, size_t *ret_n, bool *ret_partial);
