/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/text.h"
#include "keeper/parts/link-send.h"
#include "keeper/sandbox/sandbox.h"

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
