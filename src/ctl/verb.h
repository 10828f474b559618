/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * verb — the table of everything that immurectl can do
 *
 * Runs in: immurectl. Privilege: none.
 */

#include "ctl/options.h"

/*
 * Does it. args holds n words without options, as many as the row allows. Returns the exit status, or negative errno
 * after it has written to standard error what went wrong.
 */
typedef int (*VerbFunction)(const Options *o, int n, char **args);

typedef struct Verb {
        const char *name;
        int min_args, max_args; /* max -1: any number */
        unsigned options;       /* OptionGroups that it takes, beside OPTION_ALWAYS */
        bool in_order;          /* options only before the first word */
        int failure;            /* exit status for a failure of its own */
        const char *synopsis;   /* of its words */
        VerbFunction function;
        const char *help;   /* one line, without a full stop */
        const char *method; /* of the manager, for verb_for_sandboxes() */
} Verb;

/* In the order of the help. Public, as verb_find() is, for the test that looks at every row. */
extern const Verb verbs[];
extern const size_t n_verbs;

/* NULL: no such verb. */
const Verb *verb_find(const char *name);

/* The whole command line, from argv[0]: the exit status. */
int verb_dispatch(int argc, char **argv);

int verb_run(const Options *o, int n, char **args);
int verb_launch(const Options *o, int n, char **args);
int verb_plan(const Options *o, int n, char **args);
int verb_list(const Options *o, int n, char **args);
int verb_status(const Options *o, int n, char **args);
/* Calls the row's method for each of the sandboxes; without any, for those that have failed. */
int verb_for_sandboxes(const Options *o, int n, char **args);
int verb_set_property(const Options *o, int n, char **args);
int verb_ps(const Options *o, int n, char **args);
int verb_faults(const Options *o, int n, char **args);
int verb_profiles(const Options *o, int n, char **args);
int verb_enable(const Options *o, int n, char **args);
int verb_disable(const Options *o, int n, char **args);
int verb_can(const Options *o, int n, char **args);
int verb_who_can(const Options *o, int n, char **args);
int verb_reload(const Options *o, int n, char **args);
int verb_lint(const Options *o, int n, char **args);
int verb_cat(const Options *o, int n, char **args);
int verb_keys(const Options *o, int n, char **args);
