/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "broker/peers/quota.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void each_uid_and_kind_counts_alone(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_WORK, 2), 0);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_WORK, 2), 0);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_WORK, 2), -EDQUOT);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_REQUESTS, 2), 0);
        assert_int_equal(quotas_enter(q, 1001, QUOTA_WORK, 2), 0);
}

static void what_is_done_makes_room(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        for (unsigned i = 0; i < 100; i++) {
                assert_int_equal(quotas_enter(q, 1000, QUOTA_REQUESTS, 1), 0);
                quotas_leave(q, 1000, QUOTA_REQUESTS);
        }

        /* Leaving what was never entered lends nothing. */
        quotas_leave(q, 1000, QUOTA_REQUESTS);
        quotas_leave(q, 1001, QUOTA_WORK);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_REQUESTS, 1), 0);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_REQUESTS, 1), -EDQUOT);
}

static void launches_are_limited_in_each_interval(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1000, 2, 100), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1050, 2, 100), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1099, 2, 100), -EDQUOT);
        assert_int_equal(quotas_count(q, 1001, QUOTA_LAUNCHES, 1099, 2, 100), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1100, 2, 100), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1100, 2, 100), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1100, 2, 100), -EDQUOT);
}

static void a_request_in_between_does_not_renew_the_interval(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1000, 1, 100), 0);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_WORK, 1), 0);
        quotas_leave(q, 1000, QUOTA_WORK);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 1001, 1, 100), -EDQUOT);
}

static void an_endless_interval_ends_never(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, 5, 1, UINT64_MAX), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_LAUNCHES, UINT64_MAX - 1, 1, UINT64_MAX), -EDQUOT);
}

static void root_is_not_limited(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        for (unsigned i = 0; i < 100; i++) {
                assert_int_equal(quotas_enter(q, 0, QUOTA_WORK, 1), 0);
                assert_int_equal(quotas_count(q, 0, QUOTA_LAUNCHES, 1, 1, UINT64_MAX), 0);
                assert_int_equal(quotas_spend(q, 0, 1, QUOTA_TIME_BURST_USEC), 0);
                assert_int_equal(quotas_may_spend(q, 0, 1), 0);
        }
}

static void many_uids_do_not_make_one_forget(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_count(q, 1, QUOTA_LAUNCHES, 1000, 1, 1000000), 0);
        for (uid_t uid = 2; uid < 1000; uid++)
                assert_int_equal(quotas_count(q, uid, QUOTA_LAUNCHES, 1000, 1, 1), 0);
        assert_int_equal(quotas_count(q, 1, QUOTA_LAUNCHES, 2000, 1, 1000000), -EDQUOT);
}

static void time_comes_back_at_its_share(void **state) {
        const uint64_t full = QUOTA_TIME_BURST_USEC * QUOTA_TIME_SHARE;
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_may_spend(q, 1000, 5000), 0);
        assert_int_equal(quotas_spend(q, 1000, 5000, QUOTA_TIME_BURST_USEC - 1), 0);
        assert_int_equal(quotas_may_spend(q, 1000, 5000), 0);
        assert_int_equal(quotas_spend(q, 1000, 5000, 1), 0);
        assert_int_equal(quotas_may_spend(q, 1000, 5000), -EDQUOT);
        assert_int_equal(quotas_may_spend(q, 1001, 5000), 0);
        assert_int_equal(quotas_may_spend(q, 1000, 5001), 0);

        /* What was saved up is the burst, and no more. */
        assert_int_equal(quotas_spend(q, 1000, 5000 + 100 * full, QUOTA_TIME_BURST_USEC), 0);
        assert_int_equal(quotas_may_spend(q, 1000, 5000 + 100 * full), -EDQUOT);
}

static void time_spent_is_not_forgotten_with_the_request(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_REQUESTS, 1), 0);
        assert_int_equal(quotas_spend(q, 1000, 5000, UINT64_MAX), 0);
        quotas_leave(q, 1000, QUOTA_REQUESTS);
        assert_int_equal(quotas_may_spend(q, 1000, 5001), -EDQUOT);
        assert_int_equal(quotas_may_spend(q, 1000, 5000 + 60 * USEC_PER_SEC), 0);
}

static void records_beyond_the_burst_are_counted(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;
        uint32_t n = 0;
        uid_t uid = 0;

        assert_int_equal(quotas_new(&q), 0);
        assert_false(quotas_take_suppressed(q, &uid, &n));
        assert_int_equal(quotas_count(q, 1000, QUOTA_RECORDS, 5, 2, 100), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_RECORDS, 6, 2, 100), 0);
        assert_false(quotas_take_suppressed(q, &uid, &n));
        assert_int_equal(quotas_count(q, 1000, QUOTA_RECORDS, 7, 2, 100), -EDQUOT);
        assert_int_equal(quotas_count(q, 1000, QUOTA_RECORDS, 104, 2, 100), -EDQUOT);
        assert_int_equal(quotas_count(q, 1001, QUOTA_RECORDS, 7, 2, 100), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_RECORDS, 105, 2, 100), 0);

        assert_true(quotas_take_suppressed(q, &uid, &n));
        assert_int_equal(uid, 1000);
        assert_int_equal(n, 2);
        assert_false(quotas_take_suppressed(q, &uid, &n));
}

/* Or whoever goes away and comes back could make records without end. */
static void a_count_of_records_outlives_the_request(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        assert_int_equal(quotas_enter(q, 1000, QUOTA_REQUESTS, 1), 0);
        assert_int_equal(quotas_count(q, 1000, QUOTA_RECORDS, 5, 1, 100), 0);
        quotas_leave(q, 1000, QUOTA_REQUESTS);
        assert_int_equal(quotas_count(q, 1000, QUOTA_RECORDS, 6, 1, 100), -EDQUOT);
}

static void refusals_are_answered_a_few_times_a_second(void **state) {
        _cleanup_(quotas_freep) Quotas *q = NULL;

        assert_int_equal(quotas_new(&q), 0);
        for (unsigned second = 0; second < 3; second++) {
                for (unsigned i = 0; i < QUOTA_REFUSALS_PER_SEC; i++)
                        assert_int_equal(quotas_count(q,
                                                      1000,
                                                      QUOTA_REFUSALS,
                                                      5000 + second * USEC_PER_SEC,
                                                      QUOTA_REFUSALS_PER_SEC,
                                                      USEC_PER_SEC),
                                         0);
                assert_int_equal(quotas_count(q,
                                              1000,
                                              QUOTA_REFUSALS,
                                              5001 + second * USEC_PER_SEC,
                                              QUOTA_REFUSALS_PER_SEC,
                                              USEC_PER_SEC),
                                 -EDQUOT);
                assert_int_equal(quotas_count(q,
                                              1001,
                                              QUOTA_REFUSALS,
                                              5001 + second * USEC_PER_SEC,
                                              QUOTA_REFUSALS_PER_SEC,
                                              USEC_PER_SEC),
                                 0);
        }
}

static void requests_are_dearer_while_answers_pile_up(void **state) {
        static const struct {
                size_t n_unread;
                uint64_t price;
        } table[] = {
                { 0, QUOTA_REQUEST_USEC },
                { 4095, QUOTA_REQUEST_USEC },
                { 4096, 2 * QUOTA_REQUEST_USEC },
                { 8192, 5 * QUOTA_REQUEST_USEC },
                { 10 * 4096, QUOTA_REQUEST_MAX_USEC },
                { SIZE_MAX, QUOTA_REQUEST_MAX_USEC },
        };
        _cleanup_(quotas_freep) Quotas *q = NULL;

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                assert_int_equal(quotas_request_price(table[i].n_unread), table[i].price);

        /* Two at once, a launch and its stop, can be paid at any price. */
        assert_int_equal(quotas_new(&q), 0);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(quotas_may_spend(q, 1000, 5), 0);
                assert_int_equal(quotas_spend(q, 1000, 5, QUOTA_REQUEST_MAX_USEC), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_uid_and_kind_counts_alone),
                cmocka_unit_test(what_is_done_makes_room),
                cmocka_unit_test(launches_are_limited_in_each_interval),
                cmocka_unit_test(a_request_in_between_does_not_renew_the_interval),
                cmocka_unit_test(an_endless_interval_ends_never),
                cmocka_unit_test(root_is_not_limited),
                cmocka_unit_test(many_uids_do_not_make_one_forget),
                cmocka_unit_test(time_comes_back_at_its_share),
                cmocka_unit_test(records_beyond_the_burst_are_counted),
                cmocka_unit_test(a_count_of_records_outlives_the_request),
                cmocka_unit_test(time_spent_is_not_forgotten_with_the_request),
                cmocka_unit_test(refusals_are_answered_a_few_times_a_second),
                cmocka_unit_test(requests_are_dearer_while_answers_pile_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
