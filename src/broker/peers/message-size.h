/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * message-size — how much a message holds, found out before anything is done with it
 *
 * Runs in: broker. Privilege: none. Input: hostile.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/*
 * The bytes of all values, roughly. -E2BIG: more than max; -EBADMSG. Reads from the start, and rewinds after
 * success.
 */
int message_measure(sd_bus_message *m, size_t max, size_t *ret);
