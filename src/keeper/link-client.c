/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/link-client.h"

#include "base/log.h"
#include "base/text.h"
#include "keeper/parts/link-send.h"
#include "keeper/parts/timer.h"
#include "link/link.h"

#include <sys/socket.h>

#define PAUSE_MIN_USEC (50 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC (5 * USEC_PER_SEC)
/* Of one who finds nobody there: a broker that comes waits for its keepers for a second, and no longer. */
#define PAUSE_ABSENT_USEC (500 * USEC_PER_MSEC)

struct LinkClient {
        sd_event *event;
        const sd_bus_vtable *answers;
        const LinkClientHandlers *handlers;
        void *userdata;
        sd_bus *bus;
        sd_event_source *pause;
        uint64_t pause_usec;
        bool announced; /* Hello is on its way: signals may follow it */
        bool welcome;   /* and was answered */
};

static void client_retry(LinkClient *l);

static void client_drop(LinkClient *l) {
        l->handlers->down(l->userdata);
        l->announced = l->welcome = false;
        l->bus = sd_bus_close_unref(l->bus);
}

void link_tell_sandbox_changed(LinkClient *l, const SandboxRecord *record) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!l || !l->announced)
                return;

        r = sd_bus_message_new_signal(l->bus, &m, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "SandboxChanged");
        if (r >= 0)
                r = sandbox_record_append(m, record);
        link_send_or_break(l->bus, r, m);
}

void link_tell_sandbox_removed(LinkClient *l, const SandboxRecord *record) {
        int r;

        if (!l || !l->announced)
                return;

        r = sd_bus_emit_signal(l->bus,
                               LINK_KEEPER_PATH,
                               LINK_KEEPER_INTERFACE,
                               "SandboxRemoved",
                               "ssii",
                               record->id,
                               sandbox_result_name(record->result),
                               record->exec_main_code,
                               record->exec_main_status);
        if (r < 0)
                link_break(l->bus, r);
}

void link_tell_event(LinkClient *l, const SandboxRecord *record, const SandboxEvent *e) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!l || !l->announced)
                return;

        r = sd_bus_message_new_signal(l->bus, &m, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "Event");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", record->id, sandbox_event_row(e->kind)->name);
        if (r >= 0)
                r = sandbox_event_append(m, e);
        link_send_or_break(l->bus, r, m);
}

static int on_hello(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LinkClient *l = userdata;

        /* sd-bus itself says NoReply when the connection ends first. The broker went away; it did not refuse us. */
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY)) {
                client_retry(l);
                return 0;
        }

        if (sd_bus_message_is_method_error(reply, NULL)) {
                log_warning("the broker refuses this keeper: %s",
                            sd_bus_message_get_error(reply)->message ?: "");
                l->pause_usec = PAUSE_MAX_USEC;
                client_retry(l);
                return 0;
        }

        /* The version that is spoken, in the reply, matters to nothing that a keeper says so far. */
        l->pause_usec = PAUSE_MIN_USEC;
        l->welcome = true;
        l->handlers->welcome(l->userdata);
        return 0;
}

static int link_hello(LinkClient *l) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                l->bus, &m, NULL, LINK_BROKER_PATH, LINK_BROKER_INTERFACE, "Hello");
        if (r < 0)
                return r;

        r = l->handlers->append_hello(l->userdata, m);
        if (r >= 0)
                r = sd_bus_call_async(l->bus, NULL, m, on_hello, l, 0);
        if (r < 0)
                return r;

        l->announced = true;
        return 0;
}

int link_start_app(LinkClient *l, sd_bus_message_handler_t handler, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!l->welcome)
                return -ENOTCONN;

        r = sd_bus_message_new_method_call(
                l->bus, &m, NULL, LINK_BROKER_PATH, LINK_BROKER_INTERFACE, "StartApp");
        if (r < 0)
                return r;

        /* That of Type=oneshot is answered when it has ended, and not before. */
        return sd_bus_call_async(l->bus, NULL, m, handler, userdata, UINT64_MAX);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        LinkClient *l = userdata;

        client_retry(l);
        return 0;
}

/* Whoever listens on that socket can have any program run as anybody, so it must be root. */
static int check_peer(sd_bus *bus) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        int fd;

        fd = sd_bus_get_fd(bus);
        if (fd < 0)
                return fd;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;

        return peer.uid == 0 ? 0 : -EPERM;
}

static int client_connect(LinkClient *l) {
        int r;

        r = sd_bus_new(&l->bus);
        if (r < 0)
                return r;

        (void) sd_bus_set_description(l->bus, "broker");
        r = sd_bus_set_address(l->bus, "unix:path=" LINK_SOCKET);
        if (r >= 0)
                r = sd_bus_negotiate_fds(l->bus, true);
        if (r >= 0)
                r = sd_bus_start(l->bus);
        if (r >= 0)
                r = check_peer(l->bus);
        if (r >= 0)
                r = sd_bus_add_object_vtable(
                        l->bus, NULL, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, l->answers, l->userdata);
        if (r >= 0)
                r = sd_bus_match_signal(l->bus,
                                        NULL,
                                        NULL,
                                        "/org/freedesktop/DBus/Local",
                                        "org.freedesktop.DBus.Local",
                                        "Disconnected",
                                        on_disconnected,
                                        l);
        if (r >= 0)
                r = sd_bus_attach_event(l->bus, l->event, SD_EVENT_PRIORITY_NORMAL);

        return r < 0 ? r : link_hello(l);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        LinkClient *l = userdata;
        int r;

        client_drop(l);
        r = client_connect(l);
        if (r < 0) {
                log_debug("no broker yet: %s", strerror(-r));
                l->pause_usec = MIN(l->pause_usec, PAUSE_ABSENT_USEC);
                client_retry(l);
        }

        return 0;
}

/* The old connection is dropped only when the pause is over: this may run in one of its handlers. */
static void client_retry(LinkClient *l) {
        int r;

        l->announced = l->welcome = false;
        l->handlers->down(l->userdata);

        /* Both the pending Hello and the match on Disconnected end up here when the connection ends. */
        if (sd_event_source_get_enabled(l->pause, NULL) > 0)
                return;

        r = timer_start(l->event, &l->pause, l->pause_usec, SD_EVENT_PRIORITY_NORMAL, on_pause_over, l);
        if (r < 0)
                (void) log_errno(r, "cannot wait for the broker");

        l->pause_usec = MIN(l->pause_usec * 2, PAUSE_MAX_USEC);
}

int link_client_new(LinkClient **ret,
                    sd_event *event,
                    const sd_bus_vtable *answers,
                    const LinkClientHandlers *handlers,
                    void *userdata) {
        _cleanup_(link_client_freep) LinkClient *l = NULL;
        int r;

        l = malloc(sizeof(*l));
        if (!l)
                return -ENOMEM;
        *l = (LinkClient){
                .event = event,
                .answers = answers,
                .handlers = handlers,
                .userdata = userdata,
                .pause_usec = PAUSE_MIN_USEC,
        };

        r = sd_event_add_time_relative(event, &l->pause, CLOCK_MONOTONIC, 0, 1, on_pause_over, l);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

LinkClient *link_client_free(LinkClient *l) {
        if (!l)
                return NULL;

        client_drop(l);
        (void) sd_event_source_disable_unref(l->pause);
        free(l);
        return NULL;
}
