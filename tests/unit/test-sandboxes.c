/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/sandboxes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static SandboxRecord *record(const char *profile, uint32_t uid, unsigned n, SandboxState state) {
        SandboxRecord *r = calloc(1, sizeof(*r));
        char id[64];

        assert_non_null(r);
        (void) snprintf(id, sizeof(id), "%s.%u.%u", profile, uid, n);
        r->id = strdup(id);
        r->profile = strdup(profile);
        r->uid = uid;
        r->state = state;
        return r;
}

static void insert(Sandboxes *s, SandboxRecord *r) {
        SandboxEntry *sandbox;

        assert_int_equal(sandboxes_insert(s, r, NULL, &sandbox), 0);
        assert_ptr_equal(sandbox->record, r);
}

static void they_are_sorted_and_found(void **state) {
        _cleanup_(sandboxes_done) Sandboxes s = { 0 };

        assert_null(sandboxes_find(&s, "a.1.1"));
        for (unsigned n = 200; n > 0; n--)
                insert(&s, record(n % 2 ? "odd" : "even", 1000 + n, 1, SANDBOX_RUNNING));

        for (size_t i = 1; i < s.n_items; i++)
                assert_true(strcmp(s.items[i - 1]->record->id, s.items[i]->record->id) < 0);
        assert_string_equal(sandboxes_find(&s, "odd.1007.1")->path,
                            "/org/immured/Broker1/sandbox/odd_2e1007_2e1");
        assert_null(sandboxes_find(&s, "odd.1008.1"));
}

static void one_id_is_there_once(void **state) {
        _cleanup_(sandboxes_done) Sandboxes s = { 0 };
        SandboxEntry *second = NULL;

        insert(&s, record("web", 1000, 1, SANDBOX_FAILED));
        assert_int_equal(sandboxes_insert(&s, record("web", 1000, 1, SANDBOX_RUNNING), NULL, &second),
                         -EEXIST);
        assert_null(second);
        assert_int_equal(s.n_items, 1);
}

static void what_was_removed_is_the_callers(void **state) {
        _cleanup_(sandboxes_done) Sandboxes s = { 0 };
        _cleanup_(sandbox_entry_freep) SandboxEntry *gone = NULL;

        insert(&s, record("a", 1000, 1, SANDBOX_RUNNING));
        insert(&s, record("b", 1000, 1, SANDBOX_RUNNING));
        insert(&s, record("c", 1000, 1, SANDBOX_RUNNING));
        gone = sandboxes_find(&s, "b.1000.1");
        sandboxes_remove(&s, gone);
        assert_int_equal(s.n_items, 2);
        assert_null(sandboxes_find(&s, "b.1000.1"));
        assert_non_null(sandboxes_find(&s, "c.1000.1"));
        assert_string_equal(gone->record->id, "b.1000.1");
}

/* One whose client has not sent its streams yet. */
static void the_hidden_count_and_are_not_shown(void **state) {
        _cleanup_(sandboxes_done) Sandboxes s = { 0 };
        SandboxRecord *hidden = record("web", 1000, 1, SANDBOX_STARTING);

        hidden->sub_state = strdup(SUB_STATE_STREAMS);
        hidden->control_group = strdup("/immured/x");
        insert(&s, hidden);
        assert_true(sandbox_record_is_hidden(hidden));
        assert_int_equal(sandboxes_count_alive(&s, 1000, "web"), 1);
        assert_non_null(sandboxes_find_alive(&s, "web.1000.1"));
        assert_null(sandboxes_find_shown(&s, "web.1000.1"));
        assert_null(sandboxes_find_by_cgroup(&s, "/immured/x"));
        assert_false(sandboxes_has_user(&s, 1000));

        memcpy(hidden->sub_state, "setup", sizeof("setup"));
        assert_non_null(sandboxes_find_shown(&s, "web.1000.1"));
        assert_non_null(sandboxes_find_by_cgroup(&s, "/immured/x"));
        assert_true(sandboxes_has_user(&s, 1000));
}

static void only_the_living_count(void **state) {
        _cleanup_(sandboxes_done) Sandboxes s = { 0 };

        insert(&s, record("web", 1000, 1, SANDBOX_STARTING));
        insert(&s, record("web", 1000, 2, SANDBOX_STOPPING));
        insert(&s, record("web", 1000, 3, SANDBOX_FAILED));
        insert(&s, record("web", 1001, 1, SANDBOX_RUNNING));
        insert(&s, record("db", 1000, 1, SANDBOX_EXITED));
        insert(&s, record("db", 1002, 1, SANDBOX_FAILED));

        assert_int_equal(sandboxes_count_alive(&s, (uid_t) -1, NULL), 3);
        assert_int_equal(sandboxes_count_alive(&s, 1000, NULL), 2);
        assert_int_equal(sandboxes_count_alive(&s, 1000, "web"), 2);
        assert_int_equal(sandboxes_count_alive(&s, 1000, "db"), 0);
        assert_int_equal(sandboxes_count_alive(&s, (uid_t) -1, "web"), 3);
        assert_int_equal(sandboxes_count_users(&s), 3);
        assert_true(sandboxes_has_user(&s, 1002));
        assert_false(sandboxes_has_user(&s, 1003));
        assert_null(sandboxes_find_alive(&s, "web.1000.3"));
        assert_non_null(sandboxes_find_alive(&s, "web.1000.2"));
}

static void surplus_is_what_is_oldest_and_no_keepers(void **state) {
        _cleanup_(sandboxes_done) Sandboxes s = { 0 };
        struct KeeperEntry *keeper = (void *) &s;

        for (unsigned n = 1; n <= 4; n++) {
                insert(&s, record("web", 1000, n, n == 4 ? SANDBOX_RUNNING : SANDBOX_FAILED));
                s.items[n - 1]->record->timestamp = 10 - n;
                s.items[n - 1]->keeper = keeper;
        }
        insert(&s, record("web", 1001, 1, SANDBOX_FAILED));

        assert_true(sandboxes_has_keeper(&s, keeper, true));
        assert_null(sandboxes_surplus(&s, 1000, 2));
        s.items[3]->record->state = SANDBOX_EXITED;
        assert_false(sandboxes_has_keeper(&s, keeper, true));
        assert_true(sandboxes_has_keeper(&s, keeper, false));

        sandboxes_orphan(&s, keeper);
        assert_false(sandboxes_has_keeper(&s, keeper, false));
        assert_null(sandboxes_surplus(&s, 1000, 4));
        assert_string_equal(sandboxes_surplus(&s, 1000, 3)->record->id, "web.1000.4");
        s.items[3]->keeper = keeper;
        assert_string_equal(sandboxes_surplus(&s, 1000, 3)->record->id, "web.1000.3");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(they_are_sorted_and_found),
                cmocka_unit_test(one_id_is_there_once),
                cmocka_unit_test(what_was_removed_is_the_callers),
                cmocka_unit_test(the_hidden_count_and_are_not_shown),
                cmocka_unit_test(only_the_living_count),
                cmocka_unit_test(surplus_is_what_is_oldest_and_no_keepers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
