/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * app-end — how a keeper ends that is the main process of its application's unit: so that systemd sees the
 * application's own end
 *
 * Runs in: keeper. Privilege: none.
 */

#include "keeper/parts/terms.h"

/* sysexits.h: EX_CONFIG. The unit is not started again by Restart= after this (RestartPreventExitStatus=). */
#define APP_REFUSED_STATUS 78

typedef struct AppEnd {
        int status;
        int signo; /* 0: by exit(status); otherwise by this signal */
} AppEnd;

/*
 * The end of an application that ran: its own, unless systemd would judge that otherwise than the profile does.
 * What the profile calls a success is one, and what it does not is a failure; an end that somebody else brought about
 * (a deadline, the out-of-memory killer) is one that Restart=on-abnormal counts.
 */
AppEnd app_end_of(SandboxResult result, int code, int status);

/* The end of one that never ran, by the name of the error. */
AppEnd app_end_refused(const char *error_name);
/* Whether asking again after a while is all that this error asks for. */
bool app_error_is_passing(const char *error_name);

/* Ends this process by the signal, without a core. Returns only if that cannot be done. */
void app_die(int signo);
