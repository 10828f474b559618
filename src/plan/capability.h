/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * capability — names and numbers of capabilities(7), without libcap, so that plans read the same everywhere
 *
 * Runs in: broker, immurectl. Privilege: none.
 */

#include "base/util.h"

/* "CAP_CHOWN" is 0. -EINVAL: no capability of that name. */
int capability_from_name(const char *name);
/* NULL: no such number. Static text. */
const char *capability_name(unsigned n);
