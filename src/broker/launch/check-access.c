/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/check-access.h"

#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "broker/launch/launch-plan.h"

typedef struct Check {
        Road road;
        Call *call;
        char *profile; /* name */
        LaunchOptions options;
        AccessVerb verb;
        uid_t uid; /* who would do it */
        KnownAccount *subject;
        KnownAccount *target; /* the user that it is for */
        AccountQuery *query;
} Check;

static Check *check_free(Check *k) {
        if (!k)
                return NULL;

        (void) account_query_free(k->query);
        (void) known_account_unref(k->subject);
        (void) known_account_unref(k->target);
        launch_options_done(&k->options);
        free(k->profile);
        (void) call_free(k->call);
        free(k);
        return NULL;
}

static Caller subject_of(const Check *k) {
        return (Caller){ .uid = k->uid, .account = k->subject->account };
}

/* For a profile only these verbs can be asked about; for a sandbox, all that it has. */
static bool launches(AccessVerb verb) { return verb == ACCESS_LAUNCH || verb == ACCESS_PLAN; }

static ObjectKind kind_of(AccessVerb verb) { return launches(verb) ? OBJECT_PROFILE : OBJECT_SANDBOX; }

static int find_verb(Call *c, const char *name, AccessVerb *ret) {
        for (AccessVerb verb = 0; verb < _ACCESS_VERB_MAX; verb++)
                if (access_has_rule(verb, kind_of(verb)) && streq(access_verb_name(verb), name)) {
                        *ret = verb;
                        return 0;
                }

        return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "There is no verb \"%.64s\" to ask about", name);
}

/* Only root and those who manage the profile may ask about others. To whoever may not see it, it is not there. */
static int check_may_ask(Call *c, const char *profile, uid_t uid) {
        const CatalogEntry *e = catalog_find(c->manager->catalog, profile);
        const AccessObject object = { OBJECT_PROFILE, UID_NOBODY, e ? e->profile : NULL };
        const Caller caller = call_caller(c);
        int r;

        if (uid == c->uid)
                return 0;

        r = access_check(&caller, ACCESS_CHECK_ACCESS, &object, NULL);
        if (r == -ENOENT)
                return call_fail(c, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", profile);
        if (r < 0)
                return call_fail(c,
                                 SD_BUS_ERROR_ACCESS_DENIED,
                                 "User %u may not ask what others may do with profile \"%s\"",
                                 c->uid,
                                 profile);

        return 0;
}

/* Adds what polkit would be asked to the question. 0, -EACCES, -ENOENT. */
static int judge(const Check *k, AccessVerb verb, const AccessObject *object, AccessQuestion *question) {
        const Caller subject = subject_of(k);
        AccessQuestion more = { 0 };
        int r;

        r = access_check(&subject, verb, object, &more);
        if (r != -ENOKEY)
                return r;

        question->own = question->own && more.own;
        question->hidden = question->hidden || more.hidden;
        question->actions |= more.actions;
        return 0;
}

/*
 * By the table of access: 0, with what polkit would be asked; -EACCES and -ENOENT, with the verb that is refused. A
 * target that was not looked up, or does not exist, is some other user. Of a sandbox it does not matter whether its
 * profile is there: one that is gone may still have some.
 */
static int
judge_by_table(const Check *k, const CatalogEntry *e, AccessQuestion *question, AccessVerb *ret_verb) {
        const Account *target = k->target ? k->target->account : NULL;
        const bool launch = launches(k->verb);
        const AccessObject object = {
                .kind = kind_of(k->verb),
                .owner = !launch && target ? target->uid : UID_NOBODY,
                .profile = e ? e->profile : NULL,
        };
        int r;

        *ret_verb = k->verb;
        r = judge(k, k->verb, &object, question);
        if (r >= 0 && launch && (!target || target->uid != k->uid)) {
                *ret_verb = ACCESS_LAUNCH_AS_USER;
                r = judge(k, ACCESS_LAUNCH_AS_USER, &object, question);
        }

        return r >= 0 && launch && !e ? -ENOENT : r;
}

static int fail_by_table(const Check *k, AccessVerb verb, int error) {
        const bool launch = launches(k->verb);

        if (error == -ENOENT && launch)
                return call_fail(k->call, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", k->profile);
        if (error == -ENOENT)
                return call_fail(k->call, ERROR_NO_SUCH_SANDBOX, "No sandbox of this user's");

        return call_fail(k->call,
                         SD_BUS_ERROR_ACCESS_DENIED,
                         launch ? "User %u may not %s profile \"%s\""
                                : "User %u may not %s a sandbox of profile \"%s\"",
                         k->uid,
                         access_verb_name(verb),
                         k->profile);
}

/* "org.immured.Broker1.launch …; without polkit: yes" */
static char *question_text(const AccessQuestion *question) {
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ char *joined = NULL;
        bool free_of_it = question->own;

        for (AccessAction action = 0; action < _ACCESS_ACTION_MAX; action++) {
                if (!(question->actions & ACTION_BIT(action)))
                        continue;

                free_of_it = free_of_it && access_action_is_free(action);
                if (strv_extend(&ids, access_action_id(action)) < 0)
                        return NULL;
        }

        joined = strv_join(ids, " ");
        return joined ? text_printf("%s; without polkit: %s", joined, free_of_it ? "yes" : "no") : NULL;
}

static int reply_no(Call *c) {
        _cleanup_free_ char *reason = text_printf("%s: %s", c->error.name, c->error.message ?: "");

        if (!reason)
                return -ENOMEM;

        sd_bus_error_free(&c->error);
        return call_reply(c, "ss", "no", reason);
}

/*
 * Where polkit decides about another user, that is all the answer says: whether there is such a user, and what they
 * could not launch, is for those who could by their own right, and for root.
 */
static bool tells_of_target(const Check *k, const AccessQuestion *question) {
        return question->own || k->call->uid == 0;
}

static int make_plan(const Check *k, const CatalogEntry *e) {
        _cleanup_(ready_plan_unrefp) ReadyPlan *ready = NULL;

        return launch_plan_make(k->call, e, &k->options, k->target->account, &ready);
}

static int reply_verdict(const Check *k) {
        Call *c = k->call;
        const CatalogEntry *e = catalog_find(c->manager->catalog, k->profile);
        AccessQuestion question = { .own = true };
        _cleanup_free_ char *text = NULL;
        AccessVerb verb;
        int r;

        r = judge_by_table(k, e, &question, &verb);
        if (r < 0)
                r = fail_by_table(k, verb, r);
        else if (launches(k->verb) && tells_of_target(k, &question))
                r = make_plan(k, e);
        if (r < 0)
                return sd_bus_error_is_set(&c->error) ? reply_no(c) : r;

        if (question.actions == 0)
                return call_reply(c, "ss", "yes", "");

        text = question_text(&question);
        return text ? call_reply(c, "ss", "polkit", text) : -ENOMEM;
}

static void check_walk(Check *k) {
        const StepAnswer answer = road_walk(&k->road, k);

        if (answer == STEP_FAILED)
                call_reply_error(k->call, k->call->failure);
        if (answer != STEP_WAIT)
                (void) check_free(k);
}

static int read_arguments(Check *k) {
        Call *c = k->call;
        const char *profile, *verb;
        uint32_t uid;
        int r;

        r = sd_bus_message_read(c->message, "uss", &uid, &profile, &verb);
        if (r < 0)
                return r;
        if (!profile_name_is_valid(profile))
                return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "The second argument is no profile's name");

        k->uid = uid;
        k->profile = strdup(profile);
        if (!k->profile)
                return -ENOMEM;

        r = check_may_ask(c, profile, uid);
        if (r >= 0)
                r = find_verb(c, verb, &k->verb);
        if (r < 0)
                return r;

        return launch_options_read(c->message, &k->options, &c->error);
}

static StepAnswer step_arguments(void *traveller) {
        Check *k = traveller;

        return call_step(k->call, read_arguments(k));
}

static void on_subject(KnownAccount *known, void *userdata) {
        Check *k = userdata;

        k->query = NULL;
        k->subject = known_account_ref(known);
        check_walk(k);
}

static StepAnswer step_subject(void *traveller) {
        Check *k = traveller;

        return call_need_account(k->call, NULL, k->uid, on_subject, k, &k->query, &k->subject);
}

static void on_target(KnownAccount *known, void *userdata) {
        Check *k = userdata;

        k->query = NULL;
        k->target = known_account_ref(known);
        check_walk(k);
}

static bool is_refused_whoever_it_is(const Check *k) {
        AccessQuestion question = { .own = true };
        AccessVerb verb;

        return judge_by_table(k, catalog_find(k->call->manager->catalog, k->profile), &question, &verb) < 0;
}

static StepAnswer step_target(void *traveller) {
        Check *k = traveller;
        const char *name = k->options.user;
        uid_t uid = k->uid;

        if (name && (parse_id(name, &uid) >= 0 || streq(name, k->subject->account->name)))
                name = NULL;
        if (!k->target && !name && uid == k->uid)
                k->target = known_account_ref(k->subject);
        if (k->target || is_refused_whoever_it_is(k))
                return STEP_DONE;

        return call_find_account(k->call, name, uid, on_target, k, &k->query, &k->target);
}

static StepAnswer step_exists(void *traveller) {
        Check *k = traveller;
        const CatalogEntry *e = catalog_find(k->call->manager->catalog, k->profile);
        AccessQuestion question = { .own = true };
        AccessVerb verb;

        if (judge_by_table(k, e, &question, &verb) < 0 || !tells_of_target(k, &question))
                return STEP_DONE;

        return call_need_account(k->call, NULL, k->uid, on_target, k, &k->query, &k->target);
}

static StepAnswer step_verdict(void *traveller) {
        Check *k = traveller;

        return call_step(k->call, reply_verdict(k));
}

enum {
        CHECK_ARGUMENTS,
        CHECK_SUBJECT,
        CHECK_TARGET,
        CHECK_EXISTS,
        CHECK_VERDICT,
};

/* clang-format off */
static const RoadStep steps[] = {
        /* First, as it finds out whether the caller may ask: nobody else must learn whether such a user exists. */
        [CHECK_ARGUMENTS] = { step_arguments },
        /* Before the target, which is the same user unless another one is named. */
        [CHECK_SUBJECT]   = { step_subject, .again = CHECK_SUBJECT },
        [CHECK_TARGET]    = { step_target, .again = CHECK_TARGET },
        [CHECK_EXISTS]    = { step_exists },
        /* Access, profile and plan, all in the same moment. */
        [CHECK_VERDICT]   = { step_verdict },
};
/* clang-format on */

int call_check_access(Call *c) {
        Check *k = calloc(1, sizeof(*k));

        if (!k)
                return -ENOMEM;

        k->road = (Road){ .steps = steps, .n_steps = ELEMENTSOF(steps) };
        k->options = LAUNCH_OPTIONS_NONE;
        k->call = c;
        check_walk(k);
        return 1;
}
