/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-dict — a{sv} in messages, written entry by entry and read by one loop; and texts that are kept
 *
 * Runs in: keeper, broker, immurectl. Privilege: none. Input: hostile; what an entry means is its reader's to check.
 */

#include <systemd/sd-bus.h>

/* What is appended between the two is the entry's value, of these types. The array around it is open already. */
int bus_dict_open_entry(sd_bus_message *m, const char *name, const char *types);
int bus_dict_close_entry(sd_bus_message *m);

/* Reads the variant that belongs to the name, or skips it. Its error ends the reading. */
typedef int (*BusDictReader)(sd_bus_message *m, const char *name, void *userdata);

/* 0; the reader's error; -ENXIO and others of sd_bus_message_enter_container(3). */
int bus_dict_read(sd_bus_message *m, BusDictReader read, void *userdata);

/* Reads an "s" into a copy, which is the caller's. -ENOMEM; others of sd_bus_message_read_basic(3). */
int bus_read_text(sd_bus_message *m, char **ret);
