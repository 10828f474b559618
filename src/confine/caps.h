/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * caps — the five capability sets, capabilities(7)
 *
 * Raw system calls: five sets as 64 bit words are all there is, and the words are also what /proc/PID/status shows.
 *
 * Runs in: exec. Privilege: CAP_SETPCAP in the sandbox's user namespace.
 */

#include "confine/problem.h"

/*
 * Bounding set as given; inheritable, permitted, effective and ambient set all to ambient. Uid 0 means nothing any
 * more (SECBIT_NOROOT, locked). -EINVAL: a capability this kernel does not know.
 */
int caps_apply(uint64_t bounding, uint64_t ambient, Problem *problem);

/* Makes effective what is permitted: a change of ids that keeps the one (PR_SET_KEEPCAPS) empties the other. */
int caps_regain(Problem *problem);

/* The effective set alone, as it is kept over a change of ids that empties or fills it. */
typedef struct CapsEffective {
        uint32_t low, high;
} CapsEffective;

int caps_save(CapsEffective *ret);
/* Of what is permitted: -EPERM otherwise. */
int caps_set_effective(const CapsEffective *set);

/*
 * Whether CAP_DAC_OVERRIDE is effective: off from the start, so that root writes only to what is root's, and on for
 * the one mount that needs it. A return to uid 0 of file systems sets it, setfsuid(2), so that ends with this. -EPERM:
 * it was not permitted.
 */
int caps_override_files(bool on);
