/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "keeper/keeper.h"
#include "keeper/link-client.h"
#include "keeper/sandbox/sandbox.h"

bool sandbox_count_start(Sandbox *s) {
        return terms_count_start(&s->terms, &s->starts, clock_usec(CLOCK_MONOTONIC));
}

bool sandbox_goes_on(const Sandbox *s) {
        if (s->keeper->leaving || s->stop_wanted || !s->ran)
                return false;

        return s->restart_wanted || terms_restart(&s->terms, s->record->result);
}

static bool streams_were_kept(const Sandbox *s) {
        return !s->has_client_streams || s->terms.restart != RESTART_NO;
}

int sandbox_restart(Sandbox *s, sd_bus_message *call, sd_bus_error *error) {
        if (s->keeper->leaving)
                return sd_bus_error_set(error, ERROR_SHUTTING_DOWN, "the keeper is shutting down");
        if (s->phase == PHASE_DEAD)
                return sd_bus_error_setf(
                        error, ERROR_SANDBOX_NOT_RUNNING, "%s is not running", s->record->id);
        if (s->phase == PHASE_SETUP || s->phase == PHASE_START || s->stop_wanted || s->restart_wanted)
                return sd_bus_error_setf(
                        error, ERROR_BUSY, "%s is being started or stopped already", s->record->id);
        if (!streams_were_kept(s))
                return sd_bus_error_setf(
                        error,
                        ERROR_SETTING_NOT_PERMITTED,
                        "%s has standard streams of its client's, which Restart=no does not keep",
                        s->record->id);
        if (!sandbox_count_start(s))
                return sd_bus_error_setf(error,
                                         ERROR_RATE_LIMITED,
                                         "%s was started too often (StartLimitBurst=)",
                                         s->record->id);

        (void) call_list_add(&s->restart_calls, call); /* it is the only one */
        s->restart_wanted = true;
        if (s->phase == PHASE_WAITING)
                sandbox_hurry(s);
        else
                sandbox_end_run(s);
        return 1;
}

/* What a run leaves in the record and must not be taken for the next one's. */
static void forget_run(Sandbox *s) {
        SandboxRecord *record = s->record;

        s->ending = (Ending){};
        s->aborted = s->verified = s->executed = false;
        sd_bus_error_free(&s->error);
        s->leader_status = 0;

        record->enforced = strv_free(record->enforced);
        record->status_text[0] = '\0';
        record->result = SANDBOX_SUCCESS;
        record->exec_main_code = record->exec_main_status = 0;
}

void sandbox_run_again(Sandbox *s) {
        bool counted = s->restart_wanted;
        int r;

        if (counted)
                s->record->n_restarts = 0;
        else if (sandbox_count_start(s))
                s->record->n_restarts++;
        else {
                s->record->result = SANDBOX_START_LIMIT;
                sandbox_tell_start_limit(s);
                s->stop_wanted = true;
                sandbox_end(s);
                return;
        }

        s->restart_wanted = false;
        forget_run(s);
        r = sandbox_start_again(s);
        if (r >= 0)
                sandbox_begin(s);
        else
                sandbox_run_over(s);
}
