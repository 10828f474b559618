/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * layers — which means of confinement this machine has, by the names that Degrade= uses
 *
 * Runs in: broker. Privilege: none. Input: the kernel's answers.
 */

#include "base/util.h"

typedef struct Layer {
        const char *name;
        bool available;
} Layer;

#define LAYERS_MAX 16

/* cgroup: the directory whose controllers sandboxes will get; NULL: no version 2 hierarchy. Returns how many. */
size_t layers_probe(const char *cgroup, Layer ret[static LAYERS_MAX]);
