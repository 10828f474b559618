/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * exec — immured-exec: builds one sandbox from one plan, then is its pid 1
 *
 * Three processes come out of one. The OUTER half does the OUTSIDE steps in the host's namespaces, makes the inner
 * half in new ones, does the BESIDE steps, verifies the sandbox from outside, lets it go, and is gone. The INNER half
 * does the INSIDE steps and becomes the init. Its child does the APPLICATION steps, waits to be let go, and executes
 * the application.
 *
 * Life: one process, one Exec; halves have copies.
 *
 * Runs in: exec. Privilege: the keeper's at the start, none at the end.
 * Input: a sealed plan, checked as hostile; descriptors and command line of the keeper (plan/launch.h).
 */

#include "confine/layers.h"
#include "confine/problem.h"
#include "confine/sources.h"
#include "confine/verify.h"
#include "plan/plan.h"

/* How far the keeper is told that the launch has failed, by the first of its processes that did. */
enum {
        TELLING_NOTHING,
        TELLING_BEGUN,
        TELLING_DONE,
};
typedef _Atomic unsigned Telling;

typedef struct Exec {
        uint32_t id_block; /* the first id of the sandbox's own block */
        uint32_t id_base;  /* what the plan's maps count from: id_block, or 0 for the host's own ids */
        Plan *plan;
        Problem problem;
        const char *step; /* the one being run, for the report */

        int status_fd;      /* to the keeper */
        int result_fd;      /* to the keeper, init's */
        int netns_fd;       /* -EBADF: none was prepared */
        int notify_fd;      /* the keeper's, to be given its place in the tree; -EBADF: there is none */
        int userns_fd;      /* the sandbox's */
        pid_t userns_first; /* its first process, still to be reaped; 0: none */
        int barrier_fd;     /* between the halves; each has its own end */
        Sources *sources;
        Layers layers;
        int landlock_fd; /* the rules, until they are entered */
        VerifyHost host;
        Telling *telling; /* shared by the halves; NULL: there is one process yet */
        pid_t leader;     /* the outer half's view; 0: there is none yet */
} Exec;

typedef enum Stage {
        STAGE_OUTSIDE,     /* host namespaces, root */
        STAGE_BESIDE,      /* the same process, while the inner half does its steps */
        STAGE_INSIDE,      /* pid 1 of new namespaces, root until "user-namespace" */
        STAGE_APPLICATION, /* the process that becomes the application, already its user */
} Stage;

typedef struct Step {
        const char *name; /* what a failing step is called in the report */
        Stage stage;
        int (*run)(Exec *x); /* 0, or negative errno with x->problem set */
} Step;

/* The order is the security property; ends with an empty row. */
extern const Step exec_steps[];

/* What main() does: takes the descriptors, runs the steps. Returns the exit status. */
int exec_main(const Step *steps, int argc, char **argv);

/* Runs the steps of one stage in their order up to the first that fails. */
int exec_run_stage(Exec *x, const Step *steps, Stage stage);

/*
 * outer.c: one launch on the descriptors of plan/launch.h, in this process as the outer half. Returns the exit status;
 * negative errno: those descriptors are not there.
 */
int exec_launch(const Step *steps, uint32_t id_block);
/* inner.c: the other half. Returns the exit status. */
int exec_inner(Exec *x, const Step *steps);
