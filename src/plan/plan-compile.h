/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-compile — profile + account + request → plan
 *
 * Pure: touches no kernel state and no file, so that unit tests use exactly this, and what was made of one request may
 * serve an equal one.
 *
 * Runs in: broker. Privilege: none. Input: the profile is the admin's, the request a hostile user's.
 */

#include "plan/account.h"
#include "plan/plan.h"
#include "profile/profile.h"

/* What the caller of Launch asked for; all borrowed. */
typedef struct PlanRequest {
        const char *instance;     /* NULL: none */
        char *const *arguments;   /* strv, may be NULL */
        char *const *environment; /* NAME=value; only names in PassEnvironment= pass */
        uint32_t streams;         /* that the client will send (client-streams.h) */
        int on_disconnect;        /* OnDisconnect, or -1: the profile's */
} PlanRequest;

#define PLAN_ARGUMENTS_MAX 64
#define PLAN_TEXT_MAX 4096
#define PLAN_PATTERN_TEXT_MAX 16384 /* of all arguments, where a pattern is held against them */

/* What the machine contributes; all borrowed. */
typedef struct PlanContext {
        const uint8_t *seccomp; /* the profile's compiled program */
        size_t n_seccomp;
        char *const *degrade;  /* the broker's own Degrade=, added to the profile's */
        const char *host_name; /* %H */
} PlanContext;

/* Why a request was refused. The names are those of the bus errors. */
typedef enum PlanRefusal {
        PLAN_REFUSAL_NONE = 0,
        PLAN_REFUSAL_ARGUMENT,      /* ArgumentRejected */
        PLAN_REFUSAL_NOT_PERMITTED, /* SettingNotPermitted: the profile does not let the user set this */
        PLAN_REFUSAL_BAD_SETTING,   /* BadSetting: the profile cannot be applied to this user */
        PLAN_REFUSAL_QUOTA,         /* QuotaExceeded: too many or too long */
} PlanRefusal;

/*
 * 0, the plan, and its newest encoding as readers take it; the caller frees both. -EINVAL with *ret_refusal and
 * *ret_text (caller frees): what, where, what would be right. -ENOMEM.
 */
int plan_compile(Plan **ret,
                 uint8_t **ret_bytes,
                 size_t *ret_size,
                 const Profile *profile,
                 const Account *account,
                 const PlanRequest *request,
                 const PlanContext *context,
                 PlanRefusal *ret_refusal,
                 char **ret_text);
