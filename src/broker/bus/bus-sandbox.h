/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * bus-sandbox — the Sandbox interface: what a record looks like on the bus, and the verbs on it
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/call/call.h"

/* Handlers for both spellings, Manager.Stop(id) and Sandbox.Stop(): the dispatcher has found call->object. */
int call_stop(Call *c);
int call_kill(Call *c);
int call_restart(Call *c);
int call_freeze(Call *c);
int call_thaw(Call *c);
int call_get_processes(Call *c);
int call_get_faults(Call *c);
int call_set_properties(Call *c);
int call_reset_failed(Call *c);

/* Appends a{sv} of the properties that say when they change and differ from before. -ENODATA: none does. */
int sandbox_append_changes(sd_bus_message *m,
                           struct Manager *manager,
                           const Caller *to,
                           const Object *object,
                           const SandboxRecord *before);
