/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/keepers.h"

#include "base/fd.h"
#include "broker/state/keeper-unit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

/* The test is link-server.h and keeper-unit.h here: it says what keepers say, and starts none. */
static const LinkServerHandlers *link_handlers;
static void *link_userdata;
static unsigned n_closed, n_started, n_started_again;

int link_server_new(LinkServer **ret, sd_event *event, const LinkServerHandlers *handlers, void *userdata) {
        link_handlers = handlers;
        link_userdata = userdata;
        *ret = (LinkServer *) &link_handlers; /* anything but NULL */
        return 0;
}

LinkServer *link_server_free(LinkServer *s) { return NULL; }

void keeper_link_close(KeeperLink *l) {
        n_closed++;
        link_handlers->closed(l, link_userdata);
}

void keeper_link_hear(KeeperLink *l) {}

int keeper_link_new_call(KeeperLink *l, const char *member, sd_bus_message **ret) { return -EIO; }

int keeper_link_call(
        KeeperLink *l, sd_bus_message *m, LinkReplyHandler handler, void *userdata, uint64_t timeout_usec) {
        return -EIO;
}

int keeper_unit_start(
        KeeperUnit **ret, sd_bus *bus, uid_t uid, bool again, KeeperUnitHandler handler, void *userdata) {
        n_started++;
        n_started_again += again;
        return 0;
}

KeeperUnit *keeper_unit_free(KeeperUnit *u) { return NULL; }

/* Signals are counted and do not arrive; and time flies. */
static unsigned n_term, n_kill;

int __wrap_pidfd_signal(int pidfd, int signo);
int __wrap_pidfd_signal(int pidfd, int signo) {
        n_term += signo == SIGTERM;
        n_kill += signo == SIGKILL;
        return 0;
}

int __real_sd_event_source_set_time_relative(sd_event_source *s, uint64_t usec);
int __wrap_sd_event_source_set_time_relative(sd_event_source *s, uint64_t usec);
int __wrap_sd_event_source_set_time_relative(sd_event_source *s, uint64_t usec) {
        return __real_sd_event_source_set_time_relative(s, usec == UINT64_MAX ? usec : usec / 1000);
}

static unsigned n_snapshots, n_removed;

static void on_snapshot(struct Manager *m, KeeperEntry *keeper, SandboxRecord **records, size_t n_records) {
        n_snapshots++;
}

static Sandboxes sandboxes;

static SandboxEntry *insert(SandboxRecord *record, KeeperEntry *keeper) {
        SandboxEntry *s;

        assert_int_equal(sandboxes_insert(&sandboxes, record, keeper, &s), 0);
        return s;
}

static void on_changed(struct Manager *m, KeeperEntry *keeper, SandboxRecord *record) {
        (void) insert(record, keeper);
}

static void
on_removed(struct Manager *m, SandboxEntry *s, SandboxResult result, int32_t code, int32_t status) {
        n_removed++;
        sandboxes_remove(&sandboxes, s);
        (void) sandbox_entry_free(s);
}

static const KeepersHandlers handlers = {
        .snapshot = on_snapshot,
        .changed = on_changed,
        .removed = on_removed,
};

static sd_event *event;
static Keepers *keepers;
static KeeperLink link_1, link_2;
static pid_t child;

static int set_up(void **state) {
        const KeepersSetup setup = { .event = NULL, .sandboxes = &sandboxes, .handlers = &handlers };
        KeepersSetup with_event = setup;

        assert_int_equal(sd_event_new(&event), 0);
        with_event.event = event;
        assert_int_equal(keepers_new(&keepers, &with_event), 0);

        child = fork();
        if (child == 0)
                for (;;)
                        (void) pause();
        assert_true(child > 0);
        link_1 = (KeeperLink){ .pidfd = pidfd_open_pid(child) };
        link_2 = (KeeperLink){ .pidfd = pidfd_open_pid(child) };
        n_closed = n_started = n_started_again = n_term = n_kill = n_snapshots = n_removed = 0;
        return 0;
}

static void end_child(void) { assert_int_equal(kill(child, SIGKILL), 0); }

static int tear_down(void **state) {
        (void) kill(child, SIGKILL);
        (void) waitpid(child, NULL, 0);
        keepers = keepers_free(keepers);
        sandboxes_done(&sandboxes);
        event = sd_event_unref(event);
        (void) close(link_1.pidfd);
        (void) close(link_2.pidfd);
        return 0;
}

static int hello_of(KeeperLink *l, uid_t uid, const char *app) {
        const LinkHello hello = { .uid = uid, .app = app };

        return link_handlers->hello(l, &hello, NULL, 0, link_userdata);
}

static void run_until(const unsigned *counter, unsigned value) {
        while (*counter < value)
                assert_true(sd_event_run(event, 10 * 1000 * 1000) > 0);
}

static void run_out(void) {
        while (sd_event_run(event, 0) > 0)
                ;
}

static SandboxRecord *record_new(unsigned number, SandboxState s) {
        SandboxRecord *r = calloc(1, sizeof(*r));
        char id[32];

        assert_non_null(r);
        (void) snprintf(id, sizeof(id), "a.1000.%u", number);
        r->id = strdup(id);
        r->uid = 1000;
        r->state = s;
        r->timestamp = number;
        return r;
}

typedef struct Waiting {
        KeeperWaiter waiter;
        unsigned n_told;
        KeeperEntry *keeper;
        char text[128];
} Waiting;

static void on_keeper(KeeperEntry *keeper, const char *text, void *userdata) {
        Waiting *w = userdata;

        w->n_told++;
        w->keeper = keeper;
        (void) snprintf(w->text, sizeof(w->text), "%s", text ?: "");
}

static void wait_for_keeper(Waiting *w) {
        *w = (Waiting){ .waiter = { .handler = on_keeper, .userdata = w } };
        assert_int_equal(keepers_wait(keepers, 1000, &w->waiter), 0);
        assert_int_equal(w->n_told, 0);
}

/* A keeper of another version, told to leave. */
static void have_one_leave(void) {
        link_1.foreign = true;
        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        run_until(&n_term, 1);
        assert_null(keepers_find_ready(keepers, 1000));
}

static void one_that_does_not_end_is_told_of_each_time(void **state) {
        Waiting w;

        have_one_leave();
        for (unsigned i = 1; i <= 3; i++) {
                wait_for_keeper(&w);
                run_until(&w.n_told, 1);
                assert_null(w.keeper);
                assert_string_equal(w.text, "an older keeper does not end");
                assert_true(n_kill >= i - 1);
        }
        run_until(&n_kill, 3);
        assert_int_equal(n_started, 0);

        wait_for_keeper(&w);
        end_child();
        run_until(&n_started, 1);
        assert_int_equal(n_started_again, 1);
        assert_int_equal(w.n_told, 0);
        keepers_withdraw(&w.waiter);
}

static void one_that_leaves_says_no_hello(void **state) {
        have_one_leave();
        assert_int_equal(hello_of(&link_1, 1000, ""), -EINVAL);
        assert_int_equal(hello_of(&link_2, 1000, ""), -EINVAL);
        assert_int_equal(n_snapshots, 1);
        assert_null(keepers_find_ready(keepers, 1000));
}

static void one_link_is_one_keepers(void **state) {
        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        assert_int_equal(hello_of(&link_1, 1001, ""), -EINVAL);
        assert_int_equal(hello_of(&link_1, 1000, "alice:web"), -EINVAL);
        assert_int_equal(hello_of(&link_2, UINT32_MAX, ""), -EINVAL);
        assert_int_equal(hello_of(&link_2, UINT32_MAX, "no such name"), -EINVAL);
        assert_null(keepers_find_ready(keepers, 1001));
        assert_int_equal(n_snapshots, 2);
        assert_null(link_2.owner);
}

static void one_keeper_has_one_link(void **state) {
        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        assert_int_equal(hello_of(&link_2, 1000, ""), 0);
        assert_int_equal(n_closed, 1);
        assert_null(link_1.owner);
        assert_ptr_equal(keepers_find_ready(keepers, 1000), link_2.owner);
        assert_ptr_equal(link_2.owner->link, &link_2);
}

static void what_a_lost_one_keeps_stays_until_it_ends(void **state) {
        Waiting w;

        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        (void) insert(record_new(1, SANDBOX_RUNNING), link_1.owner);
        keeper_link_close(&link_1);
        assert_null(keepers_find_ready(keepers, 1000));

        wait_for_keeper(&w);
        run_until(&w.n_told, 1);
        assert_string_equal(w.text, "the keeper does not come back");
        assert_int_equal(n_removed, 0);

        end_child();
        run_until(&n_removed, 1);
        assert_int_equal(n_started, 0);
}

static void whoever_waits_gets_one_that_comes_back(void **state) {
        Waiting w;

        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        keeper_link_close(&link_1);
        wait_for_keeper(&w);
        assert_int_equal(hello_of(&link_2, 1000, ""), 0);
        assert_int_equal(w.n_told, 1);
        assert_ptr_equal(w.keeper, link_2.owner);
}

static void one_that_is_at_work_is_not_told_to_leave(void **state) {
        LIST_HEAD(, LinkCall) none = { NULL };

        link_1.foreign = true;
        memset(&link_1.calls, 1, sizeof(link_1.calls)); /* a call without an answer */
        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        run_out();
        assert_int_equal(n_term, 0);
        memcpy(&link_1.calls, &none, sizeof(none));

        (void) insert(record_new(1, SANDBOX_RUNNING), link_1.owner);
        link_handlers->answered(&link_1, link_userdata);
        run_out();
        assert_int_equal(n_term, 0);

        link_handlers->removed(&link_1, "a.1000.1", "success", 0, 0, link_userdata);
        assert_int_equal(n_removed, 1);
        run_until(&n_term, 1);
}

static void an_applications_keeper_is_never_told_to_leave(void **state) {
        link_1.foreign = true;
        assert_int_equal(hello_of(&link_1, UINT32_MAX, "alice:web"), 0);
        run_out();
        assert_int_equal(n_term, 0);
        assert_false(keeper_entry_retire(link_1.owner));
}

static void the_newest_ended_ones_outlive_their_keeper(void **state) {
        assert_int_equal(hello_of(&link_1, 1000, ""), 0);
        for (unsigned i = 1; i <= LINK_ENDED_MAX; i++)
                (void) insert(record_new(i, SANDBOX_FAILED), link_1.owner);
        assert_true(keeper_entry_retire(link_1.owner));
        end_child();
        while (link_1.owner)
                assert_true(sd_event_run(event, 10 * 1000 * 1000) > 0);
        assert_int_equal(sandboxes.n_items, LINK_ENDED_MAX);

        child = fork();
        if (child == 0)
                for (;;)
                        (void) pause();
        (void) close(link_2.pidfd);
        link_2.pidfd = pidfd_open_pid(child);
        assert_int_equal(hello_of(&link_2, 1000, ""), 0);
        link_handlers->changed(&link_2, record_new(100, SANDBOX_FAILED), link_userdata);
        assert_int_equal(sandboxes.n_items, LINK_ENDED_MAX);
        assert_null(sandboxes_find(&sandboxes, "a.1000.1"));
        assert_non_null(sandboxes_find(&sandboxes, "a.1000.2"));
        assert_non_null(sandboxes_find(&sandboxes, "a.1000.100"));
}

static void one_that_does_not_come_up_is_told_of(void **state) {
        Waiting w;

        wait_for_keeper(&w);
        run_until(&n_started, 1);
        assert_int_equal(n_started_again, 0);
        run_until(&w.n_told, 1);
        assert_string_equal(w.text, "the keeper did not come up within 15 s");
        wait_for_keeper(&w);
        run_until(&n_started, 2);
        keepers_withdraw(&w.waiter);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        one_that_does_not_end_is_told_of_each_time, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_that_leaves_says_no_hello, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_link_is_one_keepers, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_keeper_has_one_link, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        what_a_lost_one_keeps_stays_until_it_ends, set_up, tear_down),
                cmocka_unit_test_setup_teardown(whoever_waits_gets_one_that_comes_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_that_is_at_work_is_not_told_to_leave, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        an_applications_keeper_is_never_told_to_leave, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        the_newest_ended_ones_outlive_their_keeper, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_that_does_not_come_up_is_told_of, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
