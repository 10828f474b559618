/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fault — the hits of limits that are remembered of one sandbox
 *
 * A sandbox can run into a limit as often as it likes, so each resource has its own bounded rows, of which the oldest
 * gives way, and at most FAULT_BURST new ones in FAULT_INTERVAL_USEC: a storm of one hides none of another.
 *
 * Life: with the sandbox, over all its runs. Runs in: keeper. Privilege: none.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

/* Named after the keys that limit them, in profiles and in slices alike. */
typedef enum FaultResource {
        FAULT_OOM, /* a process was killed as there was no memory left */
        FAULT_MEMORY_MAX,
        FAULT_MEMORY_HIGH,
        FAULT_TASKS_MAX,
        FAULT_CPU_QUOTA,
        _FAULT_RESOURCE_MAX,
} FaultResource;

/* Whose limit it was. */
typedef enum FaultLevel {
        FAULT_OF_SANDBOX,
        FAULT_OF_USER,   /* the keeper's unit or the user's slice, which all their sandboxes share */
        FAULT_OF_SYSTEM, /* anything above */
        _FAULT_LEVEL_MAX,
} FaultLevel;

#define FAULT_ROWS 16U
#define FAULT_BURST 4U
#define FAULT_INTERVAL_USEC (60 * UINT64_C(1000000))

typedef struct Fault {
        uint64_t time; /* CLOCK_REALTIME µs */
        FaultResource resource;
        FaultLevel level;
        uint64_t value, limit; /* bytes, tasks, or µs; limit 0: none is known */
        char **processes;      /* of the sandbox, when it was noticed */
} Fault;

typedef struct Faults Faults;

int faults_new(Faults **ret);
Faults *faults_free(Faults *f); /* takes NULL, returns NULL */
DECLARE_CLEANUP(Faults *, faults_free);

/* Whether one more would be kept at this time, of the same clock as Fault's. */
bool faults_wants(Faults *f, FaultResource resource, uint64_t time);
/* Keeps it; its processes are taken over. */
void faults_add(Faults *f, const Fault *fault);

/* Appends a(tssttas), the oldest first: time, resource, level, value, limit, processes. f may be NULL. */
int faults_append(const Faults *f, sd_bus_message *m);

/* "MemoryMax"; "sandbox". Static text. */
const char *fault_resource_name(FaultResource resource);
const char *fault_level_name(FaultLevel level);
