/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * log — one line a message: to the journal when systemd reads what we say, to standard error when a person does
 *
 * The journal gets it as an entry, and not through standard error: that is a pipe to it, and writing to one waits. It
 * is used, with the <N> level prefix of sd-daemon(3), where there is no journal.
 *
 * Only the outermost layer of broker, keeper and exec logs; the floors below return errors. Text from outside is
 * escaped here, so that nobody can forge a second record or drive the admin's terminal.
 *
 * Runs in: broker, keeper, exec. Privilege: none.
 */

#include "base/util.h"

#include <syslog.h>

/* Whether systemd reads standard error, or a person does. */
void log_open(const char *program, bool for_systemd);
bool log_is_for_systemd(void);
const char *log_program_name(void);
/* Messages above this level are dropped; LOG_INFO until set. */
void log_set_max_level(int level);

void log_message(int level, const char *format, ...) _printf_(2, 3);

/* Logs "…: strerror" and returns the negative errno it was given, so that "return log_errno(r, …)" works. */
int log_message_errno(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_errno(error, ...) log_message_errno(LOG_ERR, (error), __VA_ARGS__)
#define log_oom() log_message_errno(LOG_ERR, -ENOMEM, "Out of memory")
