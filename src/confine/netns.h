/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * netns — the sandbox's network namespace
 *
 * Runs in: exec. Privilege: CAP_SYS_ADMIN, CAP_NET_ADMIN in the initial user namespace.
 */

#include "confine/problem.h"

/*
 * A new namespace with its loopback interface up; returns its fd. The caller's process has moved into it, even where
 * this fails after unshare(2).
 */
int netns_new(Problem *problem);

/* Returns to a namespace that this process has been in, setns(2). Negative errno. */
int netns_return(int fd);

/* Enters a namespace and brings its loopback interface up if it is down. */
int netns_enter(int fd, Problem *problem);
