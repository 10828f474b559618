/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include "base/journal.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>

static const char *log_program = "immured";
static bool log_for_systemd = false;
static int log_max_level = LOG_INFO;

void log_open(const char *program, bool for_systemd) {
        log_program = program;
        log_for_systemd = for_systemd;
        /* Should this fail, every message tries again. */
        (void) journal_open();
}

void log_set_max_level(int level) { log_max_level = level; }

bool log_is_for_systemd(void) { return log_for_systemd; }

const char *log_program_name(void) { return log_program; }

/* Whether the journal took it, or dropped it because it was busy: then it must not go to standard error either. */
static bool log_to_journal(int level, const char *text, const char *suffix) {
        _cleanup_buffer_ Buffer b = {};

        buffer_printf(
                &b, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s%s\n", level, log_program, text, suffix);
        return buffer_error(&b) >= 0 && journal_send(&(struct iovec){ b.data, b.size }, 1) != -ENOENT;
}

/* One writev(2) per line, so that the lines of several processes do not mix. */
static void log_write(int level, const char *text, const char *suffix) {
        char prefix[64];
        struct iovec v[4];

        if (log_for_systemd && log_to_journal(level, text, suffix))
                return;

        if (log_for_systemd)
                (void) snprintf(prefix, sizeof(prefix), "<%d>", level);
        else
                (void) snprintf(prefix, sizeof(prefix), "%s: ", log_program);

        v[0] = (struct iovec){ prefix, strlen(prefix) };
        v[1] = (struct iovec){ (char *) text, strlen(text) };
        v[2] = (struct iovec){ (char *) suffix, strlen(suffix) };
        v[3] = (struct iovec){ (char *) "\n", 1 };
        /* There is nobody left to tell when standard error is gone. */
        if (writev(STDERR_FILENO, v, ELEMENTSOF(v)) < 0)
                return;
}

_printf_(3, 0) static void log_messagev(int level, const char *suffix, const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL, *escaped = NULL;

        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        if (text)
                escaped = text_escape(text);

        log_write(level, escaped ?: "(no memory for the message)", suffix);
}

void log_message(int level, const char *format, ...) {
        int saved = errno;
        va_list ap;

        if (level > log_max_level)
                return;

        va_start(ap, format);
        log_messagev(level, "", format, ap);
        va_end(ap);
        errno = saved;
}

int log_message_errno(int level, int error, const char *format, ...) {
        int saved = errno, code = abs(error);
        char suffix[128];
        va_list ap;

        if (level <= log_max_level) {
                const char *name = strerrordesc_np(code);

                if (name)
                        (void) snprintf(suffix, sizeof(suffix), ": %s", name);
                else
                        (void) snprintf(suffix, sizeof(suffix), ": error %d", code);
                va_start(ap, format);
                log_messagev(level, suffix, format, ap);
                va_end(ap);
        }

        errno = saved;
        return -code;
}
