/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * audit-kernel — the records of the journal once more, shorter, for the audit log of the kernel
 *
 * Each is of type AUDIT_TRUSTED_APP, in words of the audit field dictionary where it has one: op, reason, res; what
 * users and admins wrote is encoded as auditd does it. The kernel adds who wrote it: the broker. Built with libaudit
 * (-Daudit=); without it, or on a kernel without an audit log, or that does not listen, nothing is written and nothing
 * fails: the journal has it all.
 *
 * Never waits: the kernel lets nobody who sends over netlink wait for room, and answers at once. Runs in: broker.
 * Privilege: CAP_AUDIT_WRITE. Input: hostile. audit_log_user_message(3), audit_encode_nv_string(3).
 */

#include "broker/call/audit.h"

/*
 * error is the name of the error, NULL where it was done; of the note, what is not known is left out.
 *
 * *fd is the log, opened here at the first record: -EBADF until then, and after audit_kernel_close(). The first
 * failure is logged, and leaves -ENOTSUP, with which nothing is tried again: what was refused once would be always.
 */
void audit_kernel_write(int *fd, const char *verb, uid_t caller, const char *error, const AuditNote *note);
void audit_kernel_close(int *fd);
