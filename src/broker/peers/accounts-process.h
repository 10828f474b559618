/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * accounts-process — the child process that looks up accounts: started, killed and reaped, but never waited for
 *
 * Runs in: broker. Privilege: the broker's.
 */

#include "base/util.h"

#include <sys/types.h>

/* Children that were killed and may hang in the kernel. With this many of them no new one is started. */
#define ACCOUNTS_DYING_MAX 4

typedef struct AccountsProcess {
        int sock; /* SEQPACKET; negative: there is no child */
        pid_t pid;
        pid_t dying[ACCOUNTS_DYING_MAX]; /* 0: a free place */
} AccountsProcess;

/* 0; -EAGAIN: too many hang already. A running child is ended first. */
int accounts_process_start(AccountsProcess *p);
/* 0; -EAGAIN: as above, and the child goes on. */
int accounts_process_stop(AccountsProcess *p);
