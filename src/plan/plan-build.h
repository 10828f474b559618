/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-build — what the parts of the compiler share while one plan is being made
 *
 * Each part fills its fields of build->plan from the rest. Errors: -EINVAL after plan_refuse() said why, -ENOMEM.
 *
 * Runs in: broker. Privilege: none. Input: the profile is the admin's, the request a hostile user's.
 */

#include "plan/plan-compile.h"

typedef struct PlanBuild {
        const Profile *profile;
        const Account *account;
        const PlanRequest *request;
        const PlanContext *context;
        char *home;              /* normalized */
        char *runtime_directory; /* %t */
        Plan *plan;
        uint8_t *bytes; /* its newest encoding, at the end */
        size_t n_bytes;
        PlanRefusal refusal;
        char *text;
} PlanBuild;

/* Fills some fields. */
typedef int (*PlanPart)(PlanBuild *b);
/* One after the other, until one fails; NULL ends the list. */
int plan_build_parts(PlanBuild *b, const PlanPart *parts);

/* Notes why the request is refused and returns -EINVAL, or -ENOMEM. */
int plan_refuse_as(PlanBuild *b, PlanRefusal refusal, const char *format, ...) _printf_(3, 4);
/* The usual reason: BadSetting. */
#define plan_refuse(b, ...) plan_refuse_as(b, PLAN_REFUSAL_BAD_SETTING, __VA_ARGS__)

/* A node as the functions below take it, and as a row of a table. */
#define PLAN_NODE_ROW(kind_, target_, flags_, ...) \
        { .kind = PLAN_NODE_##kind_, .target = (char *) (target_), .flags = (flags_), __VA_ARGS__ }
#define PLAN_NODE(...) (&(const PlanNode) PLAN_NODE_ROW(__VA_ARGS__))
/* What no mount of a sandbox lets through, but for those of devices. */
#define PLAN_NODE_SAFE (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)

/* The node with this target; NULL: there is none. */
PlanNode *plan_node_at(Plan *p, const char *target);
/* Among the first n nodes, the one whose target is path or nearest above it; NULL: only the root is. */
const PlanNode *plan_node_containing(const Plan *p, size_t n, const char *path);

/* Appends a copy of the node, texts and all. */
int plan_add_node(PlanBuild *b, const PlanNode *node);
/* The same, in the place of a node with that target. */
int plan_put_node(PlanBuild *b, const PlanNode *node);
/* Puts the nodes from that one on in order: parents before what is in them. */
void plan_sort_nodes(PlanBuild *b, size_t from);

/* A place where [Files] mounts something; noted in *seen, so that each is named once. */
int plan_check_destination(PlanBuild *b, const char *key, const char *path, char ***seen);
/*
 * A writable mount of the host's files. Refused for root where what root's application leaves there could serve
 * others.
 */
int plan_check_writable(PlanBuild *b, const char *key);

/* plan-specifier.c: text with %u, %h and the like expanded; caller frees. key is named in the refusal. */
int plan_expand(PlanBuild *b, const char *key, const char *text, char **ret);
/* The same for a path, which must come out absolute and is normalized. */
int plan_expand_path(PlanBuild *b, const char *key, const char *text, char **ret);

/* plan-notify.c: whose notifications are heard; comes before whatever depends on it. */
int plan_build_notify(PlanBuild *b);
/* plan-process.c: argv, environment, working directory, streams, limits, capabilities. */
int plan_build_process(PlanBuild *b);
/* plan-ids.c: supplementary groups and id maps. */
int plan_build_ids(PlanBuild *b);
/* plan-cgroup.c: values of the sandbox's cgroup, Degrade=. */
int plan_build_cgroup(PlanBuild *b);
/* plan-tree.c: the whole tree, from the default one and [Files], with the help of those below. */
int plan_build_tree(PlanBuild *b);

/* plan-etc.c: the synthesized files of /etc. */
int plan_build_etc(PlanBuild *b);

/*
 * plan-notify.c: the socket's place in the tree; and once the tree is whole, whether [Files] left it alone.
 */
int plan_add_notify_socket(PlanBuild *b);
int plan_check_notify_socket(PlanBuild *b);

/* plan-files.c: what [Files] adds to the default tree, before the tree is put in order. */
int plan_build_mounts(PlanBuild *b);

/*
 * plan-state.c: directories that are kept or created for the application, and the variables that name them.
 */
int plan_build_state(PlanBuild *b, char ***seen);
int plan_add_persistent_home(PlanBuild *b);
/*
 * i counts from 0; *ret_value stays NULL where the profile names none of that kind. -ENOENT: there is no such kind.
 */
int plan_state_variable(PlanBuild *b, size_t i, const char **ret_name, char **ret_value);

/* plan-modify.c: what [Files] changes of the tree once it is in order: masks, read-only parts, and so on. */
int plan_build_modifiers(PlanBuild *b);
