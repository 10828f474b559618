/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * manager — makes the parts of the broker, runs them, and frees them
 *
 * Life: manager_new() opens everything, manager_run() runs the loop until a signal or the bus ends it, manager_free().
 *
 * Runs in: broker. Privilege: root, with the capabilities of its unit.
 */

#include "broker/call/manager-state.h"

/* What the command line says. */
typedef struct ManagerOptions {
        CatalogSources sources;
        char *cgroup_root; /* NULL: through systemd, or found */
} ManagerOptions;

void manager_options_done(ManagerOptions *o);

int manager_new(Manager **ret, const ManagerOptions *options);
Manager *manager_free(Manager *m); /* takes NULL, returns NULL */
DECLARE_CLEANUP(Manager *, manager_free);

/* 0: told to stop; negative errno: the bus is gone, or worse. */
int manager_run(Manager *m);
