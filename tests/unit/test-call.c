/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-fixture.h"
#include "link/link.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const Member member = { .name = "C", .verb = ACCESS_INSPECT };

static unsigned n_first, n_last;
static bool there;

static StepAnswer step_first(void *traveller) {
        n_first++;
        return call_step(traveller, call_count(traveller, QUOTA_REQUESTS, 1));
}

static StepAnswer step_rest(void *traveller) { return there ? STEP_DONE : call_rest(traveller); }

static StepAnswer step_refuse(void *traveller) {
        return call_step(traveller, call_fail(traveller, ERROR_RATE_LIMITED, "no"));
}

static StepAnswer step_reply(void *traveller) {
        n_last++;
        return call_step(traveller, call_reply(traveller, NULL));
}

static Call *call_on(CallBench *b, const RoadStep *steps, unsigned n_steps) {
        Call *c = call_bench_call(b, &member, "");

        n_first = n_last = 0;
        there = false;
        c->road = (Road){ .steps = steps, .n_steps = n_steps };
        return c;
}

/* Whoever is not root may have one request, so a second one shows whether the first is gone. */
static void assert_freed(CallBench *b) {
        assert_int_equal(b->peer.n_ref, 1);
        assert_true(TAILQ_EMPTY(&b->peer.asking));
        assert_int_equal(quotas_enter(b->manager.quotas, b->peer.uid, QUOTA_REQUESTS, 1), 0);
}

static void a_road_that_ends_frees_its_call(void **state) {
        static const RoadStep steps[] = { { step_first }, { step_reply } };
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        b.peer.uid = UID_UNUSED;
        call_walk(call_on(&b, steps, ELEMENTSOF(steps)));
        call_bench_run(&b, 1);
        assert_string_equal(b.error, "");
        assert_freed(&b);
}

static void a_step_that_fails_is_the_answer(void **state) {
        static const RoadStep steps[] = { { step_first }, { step_refuse }, { step_reply } };
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        b.peer.uid = UID_UNUSED;
        call_walk(call_on(&b, steps, ELEMENTSOF(steps)));
        call_bench_run(&b, 1);
        assert_string_equal(b.error, ERROR_RATE_LIMITED);
        assert_int_equal(n_last, 0);
        assert_freed(&b);
}

static void a_call_that_rests_walks_on(void **state) {
        static const RoadStep steps[] = { { step_first }, { step_rest }, { step_reply } };
        _cleanup_call_bench_ CallBench b = {};
        Call *c;

        call_bench_new(&b);
        b.peer.uid = UID_UNUSED;
        c = call_on(&b, steps, ELEMENTSOF(steps));
        call_walk(c);
        call_bench_run_out(&b);
        assert_int_equal(b.n_answers, 0);
        assert_ptr_equal(TAILQ_FIRST(&b.peer.asking), c);

        there = true;
        call_walk(c);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, "");
        assert_int_equal(n_first, 2);
        assert_int_equal(n_last, 1);
        assert_freed(&b);
}

static void a_caller_who_goes_takes_along_what_rests(void **state) {
        static const RoadStep steps[] = { { step_first }, { step_rest }, { step_reply } };
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        b.peer.uid = UID_UNUSED;
        call_walk(call_on(&b, steps, ELEMENTSOF(steps)));
        b.peer.state = PEER_GONE;
        call_peer_gone(&b.peer);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, ERROR_BUSY);
        assert_int_equal(n_last, 0);
        assert_freed(&b);
}

static void on_account(KnownAccount *known, void *userdata) {
        Call *c = userdata;

        c->query = NULL;
        c->known = known_account_ref(known);
        there = true;
        call_walk(c);
}

static StepAnswer step_account(void *traveller) {
        Call *c = traveller;
        StepAnswer answer = STEP_DONE;

        if (!c->known)
                answer = call_find_account(c, NULL, UID_UNUSED, on_account, c, &c->query, &c->known);
        if (answer != STEP_DONE)
                return answer == STEP_WAIT ? call_rest(c) : answer;

        return call_step(c, call_check_account(c, c->known));
}

static void an_account_is_waited_for_once(void **state) {
        static const RoadStep steps[] = { { step_account }, { step_reply } };
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        for (unsigned i = 1; i <= 2; i++) {
                Call *c = call_on(&b, steps, ELEMENTSOF(steps));

                call_walk(c);
                /* The second time it is known from a moment ago. */
                assert_int_equal(TAILQ_FIRST(&b.peer.asking) != NULL, i == 1);
                call_bench_run(&b, i);
                assert_string_equal(b.error, ERROR_NO_SUCH_USER);
        }
}

static void a_question_for_an_account_is_taken_back_with_its_call(void **state) {
        static const RoadStep steps[] = { { step_account }, { step_reply } };
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        call_walk(call_on(&b, steps, ELEMENTSOF(steps)));
        call_peer_gone(&b.peer);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, ERROR_BUSY);
        assert_false(there);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_road_that_ends_frees_its_call),
                cmocka_unit_test(a_step_that_fails_is_the_answer),
                cmocka_unit_test(a_call_that_rests_walks_on),
                cmocka_unit_test(a_caller_who_goes_takes_along_what_rests),
                cmocka_unit_test(an_account_is_waited_for_once),
                cmocka_unit_test(a_question_for_an_account_is_taken_back_with_its_call),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
