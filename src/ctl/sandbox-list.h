/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox-list — the ids of sandboxes that the caller may see, for several verbs
 *
 * Runs in: immurectl. Privilege: none. Input: whatever comes over the bus.
 */

#include "ctl/client.h"

/*
 * The ids of those in a state (NULL: of all); *ret is NULL where there are none. Caller frees. 0 or negative errno,
 * with a message.
 */
int sandbox_ids(sd_bus *bus, const char *state, char ***ret);
