/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/event.h"
#include "keeper/sandbox/sandbox.h"

#include <inttypes.h>
#include <stdio.h>

#define EXTRA_MAX 8

typedef char Number[24];

static const char *number(Number buffer, uint64_t n) {
        (void) snprintf(buffer, sizeof(Number), "%" PRIu64, n);
        return buffer;
}

/* The broker and the keeper put the same fields into entries about a sandbox. OBJECT_PID: see sd_journal_send(3). */
static void sandbox_log(const Sandbox *s,
                        const EventMessage *message,
                        const EventField *extra,
                        size_t n_extra,
                        const char *text) {
        const SandboxRecord *record = s->record;
        Number uid, pid;
        EventField fields[6 + EXTRA_MAX] = {
                { "IMMURED_ID", record->id },
                { "IMMURED_PROFILE", record->profile },
                { "IMMURED_USER", record->user },
                { "IMMURED_UID", number(uid, record->uid) },
                { "INVOCATION_ID", record->invocation_id },
                { "OBJECT_PID", record->main_pid > 0 ? number(pid, record->main_pid) : NULL },
        };

        for (size_t i = 0; i < n_extra && i < EXTRA_MAX; i++)
                fields[6 + i] = extra[i];
        event_log_message(message, fields, 6 + MIN(n_extra, (size_t) EXTRA_MAX), "%s %s", record->id, text);
}

void sandbox_tell_started(const Sandbox *s) {
        char text[64];

        (void) snprintf(text, sizeof(text), "has started, PID %" PRIu32, s->record->main_pid);
        sandbox_log(s, &event_messages[EVENT_SANDBOX_STARTED], NULL, 0, text);
}

void sandbox_tell_ended(const Sandbox *s) {
        const SandboxRecord *record = s->record;
        bool failed = record->result != SANDBOX_SUCCESS;
        const char *result = sandbox_result_name(record->result);
        char text[1024];
        Number status;
        const EventField extra[] = {
                { "IMMURED_RESULT", result },
                { "EXIT_CODE", s->aborted ? NULL : ending_code_name(s->ending.code) },
                { "EXIT_STATUS", s->aborted ? NULL : number(status, (uint64_t) s->ending.status) },
        };

        if (s->aborted)
                (void) snprintf(
                        text, sizeof(text), "did not start: %s: %s", result, record->status_text ?: "");
        else
                (void) snprintf(text,
                                sizeof(text),
                                "has %s: %s (%s %d)",
                                failed ? "failed" : "ended",
                                result,
                                ending_code_name(s->ending.code),
                                s->ending.status);
        sandbox_log(s,
                    &event_messages[failed ? EVENT_SANDBOX_FAILED : EVENT_SANDBOX_ENDED],
                    extra,
                    ELEMENTSOF(extra),
                    text);
}

void sandbox_tell_start_limit(const Sandbox *s) {
        const EventField extra = { "IMMURED_RESULT", sandbox_result_name(SANDBOX_START_LIMIT) };

        sandbox_log(s,
                    &event_messages[EVENT_SANDBOX_FAILED],
                    &extra,
                    1,
                    "was started too often (StartLimitBurst=)");
}

void sandbox_tell_event(const Sandbox *s, const SandboxEvent *e) {
        const SandboxEventRow *row = sandbox_event_row(e->kind);
        _cleanup_free_ char *text = sandbox_event_text(e);
        EventField extra[SANDBOX_EVENT_DETAILS_MAX] = {};
        Number numbers[SANDBOX_EVENT_DETAILS_MAX];
        size_t n = 0;

        if (!text) {
                (void) log_oom();
                return;
        }

        for (const EventDetail *d = row->details; d->name; d++, n++) {
                const EventValue *v = e->details + n;
                bool unknown =
                        d->may_be_unknown && (d->type == 's' ? !v->text || !*v->text : v->number == 0);

                extra[n].name = d->field;
                if (!unknown)
                        extra[n].value = d->type == 's' ? v->text : number(numbers[n], v->number);
        }

        sandbox_log(s, &row->message, extra, n, text);
}
