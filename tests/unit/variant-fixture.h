/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * variant-fixture — a profile's text as what it allows: the plan for the fixture's user, and the filter
 *
 * Runs in: unit tests. Privilege: none.
 */

#include "plan-fixture.h"
#include "seccomp-program.h"

#include <jansson.h>

typedef struct Variant {
        Fixture fixture;
        json_t *plan;
        TestProgram program;
} Variant;

void variant_done(Variant *v);
#define _cleanup_variant_ _cleanup_(variant_done)

/* From the text of a profile. false: refused, or not to be launched. */
bool variant_make(Variant *v, const SeccompPolicy *policy, const char *text);
/* From a profile, of which it takes a reference. The same, also where the filter is refused. */
bool variant_of_profile(Variant *v, const SeccompPolicy *policy, Profile *profile);

bool variants_have_one_filter(const Variant *a, const Variant *b);

/* Calls that are tried: each number below the maximum with each set of arguments. */
#define VARIANT_CALL_MAX 600U
extern const uint64_t variant_arguments[][6];
extern const size_t n_variant_arguments;
bool variant_lets_through(const Variant *v, uint32_t number, const uint64_t *args);

/*
 * Fails the test, with the text, where the first allows anything that the second does not. Compared is what the fields
 * of the plans mean to the kernel; one that nothing is said about in there has to be the same.
 */
void variant_must_not_be_weaker(const Variant *asked, const Variant *whole, const char *text);
