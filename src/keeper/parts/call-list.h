/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * call-list — calls of the broker that wait for the same thing, and are answered together
 *
 * Life: in a sandbox, from its launch to its end. Runs in: keeper. Privilege: none. Input: none.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

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
