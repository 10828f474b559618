/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

/* Two ends of one connection: ours, and that of the bus, which the test plays. */
typedef struct Bench {
        sd_event *event;
        sd_bus *ours, *theirs;
        Peers *peers;
        sd_bus_message *question;
        unsigned n_questions, n_told;
        PeerState told;
        bool answers; /* by itself */
} Bench;

static int on_question(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bench *b = userdata;

        /* Whoever is asked for so has left, and the signal that told of it was lost. */
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "NameHasOwner"))
                return sd_bus_reply_method_return(m, "b", 0);
        if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "GetConnectionUnixUser"))
                return 0;

        (void) sd_bus_message_unref(b->question);
        b->question = sd_bus_message_ref(m);
        b->n_questions++;
        if (b->answers)
                assert_true(sd_bus_reply_method_return(m, "u", 1000) >= 0);
        return 1;
}

static void on_peer(Peer *p, void *userdata) {
        Bench *b = userdata;

        b->told = p->state;
        b->n_told++;
}

static int setup(void **state) {
        Bench *b = calloc(1, sizeof(*b));
        sd_id128_t id;
        int pair[2];

        assert_non_null(b);
        assert_true(sd_event_new(&b->event) >= 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        assert_int_equal(sd_id128_randomize(&id), 0);
        assert_true(sd_bus_new(&b->theirs) >= 0);
        assert_true(sd_bus_set_fd(b->theirs, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_set_server(b->theirs, true, id) >= 0);
        assert_true(sd_bus_add_filter(b->theirs, NULL, on_question, b) >= 0);
        assert_true(sd_bus_start(b->theirs) >= 0);
        assert_true(sd_bus_new(&b->ours) >= 0);
        assert_true(sd_bus_set_fd(b->ours, pair[1], pair[1]) >= 0);
        assert_true(sd_bus_start(b->ours) >= 0);
        assert_true(sd_bus_attach_event(b->ours, b->event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        assert_true(sd_bus_attach_event(b->theirs, b->event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        assert_int_equal(peers_new(&b->peers, b->ours, b->event, on_peer, b), 0);
        *state = b;
        return 0;
}

static int teardown(void **state) {
        Bench *b = *state;

        (void) sd_bus_message_unref(b->question);
        (void) peers_free(b->peers);
        (void) sd_bus_close_unref(b->ours);
        (void) sd_bus_close_unref(b->theirs);
        (void) sd_event_unref(b->event);
        free(b);
        return 0;
}

static void run_until(Bench *b, const unsigned *counter, unsigned value) {
        while (*counter < value)
                assert_true(sd_event_run(b->event, UINT64_MAX) >= 0);
}

static void answer(Bench *b, uint32_t uid) {
        assert_true(sd_bus_reply_method_return(b->question, "u", uid) >= 0);
}

static void the_uid_is_asked_for_once(void **state) {
        Peer *p = NULL, *again = NULL;
        Bench *b = *state;
        const char *name;

        assert_int_equal(peers_get(b->peers, ":1.7", &p), 0);
        assert_int_equal(p->state, PEER_ASKED);
        assert_int_equal(peers_get(b->peers, ":1.7", &again), 0);
        assert_ptr_equal(again, p);
        run_until(b, &b->n_questions, 1);
        assert_true(sd_bus_message_read(b->question, "s", &name) > 0);
        assert_string_equal(name, ":1.7");
        answer(b, 1000);
        run_until(b, &b->n_told, 1);
        assert_int_equal(b->told, PEER_KNOWN);
        assert_int_equal(p->uid, 1000);
        assert_int_equal(peers_get(b->peers, ":1.7", &again), 0);
        assert_ptr_equal(again, p);
        assert_int_equal(b->n_questions, 1);
}

static void an_answer_that_was_lost_is_asked_for_again(void **state) {
        Bench *b = *state;
        Peer *p = NULL;

        assert_int_equal(peers_get(b->peers, ":1.7", &p), 0);
        run_until(b, &b->n_questions, 2);
        assert_int_equal(b->n_told, 0);
        answer(b, 1000);
        run_until(b, &b->n_told, 1);
        assert_int_equal(b->told, PEER_KNOWN);
        assert_int_equal(p->uid, 1000);
}

static void only_so_many_are_asked_for_at_once(void **state) {
        enum { N_PEERS = 100 };
        Bench *b = *state;
        unsigned n_before;
        char name[16];
        Peer *p = NULL;

        for (unsigned i = 0; i < N_PEERS; i++) {
                (void) snprintf(name, sizeof(name), ":1.%u", i);
                assert_int_equal(peers_get(b->peers, name, &p), 0);
        }

        while (sd_event_run(b->event, 0) > 0)
                ;
        n_before = b->n_questions;
        assert_in_range(n_before, 1, N_PEERS / 2);

        /* An answer makes room for one more. */
        b->answers = true;
        answer(b, 1000);
        run_until(b, &b->n_told, 1);
        run_until(b, &b->n_questions, n_before + 1);
}

static void all_are_asked_for_in_the_end(void **state) {
        enum { N_PEERS = 100 };
        Bench *b = *state;
        char name[16];
        Peer *p = NULL;

        b->answers = true;
        for (unsigned i = 0; i < N_PEERS; i++) {
                (void) snprintf(name, sizeof(name), ":1.%u", i);
                assert_int_equal(peers_get(b->peers, name, &p), 0);
        }
        run_until(b, &b->n_told, N_PEERS);
        assert_int_equal(b->n_questions, N_PEERS);
        PEERS_FOREACH (q, b->peers)
                assert_int_equal(q->state, PEER_KNOWN);
}

static void whom_the_bus_does_not_know_is_gone(void **state) {
        Bench *b = *state;
        Peer *p = NULL;

        assert_int_equal(peers_get(b->peers, ":1.7", &p), 0);
        run_until(b, &b->n_questions, 1);
        assert_true(sd_bus_reply_method_errorf(b->question, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "No") >= 0);
        run_until(b, &b->n_told, 1);
        assert_int_equal(b->told, PEER_GONE);
        assert_null(peers_first(b->peers));
        assert_int_equal(b->n_questions, 1);
}

static void an_answer_without_a_uid_is_none(void **state) {
        Bench *b = *state;
        Peer *p = NULL;

        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(peers_get(b->peers, ":1.7", &p), 0);
                run_until(b, &b->n_questions, i + 1);
                if (i == 0)
                        answer(b, UINT32_MAX);
                else
                        assert_true(sd_bus_reply_method_return(b->question, "s", "0") >= 0);
                run_until(b, &b->n_told, i + 1);
                assert_int_equal(b->told, PEER_GONE);
        }
}

/* Of user 1000, whom the bus has told of. */
static Peer *known_peer(Bench *b) {
        Peer *p = NULL;

        assert_int_equal(peers_get(b->peers, ":1.7", &p), 0);
        run_until(b, &b->n_questions, 1);
        answer(b, 1000);
        run_until(b, &b->n_told, 1);
        return p;
}

static void who_left_the_bus_is_gone(void **state) {
        sd_bus_message *m = NULL;
        Bench *b = *state;

        (void) known_peer(b);
        assert_true(sd_bus_message_new_signal(b->theirs,
                                              &m,
                                              "/org/freedesktop/DBus",
                                              "org.freedesktop.DBus",
                                              "NameOwnerChanged") >= 0);
        assert_true(sd_bus_message_set_sender(m, "org.freedesktop.DBus") >= 0);
        assert_true(sd_bus_message_append(m, "sss", ":1.7", ":1.7", "") >= 0);
        assert_true(sd_bus_send(b->theirs, m, NULL) >= 0);
        (void) sd_bus_message_unref(m);
        run_until(b, &b->n_told, 2);
        assert_int_equal(b->told, PEER_GONE);
        assert_null(peers_first(b->peers));
}

static void who_left_without_a_word_is_found_out(void **state) {
        Bench *b = *state;
        Peer *p = known_peer(b);

        p->subscribed = true;
        assert_int_equal(peers_count_subscribed(b->peers, 1000), 1);
        run_until(b, &b->n_told, 2);
        assert_int_equal(b->told, PEER_GONE);
        assert_null(peers_first(b->peers));
        assert_int_equal(peers_count_subscribed(b->peers, 1000), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_uid_is_asked_for_once, setup, teardown),
                cmocka_unit_test_setup_teardown(an_answer_that_was_lost_is_asked_for_again, setup, teardown),
                cmocka_unit_test_setup_teardown(only_so_many_are_asked_for_at_once, setup, teardown),
                cmocka_unit_test_setup_teardown(all_are_asked_for_in_the_end, setup, teardown),
                cmocka_unit_test_setup_teardown(whom_the_bus_does_not_know_is_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(an_answer_without_a_uid_is_none, setup, teardown),
                cmocka_unit_test_setup_teardown(who_left_the_bus_is_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(who_left_without_a_word_is_found_out, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
