/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * process — one program that the keeper has immured-exec start: what is reported of it, and how it ends
 *
 *   outer    immured-exec's outer half: sets up and verifies, then exits
 *   leader   pid 1 of the sandbox, a child of the keeper, too (CLONE_PARENT)
 *   main     the program itself, behind a pidfd
 *
 * The status socket carries records of plan/launch.h and ends with the execution; the result pipe carries the wait
 * status of the program, which pid 1 has waited for.
 *
 * Life: from before immured-exec is started until whoever started it has heard how it ended.
 * Runs in: keeper. Privilege: root. Input: records of immured-exec; the wait status (hostile).
 */

#include "base/util.h"
#include "keeper/parts/log-streams.h"

#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Process Process;

/* What it tells its owner. */
typedef struct ProcessHandlers {
        /* The client's streams have come, which it waited for. */
        void (*streams)(void *userdata);
        /* It was verified, with these layers in force ("a b c"). An error means that it cannot go on. */
        int (*verified)(void *userdata, const Process *p, const char *layers);
        /* It will never run; an error of the bus says why. May come again: the first reason is the true one. */
        void (*failed)(void *userdata, const char *error_name, const char *text);
        /* Something came that its owner may be waiting for. May free the process. */
        void (*advanced)(void *userdata);
} ProcessHandlers;

struct Process {
        const ProcessHandlers *handlers;
        void *userdata;
        LogStreams *streams; /* the owner's; NULL: nothing of it is logged */
        pid_t outer;         /* 0: reaped */
        pid_t leader;        /* 0: not known yet, or reaped */
        int leader_status;   /* its wait status, when reaped */
        pid_t main;
        int main_fd;
        int status_fd, result_fd;
        sd_event_source *status_event;
        bool verified; /* the outer half has said so */
        bool executed; /* the program runs, or did */
};

/* *ret_status, *ret_result: the ends for immured-exec. Its pid is put into outer by whoever starts it. */
int process_new(Process **ret,
                sd_event *event,
                LogStreams *streams,
                const ProcessHandlers *handlers,
                void *userdata,
                int *ret_status,
                int *ret_result);
/* Takes NULL, returns NULL. What still runs is not ended by this. */
Process *process_free(Process *p);
DECLARE_CLEANUP(Process *, process_free);

/* Whether this child is, or by now turns out to be, one of its. Tells nobody. */
bool process_owns(Process *p, pid_t pid);
/* A child that it owns was reaped. */
void process_reaped(Process *p, pid_t pid, int wait_status);

/* Both children were reaped, and all that they reported was read. */
bool process_is_over(const Process *p);

/* How the program ended, once it is over: CLD_EXITED and the exit status, or another CLD_… and the signal. */
void process_read_ending(const Process *p, int *ret_code, int *ret_status);
