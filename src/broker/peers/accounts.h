/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * accounts — users and their groups, asked of the name service without ever waiting for it
 *
 * A look-up may hang on a directory server, so it runs in a child with a deadline. A child that hangs is killed and
 * started again, and only those who asked for that account get an error. Answers are kept for a few seconds,
 * failures too. Each user may wait for so many, and they take turns: a name that no directory knows may take it a
 * second to say so. Membership comes from the account database, since the groups of a process prove nothing.
 *
 * Life: accounts_new() before anything else is opened, so that the child inherits nothing; accounts_attach() once
 * there is an event loop.
 * Runs in: broker. Privilege: none needed. Input: names that callers sent, answers of the name service.
 */

#include "plan/account.h"

#include <systemd/sd-event.h>

typedef struct Accounts Accounts;
typedef struct AccountQuery AccountQuery;

/* An account shared by reference, as it was when it was looked up. */
typedef struct KnownAccount {
        unsigned n_ref;
        int error;        /* 0, or why there is no account: -ENOENT, -ETIMEDOUT, … */
        Account *account; /* NULL after an error */
        uint64_t usec;    /* CLOCK_MONOTONIC, when it was asked */
} KnownAccount;

KnownAccount *known_account_ref(KnownAccount *k);
KnownAccount *known_account_unref(KnownAccount *k); /* takes NULL, returns NULL */
DEFINE_CLEANUP(KnownAccount *, known_account_unref);

/* Borrowed; never NULL. The query is gone when this is called. */
typedef void (*AccountHandler)(KnownAccount *known, void *userdata);

/* Starts the child: -errno of socketpair(2) or fork(2). */
int accounts_new(Accounts **ret);
/* Takes a reference. Errors as sd_event_add_io(3). */
int accounts_attach(Accounts *a, sd_event *event);
/* Whoever waits is told -ECANCELED. Takes NULL, returns NULL. */
Accounts *accounts_free(Accounts *a);
DEFINE_CLEANUP(Accounts *, accounts_free);

/* The answer of a moment ago, with a reference in *ret; -EAGAIN: it has to be asked for. name NULL: by uid. */
int accounts_peek(Accounts *a, const char *name, uid_t uid, KnownAccount **ret);

/*
 * Asks on behalf of asker; the handler gets the answer from the event loop. The caller owns the query, and freeing it
 * withdraws it. -EBUSY: they wait for too many already. -EINVAL: no account can have this name. -ENOMEM.
 */
int accounts_ask(Accounts *a,
                 uid_t asker,
                 const char *name,
                 uid_t uid,
                 AccountHandler handler,
                 void *userdata,
                 AccountQuery **ret);
AccountQuery *account_query_free(AccountQuery *q); /* takes NULL, returns NULL */
DEFINE_CLEANUP(AccountQuery *, account_query_free);

/* Forgets all answers: after a reload. */
void accounts_flush(Accounts *a);
