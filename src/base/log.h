/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * log — one line per message: to the journal under systemd, to standard error for a person
 *
 * Under systemd the journal gets an entry of its own. Standard error would be a pipe to journald, and writing to a
 * pipe waits. It is only used where there is no journal, with the <N> level prefix of sd-daemon(3).
 *
 * Only the outermost layer of broker, keeper and exec logs; the floors below return errors. The text is escaped
 * here, so that nobody can forge a second record or drive the admin's terminal.
 *
 * Runs in: broker, keeper, exec. Privilege: none. Input: hostile.
 */

#include "base/util.h"

#include <syslog.h>

/* program is borrowed for good; for_systemd: systemd reads what we say, not a person. */
void log_open(const char *program, bool for_systemd);
bool log_is_for_systemd(void);
const char *log_program_name(void);
/* Messages above this level are dropped. LOG_INFO until it is set. */
void log_set_max_level(int level);

void log_message(int level, const char *format, ...) _printf_(2, 3);

/* Logs "…: description of error" and returns the error as negative errno, for "return log_errno(r, …)". */
int log_message_errno(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_errno(error, ...) log_message_errno(LOG_ERR, (error), __VA_ARGS__)
#define log_oom() log_message_errno(LOG_ERR, -ENOMEM, "Out of memory")
