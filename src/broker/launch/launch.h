/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * launch — from a call of Launch to a plan in the hands of the user's keeper, and back with what became of it
 *
 * The road is the table at the end of launch.c, for all who launch: callers on the bus, with a lease or without, those
 * who only want to see the plan, and units. Rights and limits are checked in the very moment in which the plan is
 * sent.
 *
 * Life: from the call to its reply; whatever it waits for tells it when it goes away.
 *
 * Runs in: broker. Privilege: none of its own. Input: hostile options, records of the keeper.
 */

#include "broker/call/call.h"
#include "link/app-name.h"

/*
 * What a unit wants to run. The call is that of the keeper which is the unit's main process, and is answered later; or
 * never, where negative errno is returned.
 */
int launch_app(struct Manager *m, sd_bus_message *message, const AppName *app);

/* Handlers. */
int call_launch(Call *c);
int call_launch_leased(Call *c);
int call_plan(Call *c);
