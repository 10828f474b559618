/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * message-text — the arguments of a message as one text, for records
 *
 * Strings stand in quotes, with those in them doubled; [] is an array, {} an entry of a dictionary, () a structure.
 * What an environment says is left out: it is where programs are handed their passwords.
 *
 * Runs in: broker. Privilege: none. Input: hostile. The text is not escaped: whoever writes it somewhere does that.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* At most max bytes, and "…" behind them where there is more. The message is read from its start. Caller frees. */
int message_to_text(sd_bus_message *m, size_t max, char **ret);
