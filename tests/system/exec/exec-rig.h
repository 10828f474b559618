/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * exec-rig — a keeper in miniature: hands immured-exec a plan and the descriptors of plan/launch.h, and takes back all
 * that comes
 *
 * Runs in: unit tests, as root. Privilege: the keeper's.
 */

#include "plan/launch.h"
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RIG_UID 3001
#define RIG_GID 3001
#define RIG_ID_BASE 600000
#define RIG_ID_BASE_TEXT "600000"

/* A plan of alice's that runs `/probe VERB…` in the default tree, with a directory /ro that has masks in it. */
Plan *rig_plan_new(const char *words);
/* Valid until the next one is added. */
PlanNode *rig_add_node(Plan *p, PlanNodeKind kind, uint32_t flags, const char *source, const char *target);
void rig_add_rlimit(Plan *p, uint8_t resource, uint64_t soft, uint64_t hard);
void rig_set_argv(Plan *p, const char *words);
/* One id alone, or the first 65536, as the host's own. */
void rig_use_ids(Plan *p, PrivateUsers private_users);

/* A scratch directory of the host's, gone at the end: path below it. alice owns what is made there by rig_make_…. */
void rig_setup(void);
void rig_teardown(void);
const char *rig_path(const char *below); /* valid until the 8th call after */
void rig_make_file(const char *below, const char *text);
void rig_make_directory(const char *below);

typedef struct Run {
        pid_t outer;
        int status_fd, result_fd, output_fd;
        int netns_fd;                /* -EBADF: exec makes one */
        int input_fd;                /* 0: /dev/null */
        int notify_fd;               /* 0: none */
        const struct Tracer *tracer; /* NULL: nobody watches; else inject_start() was called */

        bool failed, verified, has_result;
        LaunchStatus failure, verification;
        int pidfds[2];
        int32_t result;   /* wait status of the application, from the init */
        int outer_status; /* wait status */
        int leader_status;
        unsigned
                n_loose; /* processes that lost their parent; without a tracer that fails the test at once */
        char output[128 * 1024];
} Run;

/* Starts program (NULL: immured-exec) on the plan; the environment has FAULT= when fault is not NULL. */
void rig_start(Run *r, const Plan *p, const char *program, const char *fault);
/* Takes the status records until the end: the application was executed, or nothing will be. */
void rig_wait_executed(Run *r);
/* Reads the application's output up to this text. */
void rig_wait_output(Run *r, const char *text);
/* Everything to its end; checks that no process is left. */
void rig_finish(Run *r);

/* Ends it, whatever it is doing. */
void rig_kill(Run *r);
/* All processes below this one, parents first; how many there are of the first max. */
size_t rig_processes(pid_t *ret, size_t max);

/* All at once; what went wrong fails the test. */
void rig_run(Run *r, const Plan *p);
/* The same, but it must fail, at that step with that text and failure. */
void rig_must_fail(
        Run *r, const Plan *p, const char *fault, const char *step, LaunchFailure failure, const char *text);

/* Whether the output has this whole line; the value behind NAME=, static. */
bool rig_has_line(const Run *r, const char *line);
const char *rig_value(const Run *r, const char *name);
