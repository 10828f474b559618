/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/event.h"

#include "base/journal.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

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
        journal_append_text(&b, "SYSLOG_IDENTIFIER", log_program_name());
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
        if (r == -ENOENT || !log_is_for_systemd())
                log_message(message->priority, "%s", text);
}
