/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * connection — our two connections to the system bus
 *
 * Users ask us on one, and we ask others on the other. The bus serves its connections in turns, a little of each at
 * a time. On a connection of its own, a question or its answer does not stand behind what users pour in, or behind
 * our answers to them. The bus policy keeps users from writing to it, by the name that it has.
 *
 * Life: until the bus goes away, which ends the loop. systemd starts us again when the bus is back, and the keepers
 * hold everything until then.
 * Runs in: broker. Privilege: may own the names. Input: the bus daemon's answers. Opening blocks, so only at
 * start-up.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

#define BUS_NAME "org.immured.Broker1"
#define BUS_NAME_QUESTIONS BUS_NAME ".Questions"

/* It has no name yet, so that nothing is asked before it can be answered. Logs what is wrong. */
int connection_open(sd_bus **ret);

int connection_open_questions(sd_bus **ret);

/* How much of what we sent the other end has not read: bytes of kernel memory, SIOCOUTQ in unix(7). */
size_t connection_unread(sd_bus *bus);

/*
 * The part of it that means the other end is behind. That is nothing if, within the last tenth of a second, it had
 * read all but what fifty clients that ask at once are answered. *last_usec is kept from call to call.
 */
#define CONNECTION_LAG_USEC (100 * UINT64_C(1000))
#define CONNECTION_BURST_SIZE (64U * 1024)
size_t connection_backlog(size_t n_unread, uint64_t now_usec, uint64_t *last_usec);
