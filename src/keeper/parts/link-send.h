/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-send — what goes to the broker arrives, or the connection ends
 *
 * What could not be sent is lost to the broker, which would go on with what it was told before. The next Hello tells
 * it everything again.
 *
 * Runs in: keeper. Privilege: none. Input: none.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* Ends the connection for this error, which goes to the log. */
void link_break(sd_bus *bus, int error);

/* Sends m, which was built with the result r; unless that is an error, or the sending fails. */
void link_send_or_break(sd_bus *bus, int r, sd_bus_message *m);
