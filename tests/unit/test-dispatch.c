/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/dispatch.h"

#include "call-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const Member member = { .name = "C", .verb = ACCESS_INSPECT };
static unsigned n_walked;

static StepAnswer step_reply(void *traveller) {
        n_walked++;
        return call_step(traveller, call_reply(traveller, NULL));
}

/* A call that came before the keepers were heard, from whoever is in this state when they are. */
static void call_early(CallBench *b, PeerState state) {
        static const RoadStep steps[] = { { step_reply } };
        Call *c = call_bench_call(b, &member, "");

        c->road = (Road){ .steps = steps, .n_steps = ELEMENTSOF(steps) };
        TAILQ_INIT(&b->manager.early);
        TAILQ_INSERT_TAIL(&b->manager.early, c, entry);
        b->peer.state = state;
        dispatch_keepers_heard(&b->manager);
        assert_true(TAILQ_EMPTY(&b->manager.early));
        assert_int_equal(b->peer.n_ref, 1);
}

static void early_calls_go_on(void **state) {
        _cleanup_call_bench_ CallBench b = {};

        n_walked = 0;
        call_bench_new(&b);
        call_early(&b, PEER_KNOWN);
        assert_int_equal(n_walked, 1);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, "");
}

static void early_calls_of_whoever_is_gone_are_dropped(void **state) {
        _cleanup_call_bench_ CallBench b = {};

        n_walked = 0;
        call_bench_new(&b);
        call_early(&b, PEER_GONE);
        assert_int_equal(n_walked, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(early_calls_go_on),
                cmocka_unit_test(early_calls_of_whoever_is_gone_are_dropped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
