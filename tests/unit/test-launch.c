/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch.h"

#include "base/clock.h"
#include "call-fixture.h"
#include "link/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const Member plan = { .name = "Plan", .verb = ACCESS_PLAN };
static const Member launch = { .name = "Launch", .verb = ACCESS_LAUNCH };

static KnownAccount *account_new(const char *name, uid_t uid) {
        KnownAccount *known = calloc(1, sizeof(*known));
        Account *a = calloc(1, sizeof(*a));

        assert_true(known && a);
        *a = (Account){ .name = strdup(name),
                        .uid = uid,
                        .gid = uid,
                        .home = strdup("/home/nobody"),
                        .shell = strdup("/bin/sh"),
                        .expires = ACCOUNT_EXPIRES_NEVER };
        a->groups = calloc(1, sizeof(*a->groups));
        a->groups[0].gid = uid;
        a->n_groups = 1;
        *known = (KnownAccount){ .n_ref = 1, .account = a };
        return known;
}

/* By somebody whom the profile admits, and whose account is known. */
static Call *call_by_user(CallBench *b, const Member *member, const char *user) {
        Call *c;

        b->peer.uid = UID_UNUSED - 1;
        c = user ? call_bench_call(b, member, "a{sv}", 1, "User", "s", user)
                 : call_bench_call(b, member, "a{sv}", 0);
        c->known = account_new("nobody", b->peer.uid);
        return c;
}

static void a_plan_of_ones_own_is_answered_without_a_wait(void **state) {
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        assert_int_equal(call_plan(call_by_user(&b, &plan, NULL)), 1);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, "");
}

static size_t n_ready(const CallBench *b) {
        ReadyPlan *p;
        size_t n = 0;

        LIST_FOREACH (p, &b->manager.plans.plans, entry)
                n++;
        return n;
}

static void ask_for_a_plan(CallBench *b, const char *instance) {
        Call *c;

        b->peer.uid = UID_UNUSED - 1;
        c = instance ? call_bench_call(b, &plan, "a{sv}", 1, "Instance", "s", instance)
                     : call_bench_call(b, &plan, "a{sv}", 0);
        c->known = account_new("nobody", b->peer.uid);
        assert_int_equal(call_plan(c), 1);
        call_bench_run(b, b->n_answers + 1);
        assert_string_equal(b->error, "");
}

static void a_plan_is_made_once_for_equal_requests(void **state) {
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        ask_for_a_plan(&b, NULL);
        assert_int_equal(n_ready(&b), 1);
        ask_for_a_plan(&b, NULL);
        assert_int_equal(n_ready(&b), 1);
        ask_for_a_plan(&b, "one");
        assert_int_equal(n_ready(&b), 2);

        /* What is asked each time is asked of a plan that is ready, too. */
        ((Profile *) catalog_find(b.manager.catalog, "web")->profile)->enabled = false;
        b.peer.uid = UID_UNUSED - 1;
        assert_int_equal(call_plan(call_by_user(&b, &plan, NULL)), 1);
        call_bench_run(&b, b.n_answers + 1);
        assert_string_equal(b.error, ERROR_PROFILE_DISABLED);
}

static void a_wrong_option_is_refused_before_anybody_is_asked(void **state) {
        _cleanup_call_bench_ CallBench b = {};
        Call *c;

        call_bench_new(&b);
        b.peer.uid = UID_UNUSED;
        c = call_bench_call(&b, &plan, "a{sv}", 1, "Colour", "s", "blue");
        assert_int_equal(call_plan(c), 1);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, SD_BUS_ERROR_INVALID_ARGS);
}

static void who_launches_too_often_is_refused_before_options_are_read(void **state) {
        _cleanup_call_bench_ CallBench b = {};
        Config *config;

        call_bench_new(&b);
        config = &b.manager.catalog->config;
        config->launch_rate_interval_usec = 3600 * USEC_PER_SEC;
        for (unsigned i = 0; i < config->launch_rate_burst; i++)
                assert_int_equal(quotas_count(b.manager.quotas,
                                              UID_UNUSED,
                                              QUOTA_LAUNCHES,
                                              clock_usec(CLOCK_MONOTONIC),
                                              config->launch_rate_burst,
                                              config->launch_rate_interval_usec),
                                 0);

        b.peer.uid = UID_UNUSED;
        assert_int_equal(call_launch(call_bench_call(&b, &launch, "a{sv}", 1, "Colour", "s", "blue")), 1);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, ERROR_RATE_LIMITED);
}

static void another_user_is_looked_up_only_for_those_who_might_launch_for_them(void **state) {
        _cleanup_call_bench_ CallBench b = {};
        Call *c;

        call_bench_new(&b);

        /* Not listed by the profile: polkit could not help. */
        b.peer.uid = UID_UNUSED - 1;
        c = call_bench_call(&b, &plan, "a{sv}", 1, "User", "s", "4294967293");
        c->known = account_new("somebody", b.peer.uid);
        assert_int_equal(call_plan(c), 1);
        call_bench_run(&b, 1);
        assert_string_not_equal(b.error, ERROR_NO_SUCH_USER);
        assert_string_not_equal(b.error, "");

        /* Listed: the look-up is waited for, and then polkit's word, not that there is no such user. */
        assert_int_equal(call_plan(call_by_user(&b, &plan, "4294967293")), 1);
        assert_int_equal(b.n_answers, 1);
        while (TAILQ_EMPTY(&b.peer.asking))
                assert_true(sd_event_run(b.manager.event, UINT64_MAX) >= 0);
        assert_int_equal(b.n_answers, 1);
        call_peer_gone(&b.peer);
        call_bench_run(&b, 2);
        assert_string_equal(b.error, ERROR_BUSY);

        /* Root is told. */
        b.peer.uid = 0;
        assert_int_equal(call_plan(call_bench_call(&b, &plan, "a{sv}", 1, "User", "s", "4294967293")), 1);
        call_bench_run(&b, 3);
        assert_string_equal(b.error, ERROR_NO_SUCH_USER);
}

static void a_launch_that_waits_is_answered_when_the_broker_ends(void **state) {
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        assert_int_equal(call_plan(call_by_user(&b, &plan, "4294967293")), 1);
        b.manager.accounts = accounts_free(b.manager.accounts);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, ERROR_BUSY);
}

static void a_caller_who_went_while_it_waited_gets_no_launch(void **state) {
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        b.peer.uid = 0;
        assert_int_equal(call_plan(call_bench_call(&b, &plan, "a{sv}", 1, "User", "s", "nobody")), 1);
        b.peer.state = PEER_GONE;
        call_bench_run(&b, 1);
        assert_string_not_equal(b.error, "");
}

static void a_profile_that_went_while_it_waited_is_not_launched(void **state) {
        _cleanup_call_bench_ CallBench b = {};
        size_t n;

        call_bench_new(&b);
        b.peer.uid = 0;
        assert_int_equal(call_plan(call_bench_call(&b, &plan, "a{sv}", 1, "User", "s", "nobody")), 1);
        n = b.manager.catalog->n_entries;
        b.manager.catalog->n_entries = 0;
        call_bench_run(&b, 1);
        b.manager.catalog->n_entries = n;
        assert_string_equal(b.error, ERROR_NO_SUCH_PROFILE);
}

static void root_sees_the_plan_of_another_user_after_the_wait(void **state) {
        _cleanup_call_bench_ CallBench b = {};

        call_bench_new(&b);
        b.peer.uid = 0;
        assert_int_equal(call_plan(call_bench_call(&b, &plan, "a{sv}", 1, "User", "s", "nobody")), 1);
        assert_int_equal(b.n_answers, 0);
        call_bench_run(&b, 1);
        assert_string_equal(b.error, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_plan_is_made_once_for_equal_requests),
                cmocka_unit_test(a_plan_of_ones_own_is_answered_without_a_wait),
                cmocka_unit_test(a_wrong_option_is_refused_before_anybody_is_asked),
                cmocka_unit_test(who_launches_too_often_is_refused_before_options_are_read),
                cmocka_unit_test(another_user_is_looked_up_only_for_those_who_might_launch_for_them),
                cmocka_unit_test(a_launch_that_waits_is_answered_when_the_broker_ends),
                cmocka_unit_test(a_caller_who_went_while_it_waited_gets_no_launch),
                cmocka_unit_test(a_profile_that_went_while_it_waited_is_not_launched),
                cmocka_unit_test(root_sees_the_plan_of_another_user_after_the_wait),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
