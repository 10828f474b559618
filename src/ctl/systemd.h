/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd — asks the service manager over the bus, as systemctl(1) does (org.freedesktop.systemd1(5))
 *
 * Every function returns 0, or negative errno after it has written to standard error why.
 *
 * Runs in: immurectl. Privilege: root, for systemd to obey. Input: its answers.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* Whether it runs this machine, see sd_booted(3). */
bool systemd_is_there(void);

int systemd_open(sd_bus **ret);
/* A method of its manager, with arguments as in sd_bus_message_append(3). what: "cannot …", for the message. */
int systemd_call(sd_bus *bus, const char *what, const char *method, const char *types, ...);

/* "StartUnit", "StopUnit": returns when the job is done. */
int systemd_run_job(sd_bus *bus, const char *method, const char *unit);
