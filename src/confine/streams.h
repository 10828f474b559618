/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * streams — the three descriptors that an application starts with, and all those that it must not have
 *
 * Runs in: exec. Privilege: none. Input: descriptors may belong to a hostile user.
 */

#include "confine/problem.h"

/*
 * Which of 0, 1, 2 are not there, and so are still to come (plan/launch.h). They become copies of another descriptor
 * meanwhile: the next one that is opened must not get their numbers.
 */
int streams_await(int other, uint32_t *ret);

/*
 * Waits for the packet that brings the streams in wanted (client-streams.h), and puts each on its number, which must
 * be open already. -ECONNRESET: nobody will send any; -EBADMSG: something else was sent.
 */
int streams_receive(int socket, uint32_t wanted, Problem *problem);

/*
 * Refuses anything on 0, 1, 2 that would lead out of the tree (fd_check_stream()), with -EPERM; and a closed one,
 * whose number the next open(2) would get.
 */
int streams_check(Problem *problem);

/* Everything above 2 is closed by execve(2). */
int streams_close_others(Problem *problem);
