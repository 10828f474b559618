/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/app.h"

#include "base/log.h"
#include "base/text.h"
#include "keeper/app-end.h"
#include "keeper/parts/cgroup.h"
#include "keeper/parts/timer.h"

#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define ASK_AGAIN_USEC USEC_PER_SEC

struct App {
        sd_event *event; /* the keeper's, as the link */
        LinkClient *link;
        char text[APP_NAME_SIZE];
        AppName name;
        sd_event_source *pause;
        char *status; /* what the unit shows */
        bool asked;   /* and not answered yet */
        bool settled; /* there is nothing to be asked any more */
        int end_signal;
        bool ready, stopping;
};

const char *app_name(const App *a) { return a->text; }

/* FNV-1a. */
uint32_t app_number(const App *a) {
        uint32_t n = UINT32_C(2166136261);

        for (const char *s = a->text; *s; s++)
                n = (n ^ (uint8_t) *s) * UINT32_C(16777619);

        return n;
}

int app_check_plan(const App *a, const char *unit_path, const Plan *plan, sd_bus_error *error) {
        uid_t slice_uid;

        if (!app_name_is_user(&a->name, plan->user, plan->uid) || !streq(a->name.profile, plan->profile))
                return sd_bus_error_setf(
                        error, SD_BUS_ERROR_INVALID_ARGS, "the plan is not that of %s", a->text);
        /* Elsewhere, the unit would get round what its user's sandboxes may use together. */
        if (cgroup_slice_uid(unit_path, &slice_uid) < 0 || slice_uid != plan->uid)
                return sd_bus_error_setf(error,
                                         ERROR_BAD_SETTING,
                                         "its unit is not in immured-%u.slice, see immurectl enable",
                                         plan->uid);

        return 0;
}

static void leave(App *a, AppEnd end) {
        a->end_signal = end.signo;
        (void) sd_event_exit(a->event, end.status);
}

int app_end_signal(const App *a) { return a->end_signal; }

static void app_ask(App *a);

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        app_ask(userdata);
        return 0;
}

static void ask_again(App *a) {
        int r;

        r = timer_start(a->event, &a->pause, ASK_AGAIN_USEC, SD_EVENT_PRIORITY_NORMAL, on_pause_over, a);
        if (r < 0) {
                (void) log_errno(r, "cannot wait to ask the broker again");
                leave(a, app_end_refused(""));
        }
}

/* Only refusals matter here: once there is a sandbox, its own end decides. */
static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(reply);
        App *a = userdata;

        a->asked = false;
        if (!e || a->settled)
                return 0;

        if (app_error_is_passing(e->name)) {
                log_info("%s waits: %s", a->text, e->message ?: e->name);
                ask_again(a);
                return 0;
        }

        log_error("%s is not started: %s", a->text, e->message ?: e->name);
        (void) sd_notifyf(false, "STATUS=Refused: %s", e->name);
        leave(a, app_end_refused(e->name));
        return 0;
}

static void app_ask(App *a) {
        int r;

        if (a->asked || a->settled)
                return;

        r = link_start_app(a->link, on_answer, a);
        if (r == -ENOTCONN)
                return; /* at the next Hello */
        if (r < 0) {
                (void) log_errno(r, "cannot ask the broker to start %s", a->text);
                ask_again(a);
                return;
        }

        a->asked = true;
}

void app_announced(App *a) {
        a->asked = false; /* whoever was asked is gone */
        app_ask(a);
}

void app_stop_asking(App *a) { a->settled = true; }

/* Part of it is the application's own text: escaped, so that no newline starts another variable. */
void app_changed(App *a, const Sandbox *s) {
        const SandboxRecord *record = s->record;
        const char *state = sandbox_state_name(record->state);
        _cleanup_free_ char *text = NULL, *escaped = NULL;

        if (record->status_text[0])
                text = strdup(record->status_text);
        else if (streq(state, record->sub_state))
                text = strdup(state);
        else
                text = text_printf("%s (%s)", state, record->sub_state);
        escaped = text ? text_escape(text) : NULL;
        if (!escaped || (a->status && streq(a->status, escaped)))
                return;

        free(a->status);
        a->status = TAKE_PTR(escaped);
        (void) sd_notifyf(false, "STATUS=%s", a->status);
}

/*
 * While the unit starts or stops, systemd would end it when its own time is over. A cgroup that does not empty is not
 * waited for longer than that: the machine must be able to shut down.
 */
void app_deadline(App *a, const Sandbox *s, uint64_t timeout_usec) {
        bool stops = s->phase == PHASE_STOPPING && s->stop_wanted;

        if (a->ready && !stops)
                return;

        (void) sd_notifyf(false,
                          "%sEXTEND_TIMEOUT_USEC=%" PRIu64,
                          stops && !a->stopping ? "STOPPING=1\n" : "",
                          terms_unit_timeout(timeout_usec));
        a->stopping = a->stopping || stops;
}

void app_launched(App *a, const Sandbox *s) {
        if (a->ready || s->aborted)
                return;

        a->ready = true;
        (void) sd_notify(false, "READY=1");
}

void app_ended(App *a, const Sandbox *s) {
        const SandboxRecord *record = s->record;
        AppEnd end;

        if (s->aborted && s->stop_wanted)
                end = app_end_of(SANDBOX_SUCCESS, CLD_EXITED, 0);
        else if (s->aborted) {
                log_error("%s is not started: %s", a->text, s->error.message ?: s->error.name);
                end = app_end_refused(s->error.name);
        } else {
                log_message(record->result == SANDBOX_SUCCESS ? LOG_INFO : LOG_WARNING,
                            "%s ended: %s (%s %d)",
                            a->text,
                            sandbox_result_name(record->result),
                            ending_code_name(record->exec_main_code),
                            record->exec_main_status);
                end = app_end_of(record->result, record->exec_main_code, record->exec_main_status);
        }

        /* Units ordered after a oneshot wait for its end. */
        if (!a->ready && !s->aborted && s->terms.type == SERVICE_ONESHOT &&
            record->result == SANDBOX_SUCCESS) {
                a->ready = true;
                (void) sd_notify(false, "READY=1");
        }

        leave(a, end);
}

int app_new(App **ret, sd_event *event, LinkClient *link, const char *name) {
        _cleanup_(app_freep) App *a = NULL;
        int r;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;

        a->event = event;
        a->link = link;
        r = app_name_parse(name, &a->name);
        if (r < 0)
                return r;

        (void) snprintf(a->text, sizeof(a->text), "%s", name);
        *ret = TAKE_PTR(a);
        return 0;
}

App *app_free(App *a) {
        if (!a)
                return NULL;

        (void) sd_event_source_disable_unref(a->pause);
        free(a->status);
        free(a);
        return NULL;
}
