/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/polkit.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/queue.h>

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define MATCH_BUS "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus'"
#define POLKIT_ALLOW_USER_INTERACTION UINT32_C(1)

/* A flood may keep the signal of its coming from us, so absence is believed for so long. */
#define ABSENCE_USEC (60 * USEC_PER_SEC)

/* A user who has any question. */
typedef struct PolkitUser {
        uid_t uid;
        PolkitQuery *turn; /* sent, and the user's next one waits for it; NULL: it is nobody's turn */
        uint64_t turn_end_usec;
        TAILQ_HEAD(, PolkitQuery) waiting;
        LIST_ENTRY(PolkitUser) entry;
} PolkitUser;

struct Polkit {
        sd_bus *bus;
        sd_bus_slot *appeared, *startable;
        sd_event_source *turns; /* finds out whose turn it is */
        uint64_t absent_until;  /* the bus said so, and has not said otherwise since; CLOCK_MONOTONIC */
        uint64_t n_asked;
        LIST_HEAD(, PolkitUser) users;
};

struct PolkitQuery {
        Polkit *polkit;
        PolkitUser *user;        /* NULL: its turn is over, answered or not */
        sd_bus_message *message; /* NULL: sent */
        sd_bus_slot *slot;       /* NULL: not sent yet, or answered */
        char id[24];             /* to take it back by; only this connection's */
        uint64_t deadline_usec;
        PolkitHandler handler;
        void *userdata;
        TAILQ_ENTRY(PolkitQuery) entry; /* among those that wait */
};

static void look_for_turns(Polkit *p, uint64_t usec) {
        (void) sd_event_source_set_time(p->turns, usec);
        (void) sd_event_source_set_enabled(p->turns, SD_EVENT_ONESHOT);
}

static void user_release(PolkitUser *u) {
        if (u->turn || !TAILQ_EMPTY(&u->waiting))
                return;

        LIST_REMOVE(u, entry);
        free(u);
}

static int user_get(Polkit *p, uid_t uid, PolkitUser **ret) {
        PolkitUser *u;

        LIST_FOREACH (u, &p->users, entry)
                if (u->uid == uid) {
                        *ret = u;
                        return 0;
                }

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;

        u->uid = uid;
        TAILQ_INIT(&u->waiting);
        LIST_INSERT_HEAD(&p->users, u, entry);
        *ret = u;
        return 0;
}

Polkit *polkit_free(Polkit *p) {
        if (!p)
                return NULL;

        (void) sd_event_source_disable_unref(p->turns);
        (void) sd_bus_slot_unref(p->appeared);
        (void) sd_bus_slot_unref(p->startable);
        (void) sd_bus_unref(p->bus);
        free(p);
        return NULL;
}

DEFINE_CLEANUP(Polkit *, polkit_free);

/* A dialog that nobody needs must not stay on somebody's screen. polkit is not started for this. */
static int take_back(PolkitQuery *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                q->polkit->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CancelCheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', q->id);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(m, false);

        return r < 0 ? r : sd_bus_send(q->polkit->bus, m, NULL);
}

/* Lets the next question of the same user go. */
static void leave_turns(PolkitQuery *q) {
        PolkitUser *u = q->user;

        if (!u)
                return;

        q->user = NULL;
        if (u->turn == q)
                u->turn = NULL;
        else
                TAILQ_REMOVE(&u->waiting, q, entry);

        look_for_turns(q->polkit, 0);
        user_release(u);
}

PolkitQuery *polkit_query_free(PolkitQuery *q) {
        int r;

        if (!q)
                return NULL;

        leave_turns(q);
        (void) sd_bus_message_unref(q->message);
        if (q->slot) {
                q->slot = sd_bus_slot_unref(q->slot);
                r = take_back(q);
                if (r < 0)
                        (void) log_message_errno(LOG_DEBUG, r, "Cannot take a question to polkit back");
        }
        free(q);
        return NULL;
}

DEFINE_CLEANUP(PolkitQuery *, polkit_query_free);

/*
 * Only the bus itself can say that there is no polkit. If polkit could not be started, or died over the question,
 * the error has another name: whoever can bring that about must not get what a machine without polkit allows.
 */
static bool is_absence(sd_bus_message *m) {
        const char *sender = sd_bus_message_get_sender(m);

        return sd_bus_message_is_method_error(m, SD_BUS_ERROR_SERVICE_UNKNOWN) && sender &&
               streq(sender, "org.freedesktop.DBus");
}

static PolkitAnswer read_answer(sd_bus_message *m) {
        int authorized, challenge;

        if (is_absence(m))
                return POLKIT_ABSENT;

        if (sd_bus_message_is_method_error(m, NULL)) {
                const sd_bus_error *error = sd_bus_message_get_error(m);

                log_warning(
                        "polkit did not answer: %s: %s", error->name, error->message ?: "no reason given");
                return POLKIT_SILENT;
        }

        if (sd_bus_message_has_signature(m, "(bba{ss})") <= 0 ||
            sd_bus_message_enter_container(m, 'r', "bba{ss}") <= 0 ||
            sd_bus_message_read(m, "bb", &authorized, &challenge) <= 0) {
                log_warning("polkit's answer is none: \"%s\"", sd_bus_message_get_signature(m, true) ?: "");
                return POLKIT_SILENT;
        }

        /* An answer that says both contradicts itself. */
        if (challenge)
                return POLKIT_CHALLENGE;

        return authorized ? POLKIT_YES : POLKIT_NO;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        PolkitQuery *q = userdata;
        const PolkitHandler handler = q->handler;
        const PolkitAnswer answer = read_answer(m);
        void *data = q->userdata;

        if (answer == POLKIT_ABSENT)
                q->polkit->absent_until = clock_usec(CLOCK_MONOTONIC) + ABSENCE_USEC;
        /* A late one may still be thinking about it, so the question is taken back. */
        if (answer != POLKIT_SILENT)
                q->slot = sd_bus_slot_unref(q->slot);
        (void) polkit_query_free(q);
        handler(answer, data);
        return 0;
}

static int append_details(sd_bus_message *m, char *const *details) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        if (r < 0)
                return r;

        STRV_FOREACH (detail, details) {
                const char *equals = strchr(*detail, '=');
                _cleanup_free_ char *key = NULL;

                key = equals ? strndup(*detail, (size_t) (equals - *detail)) : NULL;
                if (!key)
                        return equals ? -ENOMEM : -EINVAL;

                r = sd_bus_message_append(m, "{ss}", key, equals + 1);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

static int question_new(Polkit *p, const PolkitQuestion *question, const char *id, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                p->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(m,
                                          "(sa{sv})s",
                                          "system-bus-name",
                                          1,
                                          "name",
                                          "s",
                                          question->subject,
                                          question->action);
        if (r >= 0)
                r = append_details(m, question->details);
        if (r >= 0)
                r = sd_bus_message_append(
                        m, "us", question->interactive ? POLKIT_ALLOW_USER_INTERACTION : UINT32_C(0), id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

static int send_question(PolkitQuery *q, uint64_t now) {
        int r;

        if (now < q->polkit->absent_until)
                return -ENOENT;
        if (q->deadline_usec <= now)
                return -ETIMEDOUT;
        r = sd_bus_call_async(q->polkit->bus, &q->slot, q->message, on_answer, q, q->deadline_usec - now);
        if (r < 0)
                return r;

        q->message = sd_bus_message_unref(q->message);
        return 0;
}

/* polkit is there, or can be started. Signals come after whatever the bus answered before. */
static int on_presence(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Polkit *p = userdata;

        p->absent_until = 0;
        return 0;
}

/*
 * A bus that does not announce what can be started (dbus before 1.14) leaves an absence remembered until polkit
 * runs: there we do not hear that it was installed.
 */
static int watch_presence(Polkit *p) {
        int r;

        r = sd_bus_add_match_async(p->bus,
                                   &p->appeared,
                                   MATCH_BUS ",member='NameOwnerChanged',arg0='" POLKIT_NAME "'",
                                   on_presence,
                                   NULL,
                                   p);
        if (r < 0)
                return r;

        return sd_bus_add_match_async(p->bus,
                                      &p->startable,
                                      MATCH_BUS ",member='ActivatableServicesChanged'",
                                      on_presence,
                                      NULL,
                                      p);
}

/* The user's next question, if it is time for it. Errors are about *ret_failed, which was not sent. */
static int go_on(PolkitUser *u, uint64_t now, PolkitQuery **ret_failed) {
        PolkitQuery *q;

        if (u->turn && u->turn_end_usec > now)
                return 0;

        if (u->turn)
                u->turn->user = NULL;
        u->turn = q = TAILQ_FIRST(&u->waiting);
        if (!q)
                return 0;

        TAILQ_REMOVE(&u->waiting, q, entry);
        u->turn_end_usec = now + POLKIT_TURN_USEC;
        *ret_failed = q;
        return send_question(q, now);
}

/* -ENOENT: there is nobody to ask. */
static void query_fail(PolkitQuery *q, int error) {
        const PolkitHandler handler = q->handler;
        void *data = q->userdata;

        if (error != -ENOENT)
                (void) log_message_errno(LOG_WARNING, error, "polkit was not asked");
        (void) polkit_query_free(q);
        handler(error == -ENOENT ? POLKIT_ABSENT : POLKIT_UNASKED, data);
}

static int on_turns(sd_event_source *source, uint64_t usec, void *userdata) {
        const uint64_t now = clock_usec(CLOCK_MONOTONIC);
        uint64_t next = UINT64_MAX;
        Polkit *p = userdata;
        PolkitUser *u, *following;

        for (u = LIST_FIRST(&p->users); u; u = following) {
                PolkitQuery *failed;
                int r;

                r = go_on(u, now, &failed);
                if (r < 0) {
                        /* Afterwards this user may be gone: with the failure its next look is due at once. */
                        query_fail(failed, r);
                        return 0;
                }

                following = LIST_NEXT(u, entry);
                if (!TAILQ_EMPTY(&u->waiting))
                        next = MIN(next, u->turn_end_usec);
                user_release(u);
        }

        if (next != UINT64_MAX)
                look_for_turns(p, next);
        return 0;
}

int polkit_new(Polkit **ret, sd_bus *bus, sd_event *event) {
        _cleanup_(polkit_freep) Polkit *p = calloc(1, sizeof(*p));
        int r;

        if (!p)
                return -ENOMEM;

        p->bus = sd_bus_ref(bus);
        r = watch_presence(p);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &p->turns, CLOCK_MONOTONIC, 0, 1, on_turns, p);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(p->turns, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(p);
        return 0;
}

bool polkit_is_absent(const Polkit *p) { return clock_usec(CLOCK_MONOTONIC) < p->absent_until; }

int polkit_ask(Polkit *p,
               const PolkitQuestion *question,
               PolkitHandler handler,
               void *userdata,
               PolkitQuery **ret) {
        const uint64_t now = clock_usec(CLOCK_MONOTONIC);
        _cleanup_(polkit_query_freep) PolkitQuery *q = NULL;
        int r;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;

        *q = (PolkitQuery){
                .polkit = p,
                .deadline_usec = now + MIN(question->timeout_usec, UINT64_MAX - now),
                .handler = handler,
                .userdata = userdata,
        };
        (void) snprintf(q->id, sizeof(q->id), "%" PRIu64, ++p->n_asked);

        r = question_new(p, question, q->id, &q->message);
        if (r < 0)
                return r;

        r = user_get(p, question->uid, &q->user);
        if (r < 0)
                return r;
        TAILQ_INSERT_TAIL(&q->user->waiting, q, entry);
        look_for_turns(p, 0);

        *ret = TAKE_PTR(q);
        return 0;
}
