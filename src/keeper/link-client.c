/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/link-client.h"

#include "base/log.h"
#include "base/text.h"
#include "keeper/app.h"
#include "keeper/link-answers.h"
#include "link/link.h"

#include <sys/socket.h>

#define PAUSE_MIN_USEC (50 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC (5 * USEC_PER_SEC)

struct LinkClient {
        Keeper *keeper;
        sd_bus *bus;
        sd_event_source *pause;
        uint64_t pause_usec;
        bool announced; /* Hello is on its way: signals may follow it */
        bool welcome;   /* and was answered */
};

static void link_retry(LinkClient *l);

/* Calls of a connection that is gone can be answered no more. */
static void drop_calls(Keeper *k) {
        for (Sandbox *s = k->first; s; s = s->next) {
                s->launch_call = sd_bus_message_unref(s->launch_call);
                s->lease_holder = safe_close(s->lease_holder);
                call_list_drop(&s->stop_calls);
                call_list_drop(&s->restart_calls);
                call_list_drop(&s->freeze_calls);
        }
}

static void link_drop(LinkClient *l) {
        drop_calls(l->keeper);
        l->announced = l->welcome = false;
        l->bus = sd_bus_close_unref(l->bus);
}

void link_client_break(sd_bus *bus, int error) {
        int fd = sd_bus_get_fd(bus);

        (void) log_message_errno(LOG_WARNING, error, "cannot send to the broker");
        if (fd >= 0)
                (void) shutdown(fd, SHUT_RDWR);
}

/* Replies are sent as they come. */
static void send_or_break(sd_bus *bus, int r, sd_bus_message *m) {
        if (r >= 0)
                r = sd_bus_send(bus, m, NULL);
        if (r < 0)
                link_client_break(bus, r);
}

void link_client_changed(LinkClient *l, const Sandbox *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!l || !l->announced)
                return;

        r = sd_bus_message_new_signal(l->bus, &m, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "SandboxChanged");
        if (r >= 0)
                r = sandbox_record_append(m, s->record);
        send_or_break(l->bus, r, m);
}

void link_client_removed(LinkClient *l, const Sandbox *s) {
        const SandboxRecord *record = s->record;
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
                link_client_break(l->bus, r);
}

void link_client_event(LinkClient *l, const Sandbox *s, const SandboxEvent *e) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!l || !l->announced)
                return;

        r = sd_bus_message_new_signal(l->bus, &m, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "Event");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", s->record->id, sandbox_event_row(e->kind)->name);
        if (r >= 0)
                r = sandbox_event_append(m, e);
        send_or_break(l->bus, r, m);
}

static int append_lease(sd_bus_message *m, int holder) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "h");
        if (r < 0)
                return r;

        if (holder >= 0) {
                r = sd_bus_message_append_basic(m, 'h', &holder);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

static int launch_reply_new(sd_bus_message *call, const Sandbox *s, sd_bus_message **ret) {
        int r;

        if (sd_bus_error_is_set(&s->error))
                return sd_bus_message_new_method_error(call, ret, &s->error);

        r = sd_bus_message_new_method_return(call, ret);
        if (r < 0)
                return r;

        r = sandbox_record_append(*ret, s->record);
        if (r < 0)
                return r;

        return append_lease(*ret, s->lease_holder);
}

void link_client_launched(LinkClient *l, Sandbox *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = TAKE_PTR(s->launch_call), *reply = NULL;
        int r;

        if (!call)
                return;

        r = launch_reply_new(call, s, &reply);
        send_or_break(sd_bus_message_get_bus(call), r, reply);
        s->lease_holder = safe_close(s->lease_holder);
}

static int on_hello(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LinkClient *l = userdata;

        /* What sd-bus itself says of a call that nobody lived to answer: a broker on its way out refuses nothing. */
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY)) {
                link_retry(l);
                return 0;
        }

        if (sd_bus_message_is_method_error(reply, NULL)) {
                log_warning("the broker refuses this keeper: %s",
                            sd_bus_message_get_error(reply)->message ?: "");
                l->pause_usec = PAUSE_MAX_USEC;
                link_retry(l);
                return 0;
        }

        l->pause_usec = PAUSE_MIN_USEC;
        l->welcome = true;
        keeper_announced(l->keeper);
        return 0;
}

static int append_records(sd_bus_message *m, const Keeper *k) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;

        for (const Sandbox *s = k->first; s; s = s->next) {
                r = sandbox_record_append(m, s->record);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

static int link_hello(LinkClient *l) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                l->bus, &m, NULL, LINK_BROKER_PATH, LINK_BROKER_INTERFACE, "Hello");
        if (r < 0)
                return r;

        r = sd_bus_message_append(m,
                                  "uus",
                                  LINK_VERSION,
                                  (uint32_t) l->keeper->uid,
                                  l->keeper->app ? app_name(l->keeper->app) : "");
        if (r < 0)
                return r;

        r = append_records(m, l->keeper);
        if (r < 0)
                return r;

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

        link_retry(l);
        return 0;
}

/* Whoever listens on the socket could otherwise have any program run as anybody. */
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

static int link_connect(LinkClient *l) {
        int r;

        r = sd_bus_new(&l->bus);
        if (r < 0)
                return r;

        (void) sd_bus_set_description(l->bus, "broker");
        r = sd_bus_set_address(l->bus, "unix:path=" LINK_SOCKET);
        if (r < 0)
                return r;

        r = sd_bus_negotiate_fds(l->bus, true);
        if (r < 0)
                return r;

        r = sd_bus_start(l->bus);
        if (r < 0)
                return r;

        r = check_peer(l->bus);
        if (r < 0)
                return r;

        r = sd_bus_add_object_vtable(
                l->bus, NULL, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, link_answers, l->keeper);
        if (r < 0)
                return r;

        r = sd_bus_match_signal(l->bus,
                                NULL,
                                NULL,
                                "/org/freedesktop/DBus/Local",
                                "org.freedesktop.DBus.Local",
                                "Disconnected",
                                on_disconnected,
                                l);
        if (r < 0)
                return r;

        r = sd_bus_attach_event(l->bus, l->keeper->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        return link_hello(l);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        LinkClient *l = userdata;
        int r;

        link_drop(l);
        r = link_connect(l);
        if (r < 0) {
                log_debug("no broker yet: %s", strerror(-r));
                link_retry(l);
        }

        return 0;
}

/* The old connection is dropped only when the pause is over: this may run in one of its handlers. */
static void link_retry(LinkClient *l) {
        int r;

        l->announced = l->welcome = false;
        drop_calls(l->keeper);

        /* The end of a connection comes twice: to the Hello that waited, and to whoever watches for it. */
        if (sd_event_source_get_enabled(l->pause, NULL) > 0)
                return;

        r = sd_event_source_set_time_relative(l->pause, l->pause_usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->pause, SD_EVENT_ONESHOT);
        if (r < 0)
                (void) log_errno(r, "cannot wait for the broker");

        l->pause_usec = MIN(l->pause_usec * 2, PAUSE_MAX_USEC);
}

int link_client_new(LinkClient **ret, Keeper *k) {
        _cleanup_(link_client_freep) LinkClient *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->keeper = k;
        l->pause_usec = PAUSE_MIN_USEC;

        r = sd_event_add_time_relative(k->event, &l->pause, CLOCK_MONOTONIC, 0, 1, on_pause_over, l);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

LinkClient *link_client_free(LinkClient *l) {
        if (!l)
                return NULL;

        link_drop(l);
        (void) sd_event_source_disable_unref(l->pause);
        free(l);
        return NULL;
}
