/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * stream-holder — a process that receives the streams of a client and hands them to each run of a sandbox
 *
 * The keeper must not hold them itself: to close one may take as long as its user likes. The process is an
 * immured-exec (plan/launch.h) in a cgroup of the sandbox's own, which lasts longer than that of a run.
 *
 * Life: from the launch of a sandbox with streams and Restart= until its end. Once freed, process and cgroup go as
 * soon as what is held is closed, and nobody waits for that.
 * Runs in: keeper. Privilege: root. Input: none; what the client sends goes to the process alone.
 */

#include "base/util.h"
#include "keeper/parts/cgroup.h"
#include "keeper/parts/lease-server.h"

#include <systemd/sd-event.h>

typedef struct StreamHolder StreamHolder;

/* All borrowed. */
typedef struct StreamHolderRequest {
        sd_event *event;
        const CgroupUnit *unit;
        int exec_fd, null_fd;
        const char *cgroup_name; /* of the sandbox's runs; this one is NAME.streams */
        uint32_t streams;        /* client-streams.h */
        const LeaseServer *lease;
} StreamHolderRequest;

/* Errors as of spawn() and cgroup_create(). */
int stream_holder_new(StreamHolder **ret, const StreamHolderRequest *request);
StreamHolder *stream_holder_free(StreamHolder *h); /* takes NULL, returns NULL */

/* Whether it still holds them, or waits for them. */
bool stream_holder_is_alive(const StreamHolder *h);

/* A socket whose one packet brings the streams, as soon as they have come; the caller's. -EPIPE: nobody holds them. */
int stream_holder_lend(StreamHolder *h);
