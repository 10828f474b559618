/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/road.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What was done, a letter for each step. */
typedef struct Traveller {
        Road road;
        char way[16];
        size_t n;
        bool there, bad;
        int error;
        bool *gone;
} Traveller;

static void note(Traveller *t, char letter) {
        assert_true(t->n < sizeof(t->way) - 1);
        t->way[t->n++] = letter;
}

static StepAnswer step_a(void *traveller) {
        note(traveller, 'a');
        return STEP_DONE;
}

static StepAnswer step_b(void *traveller) {
        note(traveller, 'b');
        return STEP_DONE;
}

static StepAnswer step_c(void *traveller) {
        note(traveller, 'c');
        return STEP_DONE;
}

/* Waits until somebody has brought it. */
static StepAnswer step_wait(void *traveller) {
        Traveller *t = traveller;

        note(t, 'w');
        return t->there ? STEP_DONE : STEP_WAIT;
}

static StepAnswer step_fail(void *traveller) {
        Traveller *t = traveller;

        note(t, 'f');
        t->error = t->bad ? -EPERM : 0;
        return t->bad ? STEP_FAILED : STEP_DONE;
}

/* Is gone at once, as where whoever was asked gives up in the same moment. */
static StepAnswer step_give_up(void *traveller) {
        Traveller *t = traveller;

        *t->gone = true;
        free(t);
        return STEP_WAIT;
}

#define TRAVELLER(...)                                                               \
        {                                                                            \
                .road = {.steps = steps, .n_steps = ELEMENTSOF(steps), __VA_ARGS__ } \
        }

static void steps_are_taken_in_order(void **state) {
        static const RoadStep steps[] = { { step_a }, { step_b }, { step_c } };
        Traveller t = TRAVELLER();

        assert_int_equal(road_walk(&t.road, &t), STEP_DONE);
        assert_string_equal(t.way, "abc");
}

static void each_mode_takes_its_own_steps(void **state) {
        static const RoadStep steps[] = { { step_a, .modes = 1 },
                                          { step_b, .modes = 2 },
                                          { step_c, .modes = 3 } };
        Traveller first = TRAVELLER(.mode = 1), second = TRAVELLER(.mode = 2);

        assert_int_equal(road_walk(&first.road, &first), STEP_DONE);
        assert_string_equal(first.way, "ac");
        assert_int_equal(road_walk(&second.road, &second), STEP_DONE);
        assert_string_equal(second.way, "bc");
}

static void a_step_that_waits_is_gone_on_from_where_its_row_says(void **state) {
        static const RoadStep steps[] = { { step_a }, { step_b }, { step_wait, .again = 1 }, { step_c } };
        Traveller t = TRAVELLER();

        assert_int_equal(road_walk(&t.road, &t), STEP_WAIT);
        assert_string_equal(t.way, "abw");
        assert_int_equal(road_walk(&t.road, &t), STEP_WAIT);
        assert_string_equal(t.way, "abwbw");
        t.there = true;
        assert_int_equal(road_walk(&t.road, &t), STEP_DONE);
        assert_string_equal(t.way, "abwbwbwc");
}

static void a_step_may_be_passed_by_its_wait(void **state) {
        static const RoadStep steps[] = { { step_a }, { step_wait, .again = 2 }, { step_c } };
        Traveller t = TRAVELLER();

        assert_int_equal(road_walk(&t.road, &t), STEP_WAIT);
        assert_int_equal(road_walk(&t.road, &t), STEP_DONE);
        assert_string_equal(t.way, "awc");
}

static void what_is_looked_at_again_is_left_out_before_any_wait(void **state) {
        static const RoadStep steps[] = {
                { step_a }, { step_b, .after_wait = true }, { step_wait }, { step_c }
        };
        Traveller t = TRAVELLER(), never = TRAVELLER();

        assert_int_equal(road_walk(&t.road, &t), STEP_WAIT);
        t.there = true;
        assert_int_equal(road_walk(&t.road, &t), STEP_DONE);
        assert_string_equal(t.way, "awabwc");

        never.there = true;
        assert_int_equal(road_walk(&never.road, &never), STEP_DONE);
        assert_string_equal(never.way, "awc");
}

static void a_step_that_fails_ends_the_road_and_says_why(void **state) {
        static const RoadStep steps[] = { { step_a }, { step_fail }, { step_c } };
        Traveller t = TRAVELLER(), well = TRAVELLER();

        t.bad = true;
        assert_int_equal(road_walk(&t.road, &t), STEP_FAILED);
        assert_int_equal(t.error, -EPERM);
        assert_string_equal(t.way, "af");

        assert_int_equal(road_walk(&well.road, &well), STEP_DONE);
        assert_int_equal(well.error, 0);
        assert_string_equal(well.way, "afc");
}

static void nothing_is_touched_of_one_that_went_while_it_waited(void **state) {
        static const RoadStep steps[] = { { step_a }, { step_give_up }, { step_c } };
        Traveller *t = calloc(1, sizeof(*t));
        bool gone = false;

        assert_non_null(t);
        *t = (Traveller) TRAVELLER();
        t->gone = &gone;
        assert_int_equal(road_walk(&t->road, t), STEP_WAIT);
        assert_true(gone);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(steps_are_taken_in_order),
                cmocka_unit_test(each_mode_takes_its_own_steps),
                cmocka_unit_test(a_step_that_waits_is_gone_on_from_where_its_row_says),
                cmocka_unit_test(a_step_may_be_passed_by_its_wait),
                cmocka_unit_test(what_is_looked_at_again_is_left_out_before_any_wait),
                cmocka_unit_test(a_step_that_fails_ends_the_road_and_says_why),
                cmocka_unit_test(nothing_is_touched_of_one_that_went_while_it_waited),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
