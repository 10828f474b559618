/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch-plan.h"

#include "broker/call/manager-state.h"
#include "link/link.h"
#include "plan/plan-compile.h"
#include "seccomp/seccomp-compile.h"

/* The admin's profile, or that as its user has tightened it; borrows from the catalog what is not its own. */
typedef struct Basis {
        const Profile *profile;
        const uint8_t *seccomp;
        size_t n_seccomp;
        Profile *tightened;   /* NULL: nothing was asked for */
        uint8_t *own_seccomp; /* of the tightened one */
} Basis;

static void basis_done(Basis *b) {
        (void) profile_unref(b->tightened);
        free(b->own_seccomp);
}

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

static int check_wait(Call *c, const Profile *p, const LaunchOptions *o) {
        if (o->wait_set && !o->wait && p->terms.type == SERVICE_ONESHOT)
                return call_fail(
                        c,
                        SD_BUS_ERROR_INVALID_ARGS,
                        "Wait: a profile with Type=oneshot answers when it has ended, and not before");

        return 0;
}

/* Always anew: which keys the filter is made of is the compiler's business. */
static int compile_filter(Call *c, Basis *b) {
        _cleanup_findings_ Findings findings = {};
        int r;

        r = seccomp_compile(
                c->manager->catalog->policy, b->tightened, &b->own_seccomp, &b->n_seccomp, &findings);
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

static int tighten(Call *c, const LaunchOptions *o, Basis *b) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (o->n_settings == 0)
                return 0;

        r = profile_tighten(&b->tightened, b->profile, o->settings, o->n_settings, &text);
        if (r == -EPERM || r == -EBADMSG)
                return call_fail(c,
                                 r == -EPERM ? ERROR_SETTING_NOT_PERMITTED : ERROR_BAD_SETTING,
                                 "Properties: %s",
                                 text);
        if (r >= 0)
                r = compile_filter(c, b);
        if (r < 0)
                return r;

        b->profile = b->tightened;
        b->seccomp = b->own_seccomp;
        return 0;
}

static int compile(Call *c, const Basis *b, const LaunchOptions *o, const Account *target, Plan **ret) {
        static const char *const names[] = {
                [PLAN_REFUSAL_NONE] = ERROR_BAD_SETTING,
                [PLAN_REFUSAL_ARGUMENT] = ERROR_ARGUMENT_REJECTED,
                [PLAN_REFUSAL_NOT_PERMITTED] = ERROR_SETTING_NOT_PERMITTED,
                [PLAN_REFUSAL_BAD_SETTING] = ERROR_BAD_SETTING,
                [PLAN_REFUSAL_QUOTA] = ERROR_QUOTA_EXCEEDED,
        };
        const PlanRequest request = {
                .instance = o->instance,
                .arguments = o->arguments,
                .environment = o->environment,
                .streams = o->streams,
                .on_disconnect = o->on_disconnect,
        };
        const PlanContext context = {
                .seccomp = b->seccomp,
                .n_seccomp = b->n_seccomp,
                .degrade = c->manager->catalog->config.degrade,
                .host_name = c->manager->host_name,
        };
        PlanRefusal refusal = PLAN_REFUSAL_NONE;
        _cleanup_free_ char *text = NULL;
        int r;

        r = plan_compile(ret, b->profile, target, &request, &context, &refusal, &text);
        if (r == -EINVAL)
                return call_fail(c, names[refusal], "%s", text ?: "The request does not fit the profile");

        return r;
}

int launch_plan_make(
        Call *c, const CatalogEntry *e, const LaunchOptions *options, const Account *target, Plan **ret) {
        _cleanup_(basis_done) Basis b = {
                .profile = e->profile,
                .seccomp = e->seccomp,
                .n_seccomp = e->n_seccomp,
        };
        int r;

        r = check_profile(c, e);
        if (r >= 0)
                r = check_wait(c, e->profile, options);
        if (r >= 0)
                r = tighten(c, options, &b);
        if (r < 0)
                return r;

        return compile(c, &b, options, target, ret);
}
