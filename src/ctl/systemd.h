/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd — the service manager, asked over the bus as systemctl(1) does (org.freedesktop.systemd1(5))
 *
 * Every function returns 0 or negative errno, told on standard error.
 *
 * Runs in: immurectl. Privilege: root's word to systemd. Input: its answers.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* Whether it is what runs this machine, as of sd_booted(3). */
bool systemd_is_there(void);

int systemd_open(sd_bus **ret);
int systemd_enable(sd_bus *bus, const char *unit);
int systemd_disable(sd_bus *bus, const char *unit);
/* Has it read its files again. */
int systemd_reload(sd_bus *bus);

/* "StartUnit", "StopUnit": returns when that is done. */
int systemd_run_job(sd_bus *bus, const char *method, const char *unit);
