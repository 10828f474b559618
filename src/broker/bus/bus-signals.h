/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-signals — what keepers and reloads change becomes objects on the bus, and signals for those who subscribed
 *
 * A signal goes only to subscribers who may see what it is about. Never a broadcast: that would tell everyone on the
 * machine who runs what.
 *
 * Runs in: broker. Privilege: none. Input: records and events that link/ has checked.
 */

#include "broker/call/manager-state.h"
#include "broker/state/link-server.h"

/* One subscribed connection more or less. -EDQUOT: this user has as many as they may. */
int signals_subscribe(Manager *m, Peer *p);
void signals_unsubscribe(Peer *p);

/*
 * What keepers tell of their sandboxes: handlers of keepers.h. Errors are logged, as nobody waits for a signal.
 */

/* All that a keeper holds; records that are taken become NULL. */
void signals_snapshot(Manager *m, struct KeeperEntry *keeper, SandboxRecord **records, size_t n_records);
/* One that is new or changed, taken over. */
void signals_record_changed(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record);
/* result, code and status say how it ended. */
void signals_record_removed(
        Manager *m, SandboxEntry *sandbox, SandboxResult result, int32_t code, int32_t status);
void signals_event(Manager *m, SandboxEntry *s, const SandboxEvent *e);

/* STATUS= for systemd. */
void signals_update_status(Manager *m);

/* To every subscriber: a reload begins, or is over. */
void signals_reloading(Manager *m, bool active);
/* Between two catalogs; the sandboxes stay. */
void signals_profiles_changed(Manager *m, const Catalog *before, const Catalog *after);
