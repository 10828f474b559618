/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/audit.h"

#include "base/clock.h"
#include "base/event.h"
#include "broker/call/audit-kernel.h"
#include "broker/call/call.h"
#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "broker/call/message.h"

#include <stdio.h>

/* Verbs that differ from the rest. A verb without a row is recorded, within the rate of its user. */
/* clang-format off */
static const struct {
        AccessVerb verb;
        bool looks;   /* changes nothing: only denials are recorded */
        bool admin;   /* changes what holds for others: recorded always, where it is done */
        bool launch;  /* LogLaunches= */
} verbs[] = {
        { .verb = ACCESS_INSPECT,        .looks = true },
        { .verb = ACCESS_SUBSCRIBE,      .looks = true },
        { .verb = ACCESS_PLAN,           .looks = true },
        { .verb = ACCESS_CHECK_ACCESS,   .looks = true },
        { .verb = ACCESS_RELOAD,         .admin = true },
        { .verb = ACCESS_SET_PROPERTIES, .admin = true },
        { .verb = ACCESS_LAUNCH,         .launch = true },
        { .verb = ACCESS_START_AT_BOOT,  .launch = true },
};
/* clang-format on */

typedef enum Verdict {
        VERDICT_DONE,
        VERDICT_FAILED,
        VERDICT_DENIED,
} Verdict;

/* clang-format off */
static const struct {
        const char *name;
        Event event;
} verdicts[] = {
        [VERDICT_DONE]   = { "done",   EVENT_REQUEST_DONE },
        [VERDICT_FAILED] = { "failed", EVENT_REQUEST_FAILED },
        [VERDICT_DENIED] = { "denied", EVENT_REQUEST_DENIED },
};
/* clang-format on */

void audit_note_done(AuditNote *n) {
        free(n->id);
        free(n->profile);
        free(n->profile_hash);
        free(n->user);
        free(n->invocation_id);
        *n = (AuditNote){ .noted = n->noted, .hidden = n->hidden, .owner = UID_NOBODY };
}

/* Without memory, a record says less but is still written. */
static void keep(char **field, const char *value) {
        free(*field);
        *field = value ? strdup(value) : NULL;
}

void audit_note(Call *c) {
        const Object *object = &c->object;
        AuditNote *n = &c->audit;

        audit_note_done(n);
        n->noted = true;
        if (object->sandbox) {
                const SandboxRecord *record = object->sandbox->record;

                keep(&n->id, record->id);
                keep(&n->profile, record->profile);
                keep(&n->profile_hash, record->profile_hash);
                keep(&n->user, record->user);
                keep(&n->invocation_id, record->invocation_id);
                n->owner = record->uid;
        } else if (object->profile) {
                keep(&n->profile, object->profile->loaded->name);
                keep(&n->profile_hash, object->profile->profile ? object->profile->profile->hash : NULL);
        } else if (object->kind == OBJECT_USER)
                n->owner = object->uid;
}

void audit_note_profile(Call *c, const char *name) {
        audit_note_done(&c->audit);
        c->audit.noted = true;
        keep(&c->audit.profile, name);
}

void audit_note_launch(Call *c, const Plan *plan, const char *id, const char *invocation_id) {
        AuditNote *n = &c->audit;

        keep(&n->id, id);
        keep(&n->invocation_id, invocation_id);
        keep(&n->profile, plan->profile);
        keep(&n->profile_hash, plan->profile_hash);
        keep(&n->user, plan->user);
        n->owner = plan->uid;
}

static Verdict judge(const Call *c, bool done) {
        if (done)
                return VERDICT_DONE;
        if (c->audit.hidden || sd_bus_error_has_names(&c->error,
                                                      SD_BUS_ERROR_ACCESS_DENIED,
                                                      SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
                return VERDICT_DENIED;

        return VERDICT_FAILED;
}

static bool is_wanted(const Call *c, Verdict verdict, bool *ret_always) {
        bool looks = false, launch = false, admin = c->audit.owner != UID_NOBODY && c->audit.owner != c->uid;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (verbs[i].verb == c->member->verb) {
                        looks = verbs[i].looks;
                        launch = verbs[i].launch;
                        admin = admin || verbs[i].admin;
                }

        *ret_always = c->uid == 0 || (admin && verdict == VERDICT_DONE);
        if (verdict == VERDICT_DENIED)
                return true;

        return !looks && !(launch && verdict == VERDICT_DONE && !c->manager->catalog->config.log_launches);
}

static int on_flush(sd_event_source *s, uint64_t usec, void *userdata) {
        Manager *m = userdata;
        uint32_t n;
        uid_t uid;

        m->audit_flush = sd_event_source_disable_unref(m->audit_flush);
        while (quotas_take_suppressed(m->quotas, &uid, &n)) {
                char text[16];

                (void) snprintf(text, sizeof(text), "%u", uid);
                event_log(EVENT_REQUESTS_SUPPRESSED,
                          &(EventField){ "IMMURED_CALLER_UID", text },
                          1,
                          "%u more requests of user %u were not recorded (RecordRateBurst=)",
                          n,
                          uid);
        }

        return 0;
}

/* Counts one more record of this user. False: it is one too many, which on_flush() will tell of. */
static bool within_rate(Call *c) {
        const Config *config = &c->manager->catalog->config;
        Manager *m = c->manager;
        int r;

        r = quotas_count(m->quotas,
                         c->uid,
                         QUOTA_RECORDS,
                         clock_usec(CLOCK_MONOTONIC),
                         config->record_rate_burst,
                         config->record_rate_interval_usec);
        if (r < 0 && !m->audit_flush)
                (void) sd_event_add_time_relative(m->event,
                                                  &m->audit_flush,
                                                  CLOCK_MONOTONIC,
                                                  config->record_rate_interval_usec,
                                                  USEC_PER_SEC,
                                                  on_flush,
                                                  m);

        return r >= 0;
}

static void write_record(Call *c, Verdict verdict) {
        const AuditNote *n = &c->audit;
        const char *verb = access_verb_name(c->member->verb), *reason = c->error.message;
        _cleanup_free_ char *arguments = NULL;
        char caller[16], owner[16];
        const EventField fields[] = {
                { "IMMURED_CALLER_UID", caller },
                { "IMMURED_VERB", verb },
                { "IMMURED_VERDICT", verdicts[verdict].name },
                { "IMMURED_ERROR", verdict == VERDICT_DONE ? NULL : c->error.name },
                { "IMMURED_REASON", verdict == VERDICT_DONE ? NULL : reason },
                { "IMMURED_ARGUMENTS",
                  message_to_text(c->message, AUDIT_ARGUMENTS_MAX, &arguments) < 0 ? NULL : arguments },
                { "IMMURED_ID", n->id },
                { "IMMURED_PROFILE", n->profile },
                { "IMMURED_PROFILE_HASH", n->profile_hash },
                { "IMMURED_USER", n->user },
                { "IMMURED_UID", n->owner == UID_NOBODY ? NULL : owner },
                { "INVOCATION_ID", n->invocation_id },
        };
        const char *what = n->id ?: n->profile ?: "";

        (void) snprintf(caller, sizeof(caller), "%u", c->uid);
        (void) snprintf(owner, sizeof(owner), "%u", n->owner);
        event_log(verdicts[verdict].event,
                  fields,
                  ELEMENTSOF(fields),
                  "%s%s%s by user %s: %s%s%.256s",
                  verb,
                  *what ? " " : "",
                  what,
                  caller,
                  verdicts[verdict].name,
                  verdict == VERDICT_DONE ? "" : ": ",
                  verdict == VERDICT_DONE ? "" : reason ?: "no reason given");
        audit_kernel_write(&c->manager->audit_fd,
                           verb,
                           c->uid,
                           verdict == VERDICT_DONE ? NULL : c->error.name ?: "none",
                           n);
}

void audit_call(Call *c, bool done) {
        Verdict verdict;
        bool always;

        if (!c->audit.noted)
                return;

        c->audit.noted = false;
        verdict = judge(c, done);
        if (is_wanted(c, verdict, &always) && (always || within_rate(c)))
                write_record(c, verdict);
}
