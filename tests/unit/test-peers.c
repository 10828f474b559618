/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers.h"

#include "fake-broker.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define STAYS ":1.8"
#define LEAVES ":1.7"

/* A bus that loses every NameOwnerChanged: who left is known only to those who ask. */
static int answer(sd_bus_message *m) {
        const char *name;
        int r;

        if (streq(sd_bus_message_get_member(m), "AddMatch"))
                return sd_bus_reply_method_return(m, NULL);

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (streq(sd_bus_message_get_member(m), "GetConnectionUnixUser"))
                return sd_bus_reply_method_return(m, "u", streq(name, LEAVES) ? 1001 : 1002);
        if (streq(sd_bus_message_get_member(m), "NameHasOwner"))
                return sd_bus_reply_method_return(m, "b", !streq(name, LEAVES));

        return -ENOSYS;
}

typedef struct Bed {
        FakeBroker broker;
        sd_event *event;
        sd_bus *bus;
        Peers *peers;
        unsigned n_known, n_gone;
} Bed;

static void on_peer(Peer *p, void *userdata) {
        Bed *bed = userdata;

        if (p->state == PEER_KNOWN)
                bed->n_known++;
        else if (p->state == PEER_GONE)
                bed->n_gone++;
}

static int setup(void **state) {
        static Bed bed;

        fake_broker_start(&bed.broker, answer);
        assert_true(sd_event_new(&bed.event) >= 0);
        assert_true(sd_bus_open_system(&bed.bus) >= 0);
        assert_true(sd_bus_attach_event(bed.bus, bed.event, 0) >= 0);
        assert_true(peers_new(&bed.peers, bed.bus, bed.event, on_peer, &bed) >= 0);
        *state = &bed;
        return 0;
}

static int teardown(void **state) {
        Bed *bed = *state;

        bed->peers = peers_free(bed->peers);
        bed->bus = sd_bus_close_unref(bed->bus);
        bed->event = sd_event_unref(bed->event);
        fake_broker_stop(&bed->broker);
        return 0;
}

static void run_until(Bed *bed, const unsigned *n, unsigned wanted) {
        while (*n < wanted)
                assert_true(sd_event_run(bed->event, UINT64_MAX) >= 0);
}

/* For who works for it the row is whole until he lets it go; in the table it is no more. */
static void test_one_who_left_without_a_word_is_found_out(void **state) {
        Bed *bed = *state;
        Peer *stays, *leaves, *again;

        assert_int_equal(peers_get(bed->peers, STAYS, &stays), 0);
        assert_int_equal(peers_get(bed->peers, LEAVES, &leaves), 0);
        (void) peer_ref(leaves);
        run_until(bed, &bed->n_known, 2);
        assert_int_equal(stays->uid, 1002);
        assert_int_equal(leaves->uid, 1001);
        leaves->subscribed = true;
        assert_int_equal(peers_count_subscribed(bed->peers, 1001), 1);

        run_until(bed, &bed->n_gone, 1);
        assert_int_equal(leaves->state, PEER_GONE);
        assert_int_equal(peers_count_subscribed(bed->peers, 1001), 0);
        leaves = peer_unref(leaves);

        assert_int_equal(peers_get(bed->peers, STAYS, &again), 0);
        assert_ptr_equal(again, stays);
        assert_int_equal(stays->state, PEER_KNOWN);
        assert_int_equal(bed->n_gone, 1);
        PEERS_FOREACH(p, bed->peers)
        assert_string_equal(p->name, STAYS);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_one_who_left_without_a_word_is_found_out, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
