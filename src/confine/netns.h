/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * netns — the sandbox's network namespace
 *
 * Runs in: exec. Privilege: CAP_SYS_ADMIN, CAP_NET_ADMIN in the initial user namespace.
 */

#include "confine/problem.h"

/* A new namespace with its loopback up; returns its fd. The caller's process is in it from then on. */
int netns_new(Problem *problem);

/* Back into one that this process has been in. */
int netns_return(int fd);

/* Enters a namespace, and brings its loopback up if it is not. */
int netns_enter(int fd, Problem *problem);
