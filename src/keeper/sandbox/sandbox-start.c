/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "keeper/sandbox/sandbox.h"
#include "plan/client-streams.h"

#include <fcntl.h>
#include <stdio.h>

/* What is needed between the request and the start of the run, and no longer. */
typedef struct Start {
        Sandbox *sandbox;
        const LaunchRequest *request;
        const RunHandlers *handlers;
        Plan *plan;
} Start;

static void start_done(Start *st) { st->plan = plan_free(st->plan); }

static int duplicate(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return copy < 0 ? -errno : copy;
}

bool sandbox_count_start(Sandbox *s) {
        return terms_count_start(&s->terms, &s->starts, clock_usec(CLOCK_MONOTONIC));
}

static int step_plan(Start *st, sd_bus_error *error) {
        const SandboxContext *context = st->sandbox->context;
        uint8_t digest[SHA256_SIZE];
        char profile[33], hex[SHA256_HEX_SIZE];
        uint32_t uid;
        int r;

        if (sandbox_id_parse(st->request->id, profile, &uid, NULL) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "not the id of a sandbox");

        r = plan_from_memfd(st->request->plan_fd, &st->plan, digest);
        if (r < 0)
                return r;
        sha256_hex(digest, hex);
        if (st->request->plan_digest && !streq(hex, st->request->plan_digest))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "the plan is not the one that was sent");

        /* The plan decides whose processes these will be; it must be this keeper's user, whatever the id says. */
        if (uid != st->plan->uid || !streq(st->plan->profile, profile))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "id, plan and keeper do not agree");

        return context->handlers->check_plan(context->userdata, st->plan, error);
}

/* What the next run needs of this request. */
static int step_keep(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;

        s->terms = st->plan->terms;
        (void) sandbox_count_start(s);

        s->plan_fd = duplicate(st->request->plan_fd);
        return MIN(s->plan_fd, 0);
}

static int step_record(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        const Plan *plan = st->plan;
        SandboxRecord *record = s->record;
        const char *unit = s->context->run.unit->path;

        (void) snprintf(s->cgroup_name,
                        sizeof(s->cgroup_name),
                        "%s%s",
                        plan->profile,
                        strrchr(st->request->id, '.'));

        record->id = strdup(st->request->id);
        record->profile = strdup(plan->profile);
        record->profile_hash = strdup(plan->profile_hash ?: "");
        record->user = strdup(plan->user);
        record->instance = strdup(plan->instance ?: "");
        record->uid = plan->uid;
        record->invocation_id = strdup(st->request->invocation_id);
        record->timestamp = clock_usec(CLOCK_REALTIME);
        record->plan_hash = strdup(st->request->plan_hash);
        record->control_group = text_printf("%s/%s", streq(unit, "/") ? "" : unit, s->cgroup_name);
        record->sub_state = strdup("");
        record->status_text = strdup("");
        if (!record->id || !record->profile || !record->profile_hash || !record->user || !record->instance ||
            !record->invocation_id || !record->plan_hash || !record->control_group || !record->sub_state ||
            !record->status_text)
                return -ENOMEM;

        return 0;
}

static bool maps_fit(const PlanIdMap *maps, size_t n) {
        for (size_t i = 0; i < n; i++)
                if ((uint64_t) maps[i].outside + maps[i].count >= IDS_BLOCK_SIZE)
                        return false;

        return true;
}

static int step_ids(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        int r;

        /* The block's last id is the owner's, which nothing may be mapped to. */
        if (st->plan->private_users == PRIVATE_USERS_PICK &&
            (!maps_fit(st->plan->uid_map, st->plan->n_uid_map) ||
             !maps_fit(st->plan->gid_map, st->plan->n_gid_map)))
                return sd_bus_error_setf(
                        error, ERROR_SETUP_FAILED, "ids: the plan maps more than %u", IDS_BLOCK_SIZE - 1);

        r = id_pool_acquire(s->context->ids, &s->id_block);
        if (r < 0)
                return r;

        s->id_picked = true;
        return 0;
}

/* One for all runs, so that a restart does not reset the limit on lines. */
static int step_logs(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        const Plan *plan = st->plan;
        const LogStreamsInfo info = {
                .id = s->record->id,
                .profile = plan->profile,
                .user = plan->user,
                .invocation_id = s->record->invocation_id,
                .syslog_identifier = plan->syslog_identifier,
                .uid = plan->uid,
                .level_max = plan->log_level_max,
        };
        const uint8_t kinds[3] = { STREAM_NULL, plan->standard_output, plan->standard_error };
        bool needed = false;

        for (size_t i = 1; i < ELEMENTSOF(kinds); i++)
                needed = needed || kinds[i] == STREAM_JOURNAL ||
                         (kinds[i] == STREAM_CLIENT && !(s->streams & CLIENT_STREAM(i)));

        return needed ? log_streams_new(&s->logs, s->context->run.event, &info) : 0;
}

/* Later runs need the client's streams, too. */
static int step_holder(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        const RunContext *context = &s->context->run;
        const StreamHolderRequest request = {
                .event = context->event,
                .unit = context->unit,
                .exec_fd = context->exec_fd,
                .null_fd = context->null_fd,
                .id = s->record->id,
                .cgroup_name = s->cgroup_name,
                .streams = s->streams,
                .lease = s->lease,
        };

        if (s->streams == 0 || s->terms.restart == RESTART_NO)
                return 0;

        return stream_holder_new(&s->holder, &request);
}

/* Where this run gets the client's streams from. */
static int streams_open(const Sandbox *s) {
        return s->streams == 0 ? -EBADF
               : s->holder     ? stream_holder_lend(s->holder)
                               : lease_server_copy(s->lease);
}

static int step_run(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        _cleanup_close_ int streams_fd = streams_open(s);
        const RunRequest request = {
                .record = s->record,
                .cgroup_name = s->cgroup_name,
                .id_block = s->id_block,
                .plan = st->plan,
                .plan_fd = st->request->plan_fd,
                .streams = s->streams,
                .streams_fd = streams_fd,
                .terms = &s->terms,
                .limits = &s->limits,
                .logs = s->logs,
        };

        if (streams_fd < 0 && s->streams != 0)
                return streams_fd;

        return run_start(&s->run, &s->context->run, &request, st->handlers, s, error);
}

/* What can be refused cheaply comes first. The run has its own steps (run-start.c). */
/* clang-format off */
static const struct {
        const char *name;
        int (*run)(Start *st, sd_bus_error *error);
        bool once; /* for the sandbox, not for each of its runs */
} steps[] = {
        { "plan",   step_plan,   false },
        { "keep",   step_keep,   true },
        { "record", step_record, true },
        { "ids",    step_ids,    true },
        { "logs",   step_logs,   true },
        { "holder", step_holder, true },
        { "run",    step_run,    false },
};
/* clang-format on */

int sandbox_start(Sandbox *s,
                  const LaunchRequest *request,
                  const RunHandlers *handlers,
                  sd_bus_error *error) {
        const LaunchRequest again = {
                .id = s->record->id,
                .invocation_id = s->record->invocation_id,
                .plan_fd = s->plan_fd,
        };
        _cleanup_(start_done)
                Start st = { .sandbox = s, .request = request ?: &again, .handlers = handlers };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r;

                if (!request && steps[i].once)
                        continue;

                r = steps[i].run(&st, error);
                if (r < 0 && !sd_bus_error_is_set(error))
                        (void) sd_bus_error_setf(
                                error, ERROR_SETUP_FAILED, "%s: %s", steps[i].name, strerror(-r));
                if (r < 0)
                        return r;
        }

        return 0;
}
