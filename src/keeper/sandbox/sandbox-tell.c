/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "keeper/parts/link-send.h"
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

static int launch_reply_new(sd_bus_message *call, const Sandbox *s, sd_bus_message **ret) {
        int r;

        if (sd_bus_error_is_set(&s->error))
                return sd_bus_message_new_method_error(call, ret, &s->error);

        r = sd_bus_message_new_method_return(call, ret);
        if (r < 0)
                return r;

        r = sandbox_record_append(*ret, s->record);
        if (r < 0)
                return r;

        return sd_bus_message_append(*ret, "ah", s->lease_holder >= 0 ? 1 : 0, s->lease_holder);
}

void sandbox_answer_launch(Sandbox *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = TAKE_PTR(s->launch_call), *reply = NULL;
        int r;

        if (!call)
                return;

        r = launch_reply_new(call, s, &reply);
        link_send_or_break(sd_bus_message_get_bus(call), r, reply);
        s->lease_holder = safe_close(s->lease_holder);
}

void sandbox_refuse_restarts(Sandbox *s) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (s->restart_calls.n == 0)
                return;
        if (!sd_bus_error_is_set(&s->error) || s->stop_wanted)
                (void) sd_bus_error_setf(&error, ERROR_SANDBOX_NOT_RUNNING, "%s was stopped", s->record->id);

        call_list_answer(&s->restart_calls, sd_bus_error_is_set(&error) ? &error : &s->error);
}

/* A value in a packet is one line. */
void sandbox_send_result(Sandbox *s) {
        const char *result = sandbox_result_name(s->record->result);
        _cleanup_free_ char *packet = NULL, *text = NULL;

        if (s->aborted) {
                text = text_escape(s->record->status_text);
                packet = text_printf("RESULT=%s\nERROR=%s\nTEXT=%.512s",
                                     result,
                                     s->error.name ?: ERROR_SETUP_FAILED,
                                     text ?: "");
        } else
                packet = text_printf("RESULT=%s\nCODE=%s\nSTATUS=%d",
                                     result,
                                     ending_code_name(s->ending.code),
                                     s->ending.status);
        if (packet)
                lease_server_send(s->lease, packet);
        s->lease = lease_server_free(s->lease);
}

void sandbox_drop_calls(Sandbox *s) {
        s->launch_call = sd_bus_message_unref(s->launch_call);
        s->lease_holder = safe_close(s->lease_holder);
        call_list_drop(&s->stop_calls);
        call_list_drop(&s->restart_calls);
        if (s->run)
                call_list_drop(&s->run->freeze_calls);
}
