/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * streams — the three descriptors an application starts with, and the ones it must not
 *
 * Runs in: exec. Privilege: none. Input: descriptors may be a user's, and a hostile one's.
 */

#include "confine/problem.h"

/*
 * Refuses on 0, 1, 2 whatever would be a way out of the tree (see fd_check_stream()); and a closed one, whose number
 * the next open(2) would take.
 */
int streams_check(Problem *problem);

/* Everything above 2 goes at execve(2). */
int streams_close_others(Problem *problem);
