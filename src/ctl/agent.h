/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * agent — runs pkttyagent(1), which asks on the terminal for the password that polkit wants
 *
 * Life: from agent_open(), which returns once it has registered with polkit, to agent_close().
 *
 * Runs in: immurectl. Privilege: none.
 */

#include "base/util.h"

#include <sys/types.h>

typedef struct Agent {
        pid_t pid;
} Agent;

#define AGENT_NONE ((Agent){ .pid = 0 })

/* 0: an agent is there, this one or another; negative errno: none could be started. */
int agent_open(Agent *a);
void agent_close(Agent *a);
#define _cleanup_agent_ _cleanup_(agent_close)
