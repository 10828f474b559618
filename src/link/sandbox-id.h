/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox-id — what one sandbox, and one run of it, are called
 *
 * Runs in: keeper, broker. Privilege: none. Input: users' and keepers'.
 */

#include "base/util.h"

/* "PROFILE.UID.N" apart; outputs may be NULL. -EINVAL: no id. profile: at least 33 bytes. */
int sandbox_id_parse(const char *id, char *ret_profile, uint32_t *ret_uid, uint32_t *ret_n);

/* 32 hexadecimal digits, in lower case as sd_id128_to_string(3) writes them; false for NULL. */
bool invocation_id_is_valid(const char *s);
