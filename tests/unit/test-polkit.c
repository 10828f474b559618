/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/polkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

/* How much later it is than it is: polkit.c asks clock_gettime(2), the loop does not. */
static time_t later;

int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret) {
        int r = __real_clock_gettime(id, ret);

        ret->tv_sec += later;
        return r;
}

/* Two ends of one connection: ours, and polkit's, which the test plays. */
typedef struct Bench {
        sd_event *event;
        sd_bus *ours, *theirs;
        Polkit *polkit;
        sd_bus_message *question;
        unsigned n_questions, n_cancelled, n_answers;
        char id[64], cancelled[64];
        PolkitAnswer answer;
} Bench;

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bench *b = userdata;
        const char *id;

        if (sd_bus_message_is_method_call(m, NULL, "CancelCheckAuthorization")) {
                assert_true(sd_bus_message_read(m, "s", &id) > 0);
                (void) snprintf(b->cancelled, sizeof(b->cancelled), "%s", id);
                b->n_cancelled++;
                return 1;
        }
        if (!sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"))
                return 0;

        (void) sd_bus_message_unref(b->question);
        b->question = sd_bus_message_ref(m);
        b->n_questions++;
        return 1;
}

static int setup(void **state) {
        Bench *b = calloc(1, sizeof(*b));
        sd_id128_t id;
        int pair[2];

        assert_non_null(b);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        assert_int_equal(sd_id128_randomize(&id), 0);
        assert_true(sd_bus_new(&b->theirs) >= 0);
        assert_true(sd_bus_set_fd(b->theirs, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_set_server(b->theirs, true, id) >= 0);
        assert_true(sd_bus_add_filter(b->theirs, NULL, on_call, b) >= 0);
        assert_true(sd_bus_start(b->theirs) >= 0);
        assert_true(sd_bus_new(&b->ours) >= 0);
        assert_true(sd_bus_set_fd(b->ours, pair[1], pair[1]) >= 0);
        assert_true(sd_bus_start(b->ours) >= 0);
        assert_int_equal(sd_event_new(&b->event), 0);
        assert_true(sd_bus_attach_event(b->ours, b->event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        assert_true(sd_bus_attach_event(b->theirs, b->event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        assert_int_equal(polkit_new(&b->polkit, b->ours, b->event), 0);
        *state = b;
        return 0;
}

static int teardown(void **state) {
        Bench *b = *state;

        (void) sd_bus_message_unref(b->question);
        (void) polkit_free(b->polkit);
        (void) sd_bus_close_unref(b->ours);
        (void) sd_bus_close_unref(b->theirs);
        (void) sd_event_unref(b->event);
        free(b);
        later = 0;
        return 0;
}

/* Lets both ends do what they can, until the counter has the value. */
static void run_until(Bench *b, const unsigned *counter, unsigned value) {
        while (*counter < value)
                assert_true(sd_event_run(b->event, UINT64_MAX) >= 0);
}

/* Until all that can be done now is done. */
static void run_out(Bench *b) {
        while (sd_event_run(b->event, 0) > 0)
                ;
}

static void on_answer(PolkitAnswer answer, void *userdata) {
        Bench *b = userdata;

        b->answer = answer;
        b->n_answers++;
}

static PolkitQuery *ask_for(Bench *b, uid_t uid, bool interactive, uint64_t timeout_usec) {
        static char *details[] = { (char *) "verb=launch", (char *) "profile=a=b", NULL };
        const PolkitQuestion question = {
                .action = "org.immured.Broker1.launch",
                .subject = ":1.7",
                .uid = uid,
                .details = details,
                .interactive = interactive,
                .timeout_usec = timeout_usec,
        };
        PolkitQuery *q = NULL;

        assert_int_equal(polkit_ask(b->polkit, &question, on_answer, b, &q), 0);
        assert_non_null(q);
        return q;
}

static PolkitQuery *ask(Bench *b, bool interactive, uint64_t timeout_usec) {
        return ask_for(b, 1000, interactive, timeout_usec);
}

static void say_yes(Bench *b) {
        assert_true(sd_bus_reply_method_return(b->question, "(bba{ss})", 1, 0, 0) >= 0);
}

static void questions_say_who_wants_what(void **state) {
        const char *kind, *key, *name, *action, *id;
        Bench *b = *state;
        PolkitQuery *q;
        uint32_t flags;

        for (unsigned i = 0; i < 2; i++) {
                q = ask(b, i, UINT64_MAX);
                run_until(b, &b->n_questions, i + 1);
                assert_true(sd_bus_message_has_signature(b->question, "(sa{sv})sa{ss}us"));
                assert_true(sd_bus_message_read(b->question, "(sa{sv})", &kind, 1, &key, "s", &name) > 0);
                assert_string_equal(kind, "system-bus-name");
                assert_string_equal(key, "name");
                assert_string_equal(name, ":1.7");
                assert_true(sd_bus_message_read(b->question, "s", &action) > 0);
                assert_string_equal(action, "org.immured.Broker1.launch");
                assert_true(sd_bus_message_read(b->question, "a{ss}", 2, &kind, &key, &name, &id) > 0);
                assert_string_equal(kind, "verb");
                assert_string_equal(key, "launch");
                assert_string_equal(name, "profile");
                assert_string_equal(id, "a=b");
                assert_true(sd_bus_message_read(b->question, "us", &flags, &id) > 0);
                assert_int_equal(flags, i);
                (void) polkit_query_free(q);
        }
        assert_int_equal(b->n_answers, 0);
}

static void only_a_plain_yes_is_a_yes(void **state) {
        static const struct {
                int authorized, challenge;
                PolkitAnswer answer;
        } table[] = {
                { 1, 0, POLKIT_YES },
                { 0, 0, POLKIT_NO },
                { 0, 1, POLKIT_CHALLENGE },
                { 1, 1, POLKIT_CHALLENGE },
        };
        Bench *b = *state;

        for (unsigned i = 0; i < ELEMENTSOF(table); i++) {
                (void) ask(b, false, UINT64_MAX);
                run_until(b, &b->n_questions, i + 1);
                assert_true(sd_bus_reply_method_return(b->question,
                                                       "(bba{ss})",
                                                       table[i].authorized,
                                                       table[i].challenge,
                                                       1,
                                                       "polkit.dismissed",
                                                       "true") >= 0);
                run_until(b, &b->n_answers, i + 1);
                assert_int_equal(b->answer, table[i].answer);
        }
        assert_int_equal(b->n_cancelled, 0);
}

static void errors_and_other_words_are_no_answer(void **state) {
        static const char *const errors[] = { SD_BUS_ERROR_ACCESS_DENIED,
                                              SD_BUS_ERROR_SERVICE_UNKNOWN, /* not from the bus */
                                              SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                              SD_BUS_ERROR_NO_REPLY };
        Bench *b = *state;
        unsigned n = 0;

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                (void) ask(b, false, UINT64_MAX);
                run_until(b, &b->n_questions, ++n);
                assert_true(sd_bus_reply_method_errorf(b->question, errors[i], "no") >= 0);
                run_until(b, &b->n_answers, n);
                assert_int_equal(b->answer, POLKIT_SILENT);
        }

        (void) ask(b, false, UINT64_MAX);
        run_until(b, &b->n_questions, ++n);
        assert_true(sd_bus_reply_method_return(b->question, "bb", 1, 0) >= 0);
        run_until(b, &b->n_answers, n);
        assert_int_equal(b->answer, POLKIT_SILENT);
}

static void late_answers_are_none_and_the_question_is_taken_back(void **state) {
        Bench *b = *state;

        /* Long enough to be sent. */
        (void) ask(b, false, 1000 * 1000);
        run_until(b, &b->n_answers, 1);
        assert_int_equal(b->n_questions, 1);
        assert_int_equal(b->answer, POLKIT_SILENT);
        run_until(b, &b->n_cancelled, 1);
        assert_string_equal(b->cancelled, "1");
}

static void a_question_taken_back_is_never_answered(void **state) {
        Bench *b = *state;
        PolkitQuery *q = ask(b, true, UINT64_MAX);

        run_until(b, &b->n_questions, 1);
        (void) polkit_query_free(q);
        assert_true(sd_bus_reply_method_return(b->question, "(bba{ss})", 1, 0, 0) >= 0);
        run_until(b, &b->n_cancelled, 1);
        (void) ask(b, true, 1000);
        run_until(b, &b->n_answers, 1);
        assert_int_equal(b->answer, POLKIT_SILENT);
        assert_int_equal(b->n_answers, 1);
}

/* The bus, which the other end plays as well. */
static void say_absent(Bench *b) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_SERVICE_UNKNOWN, "no");

        assert_true(sd_bus_message_new_method_error(b->question, &m, &error) >= 0);
        assert_true(sd_bus_message_set_sender(m, "org.freedesktop.DBus") >= 0);
        assert_true(sd_bus_send(b->theirs, m, NULL) >= 0);
}

static void signal_of_bus(Bench *b, const char *member, const char *name) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_signal(
                            b->theirs, &m, "/org/freedesktop/DBus", "org.freedesktop.DBus", member) >= 0);
        assert_true(sd_bus_message_set_sender(m, "org.freedesktop.DBus") >= 0);
        if (name)
                assert_true(sd_bus_message_append(m, "sss", name, "", ":1.9") >= 0);
        assert_true(sd_bus_send(b->theirs, m, NULL) >= 0);
        run_out(b);
}

static void absence_is_asked_for_once(void **state) {
        Bench *b = *state;

        assert_false(polkit_is_absent(b->polkit));
        (void) ask(b, false, UINT64_MAX);
        (void) ask(b, false, UINT64_MAX);
        run_until(b, &b->n_questions, 1);
        say_absent(b);
        run_until(b, &b->n_answers, 2);
        assert_int_equal(b->answer, POLKIT_ABSENT);
        assert_true(polkit_is_absent(b->polkit));

        (void) ask(b, false, UINT64_MAX);
        assert_int_equal(b->n_answers, 2);
        run_until(b, &b->n_answers, 3);
        assert_int_equal(b->answer, POLKIT_ABSENT);
        assert_int_equal(b->n_questions, 1);
}

static void absence_ends_when_the_name_or_a_way_to_start_it_appears(void **state) {
        Bench *b = *state;

        for (unsigned i = 1; i <= 2; i++) {
                (void) ask(b, false, UINT64_MAX);
                run_until(b, &b->n_questions, 2 * i - 1);
                say_absent(b);
                run_until(b, &b->n_answers, 2 * i - 1);
                signal_of_bus(b, "NameOwnerChanged", "org.freedesktop.Other");
                assert_true(polkit_is_absent(b->polkit));

                if (i == 1)
                        signal_of_bus(b, "NameOwnerChanged", "org.freedesktop.PolicyKit1");
                else
                        signal_of_bus(b, "ActivatableServicesChanged", NULL);
                assert_false(polkit_is_absent(b->polkit));
                (void) ask(b, false, UINT64_MAX);
                run_until(b, &b->n_questions, 2 * i);
                say_yes(b);
                run_until(b, &b->n_answers, 2 * i);
                assert_int_equal(b->answer, POLKIT_YES);
        }
}

/* The signal may have been lost. */
static void absence_is_believed_for_a_minute(void **state) {
        Bench *b = *state;

        (void) ask(b, false, UINT64_MAX);
        run_until(b, &b->n_questions, 1);
        say_absent(b);
        run_until(b, &b->n_answers, 1);
        later = 59;
        assert_true(polkit_is_absent(b->polkit));

        later = 61;
        assert_false(polkit_is_absent(b->polkit));
        (void) ask(b, false, UINT64_MAX);
        run_until(b, &b->n_questions, 2);
        say_yes(b);
        run_until(b, &b->n_answers, 2);
        assert_int_equal(b->answer, POLKIT_YES);
}

static void one_question_of_a_user_is_out_at_a_time(void **state) {
        PolkitQuery *queries[6];
        Bench *b = *state;

        for (unsigned i = 0; i < ELEMENTSOF(queries); i++)
                queries[i] = ask_for(b, i == 5 ? 1001 : 1000, false, UINT64_MAX);
        run_until(b, &b->n_questions, 2);
        run_out(b);
        assert_int_equal(b->n_questions, 2);
        for (unsigned i = 0; i < ELEMENTSOF(queries); i++)
                (void) polkit_query_free(queries[i]);
}

static void the_next_goes_when_one_is_answered(void **state) {
        Bench *b = *state;

        for (unsigned i = 0; i < 5; i++)
                (void) ask(b, false, UINT64_MAX);
        for (unsigned i = 1; i <= 5; i++) {
                run_until(b, &b->n_questions, i);
                run_out(b);
                assert_int_equal(b->n_questions, i);
                say_yes(b);
                run_until(b, &b->n_answers, i);
        }
        assert_int_equal(b->n_cancelled, 0);
}

static void one_that_waits_is_taken_back_unasked(void **state) {
        PolkitQuery *first, *second;
        Bench *b = *state;

        first = ask(b, false, UINT64_MAX);
        second = ask(b, false, UINT64_MAX);
        (void) ask(b, false, UINT64_MAX);
        run_until(b, &b->n_questions, 1);
        (void) polkit_query_free(second);
        run_out(b);
        assert_int_equal(b->n_questions, 1);
        assert_int_equal(b->n_cancelled, 0);

        (void) polkit_query_free(first);
        run_until(b, &b->n_cancelled, 1);
        assert_string_equal(b->cancelled, "1");
        run_until(b, &b->n_questions, 2);
        say_yes(b);
        run_until(b, &b->n_answers, 1);
        assert_int_equal(b->answer, POLKIT_YES);
}

/* As a dialog that lies on a screen is not. */
static void a_long_one_does_not_hold_up_the_next_for_ever(void **state) {
        PolkitQuery *long_one, *last;
        Bench *b = *state;

        long_one = ask(b, true, UINT64_MAX);
        (void) ask(b, false, UINT64_MAX);
        run_until(b, &b->n_questions, 2);
        say_yes(b);
        run_until(b, &b->n_answers, 1);
        last = ask(b, false, UINT64_MAX);
        run_until(b, &b->n_questions, 3);
        (void) polkit_query_free(last);
        (void) polkit_query_free(long_one);
        run_until(b, &b->n_cancelled, 2);
        assert_string_equal(b->cancelled, "1");
}

static void one_that_waits_too_long_was_not_asked(void **state) {
        PolkitQuery *first;
        Bench *b = *state;

        first = ask(b, false, UINT64_MAX);
        (void) ask(b, false, 1);
        run_until(b, &b->n_answers, 1);
        assert_int_equal(b->answer, POLKIT_UNASKED);
        (void) polkit_query_free(first);
}

static void what_cannot_be_sent_is_unasked(void **state) {
        Bench *b = *state;

        sd_bus_close(b->ours);
        (void) ask(b, false, UINT64_MAX);
        (void) ask(b, false, UINT64_MAX);
        run_until(b, &b->n_answers, 2);
        assert_int_equal(b->answer, POLKIT_UNASKED);
}

static void details_without_a_value_are_refused(void **state) {
        static char *details[] = { (char *) "verb", NULL };
        const PolkitQuestion question = { .action = "a.b", .subject = ":1.7", .details = details };
        Bench *b = *state;
        PolkitQuery *q = NULL;

        assert_int_equal(polkit_ask(b->polkit, &question, on_answer, b, &q), -EINVAL);
        assert_null(q);
        assert_null(polkit_query_free(NULL));
        assert_null(polkit_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(questions_say_who_wants_what, setup, teardown),
                cmocka_unit_test_setup_teardown(only_a_plain_yes_is_a_yes, setup, teardown),
                cmocka_unit_test_setup_teardown(errors_and_other_words_are_no_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        late_answers_are_none_and_the_question_is_taken_back, setup, teardown),
                cmocka_unit_test_setup_teardown(a_question_taken_back_is_never_answered, setup, teardown),
                cmocka_unit_test_setup_teardown(absence_is_asked_for_once, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        absence_ends_when_the_name_or_a_way_to_start_it_appears, setup, teardown),
                cmocka_unit_test_setup_teardown(absence_is_believed_for_a_minute, setup, teardown),
                cmocka_unit_test_setup_teardown(one_question_of_a_user_is_out_at_a_time, setup, teardown),
                cmocka_unit_test_setup_teardown(the_next_goes_when_one_is_answered, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_waits_is_taken_back_unasked, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        a_long_one_does_not_hold_up_the_next_for_ever, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_waits_too_long_was_not_asked, setup, teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_sent_is_unasked, setup, teardown),
                cmocka_unit_test_setup_teardown(details_without_a_value_are_refused, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
