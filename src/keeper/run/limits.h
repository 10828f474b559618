/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * limits — what was set on a sandbox since its launch (SetProperties), for this run and those to come
 *
 * Life: in a sandbox, from its launch to its end. Runs in: keeper. Privilege: root.
 * Input: the broker's values, trusted to come from root, not to be right.
 */

#include "keeper/parts/cgroup.h"

#include <systemd/sd-bus.h>

typedef struct Limits {
        PlanCgroupValue values[CGROUP_CHANGES_MAX]; /* each file once */
        size_t n;
} Limits;

/* Writes values into the cgroup of a run and remembers them: all, or none. Fills error and returns negative errno. */
int limits_change(Limits *l,
                  const CgroupUnit *unit,
                  int cgroup_fd,
                  const PlanCgroupValue *values,
                  size_t n,
                  sd_bus_error *error);
/* Writes what is remembered into the cgroup of a new run. Fills error and returns negative errno. */
int limits_apply(const Limits *l, const CgroupUnit *unit, int cgroup_fd, sd_bus_error *error);
void limits_done(Limits *l);

/* An error of cgroup_apply() or cgroup_change() on the bus; returns negative errno. */
int limits_error(int r, const char *text, sd_bus_error *error);
