/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * client — calls to org.immured.Broker1, its errors in words, its properties as JSON
 *
 * Life: a verb opens the bus, calls, and closes it. Calls have no timeout here: a launch may take TimeoutStartSec= and
 * a stop TimeoutStopSec=, and it is the keeper that ends them then.
 *
 * Runs in: immurectl. Privilege: none. Input: whatever comes over the bus.
 */

#include "ctl/options.h"
#include "ctl/output.h"

#include <systemd/sd-bus.h>

#define CLIENT_BUS_NAME "org.immured.Broker1"
#define CLIENT_PATH "/org/immured/Broker1"
#define CLIENT_MANAGER "org.immured.Broker1.Manager"
#define CLIENT_SANDBOX "org.immured.Broker1.Sandbox"
#define CLIENT_PROFILE "org.immured.Broker1.Profile"

#define _cleanup_bus_ _cleanup_(sd_bus_flush_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)
#define _cleanup_bus_error_ _cleanup_(sd_bus_error_free)

/* Every function returns 0, or negative errno after it has written to standard error why. */

int client_open(sd_bus **ret);

/* Writes what an error of the bus means. Returns r, or -EIO if r is no error. */
int client_error(const sd_bus_error *error, int r);
/* The same for a message that could not be built or read. */
int client_message_error(int r);

/* Calls a method of the manager; ret_reply may be NULL. Arguments as in sd_bus_message_append(3). */
int client_call(sd_bus *bus, sd_bus_message **ret_reply, const char *member, const char *types, ...);
int client_send(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret_reply);

/* Calls a method that finds an object by this name and returns its path; the caller frees *ret. */
int client_get_object(sd_bus *bus, const char *member, const char *name, char **ret);
/* All properties as a JSON object; null for what has no simple form in JSON. */
int client_get_properties(sd_bus *bus, const char *path, const char *interface, json_t **ret);
/* Those of a profile, by its name. *ret is NULL, without a message, if the caller can see no such profile. */
int client_get_profile(sd_bus *bus, const char *name, json_t **ret);

/*
 * The rows of an array of structures as JSON objects, the fields named in order by keys (NULL-terminated). The
 * reply's signature is checked first.
 */
int client_read_rows(sd_bus_message *reply, const char *signature, const char *const *keys, json_t **ret);

/* Opens the a{sv} of options of Launch and fills in the command line's. The caller adds their own and closes it. */
int client_open_options(sd_bus_message *m, const Options *o, char *const *arguments);
int client_close_options(sd_bus_message *m);

/* Appends KEY=VALUE as (sv) to an open array. Writes no message. Errors as sd_bus_message_append(3). */
int client_append_property(sd_bus_message *m, const char *assignment);
