/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/call/authorize.h"
#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "broker/launch/launch-plan.h"
#include "broker/launch/reservation.h"

/* On top of the profile's own start timeout, which the keeper enforces: only a keeper that hangs gets this far. */
#define ANSWER_GRACE_USEC (15 * USEC_PER_SEC)

/* Who launches, as bits for the table of steps. */
typedef enum LaunchMode {
        LAUNCH_PLAIN = 1 << 0,
        LAUNCH_LEASED = 1 << 1,
        LAUNCH_PLAN_ONLY = 1 << 2,
        LAUNCH_APP = 1 << 3, /* for the keeper that asks, and the account that its unit names */
} LaunchMode;

#define LAUNCH_BY_CALLER (LAUNCH_PLAIN | LAUNCH_LEASED | LAUNCH_PLAN_ONLY)
#define LAUNCH_BY_USER (LAUNCH_PLAIN | LAUNCH_LEASED)
#define LAUNCH_RUNS (LAUNCH_PLAIN | LAUNCH_LEASED | LAUNCH_APP)

typedef struct Launch {
        Road road;
        LaunchMode mode;
        Call *call;
        LaunchOptions options;
        char *profile; /* name */
        AppName app;   /* LAUNCH_APP */

        /* Whom it is for: by name, or NULL and by uid. */
        const char *user;
        uid_t uid;
        KnownAccount *target;
        AccountQuery *query;

        ReadyPlan *ready;
        KeeperEntry *keeper; /* borrowed until the loop goes on */
        bool replaced;       /* a keeper that was too old was told to leave */
        KeeperWaiter waiter;
        Reservation reservation;
        const LinkPlan *sent;  /* the plan, as this keeper reads it */
        LinkPlan older;        /* where that is not the newest */
        sd_bus_message *reply; /* the keeper's; NULL: it did not answer */
} Launch;

static Launch *launch_free(Launch *l) {
        if (!l)
                return NULL;

        reservation_done(&l->reservation);
        keepers_withdraw(&l->waiter);
        (void) account_query_free(l->query);
        (void) known_account_unref(l->target);
        (void) sd_bus_message_unref(l->reply);
        (void) ready_plan_unref(l->ready);
        link_plan_done(&l->older);
        launch_options_done(&l->options);
        free(l->profile);
        (void) call_free(l->call);
        free(l);
        return NULL;
}
static DEFINE_CLEANUP(Launch *, launch_free);

static void launch_fail(Launch *l, int error) {
        call_reply_error(l->call, error);
        (void) launch_free(l);
}

/* Afterwards the launch may be gone. */
static void launch_walk(Launch *l) {
        const StepAnswer answer = road_walk(&l->road, l);

        if (answer == STEP_FAILED)
                launch_fail(l, l->call->failure);
        else if (answer == STEP_DONE)
                (void) launch_free(l);
}

static StepAnswer step_rate(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;
        const Config *config = &c->manager->catalog->config;
        const uint32_t burst = config->launch_rate_burst;
        const uint64_t usec = config->launch_rate_interval_usec;
        char interval[64];
        int r;

        if (c->rated)
                return STEP_DONE;

        r = quotas_count(
                c->manager->quotas, c->uid, QUOTA_LAUNCHES, clock_usec(CLOCK_MONOTONIC), burst, usec);
        if (r == -EDQUOT)
                r = call_fail(
                        c,
                        ERROR_RATE_LIMITED,
                        "User %u launched %u times within %s already (LaunchRateBurst=, LaunchRateIntervalSec=)",
                        c->uid,
                        burst,
                        format_usec(usec, interval, sizeof(interval)));
        c->rated = r >= 0;
        return call_step(c, r);
}

static StepAnswer step_options(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;
        int r;

        r = launch_options_read(c->message, &l->options, &c->error);
        if (r >= 0 && l->mode == LAUNCH_PLAIN && l->options.streams != 0)
                r = call_fail(c,
                              SD_BUS_ERROR_INVALID_ARGS,
                              "Streams: they are sent on a lease, which LaunchLeased() returns");

        return call_step(c, r);
}

static bool is_the_caller(const Call *c, const char *user) {
        uid_t uid;

        if (parse_id(user, &uid) >= 0)
                return uid == c->uid;

        return c->known && c->known->account && streq(c->known->account->name, user);
}

static StepAnswer step_other_user(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;
        const CatalogEntry *e = c->object.profile;
        Deed deed;
        int r;

        l->uid = c->uid;
        if (!l->options.user || is_the_caller(c, l->options.user))
                return STEP_DONE;

        deed = deed_launch_as(l->profile, e ? e->profile : NULL, NULL);
        r = call_may(c, &deed);
        if (r < 0 && r != -ENOKEY)
                return call_step(c, r);

        if (parse_id(l->options.user, &l->uid) < 0)
                l->user = l->options.user;
        return STEP_DONE;
}

static void on_unit(KnownAccount *known, void *userdata) {
        Launch *l = userdata;

        l->query = NULL;
        l->target = known_account_ref(known);
        /* The admin who enabled the unit is no caller of ours: it is the account's rights that count. */
        l->call->known = known_account_ref(known);
        if (known->account)
                l->call->uid = known->account->uid;
        launch_walk(l);
}

static StepAnswer step_unit(void *traveller) {
        Launch *l = traveller;
        int r;

        r = accounts_ask(l->call->manager->accounts, 0, l->user, l->uid, on_unit, l, &l->query);
        if (r == -EBUSY)
                r = call_fail(l->call, ERROR_BUSY, "Too many account look-ups wait already");

        return r < 0 ? call_step(l->call, r) : STEP_WAIT;
}

static void on_target(KnownAccount *known, void *userdata) {
        Launch *l = userdata;

        l->query = NULL;
        l->target = known_account_ref(known);
        launch_walk(l);
}

static StepAnswer step_target(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;

        if (!l->target && !l->user && l->uid == c->uid && c->known)
                l->target = known_account_ref(c->known);
        if (l->target)
                return STEP_DONE;

        return call_find_account(c, l->user, l->uid, on_target, l, &l->query, &l->target);
}

static bool is_for_another(const Launch *l) {
        const Account *target = l->target->account;

        return !target || target->uid != l->call->uid;
}

/*
 * polkit is asked about the user under the name of their account, however the caller spelled it, and also about one
 * who does not exist: callers who may not launch for others must not learn who does.
 */
static Deed deed_for_another(const Launch *l, const CatalogEntry *e) {
        Deed deed = deed_launch_as(l->profile, e ? e->profile : NULL, l->target->account);

        if (!l->target->account) {
                deed.user = l->user;
                deed.uid = l->user ? UID_NOBODY : l->uid;
        }

        return deed;
}

static StepAnswer step_for_another(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;
        StepAnswer answer;
        Deed deed;

        if (!is_for_another(l))
                return STEP_DONE;

        deed = deed_for_another(l, catalog_find(c->manager->catalog, l->profile));
        answer = call_authorize(c, &deed);
        if (answer == STEP_FAILED && c->failure == -ENOENT)
                return call_step(c, call_fail(c, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", l->profile));
        if (answer == STEP_WAIT) {
                /* The call resumes on its own, where its object is found, and comes back with another launch. */
                l->call = NULL;
                (void) launch_free(l);
        }

        return answer;
}

static StepAnswer step_exists(void *traveller) {
        Launch *l = traveller;

        return call_need_account(l->call, l->user, l->uid, on_target, l, &l->query, &l->target);
}

static StepAnswer step_caller(void *traveller) {
        Launch *l = traveller;
        const Peer *p = l->call->peer;

        return call_step(l->call, p && p->state != PEER_KNOWN ? -ECONNRESET : 0);
}

static StepAnswer step_hear(void *traveller) {
        Launch *l = traveller;

        keepers_hear(l->call->manager->keepers, l->target->account->uid);
        return STEP_DONE;
}

/* The caller still may, and may do it as the target where that is somebody else. */
static int check_access(Launch *l, const CatalogEntry *e) {
        Deed deed = deed_of_call(l->call);
        int r;

        r = call_may(l->call, &deed);
        if (r < 0 || !is_for_another(l))
                return r;

        deed = deed_for_another(l, e);
        return call_may(l->call, &deed);
}

static StepAnswer step_access(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;
        const CatalogEntry *e = catalog_find(c->manager->catalog, l->profile);
        int r;

        call_set_object(
                c, &(Object){ .kind = OBJECT_PROFILE, .name = l->profile, .profile = e, .uid = UID_NOBODY });
        r = check_access(l, e);
        if (r == -ENOENT || !e)
                r = call_fail(c, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", l->profile);
        else if (!e->profile)
                r = 0; /* it was refused and so lists nobody: root or a unit, who learn why at the next step */
        else if (r == -ENOKEY)
                r = call_fail(c, ERROR_BUSY, "Profile \"%s\" has changed just now; try again", l->profile);

        return call_step(c, r);
}

static StepAnswer step_plan(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;

        l->ready = ready_plan_unref(l->ready);
        return call_step(c,
                         launch_plan_make(c, c->object.profile, &l->options, l->target->account, &l->ready));
}

static int reply_plan(Launch *l) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *json = NULL;
        int r;

        r = plan_to_json(l->ready->plan, &json);
        if (r >= 0)
                r = sd_bus_message_new_method_return(l->call->message, &reply);
        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 's', json);
        if (r >= 0)
                r = sd_bus_message_append_array(reply, 'y', l->ready->hash, sizeof(l->ready->hash));

        return r < 0 ? r : call_send(l->call, TAKE_PTR(reply));
}

static StepAnswer step_show(void *traveller) {
        Launch *l = traveller;

        return call_step(l->call, reply_plan(l));
}

static void on_keeper(KeeperEntry *keeper, const char *text, void *userdata) {
        Launch *l = userdata;

        if (keeper)
                launch_walk(l);
        else
                launch_fail(
                        l,
                        call_fail(l->call, ERROR_BUSY, "The keeper of this user cannot be had: %s", text));
}

static StepAnswer wait_for_keeper(Launch *l) {
        Call *c = l->call;
        int r;

        l->waiter.handler = on_keeper;
        l->waiter.userdata = l;
        r = keepers_wait(c->manager->keepers, l->target->account->uid, &l->waiter);
        if (r < 0)
                return call_step(c,
                                 call_fail(c,
                                           ERROR_BUSY,
                                           "The keeper of this user cannot be started: %s",
                                           strerror(-r)));

        return STEP_WAIT;
}

static StepAnswer step_keeper(void *traveller) {
        Launch *l = traveller;

        l->keeper = keepers_find_ready(l->call->manager->keepers, l->target->account->uid);
        return l->keeper ? STEP_DONE : wait_for_keeper(l);
}

/* The keeper of an application is the one that asks. */
static StepAnswer step_own_keeper(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;

        l->keeper = keepers_find_linked(c->manager->keepers, sd_bus_message_get_bus(c->message));
        return call_step(c, l->keeper ? 0 : -ECONNRESET);
}

/*
 * This keeper cannot be told all that the plan says. One that keeps nothing makes room for one that can: once, for in
 * the midst of a downgrade the program on disk is too old as well.
 */
static StepAnswer replace_keeper(Launch *l, const char *unsaid) {
        if (l->mode != LAUNCH_APP && !l->replaced && keeper_entry_retire(l->keeper)) {
                l->replaced = true;
                return wait_for_keeper(l);
        }

        return call_step(
                l->call,
                call_fail(l->call,
                          ERROR_BUSY,
                          "the keeper of %s is older than the broker; new sandboxes start when its last "
                          "one has ended (its version has no %s)",
                          l->target->account->name,
                          unsaid));
}

static StepAnswer step_encode(void *traveller) {
        Launch *l = traveller;
        const char *unsaid = NULL;
        int r;

        link_plan_done(&l->older);
        if (l->options.streams != 0 && !link_takes_streams(l->keeper))
                return replace_keeper(l, "streams on a lease");

        r = ready_plan_encode(l->ready, keeper_entry_plan_version(l->keeper), &l->older, &l->sent, &unsaid);
        return r == -EPROTONOSUPPORT ? replace_keeper(l, unsaid) : call_step(l->call, r);
}

static StepAnswer step_reserve(void *traveller) {
        Launch *l = traveller;
        Call *c = l->call;

        return call_step(
                c, reservation_take(&l->reservation, c, c->object.profile->profile, l->ready->plan->uid));
}

static uint64_t answer_timeout(const Terms *t) {
        /* A oneshot is answered when it has ended, however long that takes; the keeper enforces RuntimeMaxSec=. */
        if (t->type == SERVICE_ONESHOT || t->timeout_start_usec > UINT64_MAX / PLAN_EXTENSION_MAX / 2)
                return UINT64_MAX;

        /* With Type=notify, an application may ask for more time. */
        return t->timeout_start_usec * (t->type == SERVICE_NOTIFY ? PLAN_EXTENSION_MAX : 1) +
               ANSWER_GRACE_USEC;
}

static void on_launched(sd_bus_message *reply, void *userdata) {
        Launch *l = userdata;

        l->reply = sd_bus_message_ref(reply);
        launch_walk(l);
}

static StepAnswer step_send(void *traveller) {
        Launch *l = traveller;
        const LaunchOptions *o = &l->options;
        const Plan *plan = l->ready->plan;
        const uint64_t timeout = o->streams != 0 ? ANSWER_GRACE_USEC : answer_timeout(&plan->terms);
        char invocation_id[SD_ID128_STRING_MAX];
        sd_id128_t invocation;
        int r;

        if (l->mode == LAUNCH_APP)
                l->keeper->uid = plan->uid;

        r = sd_id128_randomize(&invocation);
        if (r < 0)
                return call_step(l->call, r);
        (void) sd_id128_to_string(invocation, invocation_id);
        audit_note_launch(l->call, plan, l->reservation.id, invocation_id);

        r = link_launch(l->keeper,
                        &(LinkLaunch){
                                .id = l->reservation.id,
                                .invocation_id = invocation_id,
                                .plan = l->sent,
                                .streams = o->streams,
                                .wait = !o->wait_set || o->wait,
                                .lease = l->mode == LAUNCH_LEASED,
                        },
                        on_launched,
                        l,
                        timeout);
        return r < 0 ? call_step(l->call, r) : STEP_WAIT;
}

static int reply_launched(Launch *l) {
        _cleanup_free_ char *path = NULL;
        int lease, r;

        r = link_launch_read(l->reply, l->reservation.id, l->mode == LAUNCH_LEASED, &lease);
        if (r < 0)
                return r;

        r = object_path_of_sandbox(l->reservation.id, &path);
        if (r < 0)
                return r;

        if (l->mode == LAUNCH_APP)
                return call_reply(l->call, NULL);
        if (l->mode == LAUNCH_PLAIN)
                return call_reply(l->call, "so", l->reservation.id, path);

        return call_reply(l->call, "soh", l->reservation.id, path, lease);
}

static StepAnswer step_answer(void *traveller) {
        Launch *l = traveller;
        int r;

        if (!l->reply || sd_bus_message_is_method_error(l->reply, NULL))
                return call_step(l->call, call_fail_as(l->call, l->reply));

        r = reply_launched(l);
        if (r < 0)
                (void) log_errno(r, "%s: the keeper's answer cannot be handed on", l->reservation.id);
        return call_step(l->call, r);
}

enum {
        LAUNCH_RATE,
        LAUNCH_OPTIONS,
        LAUNCH_OTHER_USER,
        LAUNCH_UNIT,
        LAUNCH_TARGET,
        LAUNCH_FOR_ANOTHER,
        LAUNCH_EXISTS,
        LAUNCH_CALLER,
        LAUNCH_HEAR,
        LAUNCH_ACCESS,
        LAUNCH_PLAN,
        LAUNCH_SHOW,
        LAUNCH_KEEPER,
        LAUNCH_OWN_KEEPER,
        LAUNCH_ENCODE,
        LAUNCH_RESERVE,
        LAUNCH_SEND,
        LAUNCH_ANSWER,
};

/* clang-format off */
static const RoadStep steps[] = {
        /*
         * Before anything is read. Units are not counted: it is systemd that limits how often one is started, and at
         * boot many come at once.
         */
        [LAUNCH_RATE]        = { step_rate, LAUNCH_BY_USER },
        [LAUNCH_OPTIONS]     = { step_options, LAUNCH_BY_CALLER },
        /*
         * Before anybody looks whether there is such a user, so that those learn nothing whom even polkit could not
         * let through. It is asked below, about the user that there is.
         */
        [LAUNCH_OTHER_USER]  = { step_other_user, LAUNCH_BY_CALLER },
        /* Always looked up anew: at boot, this may be the first moment at which the name service works. */
        [LAUNCH_UNIT]        = { step_unit, LAUNCH_APP, .again = LAUNCH_TARGET },
        [LAUNCH_TARGET]      = { step_target, .again = LAUNCH_TARGET },
        /* Before the plan, which would tell about a user. With polkit's answer the call takes its whole road again. */
        [LAUNCH_FOR_ANOTHER] = { step_for_another, LAUNCH_BY_CALLER },
        [LAUNCH_EXISTS]      = { step_exists, .again = LAUNCH_TARGET },

        /*
         * From here to LAUNCH_SEND the loop does not run, so that nothing changes in between. A keeper that has to be
         * waited for brings the launch back to LAUNCH_CALLER.
         */

        /* If the caller has gone, nobody would learn what became of it. */
        [LAUNCH_CALLER]      = { step_caller, .after_wait = true },
        /*
         * Whoever held a lease has heard of its end from the keeper itself, and may launch again before our loop has
         * come to the link. So what waits there is taken in first, or a limit would refuse the launch.
         */
        [LAUNCH_HEAR]        = { step_hear, LAUNCH_BY_USER },
        /* The profile as it is now, if the caller may still use it. */
        [LAUNCH_ACCESS]      = { step_access, .after_wait = true },
        /* Before the keeper: none is started for what cannot run anyway. */
        [LAUNCH_PLAN]        = { step_plan },
        [LAUNCH_SHOW]        = { step_show, LAUNCH_PLAN_ONLY },
        [LAUNCH_KEEPER]      = { step_keeper, LAUNCH_BY_USER, .again = LAUNCH_CALLER },
        [LAUNCH_OWN_KEEPER]  = { step_own_keeper, LAUNCH_APP },
        /* Only a keeper that is there has said which versions it reads. If none will do, another one has to come. */
        [LAUNCH_ENCODE]      = { step_encode, LAUNCH_RUNS, .again = LAUNCH_CALLER },
        /* After the keeper: a launch that still waits for one must not take anybody's place. */
        [LAUNCH_RESERVE]     = { step_reserve, LAUNCH_RUNS },
        /* From here on the keeper decides: nothing is checked again once the plan is sent. */
        [LAUNCH_SEND]        = { step_send, LAUNCH_RUNS, .again = LAUNCH_ANSWER },
        [LAUNCH_ANSWER]      = { step_answer, LAUNCH_RUNS },
};
/* clang-format on */

static int launch_new(Launch **ret, LaunchMode mode, const char *profile) {
        _cleanup_(launch_freep) Launch *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;

        l->road = (Road){ .steps = steps, .n_steps = ELEMENTSOF(steps), .mode = mode };
        l->mode = mode;
        l->options = LAUNCH_OPTIONS_NONE;
        l->older.fd = -EBADF;
        l->profile = strdup(profile);
        if (!l->profile)
                return -ENOMEM;

        *ret = TAKE_PTR(l);
        return 0;
}

static int begin(Call *c, LaunchMode mode) {
        Launch *l;
        int r;

        r = launch_new(&l, mode, c->object.profile->loaded->name);
        if (r < 0)
                return r;

        l->call = c;
        launch_walk(l);
        return 1;
}

int call_launch(Call *c) { return begin(c, LAUNCH_PLAIN); }

int call_launch_leased(Call *c) { return begin(c, LAUNCH_LEASED); }

int call_plan(Call *c) { return begin(c, LAUNCH_PLAN_ONLY); }

int launch_app(Manager *m, sd_bus_message *message, const AppName *app) {
        static const Member start_app = { .name = "StartApp", .verb = ACCESS_START_AT_BOOT };
        _cleanup_(launch_freep) Launch *l = NULL;
        int r;

        r = launch_new(&l, LAUNCH_APP, app->profile);
        if (r < 0)
                return r;

        r = call_new(&l->call, m, message, &start_app, NULL);
        if (r < 0)
                return r;

        audit_note_profile(l->call, app->profile);
        l->app = *app;
        l->user = l->app.user[0] ? l->app.user : NULL;
        l->uid = app->uid;
        launch_walk(TAKE_PTR(l));
        return 0;
}
