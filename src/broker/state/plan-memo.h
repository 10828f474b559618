/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-memo — plans that were made a moment ago, for whoever asks for the very same again
 *
 * Most launches are equal to an earlier one: the same entry of a menu, the same line of a script. plan_compile() is
 * pure, so of the last few requests the plan is kept, sealed in the memfd that their keepers got. Only its making is
 * spared: whether somebody may launch, and whether one more fits the limits, is asked each time.
 *
 * All that a plan is made from is compared by value. Only what the admin wrote is told apart by the generation of the
 * catalog, which never comes again, and the profile's name.
 *
 * Life: part of the manager, empty when zeroed. Runs in: broker. Privilege: none. Input: hostile requests, so there is
 * a bound for each user and for all, and what is large is not kept.
 */

#include "base/buffer.h"
#include "broker/state/link-calls.h"
#include "plan/plan-compile.h"
#include "profile/profile-tighten.h"

#include <sys/queue.h>

/* Together at most 4M in keys and memfds, and some 3 times that for the plans themselves. */
#define PLAN_MEMO_MAX 64U
#define PLAN_MEMO_MAX_OF_USER 8U
#define PLAN_MEMO_SIZE_MAX (64U * 1024) /* of one: its key, and the pages of its memfd */

/* A plan that can be sent; shared by reference. */
typedef struct ReadyPlan {
        unsigned n_ref;
        Plan *plan;
        LinkPlan newest;
        uint8_t hash[SHA256_SIZE];
        size_t size; /* of the newest encoding */

        /* in the memo */
        LIST_ENTRY(ReadyPlan) entry;
        Buffer key;
} ReadyPlan;

/* Takes the plan; bytes are its newest encoding. -ENOMEM or errno of memfd_create(2). */
int ready_plan_new(ReadyPlan **ret, Plan *plan, const uint8_t *bytes, size_t size);
ReadyPlan *ready_plan_ref(ReadyPlan *p);
ReadyPlan *ready_plan_unref(ReadyPlan *p); /* takes NULL, returns NULL */
DEFINE_CLEANUP(ReadyPlan *, ready_plan_unref);

/*
 * As a keeper reads it: *ret is the newest encoding, borrowed, or *older, made for a keeper of that version, which the
 * caller is done with. -EPROTONOSUPPORT: that version cannot say all; *ret_unsaid is the field it lacks, static.
 */
int ready_plan_encode(const ReadyPlan *p,
                      uint32_t version,
                      LinkPlan *older,
                      const LinkPlan **ret,
                      const char **ret_unsaid);

/* Everything that a plan is made from; all borrowed. */
typedef struct PlanInputs {
        uint64_t generation;            /* of the catalog that the profile is in */
        const Profile *profile;         /* as the admin wrote it */
        const ProfileSetting *settings; /* with which the user tightens it */
        size_t n_settings;
        const Account *account;
        const PlanRequest *request;
        const PlanContext *context; /* with the filter of the profile as it is written */
} PlanInputs;

typedef struct PlanMemo {
        LIST_HEAD(, ReadyPlan) plans; /* the one used last comes first */
} PlanMemo;

/* Two keys are equal where all inputs are. An error sticks in the buffer. */
void plan_memo_key(const PlanInputs *in, Buffer *ret);

/* A new reference, or NULL. */
ReadyPlan *plan_memo_find(PlanMemo *m, const Buffer *key);

/*
 * Keeps the plan under the key, which is taken then; *key is empty afterwards. Of that user, and of all, the one that
 * was not used for longest gives way. One that is too large, or came without a key, is not kept.
 */
void plan_memo_add(PlanMemo *m, Buffer *key, ReadyPlan *p);

/* Forgets all of them: after a reload, when none can be asked for any more, and at the end. */
void plan_memo_done(PlanMemo *m);
