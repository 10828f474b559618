/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * keeper-rig — a real keeper in a cgroup and a /run of its own, and the test as its broker
 *
 * Everything asserts: without a keeper there is nothing to test. Calls wait for their answer; signals that arrive
 * meanwhile are kept in their order.
 */

#include "base/util.h"
#include "link/hello.h"
#include "link/link.h"
#include "plan/plan.h"

#include <sys/types.h>

/* Of the sandbox numbered 1; each other one ends with its own number. */
#define INVOCATION_ID "0123456789abcdef0123456789abcde1"

#define RIG_UID 3001
#define RIG_EVENTS_MAX 256

typedef struct Rig {
        char cgroup[128];
        int listen_fd;
        int log_fd; /* the keeper's standard error */
        pid_t keeper;
        sd_bus *bus;
        char *events[RIG_EVENTS_MAX]; /* "changed ID STATE", "removed ID RESULT CODE STATUS" */
        size_t n_events, n_read;
        SandboxRecord *hello[64]; /* of the last Hello */
        size_t n_hello, n_hellos;
} Rig;

/* What to launch; see rig_plan() for what is not said. */
typedef struct RigLaunch {
        const char *id;     /* NULL: "web.3001.1" */
        const char *script; /* for /bin/sh -c */
        const char *fake;   /* FAKE= for fake-exec */
        void (*change)(Plan *plan);
        const char *digest; /* NULL: that of the plan */
        bool lease;
        uint32_t streams; /* client-streams.h */
        int descriptor;   /* sent along as brokers of version 3 of the link did; 0: none */
} RigLaunch;

typedef struct RigAnswer {
        int r;
        sd_bus_error error;
        SandboxRecord *record;
        int lease;
} RigAnswer;

void rig_answer_done(RigAnswer *a);
#define _cleanup_answer_ _cleanup_(rig_answer_done)

/* False: this machine cannot do it (not root, no cgroup v2), *reason says why. */
bool rig_possible(const char **reason);
/* Once: private mounts, /run, cgroup, socket. */
void rig_open(Rig *rig);
void rig_close(Rig *rig);

void rig_start_keeper(Rig *rig);
/* Waits for its end, and takes what it said last; returns the wait status. */
int rig_wait_keeper(Rig *rig);
/* Takes its connection and its Hello. */
void rig_accept(Rig *rig);
void rig_hang_up(Rig *rig);

RigAnswer rig_launch(Rig *rig, const RigLaunch *launch);
/* Launch, to succeed. */
void rig_must_launch(Rig *rig, const RigLaunch *launch);
/* The same, and waits for this event. */
void rig_must_end(Rig *rig, const char *script, const char *event);
/* A call with an id alone, or Kill. Returns 0 or negative errno; *error may be NULL. */
int rig_call(Rig *rig, const char *method, const char *id, sd_bus_error *error);
int rig_kill(Rig *rig, const char *id, const char *whom, int signo);

/* Waits until this event comes; those before it must be changes of the same sandbox. */
void rig_expect(Rig *rig, const char *event);
void rig_forget_events(Rig *rig);
/* For cmocka's setup: ends what the test before left, should it have failed. */
int rig_clean_slate(void **state);
/* Whether it has come by now, in whatever order. */
bool rig_saw(Rig *rig, const char *event);
/* Waits until the keeper's log has this text. */
void rig_expect_log(Rig *rig, const char *text);

/* Everything a launch could leave behind, as text; caller frees. */
char *rig_snapshot(Rig *rig);
/* Fails with the first line that differs between then and now. */
void rig_expect_same(Rig *rig, const char *before);
