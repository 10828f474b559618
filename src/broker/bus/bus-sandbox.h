/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-sandbox — the Sandbox interface: what a record looks like on the bus, and the verbs on it
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/call/call.h"

/*
 * Handlers of sandbox-verbs.h, for both spellings: the dispatcher has found call->object. call_ask() and call_await()
 * ask the keeper by the member's own name.
 */
int call_ask(Call *c);
int call_await(Call *c);
int call_kill(Call *c);
int call_set_properties(Call *c);

/* Appends a{sv} of the properties that say when they change and differ from before. -ENODATA: none does. */
int sandbox_append_changes(sd_bus_message *m,
                           struct Manager *manager,
                           const Caller *to,
                           const Object *object,
                           const SandboxRecord *before);
