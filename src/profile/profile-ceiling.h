/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-ceiling — what "at most as loose as the profile" means: a column of the key table, each kind of order once
 *
 * All have the form and the promise of ProfileAtMost. No value is at most as loose as one that is not known, such as a
 * limit that the profile leaves to be inherited.
 *
 * Runs in: broker, immurectl. Privilege: none. Input: values that their parsers took.
 */

#include "profile/profile-keys.h"

#define DECLARE_ORDER(name) bool name(const ProfileKey *key, const Profile *asked, const Profile *ceiling)

/* Numbers: 64 bits, 32 bits; less is tighter, but for the second. */
DECLARE_ORDER(at_most_number);
DECLARE_ORDER(at_least_number);
DECLARE_ORDER(at_most_word);
DECLARE_ORDER(at_most_guarantee); /* what is kept from others: not set is nothing */
DECLARE_ORDER(at_most_weight);    /* not set is 100 */
DECLARE_ORDER(at_most_burst);     /* 0 is any number */
DECLARE_ORDER(at_most_rlimit);
DECLARE_ORDER(at_most_nice);
DECLARE_ORDER(at_most_oom_score);
DECLARE_ORDER(at_most_umask);
DECLARE_ORDER(at_most_io);

/* Which of both is the tighter. */
DECLARE_ORDER(at_most_if_yes);
DECLARE_ORDER(at_most_if_no);

/* One of a few: at_most_name() where they count upwards from the tightest. */
DECLARE_ORDER(at_most_name);
DECLARE_ORDER(at_most_on_disconnect);
DECLARE_ORDER(at_most_home);
DECLARE_ORDER(at_most_proc);
DECLARE_ORDER(at_most_restart);

/* Lists: of what is let in, some of it; of what is kept out, all of it in its order, and more behind. */
DECLARE_ORDER(at_most_words);
DECLARE_ORDER(at_most_paths);
DECLARE_ORDER(at_least_paths);
DECLARE_ORDER(at_least_removals);
DECLARE_ORDER(at_least_refusals);
