/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * foreign-socket — a socket that users can write to, read without ever holding a descriptor that they send
 *
 * To close a descriptor takes as long as whoever made it likes: a TCP socket with SO_LINGER and unsent data, or a file
 * on a FUSE mount, whose server is asked at every close. The keeper's loop must not wait for that. So a packet is
 * looked at while it is still queued, without room for descriptors: that takes none, and MSG_CTRUNC says that there
 * are some. Such a packet leaves the queue in a child that was made for it.
 *
 * The sockets have SO_PASSCRED: the sender comes with each packet, and tells even an empty one from the end.
 *
 * Runs in: keeper. Privilege: root. Input: hostile.
 */

#include "base/util.h"

#include <sys/types.h>

typedef struct ForeignPacket {
        size_t size;  /* as much as there was room for */
        pid_t sender; /* 0: not in our pid namespace */
        bool whole, has_fds;
} ForeignPacket;

/* Looks at the first packet of the queue. -EAGAIN: there is none; -EPIPE: and none will come. */
int foreign_socket_peek(int fd, char *text, size_t size, ForeignPacket *ret);
/* Takes it off the queue. Not for one with descriptors. */
int foreign_socket_drop(int fd);
/* For one with descriptors: a child does it, and has done it when it is reaped, which is the caller's. */
int foreign_socket_drop_in_child(int fd, pid_t *ret_pid);

/* Closes it; what is queued with descriptors, a child. Takes a negative fd, returns -EBADF. */
int foreign_socket_close(int fd);
