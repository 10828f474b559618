/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-socket — where keepers knock
 *
 * Runs in: broker. Privilege: root, where it makes the socket.
 */

#include "base/util.h"

/* The listening LINK_SOCKET that systemd holds open (sd_listen_fds(3)), or one that is made. Negative errno. */
int link_socket_open(void);
