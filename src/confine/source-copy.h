/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * source-copy — what was found on the host, turned into a mount of its own
 *
 * Life: one for all sources of a launch; source_copy_done() at the end.
 * Runs in: exec, outside. Privilege: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID in the initial user namespace.
 * Input: descriptors of what may be a hostile user's.
 */

#include "confine/problem.h"
#include "plan/plan.h"

#include <sys/types.h>

/* What is mounted below a source, where it does not come along by itself. */
typedef struct Submount {
        int fd;     /* a detached mount */
        char *path; /* below the source, "/…" */
} Submount;

typedef struct Source {
        int fd; /* a detached mount; -EBADF: the node has no source, or an optional one that is missing */
        bool is_directory;
        char *place;         /* another name that it has inside, a link; NULL: none */
        Submount *submounts; /* to be attached in this order */
        size_t n_submounts;
} Source;

void source_done(Source *s);

typedef struct SourceCopy {
        const Plan *plan;
        uint32_t base; /* as in exec.h */
        uid_t owner;   /* of the user namespaces that are made here */
        int root_fd;
        int userns_fd; /* what the user's files are shown through; -EBADF: not needed so far */
        Problem *problem;
} SourceCopy;

void source_copy_done(SourceCopy *c);

/*
 * Makes source->fd, by which it was found, a detached mount of that with the attributes of the node, idmapped if it
 * asks for that. Errors set the problem: a layer's where a file system does not support idmapped mounts.
 *
 * The kernel changes the mounts of a detached tree all at once or not at all. Where one of those below cannot be
 * idmapped because it is an automount, which holds nothing to be mapped and comes as it is, they become submounts.
 */
int source_copy(SourceCopy *c, const PlanNode *n, Source *source);
