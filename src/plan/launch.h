/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * launch — what keeper and immured-exec agree on: descriptors, command line, status records
 *
 * The keeper executes `immured-exec ID ID_BLOCK` inside the sandbox's cgroup with exactly the descriptors below.
 * ID_BLOCK is the first of the sandbox's own block of host ids, in decimal. A plan with PRIVATE_USERS_PICK maps ids of
 * the block from its beginning; whatever the plan maps, LAUNCH_OWNER_ID is the owner of the sandbox's user namespace.
 *
 * Or `immured-exec --seed TITLE`, ahead of any launch: with a socket for LaunchOrders on LAUNCH_FD_SEED, /dev/null on
 * the streams, and nothing else. Each order makes it fork a process that is the keeper's child, in the cgroup of the
 * order, and from there on all that `immured-exec ID ID_BLOCK` would be; it is shown as that in the place of TITLE.
 *
 * Runs in: keeper, exec. Privilege: none.
 */

#include "base/util.h"

#include <sys/types.h>

#define LAUNCH_ID_BLOCK_SIZE UINT32_C(65536)

/*
 * The last id of a block: mapped nowhere, and no process runs as it. What the kernel counts for each user is charged
 * to the owner of the user namespace as well, one level up (kernel/ucount.c); if that were root, one sandbox at its
 * limit would leave nothing to the host's root and to all other sandboxes.
 */
#define LAUNCH_OWNER_ID(base) ((base) + LAUNCH_ID_BLOCK_SIZE - 1)

typedef enum LaunchFd {
        /* 0, 1, 2: the application's own streams. Those that are not there come on LAUNCH_FD_STREAMS. */
        LAUNCH_FD_PLAN = 3,   /* sealed memfd */
        LAUNCH_FD_STATUS = 4, /* SEQPACKET socket of LaunchStatus; end of file: executed */
        LAUNCH_FD_RESULT = 5, /* pipe, for the init alone: int32_t wait status of the application */
        LAUNCH_FD_NETNS = 6,  /* a prepared network namespace; absent: immured-exec makes one */
        LAUNCH_FD_NOTIFY =
                7, /* DGRAM socket, to be bound inside; there if and only if the plan has a place for it */
        LAUNCH_FD_STREAMS =
                8, /* SEQPACKET socket, whose next packet brings streams (client-streams.h); absent: none come */
        _LAUNCH_FD_END = 9,
} LaunchFd;

#define LAUNCH_FD_SEED \
        3 /* SEQPACKET: first an int32_t, the seed's pid; then one for each LaunchOrder, a pid or negative errno */

/*
 * Or `immured-exec --hold TITLE`, for streams that a client sends once and each run needs: with LAUNCH_FD_STREAMS, the
 * numbers of the streams as above, and a socket on LAUNCH_FD_HOLDER. Each packet there brings a socket, to which the
 * streams are sent as the client has sent them; the first once they have come.
 */
#define LAUNCH_FD_HOLDER 3

/* Comes with the directory of the cgroup, followed by the descriptors in the set, lowest number first. */
typedef struct LaunchOrder {
        uint32_t id_block;
        uint32_t fds;   /* bit N: LaunchFd N */
        char title[56]; /* NUL-terminated */
} LaunchOrder;

_Static_assert(sizeof(LaunchOrder) == 64, "one order is one packet");

/* Room for both words and their terminating NULs. */
#define LAUNCH_TITLE_SIZE (sizeof(((LaunchOrder *) NULL)->title) + sizeof("4294967295"))

typedef enum LaunchStatusKind {
        /*
         * step, error, text (which says the error too); a leader other than 0 is still to be reaped. Nothing will
         * run.
         */
        LAUNCH_STATUS_FAILED = 1,
        LAUNCH_STATUS_VERIFIED = 2, /* everything was read back; text: the enforced layers, blanks between;
                                     * fds: pidfd of the sandbox's pid 1, pidfd of the application */
        LAUNCH_STATUS_STREAMS = 3,  /* those that were to come have come, and LAUNCH_FD_STREAMS is closed */
} LaunchStatusKind;

/* What kind of error a failed step is on the bus. */
typedef enum LaunchFailure {
        LAUNCH_FAILURE_SETUP = 0,        /* SetupFailed */
        LAUNCH_FAILURE_LAYER = 1,        /* LayerUnavailable: text starts with the layer's name and ": " */
        LAUNCH_FAILURE_VERIFICATION = 2, /* VerificationFailed */
} LaunchFailure;

typedef struct LaunchStatus {
        uint32_t kind;    /* LaunchStatusKind */
        uint32_t failure; /* LaunchFailure */
        int32_t error;    /* positive errno, or 0 */
        int32_t leader;   /* pid 1 of the sandbox, in the keeper's pid namespace */
        int32_t main;     /* the application, in the keeper's pid namespace; equals leader without an init */
        char step[24];    /* NUL-terminated */
        char text[468];   /* NUL-terminated */
} LaunchStatus;

_Static_assert(sizeof(LaunchStatus) == 512, "one record is one packet");
