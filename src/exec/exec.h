/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * exec — immured-exec: builds one sandbox from one plan, then is its pid 1
 *
 * One process becomes three. The OUTER half runs the OUTSIDE steps in the host's namespaces, clones the inner half
 * into new ones, runs the BESIDE steps, verifies the sandbox from outside, releases it and exits. The INNER half
 * runs the INSIDE steps and becomes the init. Its child runs the APPLICATION steps, waits to be released, and
 * executes the application.
 *
 * Life: one Exec for each process; the halves have copies.
 * Runs in: exec. Privilege: the keeper's at the start, none at the end.
 * Input: a sealed plan, checked as if hostile; descriptors and command line of the keeper (plan/launch.h).
 */

#include "confine/layers.h"
#include "confine/problem.h"
#include "confine/sources.h"
#include "confine/verify.h"
#include "plan/plan-recent.h"

/* How far the first process that failed has got with telling the keeper. */
enum {
        TELLING_NOTHING,
        TELLING_BEGUN,
        TELLING_DONE,
};
typedef _Atomic unsigned Telling;

typedef struct Exec {
        uint32_t id_block;  /* the first id of the sandbox's own block */
        uint32_t id_base;   /* what the plan's maps count from: id_block, or 0 for the host's own ids */
        PlanRecent *recent; /* where the plan is read from its descriptor */
        Plan *plan;
        Problem problem;
        const char *step; /* the step being run, for the report */

        int status_fd;      /* to the keeper */
        int result_fd;      /* to the keeper; for the init */
        int netns_fd;       /* -EBADF: none was prepared */
        int notify_fd;      /* the keeper's, to be bound in the tree; -EBADF: there is none */
        int streams_fd;     /* the client's streams come here; -EBADF: none do */
        uint32_t streams;   /* which (client-streams.h) */
        int userns_fd;      /* the sandbox's */
        pid_t userns_first; /* its first process, still to be reaped; 0: none */
        int barrier_fd;     /* between the halves; each has its own end */
        Sources *sources;
        Layers layers;
        int landlock_fd; /* the ruleset, until it is entered */
        VerifyHost host;
        Telling *telling; /* shared by the halves; NULL: there is only one process yet */
        pid_t leader;     /* as the outer half sees it; 0: there is none yet */
} Exec;

typedef enum Stage {
        STAGE_OUTSIDE,     /* host namespaces, root */
        STAGE_BESIDE,      /* the same process, while the inner half does its steps */
        STAGE_INSIDE,      /* pid 1 of new namespaces, root until "lock" */
        STAGE_APPLICATION, /* the process that becomes the application, already its user */
} Stage;

typedef struct Step {
        const char *name; /* the name of a failing step in the report */
        Stage stage;
        int (*run)(Exec *x); /* 0, or negative errno with x->problem set */
} Step;

/* The order is what makes it secure. Ends with an empty row. */
extern const Step exec_steps[];

/* What main() does. Returns the exit status. */
int exec_main(const Step *steps, int argc, char **argv);

/* Runs the steps of one stage in order, up to the first that fails. */
int exec_run_stage(Exec *x, const Step *steps, Stage stage);

/*
 * outer.c: one launch on the descriptors of plan/launch.h, with this process as the outer half. Returns the exit
 * status, or negative errno if those descriptors are missing. recent: what was read ahead, or nothing.
 */
int exec_launch(const Step *steps, uint32_t id_block, PlanRecent *recent);
/* inner.c: the inner half. Returns the exit status. */
int exec_inner(Exec *x, const Step *steps);
