/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-signals — signals, each sent only to subscribers who may see what it is about
 *
 * Never a broadcast: that would tell everyone on the machine who runs what.
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/call/manager-state.h"
#include "broker/state/link-server.h"

/* One subscribed connection more or less. -EDQUOT: this user has as many as they may. */
int signals_subscribe(Manager *m, Peer *p);
void signals_unsubscribe(Peer *p);

void signals_sandbox_new(Manager *m, SandboxEntry *s);
void signals_sandbox_removed(
        Manager *m, SandboxEntry *s, SandboxResult result, int32_t code, int32_t status);
void signals_event(Manager *m, SandboxEntry *s, const SandboxEvent *e);
/* before: what the sandbox's record was. */
void signals_sandbox_changed(Manager *m, SandboxEntry *s, const SandboxRecord *before);

/* A user's first sandbox came, or their last went. */
void signals_user(Manager *m, uid_t uid, bool appeared);

void signals_reloading(Manager *m, bool active);
/* Between two catalogs; the sandboxes stay. */
void signals_profiles_changed(Manager *m, const Catalog *before, const Catalog *after);
