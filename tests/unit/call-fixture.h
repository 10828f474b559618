/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * call-fixture — a call as it came over a connection, with what it needs of the broker, and the answer that it gets
 *
 * Runs in: unit tests.
 */

#include "broker/call/call.h"
#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "files-fixture.h"

/* A uid that no account database has: the name service reserves it as "none of these". */
#define UID_UNUSED ((uid_t) 4294967293U)

typedef struct CallBench {
        Manager manager;
        Peer peer;   /* known, with this process' uid until the test says otherwise */
        Files files; /* one profile, "web", whose users are "nobody" */
        sd_bus *theirs;
        sd_bus_message *request;
        unsigned n_answers;
        char error[64]; /* the answer's name; "": it is none */
} CallBench;

void call_bench_new(CallBench *b);
void call_bench_done(CallBench *b);
#define _cleanup_call_bench_ _cleanup_(call_bench_done)

/* Sends "web" and options (types and values as for sd_bus_message_append()), and makes a call of what arrives. */
Call *call_bench_call(CallBench *b, const Member *member, const char *types, ...);

/* Until there are so many answers. */
void call_bench_run(CallBench *b, unsigned n_answers);
/* Until all that can be done now is done. */
void call_bench_run_out(CallBench *b);
