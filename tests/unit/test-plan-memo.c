/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/plan-memo.h"

#include "plan-fixture.h"
#include "plan/client-streams.h"
#include "plan/plan-recent.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* All that a plan is made from, at addresses of its own. */
typedef struct Inputs {
        Fixture f;
        PlanInputs in;
        char **arguments, **environment, **degrade;
        ProfileSetting settings[2];
        uint8_t filter[16];
        char host_name[16], instance[16];
} Inputs;

static void inputs_init(Inputs *i) {
        *i = (Inputs){ .filter = { 0x06, 0, 0, 0, 0, 0, 0xff, 0x7f },
                       .host_name = "server",
                       .instance = "one" };
        fixture_init(&i->f);
        set_words(&i->arguments, "a b");
        set_words(&i->environment, "A=1 B=2");
        set_words(&i->degrade, "landlock");
        for (size_t k = 0; k < ELEMENTSOF(i->settings); k++)
                i->settings[k] = (ProfileSetting){ strdup("MemoryMax"), strdup(k > 0 ? "2M" : "1M") };
        i->f.request = (PlanRequest){
                .instance = i->instance,
                .arguments = i->arguments,
                .environment = i->environment,
                .streams = CLIENT_STREAM(1) | CLIENT_STREAM(2),
                .on_disconnect = -1,
        };
        i->f.context = (PlanContext){ i->filter, 8, i->degrade, i->host_name };
        i->in = (PlanInputs){
                .generation = 1,
                .profile = i->f.profile,
                .settings = i->settings,
                .n_settings = 1,
                .account = i->f.account,
                .request = &i->f.request,
                .context = &i->f.context,
        };
}

static void inputs_done(Inputs *i) {
        fixture_done(&i->f);
        (void) strv_free(i->arguments);
        (void) strv_free(i->environment);
        (void) strv_free(i->degrade);
        for (size_t k = 0; k < ELEMENTSOF(i->settings); k++) {
                free(i->settings[k].key);
                free(i->settings[k].value);
        }
}

static void key_of(Inputs *i, Buffer *ret) {
        i->f.request.arguments = i->arguments;
        i->f.request.environment = i->environment;
        i->f.context.degrade = i->degrade;
        plan_memo_key(&i->in, ret);
        assert_int_equal(buffer_error(ret), 0);
}

/* Each is a request of its own: one input changed, or moved to where its neighbour was. */
/* clang-format off */
#define CHANGES(X) \
        X(nothing,            (void) i) \
        X(other_generation,   i->in.generation++) \
        X(other_profile,      set_text(&i->f.profile->name, "wep")) \
        X(other_uid,          i->f.account->uid++) \
        X(other_gid,          i->f.account->gid++) \
        X(other_name,         set_text(&i->f.account->name, "alicia")) \
        X(other_home,         set_text(&i->f.account->home, "/home/alice2")) \
        X(other_shell,        set_text(&i->f.account->shell, "/bin/sh")) \
        X(fewer_groups,       free(i->f.account->groups[--i->f.account->n_groups].name)) \
        X(other_group,        i->f.account->groups[2].gid = 30) \
        X(other_group_name,   set_text(&i->f.account->groups[2].name, "video")) \
        X(nameless_group,     set_text(&i->f.account->groups[2].name, NULL)) \
        X(empty_group_name,   set_text(&i->f.account->groups[2].name, "")) \
        X(groups_swapped,     swap_groups(i->f.account)) \
        X(no_setting,         i->in.n_settings = 0) \
        X(one_setting_more,   i->in.n_settings = 2) \
        X(settings_swapped,   (i->in.n_settings = 2, swap_settings(i->settings))) \
        X(other_setting,      set_text(&i->settings[0].key, "MemoryMin")) \
        X(other_value,        set_text(&i->settings[0].value, "3M")) \
        X(setting_cut_later,  (set_text(&i->settings[0].key, "MemoryMax1"), set_text(&i->settings[0].value, "M"))) \
        X(no_instance,        i->f.request.instance = NULL) \
        X(empty_instance,     i->f.request.instance = "") \
        X(other_instance,     i->f.request.instance = "two") \
        X(no_arguments,       set_words(&i->arguments, "")) \
        X(arguments_joined,   set_words(&i->arguments, "ab")) \
        X(arguments_swapped,  set_words(&i->arguments, "b a")) \
        X(one_argument_more,  set_words(&i->arguments, "a b A=1")) \
        X(argument_moved,     (set_words(&i->arguments, "a b A=1"), set_words(&i->environment, "B=2"))) \
        X(no_environment,     set_words(&i->environment, "")) \
        X(environment_turned, set_words(&i->environment, "B=2 A=1")) \
        X(other_variable,     set_words(&i->environment, "A=1 B=3")) \
        X(input_too,          i->f.request.streams |= CLIENT_STREAM(0)) \
        X(no_output,          i->f.request.streams &= ~CLIENT_STREAM(1)) \
        X(no_errors,          i->f.request.streams &= ~CLIENT_STREAM(2)) \
        X(keep,               i->f.request.on_disconnect = ON_DISCONNECT_KEEP) \
        X(stop,               i->f.request.on_disconnect = ON_DISCONNECT_STOP) \
        X(other_filter,       i->filter[6] = 0xfe) \
        X(longer_filter,      i->f.context.n_seccomp = 16) \
        X(no_degrade,         set_words(&i->degrade, "")) \
        X(other_degrade,      set_words(&i->degrade, "memory")) \
        X(more_degrade,       set_words(&i->degrade, "landlock memory")) \
        X(other_host,         i->host_name[0] = 'S')

#define CHANGE(name, what) { #name, change_##name },
/* clang-format on */

static void swap_groups(Account *a) {
        AccountGroup first = a->groups[1];

        a->groups[1] = a->groups[2];
        a->groups[2] = first;
}

static void swap_settings(ProfileSetting settings[static 2]) {
        ProfileSetting first = settings[0];

        settings[0] = settings[1];
        settings[1] = first;
}

#define DEFINE_CHANGE(name, what) \
        static void change_##name(Inputs *i) { what; }
CHANGES(DEFINE_CHANGE)

static const struct {
        const char *name;
        void (*make)(Inputs *i);
} changes[] = { CHANGES(CHANGE) };

static void changed_key(size_t change, Buffer *ret) {
        Inputs i;

        inputs_init(&i);
        changes[change].make(&i);
        key_of(&i, ret);
        inputs_done(&i);
}

static void only_equal_inputs_have_equal_keys(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                for (size_t k = 0; k < ELEMENTSOF(changes); k++) {
                        _cleanup_buffer_ Buffer a = {}, b = {};

                        changed_key(i, &a);
                        changed_key(k, &b);
                        if ((a.size == b.size && memcmp(a.data, b.data, a.size) == 0) != (i == k))
                                fail_msg("%s and %s", changes[i].name, changes[k].name);
                }
}

static ReadyPlan *make(Inputs *i) {
        _cleanup_free_ uint8_t *bytes = NULL;
        _cleanup_free_ char *text = NULL;
        PlanRefusal refusal;
        ReadyPlan *p = NULL;
        Plan *plan = NULL;
        size_t size;

        i->f.request = (PlanRequest){ .on_disconnect = -1 };
        i->f.context.degrade = NULL;
        assert_int_equal(plan_compile(&plan,
                                      &bytes,
                                      &size,
                                      i->f.profile,
                                      i->f.account,
                                      &i->f.request,
                                      &i->f.context,
                                      &refusal,
                                      &text),
                         0);
        assert_int_equal(ready_plan_new(&p, plan, bytes, size), 0);
        return p;
}

/* One of that user's, told from their others by its number. */
static void number_key(uid_t uid, uint64_t number, Buffer *ret) {
        buffer_append(ret, &uid, sizeof(uid));
        buffer_append(ret, &number, sizeof(number));
}

static void add(PlanMemo *m, uid_t uid, uint64_t number) {
        _cleanup_(ready_plan_unrefp) ReadyPlan *p = NULL;
        _cleanup_buffer_ Buffer key = {};
        Inputs i;

        inputs_init(&i);
        i.f.account->uid = uid;
        p = make(&i);
        inputs_done(&i);
        number_key(uid, number, &key);
        plan_memo_add(m, &key, p);
}

static bool finds(PlanMemo *m, uid_t uid, uint64_t number) {
        _cleanup_(ready_plan_unrefp) ReadyPlan *p = NULL;
        _cleanup_buffer_ Buffer key = {};

        number_key(uid, number, &key);
        p = plan_memo_find(m, &key);
        return p;
}

static size_t count(const PlanMemo *m) {
        ReadyPlan *p;
        size_t n = 0;

        LIST_FOREACH (p, &m->plans, entry)
                n++;
        return n;
}

static void what_was_kept_is_found_under_its_key_alone(void **state) {
        PlanMemo m = {};

        add(&m, 3001, 1);
        assert_true(finds(&m, 3001, 1));
        assert_false(finds(&m, 3001, 2));
        assert_false(finds(&m, 3002, 1));
        plan_memo_done(&m);
}

static void a_user_pushes_out_only_their_own(void **state) {
        PlanMemo m = {};

        add(&m, 3002, 0);
        for (unsigned i = 0; i < PLAN_MEMO_MAX_OF_USER; i++)
                add(&m, 3001, i);
        assert_true(finds(&m, 3001, 0)); /* used last, though it came first */
        add(&m, 3001, 99);

        assert_int_equal(count(&m), PLAN_MEMO_MAX_OF_USER + 1);
        assert_true(finds(&m, 3001, 0));
        assert_false(finds(&m, 3001, 1));
        assert_true(finds(&m, 3001, 2));
        assert_true(finds(&m, 3002, 0));
        plan_memo_done(&m);
}

static void the_least_recently_used_of_all_gives_way(void **state) {
        PlanMemo m = {};

        for (unsigned i = 0; i < PLAN_MEMO_MAX; i++)
                add(&m, 3001 + i, 0);
        assert_true(finds(&m, 3001, 0));
        add(&m, 5000, 0);

        assert_int_equal(count(&m), PLAN_MEMO_MAX);
        assert_true(finds(&m, 3001, 0));
        assert_false(finds(&m, 3002, 0));
        assert_true(finds(&m, 5000, 0));
        plan_memo_done(&m);
}

static void a_large_one_is_not_kept(void **state) {
        _cleanup_(ready_plan_unrefp) ReadyPlan *p = NULL;
        _cleanup_buffer_ Buffer key = {};
        _cleanup_free_ char *large = calloc(1, PLAN_MEMO_SIZE_MAX);
        PlanMemo m = {};
        Inputs i;

        inputs_init(&i);
        p = make(&i);
        inputs_done(&i);
        buffer_append(&key, large, PLAN_MEMO_SIZE_MAX);
        plan_memo_add(&m, &key, p);
        assert_int_equal(count(&m), 0);

        buffer_done(&key);
        key = (Buffer){ .error = -ENOMEM };
        plan_memo_add(&m, &key, p);
        assert_int_equal(count(&m), 0);
}

static void nothing_is_found_under_a_key_that_was_not_completed(void **state) {
        const Buffer broken = { .error = -ENOMEM };
        PlanMemo m = {};

        add(&m, 3001, 1);
        assert_null(plan_memo_find(&m, &broken));
        plan_memo_done(&m);
}

static void who_holds_a_forgotten_plan_still_has_it(void **state) {
        _cleanup_(ready_plan_unrefp) ReadyPlan *p = NULL;
        _cleanup_buffer_ Buffer key = {};
        PlanMemo m = {};

        add(&m, 3001, 1);
        number_key(3001, 1, &key);
        p = plan_memo_find(&m, &key);
        plan_memo_done(&m);

        assert_int_equal(count(&m), 0);
        assert_false(finds(&m, 3001, 1));
        assert_non_null(p);
        assert_string_equal(p->plan->user, "alice");
        assert_true(fcntl(p->newest.fd, F_GET_SEALS) >= 0);
}

static void a_keeper_gets_the_version_that_it_reads(void **state) {
        _cleanup_(ready_plan_unrefp) ReadyPlan *p = NULL;
        _cleanup_(plan_recent_done) PlanRecent recent = { .max = 1 };
        const LinkPlan *sent = NULL;
        LinkPlan older = { .fd = -EBADF };
        const char *digest, *unsaid = NULL;
        Inputs i;

        inputs_init(&i);
        p = make(&i);
        inputs_done(&i);

        assert_int_equal(ready_plan_encode(p, PLAN_VERSION, &older, &sent, &unsaid), 0);
        assert_ptr_equal(sent, &p->newest);
        assert_int_equal(plan_recent_read(&recent, sent->fd, NULL, &digest), 0);
        assert_string_equal(digest, sent->digest);
        assert_string_equal(digest, sent->hash);

        assert_int_equal(ready_plan_encode(p, PLAN_VERSION_FIRST - 1, &older, &sent, &unsaid),
                         -EPROTONOSUPPORT);
        assert_non_null(unsaid);
        assert_true(older.fd < 0);

#if IMMURED_NEXT
        assert_int_equal(ready_plan_encode(p, PLAN_VERSION_FIRST, &older, &sent, &unsaid), 0);
        assert_ptr_equal(sent, &older);
        assert_int_equal(plan_recent_read(&recent, sent->fd, NULL, &digest), 0);
        assert_string_equal(digest, sent->digest);
        assert_string_not_equal(digest, sent->hash);
        assert_string_equal(sent->hash, p->newest.hash);
#endif
        link_plan_done(&older);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_equal_inputs_have_equal_keys),
                cmocka_unit_test(what_was_kept_is_found_under_its_key_alone),
                cmocka_unit_test(a_user_pushes_out_only_their_own),
                cmocka_unit_test(the_least_recently_used_of_all_gives_way),
                cmocka_unit_test(a_large_one_is_not_kept),
                cmocka_unit_test(nothing_is_found_under_a_key_that_was_not_completed),
                cmocka_unit_test(who_holds_a_forgotten_plan_still_has_it),
                cmocka_unit_test(a_keeper_gets_the_version_that_it_reads),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
