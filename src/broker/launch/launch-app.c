/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "broker/launch/launch-state.h"

/* What a unit asks for; the admin who enabled it is no caller of ours, so it is the account's rights that count. */
static const Member start_app = { .name = "StartApp", .verb = ACCESS_START_AT_BOOT };

static void on_account(KnownAccount *known, void *userdata) {
        Launch *l = userdata;
        int r;

        l->query = NULL;
        l->target = known_account_ref(known);
        l->call->known = known_account_ref(known);
        if (known->account)
                l->call->uid = known->account->uid;

        r = launch_proceed(l);
        if (r < 0)
                launch_fail(l, r);
        else if (r == 0)
                (void) launch_free(l);
}

static int call_of_unit(Manager *m, sd_bus_message *message, Call **ret) {
        Call *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;

        c->manager = m;
        c->message = sd_bus_message_ref(message);
        c->member = &start_app;
        c->uid = UID_NOBODY;
        *ret = c;
        return 0;
}

/*
 * Not counted against the user's rate of launches: it is systemd that limits how often a unit is started, and at boot
 * many come at once.
 */
int launch_app(Manager *m, sd_bus_message *message, const AppName *app) {
        _cleanup_(launch_freep) Launch *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;

        l->mode = LAUNCH_APP;
        launch_options_done(&l->options);
        l->profile = strdup(app->profile);
        if (!l->profile)
                return -ENOMEM;

        r = call_of_unit(m, message, &l->call);
        if (r < 0)
                return r;
        audit_note_profile(l->call, app->profile);

        /* Never from what was known a moment ago: this may well be the first moment that the name service works. */
        r = accounts_ask(m->accounts, app->user[0] ? app->user : NULL, app->uid, on_account, l, &l->query);
        if (r == -EBUSY)
                r = call_fail(l->call, ERROR_BUSY, "Too many account look-ups wait already");
        if (r < 0)
                call_reply_error(l->call, r);
        else
                (void) TAKE_PTR(l);

        return 0;
}
