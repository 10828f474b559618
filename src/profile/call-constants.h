/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * call-constants — names of what system calls take as arguments, as C has them: TIOCSTI, CLONE_NEWUSER, PROT_EXEC
 *
 * The values are those of the machine that immured was built for, as numbers of system calls are.
 *
 * Runs in: broker, immurectl. Privilege: none. Input: the admin's.
 */

#include "base/util.h"

/* One argument: numbers as C writes them (12, 0x0c, 014), constants, or several of both with "|". -EINVAL, -ERANGE. */
int call_value_parse(const char *s, uint64_t *ret);

#define ADDRESS_FAMILIES_MAX 64U

/* An address family by its name, address_families(7): "AF_UNIX". -EINVAL: there is none. */
int address_family_by_name(const char *name);
