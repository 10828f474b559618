/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * memory — files in memory, memfd_create(2), that cannot be executed
 *
 * A memfd lies on no mount of the sandbox, so neither noexec nor Landlock reaches it. The kernel has a sysctl for each
 * PID namespace since Linux 6.3, vm.memfd_noexec; before, only a filter helps (seccomp_load()).
 *
 * Runs in: exec, inside. Privilege: CAP_SYS_ADMIN over the PID namespace. Input: none.
 */

#include "confine/problem.h"

/* Whether this kernel has the sysctl and its /proc can be written to. */
bool memory_can_be_sealed(void);

/*
 * From here on no memfd of this PID namespace can be executed. The host's /proc is still in place: the kernel goes by
 * the namespace of whoever writes. Tried before it is believed.
 */
int memory_seal(Problem *problem);
