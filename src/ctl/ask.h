/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ask — calls that somebody may have to authenticate for
 *
 * A call is first made without interactive authorisation. If it is refused because of that, or answered as if there
 * were no such object, it is made again with it, and with polkit's agent on the terminal as long as the call takes.
 *
 * Runs in: immurectl. Privilege: none. Input: replies of the broker.
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* --no-ask-password: a call is made only once. */
void ask_forbid(void);

/* Whether authentication may help against this error. */
bool ask_may_help(const sd_bus_error *error);

/* The same call again, with interactive authorisation. 0 or negative errno of sd-bus. */
int ask_again(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret);

/* As sd_bus_call(3), without a deadline. */
int ask_call(sd_bus *bus, sd_bus_message *m, sd_bus_error *error, sd_bus_message **ret_reply);
