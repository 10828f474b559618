/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * exit-status — what `immurectl run` exits with, as shells and env(1) do
 *
 * The application's own status; 128+N if signal N ended it; 127 if the program does not exist, 126 if it could not
 * be executed for another reason; 125 if it never ran otherwise, or nobody can tell what became of it.
 *
 * Runs in: immurectl. Privilege: none. Input: the keeper's packets and the broker's errors.
 */

#include "link/link.h"

#define EXIT_STATUS_OWN 125
#define EXIT_STATUS_NOT_EXECUTABLE 126
#define EXIT_STATUS_NOT_FOUND 127
#define EXIT_STATUS_SIGNAL 128

/* What the keeper has said over the lease so far. */
typedef struct LeaseReport {
        bool executed; /* the application was; it need not be ready */
        bool ended;    /* result is final */
        char result[32];
        char code[16];
        int status;      /* exit status or signal; -1: there was none */
        char error[128]; /* of the bus: why it never ran */
        char text[1024]; /* the same for people */
} LeaseReport;

#define LEASE_REPORT_INIT ((LeaseReport){ .status = -1, .error = ERROR_SETUP_FAILED })

/*
 * Adds what one packet of the lease (link/lease.h) says to the report; unknown names are skipped. -EBADMSG: no such
 * packet, and the report is unchanged.
 */
int lease_report_read(LeaseReport *report, const char *packet, size_t size);

/* The exit status for a report that has ended. */
int exit_status_from_report(const LeaseReport *report);

/* The exit status for a launch that the broker refused with this error. Both may be NULL. */
int exit_status_from_error(const char *name, const char *message);
