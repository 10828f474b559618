/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * seccomp-program — for tests: compiles profiles against the shipped groups, and runs the programs without a
 * kernel
 *
 * Runs in: tests. Privilege: none.
 */

#include "seccomp/seccomp-compile.h"

typedef struct TestProgram {
        uint8_t *data; /* struct sock_filter[] */
        size_t size;   /* bytes */
} TestProgram;

void test_program_done(TestProgram *p);
#define _cleanup_program_ _cleanup_(test_program_done)

/* The groups of the source tree; asserts that they load without a finding. */
SeccompPolicy *test_policy_load(void);

/* A profile as the keys' defaults make it; everything in it is borrowed. */
Profile test_profile(void);
/* The same with every restriction off and all sockets but of AF_UNIX refused. */
Profile test_profile_unrestricted(void);

/* Asserts that it compiles. */
void test_program_compile(TestProgram *ret, const SeccompPolicy *policy, const Profile *profile);

/*
 * What the kernel would make of a call: SECCOMP_RET_… with its data. Asserts that the program is
 * well-formed.
 */
uint32_t
test_program_run(const TestProgram *p, uint32_t arch, uint32_t number, const uint64_t args[static 6]);
/* The same for a native call by name. */
uint32_t test_program_call(const TestProgram *p, const char *name, const uint64_t args[static 6]);
