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

/* Journal entries about one sandbox carry the same fields whoever writes them; OBJECT_PID: see sd_journal_send(3). */
static void
sandbox_event(const Sandbox *s, Event event, const EventField *extra, size_t n_extra, const char *text) {
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
        event_log(event, fields, 6 + MIN(n_extra, (size_t) EXTRA_MAX), "%s %s", record->id, text);
}

void sandbox_tell_started(const Sandbox *s) {
        char text[64];

        (void) snprintf(text, sizeof(text), "has started, PID %" PRIu32, s->record->main_pid);
        sandbox_event(s, EVENT_SANDBOX_STARTED, NULL, 0, text);
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
        sandbox_event(
                s, failed ? EVENT_SANDBOX_FAILED : EVENT_SANDBOX_ENDED, extra, ELEMENTSOF(extra), text);
}

void sandbox_tell_start_limit(const Sandbox *s) {
        const EventField extra = { "IMMURED_RESULT", sandbox_result_name(SANDBOX_START_LIMIT) };

        sandbox_event(s, EVENT_SANDBOX_FAILED, &extra, 1, "was started too often (StartLimitBurst=)");
}

void sandbox_tell_limit_hit(const Sandbox *s, const Fault *fault) {
        Number value, limit;
        const EventField extra[] = {
                { "IMMURED_RESOURCE", fault_resource_name(fault->resource) },
                { "IMMURED_LEVEL", fault_level_name(fault->level) },
                { "IMMURED_VALUE", number(value, fault->value) },
                { "IMMURED_LIMIT", fault->limit > 0 ? number(limit, fault->limit) : NULL },
        };
        char text[128];

        (void) snprintf(text,
                        sizeof(text),
                        "ran into %s of the %s: %" PRIu64 ", limit %" PRIu64,
                        fault_resource_name(fault->resource),
                        fault_level_name(fault->level),
                        fault->value,
                        fault->limit);
        sandbox_event(s, EVENT_LIMIT_HIT, extra, ELEMENTSOF(extra), text);
}
