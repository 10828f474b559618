/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ask — calls that somebody may have to authenticate for
 *
 * A call is made without leave to ask. Only where that is refused for want of somebody to ask, or answered as if there
 * were nothing there, it is made again: with leave, and with polkit's agent on the terminal for as long as it takes.
 *
 * Runs in: immurectl. Privilege: none. Input: replies of the broker.
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* --no-ask-password: no call is made again. */
void ask_forbid(void);

/* Whether the call that got this error is worth being made again. */
bool ask_may_help(const sd_bus_error *error);

/* The same call once more, with leave to ask. 0 or negative errno of sd-bus. */
int ask_again(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret);

/* As sd_bus_call(3), without a deadline. */
int ask_call(sd_bus *bus, sd_bus_message *m, sd_bus_error *error, sd_bus_message **ret_reply);
