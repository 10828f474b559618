/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fuzz-plan — what must hold of every plan that was made, and a user to make plans for
 *
 * Runs in: fuzz targets. Privilege: none.
 */

#include "fuzz.h"
#include "plan/plan-compile.h"

/* alice 3001, also in staff 50 */
extern const Account fuzz_account;
/* A filter of one instruction, a host name. */
extern const PlanContext fuzz_context;

/* Encodes, decodes and encodes again: the same bytes. Its JSON is text. */
void fuzz_check_plan(const Plan *p);

/* Compiles: the plan, checked, or NULL after a refusal with words in it. Caller frees. */
Plan *fuzz_compile(const Profile *profile, const PlanRequest *request);
