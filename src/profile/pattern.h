/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * pattern — extended regular expressions that cost what their length says, whatever they are held against
 *
 * An administrator writes the pattern, but anybody chooses the text, and the broker serves nobody else meanwhile. So
 * what a matcher could brood over is refused when the profile is read: references back (each is a search of its own),
 * repetitions of repetitions (their compilation doubles with each), and more copies than PATTERN_NODES_MAX. A match is
 * one of the whole text: the pattern is compiled between anchors, without which a search would begin anew at each
 * character.
 *
 * Runs in: broker, immurectl. Privilege: none. Input: the pattern an administrator's, the text hostile. regex(7).
 */

#include "base/util.h"

#define PATTERN_NODES_MAX 512U /* characters and sets, after every repetition is written out */
#define PATTERN_LOOPS_MAX 4U   /* repetitions one within the other */
#define PATTERN_GROUPS_MAX 8U  /* parentheses one within the other */

/* -EINVAL, and *ret_why (static text) says what is wrong; -ENOMEM. */
int pattern_check(const char *pattern, const char **ret_why);

/* Whether it matches all of the text. -EINVAL: it did not pass pattern_check(). -ENOMEM. */
int pattern_matches(const char *pattern, const char *text);
