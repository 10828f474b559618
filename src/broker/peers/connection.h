/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * connection — our two connections to the system bus
 *
 * One that users ask, and one on which we ask others. The bus deals with its connections by turns, a little of each at
 * a time: on one of its own, a question and its answer stand behind nothing that users pour in, nor behind our answers
 * to them. Users cannot write to it, which is the policy's work: that goes by the name that the connection has.
 *
 * Life: until the bus goes away, which ends the loop: systemd starts us again when it is back, and the keepers hold
 * everything until then.
 *
 * Runs in: broker. Privilege: may own the names. Input: the bus daemon's answers; opening blocks: only at start-up.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

#define BUS_NAME "org.immured.Broker1"
#define BUS_NAME_QUESTIONS BUS_NAME ".Questions"

/* Has no name yet, so that nothing is asked before it can be answered. Logs what is wrong. */
int connection_open(sd_bus **ret);

int connection_open_questions(sd_bus **ret);

/* How much of what we sent the other end has not read yet: memory of the kernel in bytes, see unix(7), SIOCOUTQ. */
size_t connection_unread(sd_bus *bus);

/*
 * The part of it that says that the other end is behind: nothing, while it has read all but a little within the last
 * tenth of a second, of what fifty clients that ask at once are answered. *last_usec is kept from call to call.
 */
#define CONNECTION_LAG_USEC (100 * UINT64_C(1000))
#define CONNECTION_BURST_SIZE (64U * 1024)
size_t connection_backlog(size_t n_unread, uint64_t now_usec, uint64_t *last_usec);
