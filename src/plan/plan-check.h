/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-check — what must hold between the fields of a plan, and how large each may be
 *
 * The field table bounds each field alone; this is the rest: ids that the maps carry, a tree whose parts do not hide
 * each other, limits that are known. The decoder runs it over every plan that arrives, plan_compile() over every plan
 * that leaves.
 *
 * Runs in: broker, keeper, exec. Privilege: none. Input: hostile.
 */

#include "plan/plan.h"

#include <limits.h>

#define PLAN_STRING_MAX (64U * 1024) /* one argument or variable */
#define PLAN_ARGV_MAX 512U
#define PLAN_ENVIRONMENT_MAX 512U
#define PLAN_GROUPS_MAX 256U
#define PLAN_ID_MAPS_MAX 340U /* user_namespaces(7) */
#define PLAN_NODES_MAX 512U
#define PLAN_DATA_MAX (64U * 1024)
#define PLAN_CGROUP_MAX 64U
#define PLAN_DEGRADE_MAX 16U
#define PLAN_INSTRUCTION_SIZE 8U    /* struct sock_filter */
#define PLAN_INSTRUCTIONS_MAX 4096U /* BPF_MAXINSNS */
#define PLAN_PICKED_IDS_MAX 65536U  /* size of the block of picked host ids */

/* The capabilities this version has names for; none beyond can be asked for. */
#define PLAN_CAPABILITIES_ALL ((UINT64_C(1) << 41) - 1)

/*
 * What keeps an application from the socket for notifications, or could take its place: another node in its directory,
 * something in front of it. NULL: nothing, or the plan has no such socket.
 */
const PlanNode *plan_notify_obstacle(const Plan *p);

/* 0 or -EBADMSG. The fields themselves were checked by the table. */
int plan_check(const Plan *p);

/* The controller of a cgroup file that a plan may set, or NULL. */
const char *plan_cgroup_layer(const char *file);
