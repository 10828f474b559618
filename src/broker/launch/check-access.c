/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/check-access.h"

#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "broker/launch/launch-state.h"

/* Verbs that can be asked about, and the object that they are done to. */
static const struct {
        AccessVerb verb;
        ObjectKind kind;
        bool launches;
} verbs[] = {
        { ACCESS_LAUNCH, OBJECT_PROFILE, true },          { ACCESS_PLAN, OBJECT_PROFILE, true },
        { ACCESS_INSPECT, OBJECT_SANDBOX, false },        { ACCESS_STOP, OBJECT_SANDBOX, false },
        { ACCESS_KILL, OBJECT_SANDBOX, false },           { ACCESS_RESTART, OBJECT_SANDBOX, false },
        { ACCESS_FREEZE, OBJECT_SANDBOX, false },         { ACCESS_THAW, OBJECT_SANDBOX, false },
        { ACCESS_SET_PROPERTIES, OBJECT_SANDBOX, false }, { ACCESS_RESET_FAILED, OBJECT_SANDBOX, false },
};

typedef struct Check {
        Launch *launch; /* profile, options, and the user that it is for; holds the call */
        size_t verb;    /* index */
        uid_t uid;      /* who would do it */
        KnownAccount *subject;
} Check;

static Check *check_free(Check *k) {
        if (!k)
                return NULL;

        (void) known_account_unref(k->subject);
        (void) launch_free(k->launch);
        free(k);
        return NULL;
}

/* The call goes back to the dispatcher. */
static void check_part(Check *k) {
        k->launch->call = NULL;
        (void) check_free(k);
}

static Caller subject_of(const Check *k) {
        return (Caller){ .uid = k->uid, .account = k->subject->account };
}

static int find_verb(Call *c, const char *name, size_t *ret) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(access_verb_name(verbs[i].verb), name)) {
                        *ret = i;
                        return 0;
                }

        return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "There is no verb \"%.64s\" to ask about", name);
}

/* About others only root and those who manage the profile may ask; it exists for whom it exists. */
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

/* Adds what polkit would be asked; 0, -EACCES, -ENOENT. */
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

static int fail_hidden(const Check *k) {
        if (verbs[k->verb].kind == OBJECT_SANDBOX)
                return call_fail(k->launch->call, ERROR_NO_SUCH_SANDBOX, "No sandbox of this user's");

        return call_fail(k->launch->call, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", k->launch->profile);
}

/* By the table: 0 with what polkit would be asked, or the error that is set on the call. */
static int judge_by_table(const Check *k, const CatalogEntry *e, AccessQuestion *question) {
        const Account *target = k->launch->target->account;
        const AccessObject object = {
                .kind = verbs[k->verb].kind,
                .owner = verbs[k->verb].kind == OBJECT_SANDBOX ? target->uid : UID_NOBODY,
                .profile = e ? e->profile : NULL,
        };
        AccessVerb verb = verbs[k->verb].verb;
        int r;

        r = judge(k, verb, &object, question);
        if (r >= 0 && verbs[k->verb].launches && target->uid != k->uid) {
                verb = ACCESS_LAUNCH_AS_USER;
                r = judge(k, verb, &object, question);
        }
        if (r == -ENOENT || !e)
                return fail_hidden(k);
        if (r < 0)
                return call_fail(k->launch->call,
                                 SD_BUS_ERROR_ACCESS_DENIED,
                                 object.kind == OBJECT_PROFILE
                                         ? "User %u may not %s profile \"%s\""
                                         : "User %u may not %s a sandbox of profile \"%s\"",
                                 k->uid,
                                 access_verb_name(verb),
                                 k->launch->profile);

        return 0;
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

static int reply_verdict(const Check *k) {
        Call *c = k->launch->call;
        const CatalogEntry *e = catalog_find(c->manager->catalog, k->launch->profile);
        _cleanup_(plan_freep) Plan *plan = NULL;
        AccessQuestion question = { .own = true };
        _cleanup_free_ char *text = NULL;
        int r;

        r = judge_by_table(k, e, &question);
        if (r >= 0 && verbs[k->verb].launches)
                r = launch_make_plan(k->launch, e, &plan);
        if (r < 0)
                return sd_bus_error_is_set(&c->error) ? reply_no(c) : r;

        if (question.actions == 0)
                return call_reply(c, "ss", "yes", "");

        text = question_text(&question);
        return text ? call_reply(c, "ss", "polkit", text) : -ENOMEM;
}

static int check_proceed(Check *k);

/* From an answer of the name service: who waited is told. */
static void check_go_on(Check *k) {
        int r;

        r = check_proceed(k);
        if (r == 1)
                return;
        if (r < 0)
                call_reply_error(k->launch->call, r);
        (void) check_free(k);
}

static void on_subject(KnownAccount *known, void *userdata) {
        Check *k = userdata;

        k->launch->query = NULL;
        k->subject = known_account_ref(known);
        check_go_on(k);
}

static void on_target(KnownAccount *known, void *userdata) {
        Check *k = userdata;

        k->launch->query = NULL;
        k->launch->target = known_account_ref(known);
        check_go_on(k);
}

/* 0: it is there; 1: asked for. */
static int look_up(Check *k, const char *name, uid_t uid, AccountHandler handler, KnownAccount **ret) {
        Accounts *accounts = k->launch->call->manager->accounts;
        int r;

        if (accounts_peek(accounts, name, uid, ret) >= 0)
                return 0;

        r = accounts_ask(accounts, name, uid, handler, k, &k->launch->query);
        if (r == -EBUSY)
                return call_fail(
                        k->launch->call, ERROR_BUSY, "Too many account look-ups wait already; try again");

        return r < 0 ? r : 1;
}

static int find_target(Check *k) {
        const char *name = k->launch->options.user;
        uid_t uid = k->uid;

        if (name && (parse_id(name, &uid) >= 0 || streq(name, k->subject->account->name)))
                name = NULL;
        if (name)
                return look_up(k, name, UID_NOBODY, on_target, &k->launch->target);
        if (uid != k->uid)
                return look_up(k, NULL, uid, on_target, &k->launch->target);

        k->launch->target = known_account_ref(k->subject);
        return 0;
}

static int check_account(Call *c, const KnownAccount *known) {
        if (known->error == -ENOENT)
                return call_fail(c, ERROR_NO_SUCH_USER, "There is no such user");
        if (!known->account)
                return call_fail(c, ERROR_BUSY, "The account cannot be looked up just now; try again");

        return 0;
}

/* 0: answered; 1: an account is looked up; negative errno. */
static int check_proceed(Check *k) {
        Call *c = k->launch->call;
        int r = 0;

        if (!k->subject)
                r = look_up(k, NULL, k->uid, on_subject, &k->subject);
        if (r == 0)
                r = check_account(c, k->subject);
        if (r == 0 && !k->launch->target)
                r = find_target(k);
        if (r == 0)
                r = check_account(c, k->launch->target);

        return r == 0 ? reply_verdict(k) : r;
}

static int check_read(Check *k) {
        Call *c = k->launch->call;
        const char *profile, *verb;
        uint32_t uid;
        int r;

        r = sd_bus_message_read(c->message, "uss", &uid, &profile, &verb);
        if (r < 0)
                return r;
        if (!profile_name_is_valid(profile))
                return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "The second argument is no profile's name");

        k->uid = uid;
        k->launch->profile = strdup(profile);
        if (!k->launch->profile)
                return -ENOMEM;

        r = check_may_ask(c, profile, uid);
        if (r >= 0)
                r = find_verb(c, verb, &k->verb);
        if (r < 0)
                return r;

        return launch_options_read(c->message, &k->launch->options, &c->error);
}

int call_check_access(Call *c) {
        _cleanup_free_ Check *k = calloc(1, sizeof(*k));
        int r;

        if (!k)
                return -ENOMEM;
        k->launch = calloc(1, sizeof(*k->launch));
        if (!k->launch)
                return -ENOMEM;

        k->launch->mode = LAUNCH_PLAN_ONLY;
        k->launch->call = c;
        launch_options_done(&k->launch->options);
        r = check_read(k);
        if (r >= 0)
                r = check_proceed(k);
        if (r == 1) {
                (void) TAKE_PTR(k);
                return 1;
        }

        check_part(TAKE_PTR(k));
        return r;
}
