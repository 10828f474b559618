/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * authorize — whether a call may do what it is about, with polkit's word where the table leaves it to polkit
 *
 * While polkit thinks the call lies still, and is taken back when its caller goes. When the answer comes, the call is
 * run again from its beginning: caller, object, profile and access are looked at as they are then, and the answer
 * counts only if the same question comes up again.
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
        const char *user; /* his name, where it is known */
} Deed;

/* What the call is about, once its object was resolved. */
Deed deed_of_call(const Call *c);

/* Launching a profile as somebody else. target borrowed; NULL: whoever it is. */
Deed deed_launch_as(const char *profile_name, const Profile *profile, const Account *target);

/*
 * 0: the caller may. -ENOENT: to him the object does not exist. Otherwise negative, he may not: why is set as the
 * call's error.
 *
 * call_may() goes by what polkit has said; -ENOKEY: it would have to be asked. call_authorize() asks; 1: it has been
 * asked, the call is not the handler's any more.
 */
int call_may(Call *c, const Deed *deed);
int call_authorize(Call *c, const Deed *deed);

/* The caller is gone: so is every call of his that polkit is thinking about. */
void authorize_peer_gone(Peer *p);
