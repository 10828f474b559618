/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/link-server.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "plan/plan.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#define HELLO_DEADLINE_USEC (10 * USEC_PER_SEC)
/* A keeper for each user with sandboxes, and one for each application started at boot. */
#define LINKS_MAX 4096
#define RECORDS_MAX 4096
/* Messages handled out of turn. */
#define HEAR_MAX 1024

typedef struct LinkCall {
        LIST_ENTRY(LinkCall) entry;
        KeeperLink *link;
        sd_bus_slot *slot;
        LinkReplyHandler handler;
        void *userdata;
} LinkCall;

struct LinkServer {
        sd_event *event;
        sd_event_source *source;
        int socket;
        const LinkServerHandlers *handlers;
        void *userdata;
        LIST_HEAD(, KeeperLink) list;
        size_t n_links;
};

static void call_finish(LinkCall *c, sd_bus_message *reply) {
        LinkReplyHandler handler = c->handler;
        void *userdata = c->userdata;

        LIST_REMOVE(c, entry);
        (void) sd_bus_slot_unref(c->slot);
        free(c);
        handler(reply, userdata);
}

static KeeperLink *keeper_link_free_unlisted(KeeperLink *l) {
        if (!l)
                return NULL;

        (void) sd_event_source_disable_unref(l->deadline);
        (void) sd_bus_close_unref(l->bus);
        (void) safe_close(l->pidfd);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(KeeperLink *, keeper_link_free_unlisted);

void keeper_link_close(KeeperLink *l) {
        LinkServer *server = l->server;

        LIST_REMOVE(l, entry);
        server->n_links--;
        l->deadline = sd_event_source_disable_unref(l->deadline);

        while (!LIST_EMPTY(&l->calls))
                call_finish(LIST_FIRST(&l->calls), NULL);

        server->handlers->closed(l, server->userdata);
        (void) keeper_link_free_unlisted(l);
}

void keeper_link_hear(KeeperLink *l) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = sd_bus_ref(l->bus);

        for (unsigned i = 0; i < HEAR_MAX && sd_bus_process(bus, NULL) > 0; i++)
                ;
}

int keeper_link_new_call(KeeperLink *l, const char *member, sd_bus_message **ret) {
        if (l->version < link_member_since(member))
                return -EPROTONOSUPPORT;

        return sd_bus_message_new_method_call(
                l->bus, ret, NULL, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, member);
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        LinkCall *c = userdata;
        const LinkServer *server = c->link->server;

        server->handlers->answered(c->link, server->userdata);
        call_finish(c, m);
        return 0;
}

int keeper_link_call(
        KeeperLink *l, sd_bus_message *m, LinkReplyHandler handler, void *userdata, uint64_t timeout_usec) {
        LinkCall *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;

        c->link = l;
        c->handler = handler;
        c->userdata = userdata;
        r = sd_bus_call_async(l->bus, &c->slot, m, on_reply, c, timeout_usec);
        if (r < 0) {
                free(c);
                return r;
        }

        LIST_INSERT_HEAD(&l->calls, c, entry);
        return 0;
}

typedef struct Records {
        SandboxRecord **items;
        size_t n_items;
} Records;

static void records_done(Records *r) {
        for (size_t i = 0; i < r->n_items; i++)
                (void) sandbox_record_free(r->items[i]);
        free(r->items);
}

static int read_records(sd_bus_message *m, uint32_t uid, Records *ret) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;

        ret->items = calloc(RECORDS_MAX, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;

        while ((r = sd_bus_message_at_end(m, false)) == 0) {
                if (ret->n_items == RECORDS_MAX)
                        return -E2BIG;

                r = sandbox_record_read(m, ret->items + ret->n_items);
                if (r < 0)
                        return r;
                ret->n_items++;
                if (ret->items[ret->n_items - 1]->uid != uid)
                        return -EBADMSG;
        }

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static void choose_versions(KeeperLink *l, const LinkHello *hello) {
        l->version = version_common(LINK_VERSION_BROKER, LINK_VERSION, hello->link_min, hello->link_max);
        l->plan_version = version_common(PLAN_VERSION_FIRST, PLAN_VERSION, hello->plan_min, hello->plan_max);
        l->foreign = !streq(hello->program, IMMURED_VERSION) || hello->link_max != LINK_VERSION ||
                     hello->plan_max != PLAN_VERSION;
        if (l->version == 0)
                log_warning(
                        "A keeper of user %u speaks versions %u to %u of the link, this broker %u to %u: "
                        "its sandboxes can be listed and ended, and nothing else",
                        hello->uid,
                        hello->link_min,
                        hello->link_max,
                        LINK_VERSION_BROKER,
                        LINK_VERSION);
}

/* Version 2 has three arguments in place of a dictionary. */
static int read_hello(sd_bus_message *m, LinkHello *ret) {
        int r;

        if (!streq(sd_bus_message_get_interface(m), LINK_BROKER_INTERFACE_2))
                return link_hello_read(m, ret);

        *ret = (LinkHello){ .link_min = 2, .plan_min = 4, .plan_max = 4, .program = "" };
        r = sd_bus_message_read(m, "uus", &ret->link_max, &ret->uid, &ret->app);
        return r < 0 || ret->link_max == 2 ? r : -EPROTONOSUPPORT;
}

/* Version 2 expects nothing in it. */
static int reply_welcome(const KeeperLink *l, sd_bus_message *m) {
        return l->version == 2 ? sd_bus_reply_method_return(m, NULL)
                               : sd_bus_reply_method_return(m, "a{sv}", 1, "Link", "u", l->version);
}

/* Replies before the handler runs: it may go on to call the keeper, which must know by then that it is welcome. */
static int link_answer_hello(KeeperLink *l, sd_bus_message *m) {
        _cleanup_(records_done) Records records = { 0 };
        LinkHello hello;
        int r;

        /* sd-bus goes without where a socket option fails; a launch is nothing else. The keeper connects again. */
        if (sd_bus_can_send(l->bus, SD_BUS_TYPE_UNIX_FD) <= 0)
                return -EOPNOTSUPP;

        r = read_hello(m, &hello);
        if (r >= 0)
                r = read_records(m, hello.uid, &records);
        if (r < 0)
                return r;

        choose_versions(l, &hello);
        r = reply_welcome(l, m);
        if (r < 0)
                return r;

        l->deadline = sd_event_source_disable_unref(l->deadline);
        r = l->server->handlers->hello(l, &hello, records.items, records.n_items, l->server->userdata);
        if (r < 0)
                keeper_link_close(l);
        return 0;
}

static int link_answer_start_app(KeeperLink *l, sd_bus_message *m) {
        return l->server->handlers->start_app(l, m, l->server->userdata);
}

static int link_hear_sandbox_changed(KeeperLink *l, sd_bus_message *m) {
        SandboxRecord *record;
        int r;

        r = sandbox_record_read(m, &record);
        if (r >= 0)
                l->server->handlers->changed(l, record, l->server->userdata);
        return r;
}

static int link_hear_sandbox_removed(KeeperLink *l, sd_bus_message *m) {
        const char *id, *result;
        int32_t code, status;
        int r;

        r = sd_bus_message_read(m, "ssii", &id, &result, &code, &status);
        if (r >= 0)
                l->server->handlers->removed(l, id, result, code, status, l->server->userdata);
        return r;
}

static int link_hear_event(KeeperLink *l, sd_bus_message *m) {
        const char *id, *name;
        SandboxEvent e;
        int r, kind;

        r = sd_bus_message_read(m, "ss", &id, &name);
        if (r < 0)
                return r;

        kind = sandbox_event_from_name(name);
        if (kind < 0) {
                log_debug("A keeper tells of %s, which this broker does not know", name);
                return 0;
        }

        r = sandbox_event_read(m, (SandboxEventKind) kind, &e);
        if (r >= 0)
                l->server->handlers->event(l, id, &e, l->server->userdata);
        return r;
}

static int link_hear_limit_hit(KeeperLink *l, sd_bus_message *m) {
        SandboxEvent e = { .kind = SANDBOX_EVENT_LIMIT_HIT };
        EventValue *v = e.details;
        const char *id;
        int r;

        r = sd_bus_message_read(m, "ssstt", &id, &v[0].text, &v[1].text, &v[2].number, &v[3].number);
        if (r >= 0)
                l->server->handlers->event(l, id, &e, l->server->userdata);
        return r;
}

static int on_disconnected(KeeperLink *l, sd_bus_message *m) {
        keeper_link_close(l);
        return 0;
}

/* clang-format off */
static const struct {
        const char *interface, *member;
        int (*handler)(KeeperLink *l, sd_bus_message *m); /* the link may be gone afterwards */
} members[] = {
        { LINK_BROKER_INTERFACE,        "Hello",          link_answer_hello },
        { LINK_BROKER_INTERFACE,        "StartApp",       link_answer_start_app },
        { LINK_KEEPER_INTERFACE,        "SandboxChanged", link_hear_sandbox_changed },
        { LINK_KEEPER_INTERFACE,        "SandboxRemoved", link_hear_sandbox_removed },
        { LINK_KEEPER_INTERFACE,        "Event",          link_hear_event },
        { "org.freedesktop.DBus.Local", "Disconnected",   on_disconnected },
        /* Of version 2 alone. */
        { LINK_BROKER_INTERFACE_2,      "Hello",          link_answer_hello },
        { LINK_BROKER_INTERFACE_2,      "StartApp",       link_answer_start_app },
        { LINK_KEEPER_INTERFACE,        "LimitHit",       link_hear_limit_hit },
};
/* clang-format on */

/* A call that is none of these gets the error of sd-bus. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                const char *interface = members[i].interface, *member = members[i].member;
                int r;

                if (sd_bus_message_is_method_call(m, interface, member) <= 0 &&
                    sd_bus_message_is_signal(m, interface, member) <= 0)
                        continue;

                r = members[i].handler(userdata, m);
                if (r < 0)
                        (void) log_errno(r, "A keeper's %s is refused", member);
                return r < 0 ? r : 1;
        }

        return 0;
}

static int on_hello_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        log_warning("A keeper connected and said nothing: closing its link");
        keeper_link_close(userdata);
        return 0;
}

/* The descriptor is taken over, also on failure. */
static int keeper_link_open_bus(KeeperLink *l, int fd) {
        _cleanup_close_ int owned = fd;
        sd_id128_t id;
        int r;

        r = sd_id128_randomize(&id);
        if (r < 0)
                return r;

        r = sd_bus_new(&l->bus);
        if (r >= 0)
                r = sd_bus_set_server(l->bus, 1, id);
        if (r >= 0)
                r = sd_bus_negotiate_fds(l->bus, 1);
        if (r >= 0)
                r = sd_bus_set_fd(l->bus, owned, owned);
        if (r < 0)
                return r;
        (void) TAKE_FD(owned);

        r = sd_bus_start(l->bus);
        if (r >= 0)
                r = sd_bus_add_filter(l->bus, NULL, on_message, l);

        /* Before it is noticed that the keeper has ended: one that answers and leaves may have done both by now. */
        return r < 0 ? r : sd_bus_attach_event(l->bus, l->server->event, SD_EVENT_PRIORITY_NORMAL - 5);
}

/*
 * Whoever connected, as a pidfd; -EPERM: not root. It is that process and none that got its number since: it lives on
 * when it says Hello, which it can only do once we have answered it.
 */
static int open_peer(int fd) {
        struct ucred cred;
        socklen_t size = sizeof(cred);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return -errno;

        return size == sizeof(cred) && cred.uid == 0 ? pidfd_open_pid(cred.pid) : -EPERM;
}

/* The descriptor is taken over, also on failure. */
static int keeper_link_new(LinkServer *server, int fd) {
        _cleanup_(keeper_link_free_unlistedp) KeeperLink *l = NULL;
        _cleanup_close_ int owned = fd;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;

        l->server = server;
        LIST_INIT(&l->calls);
        l->pidfd = open_peer(fd);
        if (l->pidfd < 0)
                return l->pidfd;

        r = keeper_link_open_bus(l, TAKE_FD(owned));
        if (r < 0)
                return r;

        r = sd_event_add_time_relative(
                server->event, &l->deadline, CLOCK_MONOTONIC, HELLO_DEADLINE_USEC, 0, on_hello_deadline, l);
        if (r < 0)
                return r;

        LIST_INSERT_HEAD(&server->list, l, entry);
        server->n_links++;
        (void) TAKE_PTR(l);
        return 0;
}

static int on_connection(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        _cleanup_close_ int connection = -EBADF;
        LinkServer *server = userdata;
        int r;

        connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection < 0)
                return 0;

        if (server->n_links >= LINKS_MAX) {
                log_warning("%zu keepers are connected already: refusing another", server->n_links);
                return 0;
        }

        r = keeper_link_new(server, TAKE_FD(connection));
        if (r < 0)
                (void) log_message_errno(LOG_WARNING, r, "Who connected to " LINK_SOCKET " is refused");
        return 0;
}

/* Made with its final mode: with a chmod(2) after bind(2) others could connect in between. */
static int socket_make(void) {
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = LINK_SOCKET };
        mode_t mask;
        int r;

        if (mkdir("/run/immured", 0755) < 0 && errno != EEXIST)
                return -errno;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;

        if (unlink(LINK_SOCKET) < 0 && errno != ENOENT)
                return -errno;

        mask = umask(0177);
        r = bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
        (void) umask(mask);
        if (r < 0)
                return r;

        if (listen(fd, SOMAXCONN) < 0)
                return -errno;

        return TAKE_FD(fd);
}

/* The one that systemd holds open (sd_listen_fds(3)), or one that is made. */
static int socket_open(void) {
        int n = sd_listen_fds(0);

        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
                if (sd_is_socket_unix(fd, SOCK_STREAM, 1, LINK_SOCKET, 0) > 0)
                        return fd;

        return socket_make();
}

int link_server_new(LinkServer **ret, sd_event *event, const LinkServerHandlers *handlers, void *userdata) {
        _cleanup_(link_server_freep) LinkServer *server = NULL;
        int r;

        server = calloc(1, sizeof(*server));
        if (!server)
                return -ENOMEM;

        server->event = sd_event_ref(event);
        server->handlers = handlers;
        server->userdata = userdata;
        LIST_INIT(&server->list);

        server->socket = socket_open();
        if (server->socket < 0)
                return server->socket;

        r = fd_set_nonblock(server->socket, true);
        if (r >= 0)
                r = sd_event_add_io(event, &server->source, server->socket, EPOLLIN, on_connection, server);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(server);
        return 0;
}

LinkServer *link_server_free(LinkServer *server) {
        if (!server)
                return NULL;

        while (!LIST_EMPTY(&server->list))
                keeper_link_close(LIST_FIRST(&server->list));

        (void) sd_event_source_disable_unref(server->source);
        (void) safe_close(server->socket);
        (void) sd_event_unref(server->event);
        free(server);
        return NULL;
}
