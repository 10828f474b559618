/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * interfaces — which interfaces each kind of object has
 *
 * Life: static. What lists, reads or announces objects gets the table through the manager and does not name it: the
 * rows lead to those very functions.
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/bus/interface.h"

/* By ObjectKind; each list ends with NULL and has our own interface first. */
extern const Interface *const *const interfaces_by_kind[_OBJECT_KIND_MAX];
