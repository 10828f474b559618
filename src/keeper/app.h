/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * app — of a keeper that is the main process of a unit: the one application that it is there for
 *
 * The keeper asks the broker for the launch, and waits as long as there is no broker. The unit is active when the
 * launch is answered, shows the application's state, is stopped as its profile says, and ends as it ends. What the
 * unit is given in time follows the profile: the keeper watches the deadlines, systemd only the keeper.
 *
 * Life: the keeper's. Runs in: keeper. Privilege: none. Input: the broker's answers.
 */

#include "keeper/link-client.h"
#include "keeper/sandbox/sandbox.h"
#include "link/app-name.h"

typedef struct App App;

/* name: as of the unit, USER:PROFILE. -EINVAL: it is none. */
int app_new(App **ret, sd_event *event, LinkClient *link, const char *name);
App *app_free(App *a); /* takes NULL, returns NULL */
DECLARE_CLEANUP(App *, app_free);

const char *app_name(const App *a);
/* A number that differs between most applications. */
uint32_t app_number(const App *a);

/*
 * Whether this plan is what the unit is for, whose cgroup that is. Fills error and returns negative errno where it is
 * not.
 */
int app_check_plan(const App *a, const char *unit_path, const Plan *plan, sd_bus_error *error);

/* The broker listens: now it can be asked. */
void app_announced(App *a);
/* It is launched, or is not to be any more: the broker is asked no more, and what it answers counts no more. */
void app_stop_asking(App *a);

/* The sandbox has a new record; has entered a phase that lasts that long at most; is launched; has come to its end. */
void app_changed(App *a, const Sandbox *s);
void app_deadline(App *a, const Sandbox *s, uint64_t timeout_usec);
void app_launched(App *a, const Sandbox *s);
void app_ended(App *a, const Sandbox *s);
/* The signal that the keeper shall end by; 0: by the exit status of its event loop. */
int app_end_signal(const App *a);
