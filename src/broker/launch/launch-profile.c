/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch-profile.h"

#include "broker/call/manager-state.h"
#include "link/link.h"

void launch_profile_done(LaunchProfile *p) {
        (void) profile_unref(p->tightened);
        free(p->own_seccomp);
        *p = (LaunchProfile){};
}

/* Always anew: which keys the filter is made of is the compiler's business. */
static int compile_filter(Call *c, LaunchProfile *p) {
        _cleanup_findings_ Findings findings = {};
        int r;

        r = seccomp_compile(
                c->manager->catalog->policy, p->tightened, &p->own_seccomp, &p->n_seccomp, &findings);
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

int launch_profile_make(Call *c, const CatalogEntry *e, const LaunchOptions *options, LaunchProfile *ret) {
        _cleanup_launch_profile_ LaunchProfile p = {
                .profile = e->profile,
                .seccomp = e->seccomp,
                .n_seccomp = e->n_seccomp,
        };
        _cleanup_free_ char *text = NULL;
        int r = 0;

        if (options->n_settings > 0) {
                r = profile_tighten(&p.tightened, e->profile, options->settings, options->n_settings, &text);
                if (r == -EPERM || r == -EBADMSG)
                        return call_fail(c,
                                         r == -EPERM ? ERROR_SETTING_NOT_PERMITTED : ERROR_BAD_SETTING,
                                         "Properties: %s",
                                         text);
                if (r >= 0)
                        r = compile_filter(c, &p);
                if (r < 0)
                        return r;

                p.profile = p.tightened;
                p.seccomp = p.own_seccomp;
        }

        *ret = p;
        p = (LaunchProfile){};
        return 0;
}
