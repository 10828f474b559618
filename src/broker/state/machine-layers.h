/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * machine-layers — which means of confinement this machine has, by the names that Degrade= uses
 *
 * Runs in: broker. Privilege: none. Input: the kernel's answers.
 */

#include "base/util.h"

typedef struct MachineLayer {
        const char *name;
        bool available;
} MachineLayer;

#define MACHINE_LAYERS_MAX 16

/* cgroup: the directory whose controllers sandboxes will get; NULL: no version 2 hierarchy. Returns how many. */
size_t machine_layers_probe(const char *cgroup, MachineLayer ret[static MACHINE_LAYERS_MAX]);
