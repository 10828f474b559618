/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper-unit — a keeper as a unit of systemd: asked for, and heard of only when that fails
 *
 * Success needs no word: the keeper says Hello itself.
 *
 * Life: from asking until the keeper came up or its owner gives up; freeing it withdraws the interest, not the job.
 *
 * Runs in: broker. Privilege: root's word to systemd. Input: systemd's answers.
 */

#include "base/util.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct KeeperUnit KeeperUnit;

/* The unit will not come up, and why. */
typedef void (*KeeperUnitHandler)(const char *text, void *userdata);

/*
 * again: its last keeper has just ended. systemd may still take the unit for active, where a start does nothing; a
 * restart is a start where there is nothing to stop.
 */
int keeper_unit_start(
        KeeperUnit **ret, sd_bus *bus, uid_t uid, bool again, KeeperUnitHandler handler, void *userdata);
KeeperUnit *keeper_unit_free(KeeperUnit *u); /* takes NULL, returns NULL */
DECLARE_CLEANUP(KeeperUnit *, keeper_unit_free);
