/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * message — what a message holds, whatever its types: how much, and as text for records
 *
 * In the text, strings stand in quotes, with those in them doubled; [] is an array, {} an entry of a dictionary, () a
 * structure. What an environment says is left out: it is where programs are handed their passwords. Nothing is
 * escaped: whoever writes it somewhere does that.
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

/* At most max bytes, and "…" behind them where there is more. The message is read from its start. Caller frees. */
int message_to_text(sd_bus_message *m, size_t max, char **ret);
