/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * expected — the keepers that are alive when the broker starts, until each has said Hello or a second is over
 *
 * Found by their control groups, which are there whoever started them and whatever their version: below
 * HIERARCHY/immured.slice/immured-UID.slice, with a process in "keeper". A unit elsewhere keeps no sandbox
 * (keeper/app.c). A name that keepers leave and lock would say no more, and older ones leave none.
 *
 * Life: the keepers'. Runs in: broker. Privilege: none. Input: names of groups, made by root.
 */

#include "base/util.h"

#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Expected Expected;

/*
 * The handler is called once, from the loop: none is expected any more. It may free. Not where there was none to begin
 * with.
 */
int expected_new(Expected **ret,
                 sd_event *event,
                 const char *hierarchy,
                 void (*handler)(void *userdata),
                 void *userdata);
Expected *expected_free(Expected *e); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Expected *, expected_free);

/* Whether any has not said Hello yet. */
bool expected_any(const Expected *e);
/* This one has said Hello; app "": the user's own. */
void expected_heard(Expected *e, uid_t uid, const char *app);
