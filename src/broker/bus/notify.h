/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * notify — signals, each sent only to subscribers who may see what it is about
 *
 * Never a broadcast: that would tell everyone on the machine who runs what.
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/manager.h"
#include "broker/state/link-server.h"

/* One subscribed connection more or less. -EDQUOT: this user has as many as he may. */
int notify_subscribe(Manager *m, Peer *p);
void notify_unsubscribe(Peer *p);

void notify_sandbox_new(Manager *m, Sandbox *s);
void notify_sandbox_removed(Manager *m, Sandbox *s, SandboxResult result, int32_t code, int32_t status);
void notify_limit_hit(Manager *m, Sandbox *s, const LimitHit *hit);
/* before: what the sandbox's record was. */
void notify_sandbox_changed(Manager *m, Sandbox *s, const SandboxRecord *before);

/* A user's first sandbox came, or his last went. */
void notify_user(Manager *m, uid_t uid, bool appeared);

void notify_reloading(Manager *m, bool active);
/* Between two catalogs; the sandboxes stay. */
void notify_profiles_changed(Manager *m, const Catalog *before, const Catalog *after);
