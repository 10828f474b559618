/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * terms — what an admin says about the life and the end of an application
 *
 * Profile, plan and keeper hold the same struct: a plan takes it from its profile, a keeper from the plan, and only
 * the few values that the user's request decides with are looked at in between.
 *
 * Runs in: all. Privilege: none. Input: the parsers' and the plan decoder's, both checked.
 */

#include "base/util.h"

/* What the loss of a process for memory does to the rest. Also in the plan: never renumber. */
typedef enum _packed_ OomPolicy {
        OOM_POLICY_KILL = 0,
        OOM_POLICY_STOP = 1,
        OOM_POLICY_CONTINUE = 2,
        _OOM_POLICY_MAX,
} OomPolicy;

/* When a launch counts as done. Also in the plan: never renumber. */
typedef enum _packed_ ServiceType {
        SERVICE_EXEC = 0,    /* the application was executed (default) */
        SERVICE_SIMPLE = 1,  /* its process exists */
        SERVICE_ONESHOT = 2, /* it has ended */
        SERVICE_NOTIFY = 3,  /* it says READY=1, sd_notify(3) */
        _SERVICE_TYPE_MAX,
} ServiceType;

/* After which ends it is started again, as in systemd.service(5). Also in the plan: never renumber. */
typedef enum _packed_ RestartPolicy {
        RESTART_NO = 0,
        RESTART_ON_SUCCESS = 1,
        RESTART_ON_FAILURE = 2,
        RESTART_ON_ABNORMAL = 3,
        RESTART_ALWAYS = 4,
        _RESTART_POLICY_MAX,
} RestartPolicy;

/* Whose notifications count. Also in the plan: never renumber. */
typedef enum _packed_ NotifyAccess {
        NOTIFY_ACCESS_NONE = 0, /* nobody's; in a profile: not said (default) */
        NOTIFY_ACCESS_MAIN = 1, /* the application's first process */
        NOTIFY_ACCESS_ALL = 2,
        _NOTIFY_ACCESS_MAX,
} NotifyAccess;

/* What becomes of it when whoever launched it leaves the bus. Also in the plan: never renumber. */
typedef enum _packed_ OnDisconnect {
        ON_DISCONNECT_KEEP = 0,
        ON_DISCONNECT_STOP = 1,
        ON_DISCONNECT_KILL = 2, /* at once, without TimeoutStopSec= */
        _ON_DISCONNECT_MAX,
} OnDisconnect;

typedef struct Terms {
        ServiceType type;
        NotifyAccess notify_access;
        OomPolicy oom_policy;
        OnDisconnect on_disconnect;
        RestartPolicy restart;
        uint32_t restart_steps;
        uint64_t restart_usec, restart_max_delay_usec; /* max: USEC_INFINITY: always restart_usec */
        uint64_t start_limit_interval_usec;            /* 0: no limit */
        uint32_t start_limit_burst;                    /* likewise */
        int32_t kill_signal;
        uint64_t timeout_start_usec, timeout_stop_usec, runtime_max_usec; /* USEC_INFINITY: none */
        uint64_t watchdog_usec;                                           /* likewise */
        uint32_t success_statuses[8];                                     /* bit set of exit codes 0…255 */
        uint64_t success_signals; /* bit N: signal N counts as success */
} Terms;
