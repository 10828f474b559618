/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/authorize.h"

#include "base/text.h"
#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "link/link.h"

#include <stdio.h>

/* Errors for what polkit did not say yes to. */
/* clang-format off */
static const struct {
        const char *error, *text;
} refusals[_POLKIT_ANSWER_MAX] = {
        [POLKIT_NO]        = { SD_BUS_ERROR_ACCESS_DENIED, "polkit does not allow it" },
        [POLKIT_CHALLENGE] = { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, "somebody has to authenticate" },
        [POLKIT_ABSENT]    = { SD_BUS_ERROR_ACCESS_DENIED, "that takes authentication, and there is no polkit here" },
        [POLKIT_UNASKED]   = { ERROR_BUSY, "polkit cannot be asked just now; try again" },
        [POLKIT_SILENT]    = { SD_BUS_ERROR_ACCESS_DENIED, "polkit was asked and did not answer" },
};
/* clang-format on */

static bool call_is_interactive(const Call *c) {
        return sd_bus_message_get_allow_interactive_authorization(c->message) > 0;
}

Deed deed_of_call(const Call *c) {
        Deed d = {
                .verb = c->member->verb,
                .object = c->access,
                .name = c->object.name,
                .uid = UID_NOBODY,
        };

        switch (c->object.kind) {
        case OBJECT_PROFILE:
                d.uid = c->uid;
                d.user = c->known && c->known->account ? c->known->account->name : NULL;
                break;
        case OBJECT_SANDBOX:
                if (c->object.name)
                        (void) sandbox_id_parse(c->object.name, NULL, &d.uid, NULL);
                break;
        case OBJECT_USER:
                d.uid = c->object.named_uid;
                break;
        case OBJECT_BRANCH:
        case OBJECT_MANAGER:
        default:
                break;
        }

        return d;
}

Deed deed_launch_as(const char *profile_name, const Profile *profile, const Account *target) {
        return (Deed){
                .verb = ACCESS_LAUNCH_AS_USER,
                .object = { .kind = OBJECT_PROFILE, .owner = UID_NOBODY, .profile = profile },
                .name = profile_name,
                .uid = target ? target->uid : UID_NOBODY,
                .user = target ? target->name : NULL,
        };
}

static int add_detail(char ***l, const char *key, const char *value) {
        return value ? strv_consume(l, text_printf("%s=%s", key, value)) : 0;
}

/*
 * What rules can look at: the caller's own words, and what is known of the caller. So whoever sees a dialog learns
 * nothing from it of an object that they may not see.
 */
static int details_new(const Deed *d, char ***ret) {
        const bool is_sandbox = d->object.kind == OBJECT_SANDBOX,
                   is_profile = d->object.kind == OBJECT_PROFILE;
        char profile[33] = "", uid[16];
        _cleanup_strv_ char **l = NULL;
        int r;

        if (is_sandbox && d->name)
                (void) sandbox_id_parse(d->name, profile, NULL, NULL);
        (void) snprintf(uid, sizeof(uid), "%u", d->uid);

        r = add_detail(&l, "verb", access_verb_name(d->verb));
        if (r >= 0)
                r = add_detail(&l, "profile", is_profile ? d->name : profile[0] ? profile : NULL);
        if (r >= 0)
                r = add_detail(&l, "sandbox", is_sandbox ? d->name : NULL);
        if (r >= 0)
                r = add_detail(&l, "uid", d->uid != UID_NOBODY ? uid : NULL);
        if (r >= 0)
                r = add_detail(&l, "user", d->user);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

static const CallAnswer *find_answer(const Call *c, AccessAction action, char *const *details) {
        for (size_t i = 0; i < c->n_answers; i++)
                if (c->answers[i].action == action && strv_equal(c->answers[i].details, details))
                        return c->answers + i;

        return NULL;
}

/* Nothing of one's own is ever hidden. So what is hidden and would be the caller's own is not there at all. */
static bool cannot_be_there(const Call *c, const Deed *d) {
        switch (d->object.kind) {
        case OBJECT_SANDBOX:
                return d->name && (d->uid == UID_NOBODY || d->uid == c->uid);
        case OBJECT_USER:
                return d->uid == UID_NOBODY || d->uid == c->uid;
        default:
                return false;
        }
}

static int deny(Call *c, const Deed *d, const char *error, const char *reason) {
        _cleanup_free_ char *what = NULL;

        what = d->name ? text_printf("%s \"%s\"", object_kind_name(d->object.kind), d->name)
                       : text_printf("this %s", object_kind_name(d->object.kind));
        if (!what)
                return -ENOMEM;

        return call_fail(c,
                         error,
                         "User %u may not %s %s%s%s",
                         c->uid,
                         access_verb_name(d->verb),
                         what,
                         reason ? ": " : "",
                         reason ?: "");
}

static int refuse(Call *c, const Deed *d, const AccessQuestion *question, PolkitAnswer answer) {
        /* The caller allowed questions, and nobody was there to be asked. */
        const bool in_vain = answer == POLKIT_CHALLENGE && call_is_interactive(c);

        if (question->hidden)
                return -ENOENT;

        return deny(
                c, d, in_vain ? SD_BUS_ERROR_ACCESS_DENIED : refusals[answer].error, refusals[answer].text);
}

static bool is_yes(AccessAction action, const AccessQuestion *question, PolkitAnswer answer) {
        if (answer == POLKIT_ABSENT)
                return question->own && access_action_is_free(action);

        return answer == POLKIT_YES;
}

/* Goes through all that polkit has to allow. -ENOKEY: the first that it was not asked yet, and its details. */
static int decide(Call *c, const Deed *d, AccessAction *ret_action, char ***ret_details) {
        const Caller caller = call_caller(c);
        AccessQuestion question = { 0 };
        _cleanup_strv_ char **details = NULL;
        int r;

        r = access_check(&caller, d->verb, &d->object, &question);
        if (r == -EACCES)
                return deny(c, d, SD_BUS_ERROR_ACCESS_DENIED, NULL);
        if (r != -ENOKEY)
                return r;
        if (question.hidden && cannot_be_there(c, d))
                return -ENOENT;

        r = details_new(d, &details);
        if (r < 0)
                return r;

        for (AccessAction action = 0; action < _ACCESS_ACTION_MAX; action++) {
                const CallAnswer *a;
                PolkitAnswer answer;

                if (!(question.actions & ACTION_BIT(action)))
                        continue;

                a = find_answer(c, action, details);
                if (!a && !polkit_is_absent(c->manager->polkit)) {
                        *ret_action = action;
                        *ret_details = TAKE_PTR(details);
                        return -ENOKEY;
                }
                answer = a ? a->answer : POLKIT_ABSENT;
                if (!is_yes(action, &question, answer))
                        return refuse(c, d, &question, answer);
        }

        return 0;
}

int call_may(Call *c, const Deed *deed) {
        _cleanup_strv_ char **details = NULL;
        AccessAction action;

        return decide(c, deed, &action, &details);
}

static void on_answer(PolkitAnswer answer, void *userdata) {
        Call *c = userdata;

        c->query_polkit = NULL;
        c->answers[c->n_answers++].answer = answer;
        /* polkit may have taken so long that the caller is in other groups by now. */
        call_forget_account(c);
        call_walk(c);
}

/* Takes the details over. 0: polkit will answer. */
static int ask(Call *c, AccessAction action, char **details) {
        _cleanup_strv_ char **owned = details;
        const bool interactive = call_is_interactive(c);
        PolkitQuestion question = {
                .action = access_action_id(action),
                .uid = c->uid,
                .details = owned,
                .interactive = interactive,
                .timeout_usec = interactive ? POLKIT_TIMEOUT_INTERACTIVE_USEC : POLKIT_TIMEOUT_USEC,
        };
        int r;

        /* A call without a peer is a unit's, where nobody sits who could answer. */
        if (!c->peer || c->peer->state != PEER_KNOWN)
                return -ECONNRESET;
        question.subject = c->peer->name;
        if (c->n_answers >= ELEMENTSOF(c->answers))
                return call_fail(c, ERROR_BUSY, "Profiles changed while polkit was asked; try again");

        r = call_count_work(c);
        if (r < 0)
                return r;

        r = polkit_ask(c->manager->polkit, &question, on_answer, c, &c->query_polkit);
        if (r < 0)
                return call_fail(
                        c, ERROR_BUSY, "polkit cannot be asked just now (%s); try again", strerror(-r));

        c->answers[c->n_answers] = (CallAnswer){ .action = action, .details = TAKE_PTR(owned) };
        return 0;
}

StepAnswer call_authorize(Call *c, const Deed *deed) {
        char **details = NULL;
        AccessAction action;
        int r;

        r = decide(c, deed, &action, &details);
        if (r != -ENOKEY)
                return call_step(c, r);

        r = ask(c, action, details);
        return r < 0 ? call_step(c, r) : call_rest(c);
}
