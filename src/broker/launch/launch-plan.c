/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch-plan.h"

#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "link/link.h"
#include "seccomp/seccomp-compile.h"

#include <time.h>

/* nologin(5) */
#define NOLOGIN_PATH "/run/nologin"
#define SYSTEM_UID_END 1000

static int check_profile(Call *c, const CatalogEntry *e) {
        if (!e->profile) {
                _cleanup_free_ char *text = catalog_entry_error(e);

                return call_fail(c, ERROR_BAD_SETTING, "%s", text ?: "The profile was refused");
        }
        if (e->profile->abstract)
                return call_fail(c,
                                 ERROR_PROFILE_DISABLED,
                                 "Profile \"%s\" is abstract: only others inherit from it",
                                 e->loaded->name);
        if (!e->profile->enabled)
                return call_fail(
                        c, ERROR_PROFILE_DISABLED, "Profile \"%s\" has Enabled=no", e->loaded->name);

        return 0;
}

/*
 * As login(1) would: the account, and that nobody may log in just now, which is not said to the machine's own users
 * nor to what starts with it. A password that is to be changed, and a shell that is none, are no matter here.
 */
static int check_account(Call *c, const Account *target) {
        if (!c->manager->catalog->config.expired_refused)
                return 0;

        if (account_may_have_expired(target, time(NULL)))
                return call_fail(
                        c,
                        SD_BUS_ERROR_ACCESS_DENIED,
                        target->expires == ACCOUNT_EXPIRY_UNKNOWN
                                ? "Whether the account %s has expired cannot be found out (Expired=)"
                                : "The account %s has expired (Expired=)",
                        target->name);
        if (target->uid >= SYSTEM_UID_END && c->member->verb != ACCESS_START_AT_BOOT &&
            access(NOLOGIN_PATH, F_OK) == 0)
                return call_fail(c,
                                 SD_BUS_ERROR_ACCESS_DENIED,
                                 "Nobody may log in just now: there is " NOLOGIN_PATH " (Expired=)");

        return 0;
}

static int check_wait(Call *c, const Profile *p, const LaunchOptions *o) {
        if (o->wait_set && !o->wait && p->terms.type == SERVICE_ONESHOT)
                return call_fail(
                        c,
                        SD_BUS_ERROR_INVALID_ARGS,
                        "Wait: a profile with Type=oneshot answers when it has ended, and not before");

        return 0;
}

static int tighten(Call *c, const PlanInputs *in, Profile **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = profile_tighten(ret, in->profile, in->settings, in->n_settings, &text);
        if (r == -EPERM || r == -EBADMSG)
                return call_fail(c,
                                 r == -EPERM ? ERROR_SETTING_NOT_PERMITTED : ERROR_BAD_SETTING,
                                 "Properties: %s",
                                 text);

        return r;
}

/* Whatever the settings are: only the compiler knows which keys a filter depends on. */
static int compile_filter(Call *c, const Profile *tightened, uint8_t **ret, size_t *ret_size) {
        _cleanup_findings_ Findings findings = {};
        int r;

        r = seccomp_compile(c->manager->catalog->policy, tightened, ret, ret_size, &findings);
        if (r == -EBADMSG && findings.n_items > 0)
                return call_fail(c,
                                 ERROR_BAD_SETTING,
                                 "%s: %s",
                                 findings.items[0].key ?: "SystemCallFilter",
                                 findings.items[0].text);
        if (r == -EBADMSG || r == -EINVAL || r == -E2BIG)
                return call_fail(c, ERROR_BAD_SETTING, "The settings make no filter of system calls");

        return r;
}

static int compile(Call *c, const PlanInputs *in, ReadyPlan **ret) {
        static const char *const names[] = {
                [PLAN_REFUSAL_NONE] = ERROR_BAD_SETTING,
                [PLAN_REFUSAL_ARGUMENT] = ERROR_ARGUMENT_REJECTED,
                [PLAN_REFUSAL_NOT_PERMITTED] = ERROR_SETTING_NOT_PERMITTED,
                [PLAN_REFUSAL_BAD_SETTING] = ERROR_BAD_SETTING,
                [PLAN_REFUSAL_QUOTA] = ERROR_QUOTA_EXCEEDED,
        };
        PlanRefusal refusal = PLAN_REFUSAL_NONE;
        _cleanup_free_ uint8_t *bytes = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        Plan *plan;
        int r;

        r = plan_compile(
                &plan, &bytes, &size, in->profile, in->account, in->request, in->context, &refusal, &text);
        if (r == -EINVAL)
                return call_fail(c, names[refusal], "%s", text ?: "The request does not fit the profile");

        return r < 0 ? r : ready_plan_new(ret, plan, bytes, size);
}

/* From the profile, or from what the user's settings make of it. */
static int make(Call *c, const PlanInputs *in, ReadyPlan **ret) {
        _cleanup_(profile_unrefp) Profile *tightened = NULL;
        _cleanup_free_ uint8_t *filter = NULL;
        PlanContext context = *in->context;
        PlanInputs inputs = *in;
        int r;

        if (in->n_settings > 0) {
                r = tighten(c, in, &tightened);
                if (r >= 0)
                        r = compile_filter(c, tightened, &filter, &context.n_seccomp);
                if (r < 0)
                        return r;
                context.seccomp = filter;
                inputs.context = &context;
                inputs.profile = tightened;
        }

        return compile(c, &inputs, ret);
}

int launch_plan_make(
        Call *c, const CatalogEntry *e, const LaunchOptions *o, const Account *target, ReadyPlan **ret) {
        const Catalog *catalog = c->manager->catalog;
        const PlanRequest request = {
                .instance = o->instance,
                .arguments = o->arguments,
                .environment = o->environment,
                .streams = o->streams,
                .on_disconnect = o->on_disconnect,
        };
        const PlanContext context = {
                .seccomp = e->seccomp,
                .n_seccomp = e->n_seccomp,
                .degrade = catalog->config.degrade,
                .host_name = c->manager->host_name,
        };
        const PlanInputs in = {
                .generation = catalog->generation,
                .profile = e->profile,
                .settings = o->settings,
                .n_settings = o->n_settings,
                .account = target,
                .request = &request,
                .context = &context,
        };
        PlanMemo *memo = &c->manager->plans;
        _cleanup_buffer_ Buffer key = { 0 };
        int r;

        r = check_profile(c, e);
        if (r >= 0)
                r = check_account(c, target);
        if (r >= 0)
                r = check_wait(c, e->profile, o);
        if (r < 0)
                return r;

        plan_memo_key(&in, &key);
        *ret = plan_memo_find(memo, &key);
        if (*ret)
                return 0;

        r = make(c, &in, ret);
        if (r >= 0)
                plan_memo_add(memo, &key, *ret);
        return r;
}
