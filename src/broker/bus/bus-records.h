/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-records — what keepers tell of their sandboxes becomes objects on the bus, and signals for those who subscribed
 *
 * Life: handed to keepers.h as its handlers. Runs in: broker. Privilege: none. Input: records that link.h has checked.
 */

#include "broker/call/manager-state.h"

/* All that a keeper holds; records that are taken become NULL. */
void bus_records_snapshot(Manager *m, struct KeeperEntry *keeper, SandboxRecord **records, size_t n_records);
/* One that is new or changed, taken over. */
void bus_records_changed(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record);
void bus_records_removed(
        Manager *m, SandboxEntry *sandbox, SandboxResult result, int32_t code, int32_t status);

/* STATUS= for systemd. */
void bus_records_update_status(Manager *m);
