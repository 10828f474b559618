/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox-list — the sandboxes that the caller may see, for several verbs
 *
 * Runs in: immurectl. Privilege: none. Input: whatever comes over the bus.
 */

#include "ctl/client.h"

/*
 * Those whose id matches one of n patterns (fnmatch(3)), or all if n is 0: JSON objects with id, profile, uid, user,
 * instance, state, leader, path. 0 or negative errno, with a message.
 */
int sandbox_list(sd_bus *bus, int n, char **patterns, json_t **ret);
