/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-dict — a{sv} in messages: entry by entry, or as what a table says of a struct; and texts that are kept
 *
 * Runs in: keeper, broker, immurectl. Privilege: none. Input: hostile; what an entry means is its reader's to check.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* What is appended between the two is the entry's value, of these types. The array around it is open already. */
int bus_dict_open_entry(sd_bus_message *m, const char *name, const char *types);
int bus_dict_close_entry(sd_bus_message *m);

/* Reads the variant that belongs to the name, or skips it. Its error ends the reading. */
typedef int (*BusDictReader)(sd_bus_message *m, const char *name, void *userdata);

/* 0; the reader's error; -ENXIO and others of sd_bus_message_enter_container(3). */
int bus_dict_read(sd_bus_message *m, BusDictReader read, void *userdata);

/* An entry that is a member of a struct: 's' a const char *, 'u' a uint32_t, 't' a uint64_t, 'b' an int. */
typedef struct BusField {
        const char *name;
        char type;
        size_t offset;
} BusField;

/* The whole a{sv}. Errors as sd_bus_message_append(). */
int bus_dict_append_fields(sd_bus_message *m, const BusField *fields, size_t n, const void *from);
/*
 * Reads it back: other names are passed over, texts are borrowed from the message. *ret_seen, which may be NULL, gets
 * a bit for each field that was there; there are at most 32. Errors as bus_dict_read().
 */
int bus_dict_read_fields(sd_bus_message *m, const BusField *fields, size_t n, void *to, uint32_t *ret_seen);

/* Reads an "s" into a copy, which is the caller's. -ENOMEM; others of sd_bus_message_read_basic(3). */
int bus_read_text(sd_bus_message *m, char **ret);
