/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * notify-socket — the keeper's end of the socket through which an application says how it is (sd_notify(3))
 *
 * Made unbound; immured-exec binds its copy inside the sandbox, so it has no name on the host and goes with the tree.
 *
 * It is a foreign socket (foreign-socket.h): a packet with descriptors is taken off the queue by a child, and only the
 * next packet of the same sandbox waits for that child to end. Barriers work (sd_notify_barrier(3): a descriptor, to
 * be closed once everything before it was handled), and a flood of descriptors holds up nobody but the sandbox that
 * sends it.
 *
 * Life: from the start of a run until its end. Runs in: keeper. Privilege: root. Input: hostile (the application).
 */

#include "base/util.h"
#include "keeper/parts/notify-message.h"

#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct NotifySocket NotifySocket;

/* A message, and who sent it: a pid of ours, vouched for by the kernel; 0: a process that cannot be seen from here. */
typedef void NotifyHandler(void *userdata, pid_t sender, const NotifyMessage *message);

/* The socket, deaf so far; *ret_socket: its other descriptor, for whoever binds it. */
int notify_socket_new(
        NotifySocket **ret, sd_event *event, NotifyHandler *handler, void *userdata, int *ret_socket);
/* Takes NULL, returns NULL. Not to be called by the handler. */
NotifySocket *notify_socket_free(NotifySocket *n);
DECLARE_CLEANUP(NotifySocket *, notify_socket_free);

/* Whether it was bound since. */
bool notify_socket_is_bound(const NotifySocket *n);

/* Begins to listen: a bounded number of packets each second, when nothing more important is to be done. */
int notify_socket_listen(NotifySocket *n);

/* Handles what lies in the queue, a bounded number of packets; takes a NULL one. */
void notify_socket_drain(NotifySocket *n);

/* Whether that child of the keeper's works for this socket; takes NULL. Once it is reaped, the next packet follows. */
bool notify_socket_owns(const NotifySocket *n, pid_t pid);
void notify_socket_reaped(NotifySocket *n);
