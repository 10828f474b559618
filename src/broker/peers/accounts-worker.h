/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * accounts-worker — the child that asks the name service, and the packets between it and the broker
 *
 * It is started, killed and reaped, but never waited for.
 *
 * Runs in: a child of the broker; what starts it and reads its answers, in the broker. Privilege: the broker's at
 * its start; it holds one socket and nothing else. Input: answers of the name service.
 */

#include "plan/account.h"

#define ACCOUNT_NAME_MAX 64
#define ACCOUNT_ANSWER_MAX (128U * 1024)

/* One packet to the worker. */
typedef struct AccountQuestion {
        uint64_t number;
        uid_t uid;
        char name[ACCOUNT_NAME_MAX]; /* empty: by uid */
} AccountQuestion;

/*
 * One packet back: this, then name, home and shell, then a gid (4 bytes) and a name, which may be empty, for each
 * group. Every text ends with a NUL.
 */
typedef struct AccountAnswer {
        uint64_t number;
        int32_t error;
        uid_t uid;
        gid_t gid;
        uint32_t n_groups;
        uint32_t groups_partial;
        int64_t expires;
} AccountAnswer;

/* Reads an answer that is not an error. 0 and the account, which the caller frees; -EBADMSG; -ENOMEM. */
int account_answer_read(const void *data, size_t size, Account **ret);

/* Children that were killed and may hang in the kernel. With this many of them no new one is started. */
#define ACCOUNTS_DYING_MAX 4

typedef struct AccountsWorker {
        int sock; /* SEQPACKET; negative: there is no child */
        pid_t pid;
        pid_t dying[ACCOUNTS_DYING_MAX]; /* 0: a free place */
} AccountsWorker;

/* 0; -EAGAIN: too many hang already. A running child is ended first. */
int accounts_worker_start(AccountsWorker *p);
/* 0; -EAGAIN: as above, and the child goes on. */
int accounts_worker_stop(AccountsWorker *p);
