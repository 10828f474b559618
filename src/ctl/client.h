/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * client — org.immured.Broker1 from the outside: calls, errors in words, properties as JSON
 *
 * Life: a verb opens the bus, calls, and lets go of it. Calls wait for as long as the broker takes: a launch may last
 * TimeoutStartSec=, a stop TimeoutStopSec=, and both have their deadlines there.
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

/* Every function here returns 0 or negative errno, told on standard error. */

int client_open(sd_bus **ret);

/* Says what an error of the bus means, and returns r, or -EIO where that is no error. */
int client_error(const sd_bus_error *error, int r);
/* The same for a message that could not be made or read. */
int client_message_error(int r);

/* Calls a method of the manager; ret_reply may be NULL. Arguments as in sd_bus_message_append(3). */
int client_call(sd_bus *bus, sd_bus_message **ret_reply, const char *member, const char *types, ...);
int client_send(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret_reply);

/* The reply of a method that answers with an object's path, for this name; *ret is the caller's. */
int client_get_object(sd_bus *bus, const char *member, const char *name, char **ret);
/* All properties as a JSON object. What has no plain form in JSON is null. */
int client_get_properties(sd_bus *bus, const char *path, const char *interface, json_t **ret);
/* Of a profile, by its name. *ret is NULL where there is none to be seen, and nothing was told. */
int client_get_profile(sd_bus *bus, const char *name, json_t **ret);

/*
 * The rows of an array of structures as JSON objects, the fields named in order by keys (NULL-terminated). The
 * reply's signature is checked first.
 */
int client_read_rows(sd_bus_message *reply, const char *signature, const char *const *keys, json_t **ret);

/* Opens the options of Launch and its like, with what the command line says; the caller may add some, then closes. */
int client_open_options(sd_bus_message *m, const Options *o, char *const *arguments);
int client_close_options(sd_bus_message *m);

/* One KEY=VALUE as (sv), into an array that is open. Tells nothing: what sd_bus_message_append(3) returns. */
int client_append_property(sd_bus_message *m, const char *assignment);
