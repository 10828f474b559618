/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-send — what goes to the broker arrives, or the connection ends; and calls of the broker that wait for the same
 * thing, to be answered together
 *
 * What could not be sent is lost to the broker, which would go on with what it was told before. The next Hello tells
 * it everything again.
 *
 * Life: a CallList is in a sandbox or in one of its runs.
 * Runs in: keeper. Privilege: none. Input: none.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* Ends the connection for this error, which goes to the log. */
void link_break(sd_bus *bus, int error);

/* Sends m, which was built with the result r; unless that is an error, or the sending fails. */
void link_send_or_break(sd_bus *bus, int r, sd_bus_message *m);

#define CALL_LIST_MAX 16

typedef struct CallList {
        sd_bus_message *calls[CALL_LIST_MAX];
        size_t n;
} CallList;

/* Takes a reference. -EBUSY: it is full. */
int call_list_add(CallList *l, sd_bus_message *m);
/* Answers all of them: with the error, or with nothing where it is NULL. The list is empty then. */
void call_list_answer(CallList *l, const sd_bus_error *error);
/* Lets go of all of them without an answer. */
void call_list_drop(CallList *l);
