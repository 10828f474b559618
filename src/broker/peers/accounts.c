/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/accounts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/peers/accounts-worker.h"

#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define ANSWER_KEPT_USEC (5 * USEC_PER_SEC)
#define ANSWER_DEADLINE_USEC (5 * USEC_PER_SEC)

/* Answers that are kept, and those of no such user among them, so that nobody's guesses displace the rest. */
#define ANSWERS_MAX 256
#define FAILURES_MAX 64

/* Accounts that one user may wait for; for root's units, of which many start at once, it is more. */
#define WAITING_PER_USER_MAX 16
#define WAITING_OF_ROOT_MAX 1024

typedef struct Lookup Lookup;

/* Somebody who waits for accounts. */
typedef struct Asker {
        TAILQ_ENTRY(Asker) entry;
        uid_t uid;
        TAILQ_HEAD(, AccountQuery) queries; /* oldest first */
} Asker;

struct AccountQuery {
        LIST_ENTRY(AccountQuery) entry; /* among those of its look-up */
        TAILQ_ENTRY(AccountQuery) of_asker;
        Accounts *accounts;
        Asker *asker;
        Lookup *lookup; /* NULL: being answered */
        AccountHandler handler;
        void *userdata;
};

/* One account: waiting to be asked about, being asked about, or answered and kept for a while. */
struct Lookup {
        TAILQ_ENTRY(Lookup) entry;
        char *name; /* NULL: by uid */
        uid_t uid;
        uid_t asker;         /* who asked for it first */
        uint64_t number;     /* of the question; 0: not asked yet */
        KnownAccount *known; /* NULL: no answer yet */
        LIST_HEAD(, AccountQuery) queries;
};

struct Accounts {
        sd_event *event;
        sd_event_source *source, *deadline;
        AccountsWorker worker;
        uint64_t next_number;
        uint64_t asked;                         /* the question that the worker has; 0: it is idle */
        TAILQ_HEAD(LookupList, Lookup) lookups; /* oldest first */
        TAILQ_HEAD(, Asker) askers;             /* whose turn is next, first */
        Asker *turn;    /* the last of them, while their question is asked; may be NULL */
        bool answering; /* handlers are being called */
        bool partial;   /* the last account that was found had not all of its groups */
        bool closing;
        uint8_t answer[ACCOUNT_ANSWER_MAX];
};

KnownAccount *known_account_ref(KnownAccount *k) {
        k->n_ref++;
        return k;
}

KnownAccount *known_account_unref(KnownAccount *k) {
        if (!k || --k->n_ref > 0)
                return NULL;

        (void) account_free(k->account);
        free(k);
        return NULL;
}

DEFINE_CLEANUP(KnownAccount *, known_account_unref);

static void lookup_drop(Accounts *a, Lookup *l) {
        TAILQ_REMOVE(&a->lookups, l, entry);
        (void) known_account_unref(l->known);
        free(l->name);
        free(l);
}

static int asker_get(Accounts *a, uid_t uid, Asker **ret) {
        Asker *asker;

        TAILQ_FOREACH (asker, &a->askers, entry)
                if (asker->uid == uid) {
                        *ret = asker;
                        return 0;
                }

        asker = calloc(1, sizeof(*asker));
        if (!asker)
                return -ENOMEM;

        asker->uid = uid;
        TAILQ_INIT(&asker->queries);
        if (a->turn)
                TAILQ_INSERT_BEFORE(a->turn, asker, entry);
        else
                TAILQ_INSERT_TAIL(&a->askers, asker, entry);
        *ret = asker;
        return 0;
}

static void asker_release(Accounts *a, Asker *asker) {
        if (!TAILQ_EMPTY(&asker->queries))
                return;

        TAILQ_REMOVE(&a->askers, asker, entry);
        if (a->turn == asker)
                a->turn = NULL;
        free(asker);
}

AccountQuery *account_query_free(AccountQuery *q) {
        Accounts *a;
        Lookup *l;

        if (!q)
                return NULL;

        a = q->accounts;
        l = q->lookup;
        LIST_REMOVE(q, entry);
        /* What nobody waits for is not asked. */
        if (l && LIST_EMPTY(&l->queries) && l->number == 0)
                lookup_drop(a, l);
        TAILQ_REMOVE(&q->asker->queries, q, of_asker);
        asker_release(a, q->asker);
        free(q);
        return NULL;
}

DEFINE_CLEANUP(AccountQuery *, account_query_free);

static bool lookup_is(const Lookup *l, const char *name, uid_t uid) {
        return name ? l->name && streq(l->name, name) : !l->name && l->uid == uid;
}

/* Old answers are dropped here, so that time matters in one place only. */
static Lookup *lookup_find(Accounts *a, const char *name, uid_t uid) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        Lookup *next;

        for (Lookup *l = TAILQ_FIRST(&a->lookups); l; l = next) {
                next = TAILQ_NEXT(l, entry);
                if (l->known && now - l->known->usec > ANSWER_KEPT_USEC)
                        lookup_drop(a, l);
                else if (lookup_is(l, name, uid))
                        return l;
        }

        return NULL;
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *userdata);

static void worker_stop(Accounts *a) {
        a->source = sd_event_source_disable_unref(a->source);
        (void) accounts_worker_stop(&a->worker);
}

static int worker_watch(Accounts *a) {
        return sd_event_add_io(a->event, &a->source, a->worker.sock, EPOLLIN, on_answer, a);
}

static int worker_restart(Accounts *a) {
        int r;

        worker_stop(a);
        r = accounts_worker_start(&a->worker);
        if (r < 0)
                return r;

        return worker_watch(a);
}

/*
 * Hands the answer, which is taken over, to everybody who asked. Handlers may ask again, withdraw other queries or
 * drop this very look-up, so the queries are taken off it first.
 */
static void lookup_finish(Accounts *a, Lookup *l, int error, Account *account) {
        static KnownAccount out_of_memory = { .n_ref = 1, .error = -ENOMEM };
        _cleanup_(known_account_unrefp) KnownAccount *known = calloc(1, sizeof(*known));
        LIST_HEAD(, AccountQuery) queries = LIST_HEAD_INITIALIZER(queries);
        AccountQuery *q;

        if (known)
                *known = (KnownAccount){
                        .n_ref = 1, .error = error, .account = account, .usec = clock_usec(CLOCK_MONOTONIC)
                };
        else {
                known = known_account_ref(&out_of_memory);
                (void) account_free(account);
        }
        l->known = known_account_ref(known);

        while ((q = LIST_FIRST(&l->queries))) {
                LIST_REMOVE(q, entry);
                LIST_INSERT_HEAD(&queries, q, entry);
                q->lookup = NULL;
        }

        a->answering = true;
        a->turn = NULL;
        while ((q = LIST_FIRST(&queries))) {
                AccountHandler handler = q->handler;
                void *userdata = q->userdata;

                (void) account_query_free(q);
                handler(known, userdata);
        }
        a->answering = false;
}

static void ask_next(Accounts *a);

static Lookup *lookup_by_number(Accounts *a, uint64_t number) {
        Lookup *l;

        TAILQ_FOREACH (l, &a->lookups, entry)
                if (number != 0 && l->number == number)
                        return l;

        return NULL;
}

/* The worker failed at what it was asked: that question fails, and a new worker takes the others. */
static void worker_failed(Accounts *a, int error) {
        Lookup *l = lookup_by_number(a, a->asked);
        int r;

        /* One that dies without a question would do so again, so the next question starts it. */
        if (a->asked == 0) {
                worker_stop(a);
                return;
        }

        a->asked = 0;
        (void) sd_event_source_set_enabled(a->deadline, SD_EVENT_OFF);
        r = worker_restart(a);
        if (r < 0)
                log_errno(r, "Cannot start the process that looks up accounts");
        if (l)
                lookup_finish(a, l, error, NULL);
        ask_next(a);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        Accounts *a = userdata;

        log_warning("The name service gave no answer within 5 s: starting its process again");
        worker_failed(a, -ETIMEDOUT);
        return 0;
}

static int ask(Accounts *a, Lookup *l) {
        AccountQuestion q = { .number = ++a->next_number, .uid = l->uid };
        int r;

        if (a->worker.sock < 0) {
                r = worker_restart(a);
                if (r < 0)
                        return r;
        }
        if (l->name)
                memcpy(q.name, l->name, strlen(l->name) + 1);

        l->number = q.number;
        if (send(a->worker.sock, &q, sizeof(q), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t) sizeof(q))
                return -errno;

        (void) sd_event_source_set_time_relative(a->deadline, ANSWER_DEADLINE_USEC);
        (void) sd_event_source_set_enabled(a->deadline, SD_EVENT_ONESHOT);

        a->asked = q.number;
        return 0;
}

/* The oldest question of this user, whose next one is behind those of all others. */
static int ask_for(Accounts *a, Asker *asker) {
        TAILQ_REMOVE(&a->askers, asker, entry);
        TAILQ_INSERT_TAIL(&a->askers, asker, entry);
        a->turn = asker;
        return ask(a, TAILQ_FIRST(&asker->queries)->lookup);
}

/*
 * One at a time: libraries of the name service are not made for more. Those who wait take turns, so that nobody waits
 * for more than one of each other user's.
 */
static void ask_next(Accounts *a) {
        Asker *asker;

        while (a->asked == 0 && (asker = TAILQ_FIRST(&a->askers))) {
                Lookup *l = TAILQ_FIRST(&asker->queries)->lookup;
                int r;

                r = ask_for(a, asker);
                if (r < 0) {
                        worker_stop(a);
                        lookup_finish(a, l, r, NULL);
                }
        }
}

/* Said when it begins: while a directory is down, it is so for every account. */
static void note_partial(Accounts *a, const Account *account) {
        if (account->groups_partial && !a->partial)
                log_warning(
                        "Not every service of nsswitch.conf told the groups of %s: DenyGroups= refuses them",
                        account->name);
        a->partial = account->groups_partial;
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Account *account = NULL;
        AccountAnswer head;
        Accounts *a = userdata;
        Lookup *l;
        ssize_t n;
        int error;

        n = recv(fd, a->answer, sizeof(a->answer), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n < (ssize_t) sizeof(head) || n > (ssize_t) sizeof(a->answer)) {
                worker_failed(a, -EIO);
                return 0;
        }

        memcpy(&head, a->answer, sizeof(head));
        if (head.number != a->asked) {
                worker_failed(a, -EBADMSG);
                return 0;
        }

        a->asked = 0;
        (void) sd_event_source_set_enabled(a->deadline, SD_EVENT_OFF);
        error = MIN(head.error, 0);
        if (error == 0)
                error = account_answer_read(a->answer, n, &account);
        if (account)
                note_partial(a, account);

        l = lookup_by_number(a, head.number);
        if (l)
                lookup_finish(a, l, error, account);
        else
                (void) account_free(account);

        ask_next(a);
        return 0;
}

int accounts_new(Accounts **ret) {
        _cleanup_(accounts_freep) Accounts *a = NULL;
        int r;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;

        a->worker.sock = -EBADF;
        TAILQ_INIT(&a->lookups);
        TAILQ_INIT(&a->askers);

        r = accounts_worker_start(&a->worker);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(a);
        return 0;
}

int accounts_attach(Accounts *a, sd_event *event) {
        int r;

        a->event = sd_event_ref(event);
        r = sd_event_add_time(event, &a->deadline, CLOCK_MONOTONIC, 0, 0, on_deadline, a);
        if (r >= 0)
                r = sd_event_source_set_enabled(a->deadline, SD_EVENT_OFF);

        return r < 0 ? r : worker_watch(a);
}

Accounts *accounts_free(Accounts *a) {
        Lookup *l;

        if (!a)
                return NULL;

        /* Whoever waits has to be told, or would wait for ever with a query that is gone. */
        a->closing = true;
        while ((l = TAILQ_FIRST(&a->lookups))) {
                if (!l->known)
                        lookup_finish(a, l, -ECANCELED, NULL);
                lookup_drop(a, l);
        }

        (void) sd_event_source_disable_unref(a->deadline);
        worker_stop(a);
        (void) sd_event_unref(a->event);
        free(a);
        return NULL;
}

DEFINE_CLEANUP(Accounts *, accounts_free);

int accounts_peek(Accounts *a, const char *name, uid_t uid, KnownAccount **ret) {
        Lookup *l = lookup_find(a, name, uid);

        if (!l || !l->known)
                return -EAGAIN;

        *ret = known_account_ref(l->known);
        return 0;
}

/* Answers are a convenience, so the oldest make room. */
static void make_room(Accounts *a) {
        size_t n_answers = 0, n_failures = 0;
        Lookup *l, *before;

        for (l = TAILQ_LAST(&a->lookups, LookupList); l; l = before) {
                before = TAILQ_PREV(l, LookupList, entry);
                if (!l->known)
                        continue;

                n_answers++;
                n_failures += l->known->error != 0;
                if (n_answers > ANSWERS_MAX || (l->known->error != 0 && n_failures > FAILURES_MAX))
                        lookup_drop(a, l);
        }
}

static size_t count_waiting(const Accounts *a, uid_t asker) {
        const Lookup *l;
        size_t n = 0;

        TAILQ_FOREACH (l, &a->lookups, entry)
                n += !l->known && l->asker == asker;

        return n;
}

static int lookup_new(Accounts *a, uid_t asker, const char *name, uid_t uid, Lookup **ret) {
        _cleanup_free_ Lookup *l = NULL;

        if (count_waiting(a, asker) >= (asker == 0 ? WAITING_OF_ROOT_MAX : WAITING_PER_USER_MAX))
                return -EBUSY;

        make_room(a);
        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;

        l->uid = uid;
        l->asker = asker;
        LIST_INIT(&l->queries);
        if (name) {
                l->name = strdup(name);
                if (!l->name)
                        return -ENOMEM;
        }

        TAILQ_INSERT_TAIL(&a->lookups, l, entry);
        *ret = TAKE_PTR(l);
        return 0;
}

/* The look-up that will bring a fresh answer. */
static int lookup_get(Accounts *a, uid_t asker, const char *name, uid_t uid, Lookup **ret) {
        Lookup *l = lookup_find(a, name, uid);

        if (l && l->known) {
                lookup_drop(a, l);
                l = NULL;
        }
        if (!l)
                return lookup_new(a, asker, name, uid, ret);

        *ret = l;
        return 0;
}

/* Errors leave nothing behind. */
static int query_new(Accounts *a, uid_t asker, const char *name, uid_t uid, AccountQuery **ret) {
        _cleanup_free_ AccountQuery *q = calloc(1, sizeof(*q));
        int r;

        if (!q)
                return -ENOMEM;

        r = asker_get(a, asker, &q->asker);
        if (r < 0)
                return r;

        r = lookup_get(a, asker, name, uid, &q->lookup);
        if (r < 0) {
                asker_release(a, q->asker);
                return r;
        }

        q->accounts = a;
        LIST_INSERT_HEAD(&q->lookup->queries, q, entry);
        TAILQ_INSERT_TAIL(&q->asker->queries, q, of_asker);
        *ret = TAKE_PTR(q);
        return 0;
}

int accounts_ask(Accounts *a,
                 uid_t asker,
                 const char *name,
                 uid_t uid,
                 AccountHandler handler,
                 void *userdata,
                 AccountQuery **ret) {
        AccountQuery *q;
        int r;

        if (name && (strlen(name) >= ACCOUNT_NAME_MAX || !account_name_is_valid(name)))
                return -EINVAL;
        if (a->closing)
                return -EBUSY;

        r = query_new(a, asker, name, uid, &q);
        if (r < 0)
                return r;

        q->handler = handler;
        q->userdata = userdata;

        /*
         * Whoever is told an answer and asks on waits for their turn. Otherwise nobody waits, and not through
         * ask_next(): that would call the handler before the caller has the query in hand.
         */
        if (a->asked == 0 && !a->answering) {
                r = ask_for(a, q->asker);
                if (r < 0) {
                        q->lookup->number = 0;
                        (void) account_query_free(q);
                        return r;
                }
        }

        *ret = q;
        return 0;
}

void accounts_flush(Accounts *a) {
        Lookup *next;

        for (Lookup *l = TAILQ_FIRST(&a->lookups); l; l = next) {
                next = TAILQ_NEXT(l, entry);
                if (l->known)
                        lookup_drop(a, l);
        }
}
