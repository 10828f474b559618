/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-client — the keeper's end of the link to the broker (link/link.h), over and over again
 *
 * It connects, checks that the other end is root, says Hello with all records, serves the broker's calls, and starts
 * over with growing pauses when the broker goes away. Meanwhile the sandboxes live on; calls that waited for an
 * answer lose it, and what happened is in the next Hello.
 *
 * Life: the keeper's. Runs in: keeper. Privilege: root. Input: the broker, trusted to be root, not to be right.
 */

#include "base/util.h"
#include "link/link.h"
#include "link/sandbox-event.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct LinkClient LinkClient;

/* What the link asks and tells its keeper. */
typedef struct LinkClientHandlers {
        /* Appends what Hello says. */
        int (*append_hello)(void *userdata, sd_bus_message *m);
        /* The broker knows all there is to know. */
        void (*welcome)(void *userdata);
        /* The connection is gone: its calls can be answered no more. */
        void (*down)(void *userdata);
} LinkClientHandlers;

/* answers: the methods that the broker may call, with the userdata of the handlers. Connects in the event loop. */
int link_client_new(LinkClient **ret,
                    sd_event *event,
                    const sd_bus_vtable *answers,
                    const LinkClientHandlers *handlers,
                    void *userdata);
LinkClient *link_client_free(LinkClient *l); /* takes NULL, returns NULL */
DECLARE_CLEANUP(LinkClient *, link_client_free);

/* Signals; dropped while nobody listens. Take NULL. */
void link_tell_sandbox_changed(LinkClient *l, const SandboxRecord *record);
void link_tell_sandbox_removed(LinkClient *l, const SandboxRecord *record);
void link_tell_event(LinkClient *l, const SandboxRecord *record, const SandboxEvent *e);

/* Asks for the launch of what this keeper is there for. -ENOTCONN: the broker has not answered a Hello. */
int link_start_app(LinkClient *l, sd_bus_message_handler_t handler, void *userdata);
