/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * authorize — whether a call may do what it is about, with polkit's word where the table leaves it to polkit
 *
 * While polkit thinks the call rests. Then it walks on from where its object is found: caller, object, profile and
 * access are looked at as they are then, and the answer counts only if the same question comes up again.
 *
 * Runs in: broker. Privilege: none. Input: the caller's words for the object, polkit's answers.
 */

#include "broker/call/call.h"

/* What the caller is about to do, as table and polkit see it. */
typedef struct Deed {
        AccessVerb verb;
        AccessObject object;
        const char
                *name; /* the sandbox's id or the profile's name, in the caller's words; NULL: it has none */
        uid_t uid;     /* of the user whom it concerns; UID_NOBODY: nobody in particular */
        const char *user; /* their name, where it is known */
} Deed;

/* The member's verb on the call's object. */
Deed deed_of_call(const Call *c);

/* Launching a profile as somebody else. target borrowed; NULL: whoever it is. */
Deed deed_launch_as(const char *profile_name, const Profile *profile, const Account *target);

/*
 * By what polkit has said. 0: the caller may. -ENOENT: to them the object does not exist. -ENOKEY: polkit would have
 * to be asked. Otherwise negative, they may not: why is set as the call's error.
 */
int call_may(Call *c, const Deed *deed);

/* The same, but asks: while it waits, the call rests. STEP_FAILED: the call's failure is what call_may() returns. */
StepAnswer call_authorize(Call *c, const Deed *deed);
