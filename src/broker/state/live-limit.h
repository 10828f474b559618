/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * live-limit — a key of [Resources] with a new value, as the cgroup file that takes it while a sandbox runs
 *
 * Runs in: broker. Privilege: none. Input: root's.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

typedef struct LiveLimit {
        const char *file, *layer; /* static text */
        char value[48];
} LiveLimit;

/* How many keys there are. */
#define LIVE_LIMITS_MAX 10

/*
 * The value as a profile would say it. -ENOENT: no such key, or none that can be set live; -EINVAL, -ERANGE: not a
 * value of it; -ENOMEM. *ret is untouched then.
 */
int live_limit_parse(const char *key, const char *text, LiveLimit *ret);
