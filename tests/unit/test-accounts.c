/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/accounts.h"

#include "base/fd.h"
#include "base/text.h"
#include "broker/peers/accounts-worker.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A uid that no account database has: the name service reserves it as "none of these". */
#define UID_UNUSED ((uid_t) 4294967293U)

/* Who asks. */
#define ALICE 3001
#define BOB 3002

typedef struct Fixture {
        sd_event *event;
        Accounts *accounts;
        unsigned n_answers;
        KnownAccount *last;
        AccountQuery *queries[4];
} Fixture;

static int set_up(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        assert_int_equal(accounts_new(&f->accounts), 0);
        assert_true(sd_event_new(&f->event) >= 0);
        assert_true(accounts_attach(f->accounts, f->event) >= 0);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        Fixture *f = *state;

        (void) known_account_unref(f->last);
        (void) accounts_free(f->accounts);
        (void) sd_event_unref(f->event);
        free(f);
        return 0;
}

static void on_answer(KnownAccount *known, void *userdata) {
        Fixture *f = userdata;

        f->n_answers++;
        (void) known_account_unref(f->last);
        f->last = known_account_ref(known);
}

static void run_until(Fixture *f, unsigned n_answers) {
        while (f->n_answers < n_answers)
                assert_true(sd_event_run(f->event, UINT64_MAX) >= 0);
}

static void root_is_found_by_uid_and_by_name(void **state) {
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer, f, f->queries), 0);
        run_until(f, 1);
        assert_int_equal(f->last->error, 0);
        assert_string_equal(f->last->account->name, "root");
        assert_true(f->last->account->n_groups >= 1);
        assert_true(account_is_listed(f->last->account, NULL, (char *[]){ (char *) "root", NULL }));

        assert_int_equal(accounts_ask(f->accounts, ALICE, "root", UID_UNUSED, on_answer, f, f->queries), 0);
        run_until(f, 2);
        assert_int_equal(f->last->account->uid, 0);
}

static void who_does_not_exist_is_no_account(void **state) {
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, UID_UNUSED, on_answer, f, f->queries), 0);
        run_until(f, 1);
        assert_int_equal(f->last->error, -ENOENT);
        assert_null(f->last->account);

        assert_int_equal(accounts_ask(f->accounts, ALICE, "no-such-user-here", 0, on_answer, f, f->queries),
                         0);
        run_until(f, 2);
        assert_int_equal(f->last->error, -ENOENT);
}

static void names_that_cannot_be_are_not_asked_for(void **state) {
        char longest[200];
        Fixture *f = *state;

        memset(longest, 'a', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        assert_int_equal(accounts_ask(f->accounts, ALICE, "", 0, on_answer, f, f->queries), -EINVAL);
        assert_int_equal(accounts_ask(f->accounts, ALICE, "a b", 0, on_answer, f, f->queries), -EINVAL);
        assert_int_equal(accounts_ask(f->accounts, ALICE, "../root", 0, on_answer, f, f->queries), -EINVAL);
        assert_int_equal(accounts_ask(f->accounts, ALICE, longest, 0, on_answer, f, f->queries), -EINVAL);
}

static void answers_are_kept_until_flushed(void **state) {
        _cleanup_(known_account_unrefp) KnownAccount *known = NULL;
        Fixture *f = *state;

        assert_int_equal(accounts_peek(f->accounts, NULL, 0, &known), -EAGAIN);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer, f, f->queries), 0);
        assert_int_equal(accounts_peek(f->accounts, NULL, 0, &known), -EAGAIN);
        run_until(f, 1);
        assert_int_equal(accounts_peek(f->accounts, NULL, 0, &known), 0);
        assert_ptr_equal(known, f->last);

        /* A name is another question than the uid behind it. */
        known = known_account_unref(known);
        assert_int_equal(accounts_peek(f->accounts, "root", 0, &known), -EAGAIN);

        accounts_flush(f->accounts);
        assert_int_equal(accounts_peek(f->accounts, NULL, 0, &known), -EAGAIN);
        assert_string_equal(f->last->account->name, "root");
}

static void all_who_ask_for_one_account_get_one_answer(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < 4; i++)
                assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer, f, f->queries + i), 0);
        run_until(f, 4);
        assert_int_equal(f->n_answers, 4);
        assert_int_equal(f->last->n_ref, 2);
}

static void a_withdrawn_question_gets_no_answer(void **state) {
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer, f, f->queries), 0);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, UID_UNUSED, on_answer, f, f->queries + 1),
                         0);
        (void) account_query_free(f->queries[0]);
        run_until(f, 1);
        assert_int_equal(f->last->error, -ENOENT);
        assert_int_equal(f->n_answers, 1);
}

static void on_answer_ask_again(KnownAccount *known, void *userdata) {
        Fixture *f = userdata;

        on_answer(known, f);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer, f, f->queries), 0);
}

static void a_handler_may_ask_again(void **state) {
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer_ask_again, f, f->queries), 0);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer_ask_again, f, f->queries + 1),
                         0);
        run_until(f, 4);
        assert_int_equal(f->n_answers, 4);
}

static void end_worker(void) {
        _cleanup_free_ char *children = NULL;
        const char *youngest;
        siginfo_t info;
        uint32_t pid;

        assert_int_equal(file_read_line(AT_FDCWD, "/proc/thread-self/children", &children), 0);
        /* The youngest: those of other tests lie there unreaped. */
        children[strlen(children) - 1] = '\0';
        youngest = strrchr(children, ' ');
        assert_int_equal(parse_u32(youngest ? youngest + 1 : children, &pid), 0);
        assert_int_equal(kill((pid_t) pid, SIGKILL), 0);
        assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
}

static void on_answer_ask_in_vain(KnownAccount *known, void *userdata) {
        Fixture *f = userdata;

        on_answer(known, f);
        end_worker();
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, UID_UNUSED, on_answer, f, f->queries + 2),
                         0);
}

static void who_asks_in_vain_takes_nothing_from_those_who_wait(void **state) {
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer_ask_in_vain, f, f->queries), 0);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, UID_UNUSED, on_answer, f, f->queries + 1),
                         0);
        for (unsigned i = 0; i < 20 && f->n_answers < 3; i++)
                assert_true(sd_event_run(f->event, 100 * 1000) >= 0);
        assert_int_equal(f->n_answers, 3);
        assert_int_equal(f->last->error, -EPIPE);
}

static void each_user_may_wait_for_so_many_accounts(void **state) {
        Fixture *f = *state;
        AccountQuery *q;
        unsigned n, m;
        int r = 0;

        for (n = 0; n < 1000 && r == 0; n++)
                r = accounts_ask(f->accounts, ALICE, NULL, 100000 + n, on_answer, f, &q);
        assert_int_equal(r, -EBUSY);

        /* Which takes nothing from others, nor from her where it is asked for already. */
        r = accounts_ask(f->accounts, ALICE, NULL, 100000, on_answer, f, &q);
        for (m = 0; m < 1000 && r == 0; m++)
                r = accounts_ask(f->accounts, BOB, NULL, 200000 + m, on_answer, f, &q);
        assert_int_equal(r, -EBUSY);
        assert_int_equal(m, n);
        run_until(f, n + m - 1);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 100000 + n, on_answer, f, &q), 0);
        run_until(f, n + m);
}

static void on_bobs_answer(KnownAccount *known, void *userdata) {
        unsigned *n_before = userdata;

        *n_before += 1000;
}

static void on_alices_answer(KnownAccount *known, void *userdata) {
        unsigned *n_before = userdata;

        if (*n_before < 1000)
                (*n_before)++;
}

static void users_take_turns(void **state) {
        Fixture *f = *state;
        AccountQuery *q;
        unsigned n = 0;

        for (unsigned i = 0; i < 10; i++)
                assert_int_equal(
                        accounts_ask(f->accounts, ALICE, NULL, 100000 + i, on_alices_answer, &n, &q), 0);
        /* He waits for the one that is being asked, and then brings her the one that she asked for last. */
        assert_int_equal(accounts_ask(f->accounts, BOB, NULL, 100009, on_bobs_answer, &n, &q), 0);
        assert_int_equal(accounts_ask(f->accounts, BOB, NULL, 200000, on_answer, f, &q), 0);
        while (n < 1000)
                assert_true(sd_event_run(f->event, UINT64_MAX) >= 0);
        assert_int_equal(n, 1000 + 2);
        run_until(f, 1);
}

static void on_answer_ask_on(KnownAccount *known, void *userdata) {
        Fixture *f = userdata;

        on_answer(known, f);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 100001, on_answer, f, f->queries), 0);
}

static void who_asks_on_waits_for_their_turn(void **state) {
        Fixture *f = *state;
        unsigned n = 0;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 100000, on_answer_ask_on, f, f->queries), 0);
        assert_int_equal(accounts_ask(f->accounts, BOB, NULL, 200000, on_bobs_answer, &n, f->queries + 1),
                         0);
        while (n == 0)
                assert_true(sd_event_run(f->event, UINT64_MAX) >= 0);
        assert_int_equal(f->n_answers, 1);
        run_until(f, 2);
}

static void failures_displace_no_accounts(void **state) {
        _cleanup_(known_account_unrefp) KnownAccount *known = NULL;
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, BOB, NULL, 0, on_answer, f, f->queries), 0);
        for (unsigned i = 0; i < 500; i++) {
                run_until(f, i + 1);
                assert_int_equal(
                        accounts_ask(f->accounts, ALICE, NULL, 100000 + i, on_answer, f, f->queries), 0);
        }
        run_until(f, 501);
        assert_int_equal(accounts_peek(f->accounts, NULL, 0, &known), 0);
        known = known_account_unref(known);

        /* The last of them is remembered, the first no more. */
        assert_int_equal(accounts_peek(f->accounts, NULL, 100499, &known), 0);
        assert_int_equal(known->error, -ENOENT);
        known = known_account_unref(known);
        assert_int_equal(accounts_peek(f->accounts, NULL, 100000, &known), -EAGAIN);
}

static void what_nobody_waits_for_is_not_asked(void **state) {
        _cleanup_(known_account_unrefp) KnownAccount *known = NULL;
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 100000, on_answer, f, f->queries), 0);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer, f, f->queries + 1), 0);
        (void) account_query_free(f->queries[1]);
        run_until(f, 1);
        assert_int_equal(accounts_peek(f->accounts, NULL, 0, &known), -EAGAIN);
}

static void who_still_waits_at_the_end_is_told(void **state) {
        Fixture *f = *state;

        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, 0, on_answer, f, f->queries), 0);
        assert_int_equal(accounts_ask(f->accounts, ALICE, NULL, UID_UNUSED, on_answer, f, f->queries + 1),
                         0);
        f->accounts = accounts_free(f->accounts);
        assert_int_equal(f->n_answers, 2);
        assert_int_equal(f->last->error, -ECANCELED);
}

/* ---- the packets ---- */

static uint8_t packet[ACCOUNT_ANSWER_MAX];

static size_t append(size_t size, const void *data, size_t n) {
        memcpy(packet + size, data, n);
        return size + n;
}

/* The answer of a worker: alice, in the group users and in one without a name. Returns its size. */
static size_t make_packet(int32_t error, uint32_t n_groups) {
        const AccountAnswer head = { .number = 1,
                                     .error = error,
                                     .uid = 3001,
                                     .gid = 100,
                                     .n_groups = n_groups,
                                     .groups_partial = 1,
                                     .expires = 20000 };
        static const char texts[] = "alice\0/home/alice\0/bin/sh";
        const gid_t gids[] = { 100, 77 };
        size_t size;

        size = append(0, &head, sizeof(head));
        size = append(size, texts, sizeof(texts));
        size = append(size, gids, sizeof(gid_t));
        size = append(size, "users", sizeof("users"));
        size = append(size, gids + 1, sizeof(gid_t));
        return append(size, "", 1);
}

static void an_answer_says_what_was_put_in(void **state) {
        _cleanup_(account_freep) Account *a = NULL;
        const size_t size = make_packet(0, 2);

        assert_int_equal(account_answer_read(packet, size, &a), 0);
        assert_string_equal(a->name, "alice");
        assert_string_equal(a->home, "/home/alice");
        assert_string_equal(a->shell, "/bin/sh");
        assert_int_equal(a->uid, 3001);
        assert_int_equal(a->gid, 100);
        assert_int_equal(a->n_groups, 2);
        assert_true(a->groups_partial);
        assert_int_equal(a->expires, 20000);
        assert_string_equal(a->groups[0].name, "users");
        assert_int_equal(a->groups[1].gid, 77);
        assert_null(a->groups[1].name);
}

static void a_cut_or_longer_answer_is_none(void **state) {
        const size_t size = make_packet(0, 2);
        Account *a = NULL;

        for (size_t n = 0; n < size; n++)
                assert_int_equal(account_answer_read(packet, n, &a), -EBADMSG);
        assert_int_equal(account_answer_read(packet, size + 1, &a), -EBADMSG);
        assert_null(a);
}

static void an_error_or_too_many_groups_are_no_account(void **state) {
        Account *a = NULL;
        size_t size;

        size = make_packet(-ENOENT, 2);
        assert_int_equal(account_answer_read(packet, size, &a), -EBADMSG);

        size = make_packet(0, UINT32_MAX);
        assert_int_equal(account_answer_read(packet, size, &a), -EBADMSG);
        assert_null(a);
}

int main(void) {
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                WITH_WORKER(root_is_found_by_uid_and_by_name),
                WITH_WORKER(who_does_not_exist_is_no_account),
                WITH_WORKER(names_that_cannot_be_are_not_asked_for),
                WITH_WORKER(answers_are_kept_until_flushed),
                WITH_WORKER(all_who_ask_for_one_account_get_one_answer),
                WITH_WORKER(a_withdrawn_question_gets_no_answer),
                WITH_WORKER(a_handler_may_ask_again),
                WITH_WORKER(who_asks_in_vain_takes_nothing_from_those_who_wait),
                WITH_WORKER(each_user_may_wait_for_so_many_accounts),
                WITH_WORKER(users_take_turns),
                WITH_WORKER(who_asks_on_waits_for_their_turn),
                WITH_WORKER(failures_displace_no_accounts),
                WITH_WORKER(what_nobody_waits_for_is_not_asked),
                WITH_WORKER(who_still_waits_at_the_end_is_told),
                cmocka_unit_test(an_answer_says_what_was_put_in),
                cmocka_unit_test(a_cut_or_longer_answer_is_none),
                cmocka_unit_test(an_error_or_too_many_groups_are_no_account),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
