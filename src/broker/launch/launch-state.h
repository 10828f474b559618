/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * launch-state — a launch under way, shared by those who begin one: callers on the bus (launch.c) and units
 * (launch-app.c)
 *
 * Life: launch.h. Runs in: broker. Privilege: none of its own.
 */

#include "broker/launch/launch-options.h"
#include "broker/launch/launch.h"
#include "broker/launch/reservation.h"
#include "broker/state/keepers.h"
#include "plan/plan.h"

typedef enum LaunchMode {
        LAUNCH_PLAIN,
        LAUNCH_LEASED,
        LAUNCH_PLAN_ONLY,
        LAUNCH_APP, /* for the keeper that asks, and the account that its unit names */
} LaunchMode;

struct Launch {
        LaunchMode mode;
        Call *call;
        LaunchOptions options;
        char *profile;
        KnownAccount *target;
        AccountQuery *query;
        KeeperWaiter waiter;
        Reservation reservation;
};

Launch *launch_free(Launch *l); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Launch *, launch_free);

/* The plan for the target, who is known; who may is another question. Negative errno, set as the call's error. */
int launch_make_plan(Launch *l, const CatalogEntry *e, Plan **ret);

/* Answers with the error, and is gone. */
void launch_fail(Launch *l, int error);

/* How far a launch has come. */
enum {
        LAUNCH_ANSWERED,
        LAUNCH_UNDER_WAY, /* and not the caller's any more */
        LAUNCH_PARTED,    /* polkit has its call, which will come from its beginning again */
};

/* The target is known. How far it has come, or negative errno. */
int launch_proceed(Launch *l);
