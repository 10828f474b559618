/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * netns — the sandbox's network namespace
 *
 * Runs in: exec. Privilege: CAP_SYS_ADMIN, CAP_NET_ADMIN in the initial user namespace.
 */

#include "confine/problem.h"

/* Enters the prepared namespace, or a new one for -EBADF, and brings its loopback up. */
int netns_enter(int fd, Problem *problem);
