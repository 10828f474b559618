/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-fixture — a bus connection that leads nowhere, for building messages and reading them again
 *
 * Runs in: unit tests.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* Fails the test if it cannot be had. */
sd_bus *bus_fixture_new(void);

/* An empty message to fill. */
sd_bus_message *bus_fixture_message(sd_bus *bus);

/* Seals it, so that it can be read from the start. */
void bus_fixture_seal(sd_bus_message *m);
