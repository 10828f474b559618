/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * agent — pkttyagent(1) beside us: asks on the terminal for the password that polkit wants
 *
 * Life: from agent_open(), which returns when polkit knows of it, to agent_close().
 *
 * Runs in: immurectl. Privilege: none.
 */

#include "base/util.h"

#include <sys/types.h>

typedef struct Agent {
        pid_t pid;
} Agent;

#define AGENT_NONE ((Agent){ .pid = 0 })

/* 0, also where another agent looks after us; negative errno: none could be started. */
int agent_open(Agent *a);
void agent_close(Agent *a);
#define _cleanup_agent_ _cleanup_(agent_close)
