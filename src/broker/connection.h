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
