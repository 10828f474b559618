/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * inject — makes one system call of one process of a launch fail, the way strace(1) does with -e inject
 *
 * strace counts the calls of all processes alike; here the n-th call is that of one of the four that a launch is made
 * of, so that each can be reached.
 *
 * Life: a tracer is a child of the test's, started before what it traces, and ends after it.
 * Runs in: unit tests, as root. Privilege: root's, for ptrace(2).
 */

#include "base/util.h"

#include <sys/types.h>

typedef enum Role {
        ROLE_OUTER,
        ROLE_FIRST, /* the first inhabitant of the user namespace */
        ROLE_INNER, /* until it waits as the init */
        ROLE_APPLICATION,
        _ROLE_MAX,
} Role;

typedef struct Injection {
        Role role;
        unsigned n; /* counted from 1; 0: nothing fails */
        int error;  /* positive errno */
} Injection;

typedef struct InjectReport {
        unsigned n_calls[_ROLE_MAX];
        bool executed; /* the application was */
        bool hit;
        long call; /* the system call that was made to fail */
} InjectReport;

typedef struct Tracer {
        pid_t pid;
        int order_fd, report_fd;
} Tracer;

const char *role_name(Role role);

/* A tracer that waits for inject_attach(). It gives up, and ends what it traces, when that takes too long. */
void inject_start(Tracer *t, const Injection *injection);
/* The process must be about to raise SIGSTOP and then to execute immured-exec. */
void inject_attach(const Tracer *t, pid_t pid);
/* When the traced have ended and the tracer is reaped. False: they took too long and were killed. */
bool inject_finish(Tracer *t, InjectReport *ret);
