/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-calls — the keeper's methods as the broker calls them: what link_x() asks here, the keeper's link_answer_x()
 * answers
 *
 * Each returns 0 once the call is sent, and then the handler is called exactly once. -ENOTCONN: the keeper has no link
 * just now; -EPROTONOSUPPORT: it is of a version that has no such method. Other errors of sd-bus.
 *
 * Runs in: broker. Privilege: none. Input: the keeper's answers.
 */

#include "base/clock.h"
#include "broker/state/keepers.h"
#include "broker/state/live-limit.h"
#include "plan/plan.h"

/* A plan as it goes to a keeper: its bytes, what they hash to, and the hash that the sandbox shows. */
typedef struct LinkPlan {
        int fd; /* negative: none */
        char digest[SHA256_HEX_SIZE], hash[SHA256_HEX_SIZE];
} LinkPlan;

void link_plan_done(LinkPlan *p);

/* All borrowed; descriptors are copied into the message. */
typedef struct LinkLaunch {
        const char *id, *invocation_id;
        const LinkPlan *plan;
        uint32_t streams; /* that the client sends on its lease (client-streams.h) */
        bool wait;        /* for READY=1, where the application says so */
        bool lease;
} LinkLaunch;

/* Whether this keeper knows of them. */
bool link_takes_streams(const KeeperEntry *keeper);

int link_launch(KeeperEntry *keeper,
                const LinkLaunch *launch,
                LinkReplyHandler handler,
                void *userdata,
                uint64_t timeout_usec);
/* The answer. *ret_lease stays the message's; negative: there is none. -EBADMSG: not the answer to this request. */
int link_launch_read(sd_bus_message *reply, const char *id, bool lease, int *ret_lease);

/* For what takes nothing but the keeper's attention. */
#define LINK_ATTENTION_USEC (30 * USEC_PER_SEC)

/*
 * A method that needs nothing but the sandbox's id: link_answer_stop() answers "Stop". With a timeout of UINT64_MAX it
 * takes as long as it takes: the keeper keeps to the profile's timeouts, and answers.
 */
int link_ask(KeeperEntry *keeper,
             const char *member,
             const char *id,
             LinkReplyHandler handler,
             void *userdata,
             uint64_t timeout_usec);

int link_kill(KeeperEntry *keeper,
              const char *id,
              const char *whom,
              int32_t signo,
              LinkReplyHandler handler,
              void *userdata);
int link_set_limits(KeeperEntry *keeper,
                    const char *id,
                    const LiveLimit *limits,
                    size_t n_limits,
                    LinkReplyHandler handler,
                    void *userdata);
