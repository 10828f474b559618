/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * caps — the five capability sets, capabilities(7)
 *
 * Raw system calls, capset(2) and prctl(2): five sets of 64 bits are all there is, and /proc/PID/status shows the
 * same words.
 *
 * Runs in: exec. Privilege: CAP_SETPCAP in the sandbox's user namespace.
 */

#include "confine/problem.h"

/*
 * Sets the bounding set as given, and inheritable, permitted, effective and ambient set all to ambient. Uid 0 gets
 * nothing for being 0 afterwards (SECBIT_NOROOT, locked). -EINVAL: a capability that this kernel does not know.
 */
int caps_apply(uint64_t bounding, uint64_t ambient, Problem *problem);

/*
 * Makes effective what is permitted. A change from uid 0 to another empties the effective set, even where
 * PR_SET_KEEPCAPS saves the permitted one.
 */
int caps_regain(Problem *problem);

/* The effective set alone, as it is kept over a change of ids that empties or fills it. */
typedef struct CapsEffective {
        uint32_t low, high;
} CapsEffective;

int caps_save(CapsEffective *ret);
/* Of what is permitted: -EPERM otherwise. */
int caps_set_effective(const CapsEffective *set);

/*
 * Switches CAP_DAC_OVERRIDE in the effective set. It is off from the start, so that root can only write what is
 * root's, and on for the one mount that needs it. The kernel raises it whenever the file system uid returns to 0
 * (setfsuid(2)), so whoever does that calls this next. -EPERM: it is not permitted.
 */
int caps_override_files(bool on);
