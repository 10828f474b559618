/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-reload — everything that the admin wrote is read anew, and subscribers hear what has changed
 *
 * Runs in: broker. Privilege: root's, to read the files. Input: the admin's.
 */

#include "broker/call/manager-state.h"

/* Fails with the old state kept and *ret_text saying why (caller frees). */
int bus_reload(Manager *m, char **ret_text);
