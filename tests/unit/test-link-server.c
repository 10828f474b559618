/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/link-server.h"

#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

/* The socket that the test listens on is one of systemd's, and whoever connects to it is root. */
static int listening;

int __wrap_sd_listen_fds(int unset_environment);
int __wrap_sd_listen_fds(int unset_environment) {
        assert_int_equal(dup2(listening, 3), 3);
        return 1;
}

int __wrap_sd_is_socket_unix(int fd, int type, int listens, const char *path, size_t length);
int __wrap_sd_is_socket_unix(int fd, int type, int listens, const char *path, size_t length) { return 1; }

int __wrap_getsockopt(int fd, int level, int option, void *ret, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *ret, socklen_t *size) {
        *(struct ucred *) ret = (struct ucred){ .pid = getpid() };
        return 0;
}

static sd_event *event;
static LinkServer *server;
static sd_bus *theirs;
static KeeperLink *ours;
static unsigned n_hellos, n_records, n_events, n_calls, n_replies, n_lost;
static LinkHello said;
static uint32_t link_version; /* as the broker answered; 99: it did not say */

static int
on_hello(KeeperLink *l, const LinkHello *hello, SandboxRecord **records, size_t n, void *userdata) {
        ours = l;
        said = *hello;
        said.app = said.program = NULL;
        n_records += n;
        n_hellos++;
        return 0;
}

static void on_event(KeeperLink *l, const char *id, const SandboxEvent *e, void *userdata) {
        assert_string_equal(id, "a.1000.1");
        assert_int_equal(e->kind, SANDBOX_EVENT_LIMIT_HIT);
        n_events++;
}

static void on_answered(KeeperLink *l, void *userdata) {}

static void on_closed(KeeperLink *l, void *userdata) { ours = NULL; }

static const LinkServerHandlers handlers = {
        .hello = on_hello,
        .event = on_event,
        .answered = on_answered,
        .closed = on_closed,
};

/* Calls of the broker, which get an answer only if the test says so. */
static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        if (!sd_bus_message_is_method_call(m, LINK_KEEPER_INTERFACE, NULL))
                return 0;

        n_calls++;
        return sd_bus_message_is_method_call(m, NULL, "Stop") ? sd_bus_reply_method_return(m, NULL) : 1;
}

static void connect_keeper(void) {
        struct sockaddr_un address;
        socklen_t size = sizeof(address);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_int_equal(getsockname(listening, (struct sockaddr *) &address, &size), 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &address, size), 0);
        assert_true(sd_bus_new(&theirs) >= 0);
        assert_true(sd_bus_negotiate_fds(theirs, 1) >= 0);
        assert_true(sd_bus_set_fd(theirs, fd, fd) >= 0);
        assert_true(sd_bus_add_filter(theirs, NULL, on_call, NULL) >= 0);
        assert_true(sd_bus_start(theirs) >= 0);
        assert_true(sd_bus_attach_event(theirs, event, SD_EVENT_PRIORITY_NORMAL) >= 0);
}

static int set_up(void **state) {
        const struct sockaddr_un any = { .sun_family = AF_UNIX };

        listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(listening, (const struct sockaddr *) &any, sizeof(any.sun_family)), 0);
        assert_int_equal(listen(listening, 1), 0);
        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(link_server_new(&server, event, &handlers, NULL), 0);
        connect_keeper();
        n_hellos = n_records = n_events = n_calls = n_replies = n_lost = 0;
        link_version = 99;
        return 0;
}

static int tear_down(void **state) {
        theirs = sd_bus_close_unref(theirs);
        server = link_server_free(server);
        event = sd_event_unref(event);
        (void) close(listening);
        return 0;
}

static void run_until(const unsigned *counter, unsigned value) {
        while (*counter < value)
                assert_true(sd_event_run(event, 10 * 1000 * 1000) > 0);
}

static unsigned n_welcomes;

static int on_welcome(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        assert_false(sd_bus_message_is_method_error(m, NULL));
        if (sd_bus_message_has_signature(m, "a{sv}"))
                assert_true(sd_bus_message_read(m, "a{sv}", 1, &(const char *){ NULL }, "u", &link_version) >
                            0);
        n_welcomes++;
        return 0;
}

static sd_bus_message *hello_new(const char *interface) {
        sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(theirs, &m, NULL, LINK_BROKER_PATH, interface, "Hello") >=
                    0);
        return m;
}

/* With one record, of a sandbox that has what every version tells of one. */
static void say_hello(sd_bus_message *hello) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = hello;

        assert_true(sd_bus_message_append(m,
                                          "aa{sv}",
                                          1,
                                          7,
                                          "Id",
                                          "s",
                                          "a.1000.1",
                                          "UID",
                                          "u",
                                          1000,
                                          "Profile",
                                          "s",
                                          "a",
                                          "InvocationID",
                                          "s",
                                          "0123456789abcdef0123456789abcdef",
                                          "ControlGroup",
                                          "s",
                                          "/immured.slice/a",
                                          "Leader",
                                          "u",
                                          1,
                                          "State",
                                          "s",
                                          "running") >= 0);
        n_welcomes = 0;
        assert_true(sd_bus_call_async(theirs, NULL, m, on_welcome, NULL, UINT64_MAX) >= 0);
        run_until(&n_welcomes, 1);
        run_until(&n_hellos, 1);
        assert_int_equal(n_records, 1);
}

static void say_hello_of_versions(uint32_t min, uint32_t max) {
        const LinkHello hello = {
                .link_min = min,
                .link_max = max,
                .plan_min = PLAN_VERSION_FIRST,
                .plan_max = PLAN_VERSION,
                .uid = 1000,
                .app = "",
                .program = IMMURED_VERSION,
        };
        sd_bus_message *m = hello_new(LINK_BROKER_INTERFACE);

        assert_true(link_hello_append(m, &hello) >= 0);
        say_hello(m);
}

static void on_reply(sd_bus_message *reply, void *userdata) {
        n_replies += reply != NULL;
        n_lost += reply == NULL;
}

static int call(const char *member) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = keeper_link_new_call(ours, member, &m);
        return r < 0 ? r : keeper_link_call(ours, m, on_reply, NULL, UINT64_MAX);
}

static void ours_is_told_the_version_and_called(void **state) {
        say_hello_of_versions(LINK_VERSION_KEEPER, LINK_VERSION);
        assert_int_equal(link_version, LINK_VERSION);
        assert_int_equal(ours->plan_version, PLAN_VERSION);
        assert_false(ours->foreign);
        assert_int_equal(call("Launch"), 0);
        run_until(&n_calls, 1);
}

static void one_of_no_common_version_can_still_be_listed_and_ended(void **state) {
        say_hello_of_versions(LINK_VERSION + 1, LINK_VERSION + 2);
        assert_int_equal(link_version, 0);
        assert_true(ours->foreign);
        assert_int_equal(call("Launch"), -EPROTONOSUPPORT);
        assert_int_equal(call("Freeze"), -EPROTONOSUPPORT);
        assert_int_equal(call("Stop"), 0);
        run_until(&n_replies, 1);
        assert_int_equal(call("Kill"), 0);
        assert_int_equal(call("ResetFailed"), 0);
        run_until(&n_calls, 3);
}

static void version_2_is_understood(void **state) {
        sd_bus_message *m = hello_new(LINK_BROKER_INTERFACE_2);

        assert_true(sd_bus_message_append(m, "uus", 2, 1000, "") >= 0);
        say_hello(m);
        assert_int_equal(link_version, 99);
        assert_int_equal(said.uid, 1000);
        assert_int_equal(ours->version, 2);
        assert_int_equal(ours->plan_version, 4);
        assert_true(ours->foreign);
        assert_true(sd_bus_emit_signal(theirs,
                                       LINK_KEEPER_PATH,
                                       LINK_KEEPER_INTERFACE,
                                       "LimitHit",
                                       "ssstt",
                                       "a.1000.1",
                                       "memory",
                                       "max",
                                       UINT64_C(1),
                                       UINT64_C(2)) >= 0);
        run_until(&n_events, 1);
        assert_int_equal(call("Launch"), 0);
}

/* Where the other end breaks it, sd-bus makes up the answer. */
static void every_call_has_one_end(void **state) {
        say_hello_of_versions(LINK_VERSION_KEEPER, LINK_VERSION);
        assert_int_equal(call("Launch"), 0);
        run_until(&n_calls, 1);
        theirs = sd_bus_close_unref(theirs);
        run_until(&n_replies, 1);
        while (ours)
                assert_true(sd_event_run(event, 10 * 1000 * 1000) > 0);
        assert_int_equal(n_replies + n_lost, 1);
}

static void a_link_that_is_closed_answers_its_calls(void **state) {
        say_hello_of_versions(LINK_VERSION_KEEPER, LINK_VERSION);
        assert_int_equal(call("Launch"), 0);
        server = link_server_free(server);
        assert_int_equal(n_lost, 1);
        assert_int_equal(n_replies, 0);
        assert_null(ours);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(ours_is_told_the_version_and_called, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        one_of_no_common_version_can_still_be_listed_and_ended, set_up, tear_down),
                cmocka_unit_test_setup_teardown(version_2_is_understood, set_up, tear_down),
                cmocka_unit_test_setup_teardown(every_call_has_one_end, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_link_that_is_closed_answers_its_calls, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
