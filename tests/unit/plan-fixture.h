/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-fixture — a user, a profile and a request to make plans of, each test changing only what it is about
 *
 * Runs in: unit tests. Privilege: none.
 */

#include "plan/plan-compile.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct Fixture {
        Profile *profile; /* "web", running /usr/bin/true */
        Account *account; /* alice 3001, also in staff 50 and audio 29 */
        PlanRequest request;
        PlanContext context;
        Plan *plan;
        PlanRefusal refusal;
        char *text;
} Fixture;

void fixture_init(Fixture *f);
void fixture_done(Fixture *f);
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* Compiles; the plan or the refusal is in the fixture. */
int fixture_compile(Fixture *f);
void fixture_must_compile(Fixture *f);
/* Fails the test unless the request is refused, for that reason, with that word in the text. */
void fixture_must_refuse(Fixture *f, PlanRefusal refusal, const char *word);

/* Replaces an array of strings by these; the words are split at blanks. */
void set_words(char ***l, const char *words);
void set_text(char **s, const char *text);

void add_bind(Profile *p, const char *source, const char *destination, bool read_only);
void add_tmpfs(Profile *p, const char *path);
void add_path(ProfilePaths *l, const char *path);

/* The node of the plan at that target, and the last one of that kind there. */
const PlanNode *node_at(const Plan *p, const char *target);
const PlanNode *node_of_kind_at(const Plan *p, PlanNodeKind kind, const char *target);
