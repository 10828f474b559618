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

/* clang-format off */
const EventMessage event_messages[_EVENT_MAX] = {
        [EVENT_SANDBOX_STARTED]     = { "d891a1bf59d049cc15fdac54177e13f7", LOG_INFO },
        [EVENT_SANDBOX_ENDED]       = { "d474c499cee3b9d92419f2176e89b8a9", LOG_INFO },
        [EVENT_SANDBOX_FAILED]      = { "738bae3393d7518234fde6973996bfa8", LOG_NOTICE },
        [EVENT_PROFILE_REFUSED]     = { "a0b0dd188deb1c45871ffccf740f0a06", LOG_ERR },
        [EVENT_RELOADED]            = { "94851a8002e3d01c964250b1af68d5a0", LOG_INFO },
        [EVENT_RELOAD_REFUSED]      = { "2404da30242b5930feff21e99708f824", LOG_ERR },
        [EVENT_REQUEST_DONE]        = { "d0ab36214f23a779fc89bb1e0f45fb95", LOG_INFO },
        [EVENT_REQUEST_FAILED]      = { "f4f0b33df8e37e664dda94243d84b2a6", LOG_NOTICE },
        [EVENT_REQUEST_DENIED]      = { "e2e952a6bb69dffc66d06ce9b89767e7", LOG_NOTICE },
        [EVENT_REQUESTS_SUPPRESSED] = { "41ef2df1b3ee9c7b778bdccfe068bedb", LOG_WARNING },
        [EVENT_KEEPER_GONE]         = { "d34c7fe86e3a2961a228449574e2fa79", LOG_WARNING },
};
/* clang-format on */

static void append_escaped(Buffer *b, const char *name, const char *value) {
        _cleanup_free_ char *escaped = text_escape(value);

        if (escaped)
                journal_append_text(b, name, escaped);
        else
                b->error = -ENOMEM;
}

static int send_event(const EventMessage *message, const EventField *fields, size_t n, const char *text) {
        _cleanup_buffer_ Buffer b = {};

        journal_append_text(&b, "MESSAGE_ID", message->id);
        buffer_printf(&b, "PRIORITY=%d\n", message->priority);
        journal_append_text(&b, "SYSLOG_IDENTIFIER", log_program);
        append_escaped(&b, "MESSAGE", text);
        for (size_t i = 0; i < n; i++)
                if (fields[i].value)
                        append_escaped(&b, fields[i].name, fields[i].value);

        if (buffer_error(&b) < 0)
                return buffer_error(&b);

        return journal_send(&(struct iovec){ b.data, b.size }, 1);
}

void event_log_message(
        const EventMessage *message, const EventField *fields, size_t n, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                (void) log_oom();
                return;
        }

        r = send_event(message, fields, n, text);
        if (r == -ENOENT || !log_for_systemd)
                log_message(message->priority, "%s", text);
}
