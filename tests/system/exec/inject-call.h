/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * inject-call — one system call of a traced process, made to fail without being made
 *
 * Life: none. Runs in: tests. Privilege: that of the tracer. Input: a process that is stopped by ptrace(2).
 */

#include <sys/types.h>

/* At the entry of a call: it becomes one that no kernel has. Negative: errno is set. */
int inject_skip_call(pid_t pid);
/* At its exit: what the process gets for it. error: positive errno. Negative: errno is set. */
int inject_answer_call(pid_t pid, int error);
