/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch-state.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/call/authorize.h"
#include "broker/call/manager-state.h"
#include "broker/launch/launch-profile.h"
#include "broker/state/link-calls.h"
#include "plan/plan-compile.h"

/* On top of the profile's own start timeout, which the keeper enforces: only a keeper that hangs gets this far. */
#define ANSWER_GRACE_USEC (15 * USEC_PER_SEC)

Launch *launch_free(Launch *l) {
        if (!l)
                return NULL;

        reservation_done(&l->reservation);
        keepers_withdraw(&l->waiter);
        (void) account_query_free(l->query);
        (void) known_account_unref(l->target);
        launch_options_done(&l->options);
        free(l->profile);
        (void) call_free(l->call);
        free(l);
        return NULL;
}

void launch_fail(Launch *l, int error) {
        call_reply_error(l->call, error);
        (void) launch_free(l);
}

/* Goes without the call. */
static void launch_part(Launch *l) {
        l->call = NULL;
        (void) launch_free(l);
}

static bool is_for_another(const Launch *l) {
        return l->target && l->target->account && l->target->account->uid != l->call->uid;
}

/* The caller still may, and may do it as the target where that is somebody else. */
static int check_access(Launch *l, const CatalogEntry *e) {
        const Object object = {
                .kind = OBJECT_PROFILE, .name = l->profile, .profile = e, .uid = UID_NOBODY
        };
        Deed deed;
        int r;

        l->call->object = object;
        deed = deed_of_call(l->call);
        r = call_may(l->call, &deed);
        if (r < 0 || !is_for_another(l))
                return r;

        deed = deed_launch_as(l->profile, e ? e->profile : NULL, l->target->account);
        return call_may(l->call, &deed);
}

static int check_profile(Launch *l, const CatalogEntry *e) {
        if (!e->profile) {
                _cleanup_free_ char *text = catalog_entry_error(e);

                return call_fail(l->call, ERROR_BAD_SETTING, "%s", text ?: "The profile was refused");
        }
        if (e->profile->abstract)
                return call_fail(l->call,
                                 ERROR_PROFILE_DISABLED,
                                 "Profile \"%s\" is abstract: only others inherit from it",
                                 l->profile);
        if (!e->profile->enabled)
                return call_fail(
                        l->call, ERROR_PROFILE_DISABLED, "Profile \"%s\" has Enabled=no", l->profile);

        return 0;
}

/* The profile as it is now, if the caller may still do this with it. */
static int find_profile(Launch *l, const CatalogEntry **ret) {
        const CatalogEntry *e = catalog_find(l->call->manager->catalog, l->profile);
        int r;

        r = check_access(l, e);
        if (r == -ENOENT || !e)
                return call_fail(l->call, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", l->profile);
        /* Nobody is listed by one that was refused: this is root, or a unit. */
        if (!e->profile)
                return check_profile(l, e);
        if (r == -ENOKEY)
                return call_fail(
                        l->call, ERROR_BUSY, "Profile \"%s\" has changed just now; try again", l->profile);
        if (r < 0)
                return r;

        *ret = e;
        return 0;
}

static int compile(Launch *l, const LaunchProfile *p, Plan **ret) {
        static const char *const names[] = {
                [PLAN_REFUSAL_NONE] = ERROR_BAD_SETTING,
                [PLAN_REFUSAL_ARGUMENT] = ERROR_ARGUMENT_REJECTED,
                [PLAN_REFUSAL_NOT_PERMITTED] = ERROR_SETTING_NOT_PERMITTED,
                [PLAN_REFUSAL_BAD_SETTING] = ERROR_BAD_SETTING,
                [PLAN_REFUSAL_QUOTA] = ERROR_QUOTA_EXCEEDED,
        };
        const LaunchOptions *o = &l->options;
        const PlanRequest request = {
                .instance = o->instance,
                .arguments = o->arguments,
                .environment = o->environment,
                .has_stream = { o->streams[0] >= 0, o->streams[1] >= 0, o->streams[2] >= 0 },
                .on_disconnect = o->on_disconnect,
        };
        const PlanContext context = {
                .seccomp = p->seccomp,
                .n_seccomp = p->n_seccomp,
                .degrade = l->call->manager->catalog->config.degrade,
                .host_name = l->call->manager->host_name,
        };
        PlanRefusal refusal = PLAN_REFUSAL_NONE;
        _cleanup_free_ char *text = NULL;
        int r;

        r = plan_compile(ret, p->profile, l->target->account, &request, &context, &refusal, &text);
        if (r == -EINVAL)
                return call_fail(
                        l->call, names[refusal], "%s", text ?: "The request does not fit the profile");

        return r;
}

static int check_wait(Launch *l, const Profile *p) {
        if (l->options.wait_set && !l->options.wait && p->type == SERVICE_ONESHOT)
                return call_fail(
                        l->call,
                        SD_BUS_ERROR_INVALID_ARGS,
                        "Wait: a profile with Type=oneshot answers when it has ended, and not before");

        return 0;
}

int launch_make_plan(Launch *l, const CatalogEntry *e, Plan **ret) {
        _cleanup_launch_profile_ LaunchProfile p = {};
        int r;

        r = check_profile(l, e);
        if (r >= 0)
                r = check_wait(l, e->profile);
        if (r >= 0)
                r = launch_profile_make(l->call, e, &l->options, &p);
        if (r < 0)
                return r;

        return compile(l, &p, ret);
}

/* Everything that can be wrong with the request, as things are now. */
static int evaluate(Launch *l, const CatalogEntry **ret_entry, Plan **ret_plan) {
        const CatalogEntry *e = NULL;
        int r;

        r = find_profile(l, &e);
        if (r >= 0)
                r = launch_make_plan(l, e, ret_plan);
        if (r < 0)
                return r;

        *ret_entry = e;
        return 0;
}

static int reply_launched(Launch *l, sd_bus_message *reply) {
        _cleanup_free_ char *path = NULL;
        int lease, r;

        r = link_launch_read(reply, l->reservation.id, l->mode == LAUNCH_LEASED, &lease);
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

static void on_launched(sd_bus_message *reply, void *userdata) {
        _cleanup_(launch_freep) Launch *l = userdata;
        int r;

        if (!reply || sd_bus_message_is_method_error(reply, NULL)) {
                r = call_fail_as(l->call, reply);
                call_reply_error(l->call, r);
                return;
        }

        r = reply_launched(l, reply);
        if (r < 0) {
                (void) log_errno(r, "%s: the keeper's answer cannot be handed on", l->reservation.id);
                call_reply_error(l->call, r);
        }
}

static uint64_t answer_timeout(const Plan *p) {
        /* It answers when it has ended, however long that takes; the keeper watches RuntimeMaxSec=. */
        if (p->type == SERVICE_ONESHOT || p->timeout_start_usec > UINT64_MAX / PLAN_EXTENSION_MAX / 2)
                return UINT64_MAX;

        /* An application that is to say when it is ready may ask for more time. */
        return p->timeout_start_usec * (p->type == SERVICE_NOTIFY ? PLAN_EXTENSION_MAX : 1) +
               ANSWER_GRACE_USEC;
}

/* From the last look at everything to the message on its way nothing else runs. */
static int send_to_keeper(Launch *l, KeeperEntry *keeper) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_close_ int plan_fd = -EBADF;
        const LaunchOptions *o = &l->options;
        char invocation_id[SD_ID128_STRING_MAX];
        const CatalogEntry *e = NULL;
        sd_id128_t invocation;
        int r;

        /* Nobody would learn what became of it. */
        if (l->call->peer && l->call->peer->state != PEER_KNOWN)
                return -ECONNRESET;

        r = evaluate(l, &e, &plan);
        if (r < 0)
                return r;

        r = reservation_take(&l->reservation, l->call, e->profile, plan->uid);
        if (r < 0)
                return r;

        if (l->mode == LAUNCH_APP)
                keeper_entry_set_uid(keeper, plan->uid);

        r = sd_id128_randomize(&invocation);
        if (r < 0)
                return r;
        (void) sd_id128_to_string(invocation, invocation_id);
        audit_note_launch(l->call, plan, l->reservation.id, invocation_id);

        plan_fd = plan_to_memfd(plan, NULL);
        if (plan_fd < 0)
                return plan_fd;

        return link_launch(keeper,
                           &(LinkLaunch){
                                   .id = l->reservation.id,
                                   .invocation_id = invocation_id,
                                   .plan_fd = plan_fd,
                                   .streams = { o->streams[0], o->streams[1], o->streams[2] },
                                   .wait = !o->wait_set || o->wait,
                                   .lease = l->mode == LAUNCH_LEASED,
                           },
                           on_launched,
                           l,
                           answer_timeout(plan));
}

static void on_keeper(KeeperEntry *keeper, const char *text, void *userdata) {
        Launch *l = userdata;
        int r;

        if (!keeper)
                r = call_fail(l->call, ERROR_BUSY, "The keeper of this user cannot be had: %s", text);
        else
                r = send_to_keeper(l, keeper);
        if (r < 0)
                launch_fail(l, r);
}

static int reply_plan(Launch *l) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ uint8_t *bytes = NULL;
        _cleanup_free_ char *json = NULL;
        uint8_t digest[SHA256_SIZE];
        const CatalogEntry *e = NULL;
        size_t size;
        int r;

        r = evaluate(l, &e, &plan);
        if (r < 0)
                return r;

        r = plan_encode(plan, &bytes, &size);
        if (r < 0)
                return r;
        sha256(bytes, size, digest);

        r = plan_to_json(plan, &json);
        if (r < 0)
                return r;

        r = call_new_reply(l->call, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(reply, 's', json);
        if (r < 0)
                return r;

        r = sd_bus_message_append_array(reply, 'y', digest, sizeof(digest));
        if (r < 0)
                return r;

        return call_send(l->call, TAKE_PTR(reply));
}

/* polkit is asked about the user by the name that his account has, whatever the caller wrote for it. */
static int authorize_other_user(Launch *l) {
        const CatalogEntry *e = catalog_find(l->call->manager->catalog, l->profile);
        Deed deed;
        int r;

        if (!is_for_another(l))
                return 0;

        deed = deed_launch_as(l->profile, e ? e->profile : NULL, l->target->account);
        r = call_authorize(l->call, &deed);
        if (r == -ENOENT)
                return call_fail(l->call, ERROR_NO_SUCH_PROFILE, "No profile \"%s\"", l->profile);

        return r;
}

/* The keeper of an application is the one that asks. */
static KeeperEntry *find_keeper(const Launch *l) {
        Keepers *keepers = l->call->manager->keepers;

        if (l->mode == LAUNCH_APP)
                return keepers_find_linked(keepers, sd_bus_message_get_bus(l->call->message));

        return keepers_find_ready(keepers, l->target->account->uid);
}

int launch_proceed(Launch *l) {
        Manager *m = l->call->manager;
        _cleanup_(plan_freep) Plan *plan = NULL;
        const CatalogEntry *e = NULL;
        KeeperEntry *keeper;
        int r;

        if (l->target->error == -ENOENT)
                return call_fail(l->call, ERROR_NO_SUCH_USER, "There is no such user");
        if (!l->target->account)
                return call_fail(l->call, ERROR_BUSY, "The account cannot be looked up just now; try again");

        r = authorize_other_user(l);
        if (r != 0)
                return r < 0 ? r : LAUNCH_PARTED;

        if (l->mode == LAUNCH_PLAN_ONLY) {
                r = reply_plan(l);
                return r < 0 ? r : LAUNCH_ANSWERED;
        }

        keeper = find_keeper(l);
        if (!keeper && l->mode == LAUNCH_APP)
                return -ECONNRESET;
        if (keeper) {
                r = send_to_keeper(l, keeper);
                return r < 0 ? r : LAUNCH_UNDER_WAY;
        }

        /* What cannot run anyway shall not start a keeper. */
        r = evaluate(l, &e, &plan);
        if (r < 0)
                return r;

        l->waiter.handler = on_keeper;
        l->waiter.userdata = l;
        r = keepers_wait(m->keepers, l->target->account->uid, &l->waiter);
        if (r < 0)
                return call_fail(
                        l->call, ERROR_BUSY, "The keeper of this user cannot be started: %s", strerror(-r));

        return LAUNCH_UNDER_WAY;
}

static void on_target(KnownAccount *known, void *userdata) {
        Launch *l = userdata;
        int r;

        l->query = NULL;
        l->target = known_account_ref(known);
        r = launch_proceed(l);
        if (r < 0)
                launch_fail(l, r);
        else if (r == LAUNCH_PARTED)
                launch_part(l);
        else if (r == LAUNCH_ANSWERED)
                (void) launch_free(l);
}

/* Before anybody looks whether there is such a user: not for those whom polkit cannot help either. */
static int check_other_user(Launch *l) {
        const CatalogEntry *e = l->call->object.profile;
        Deed deed = deed_launch_as(l->profile, e ? e->profile : NULL, NULL);
        int r;

        r = call_may(l->call, &deed);
        return r == -ENOKEY ? 0 : r;
}

static bool is_caller_himself(const Launch *l, const char *user) {
        const KnownAccount *known = l->call->known;
        uid_t uid;

        if (parse_id(user, &uid) >= 0)
                return uid == l->call->uid;

        return known && known->account && streq(known->account->name, user);
}

/* 1: known already; 0: asked. */
static int find_target(Launch *l) {
        Accounts *accounts = l->call->manager->accounts;
        const char *name = l->options.user;
        uid_t uid = l->call->uid;
        int r;

        if (name && !is_caller_himself(l, name)) {
                r = check_other_user(l);
                if (r < 0)
                        return r;
                if (parse_id(name, &uid) >= 0)
                        name = NULL;
        } else
                name = NULL;

        if (!name && uid == l->call->uid && l->call->known) {
                l->target = known_account_ref(l->call->known);
                return 1;
        }

        r = accounts_peek(accounts, name, uid, &l->target);
        if (r >= 0)
                return 1;

        r = accounts_ask(accounts, name, uid, on_target, l, &l->query);
        if (r == -EBUSY)
                return call_fail(l->call, ERROR_BUSY, "Too many account look-ups wait already; try again");

        return r;
}

static int begin(Call *c, LaunchMode mode) {
        _cleanup_free_ Launch *l = NULL;
        int r;

        if (mode != LAUNCH_PLAN_ONLY) {
                r = call_count_launch(c);
                if (r < 0)
                        return r;
        }

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;

        /* The call stays the dispatcher's until something is under way that will come back to it. */
        l->mode = mode;
        l->call = c;
        l->profile = strdup(c->object.profile->loaded->name);
        r = l->profile ? launch_options_read(c->message, &l->options, &c->error) : -ENOMEM;
        if (r >= 0)
                r = find_target(l);
        if (r > 0)
                r = launch_proceed(l);
        else if (r == 0)
                r = LAUNCH_UNDER_WAY;
        if (r == LAUNCH_UNDER_WAY) {
                (void) TAKE_PTR(l);
                return 1;
        }

        launch_part(TAKE_PTR(l));
        return r == LAUNCH_PARTED ? 1 : r;
}

int call_launch(Call *c) { return begin(c, LAUNCH_PLAIN); }

int call_launch_leased(Call *c) { return begin(c, LAUNCH_LEASED); }

int call_plan(Call *c) { return begin(c, LAUNCH_PLAN_ONLY); }
