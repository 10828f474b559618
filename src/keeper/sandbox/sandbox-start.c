/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "keeper/parts/spawn.h"
#include "keeper/sandbox/sandbox.h"
#include "plan/client-streams.h"

#include <stdio.h>
#include <sys/stat.h>

/* What is needed between the request and the running immured-exec, and no longer. */
typedef struct Start {
        Sandbox *sandbox;
        const LaunchRequest *request;
        const RunHandlers *handlers;
        const Plan *plan;   /* lent by the recent ones until the next start */
        SpawnRequest spawn; /* its descriptors are ours */
} Start;

static void start_done(Start *st) {
        for (size_t i = 0; i < ELEMENTSOF(st->spawn.fds); i++)
                st->spawn.fds[i] = safe_close(st->spawn.fds[i]);
}

bool sandbox_count_start(Sandbox *s) {
        return terms_count_start(&s->terms, &s->starts, clock_usec(CLOCK_MONOTONIC));
}

static int step_plan(Start *st, sd_bus_error *error) {
        const SandboxContext *context = st->sandbox->context;
        const char *digest;
        char profile[33];
        uint32_t uid;
        int r;

        if (sandbox_id_parse(st->request->id, profile, &uid, NULL) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "not the id of a sandbox");

        r = plan_recent_read(context->recent, st->request->plan_fd, &st->plan, &digest);
        if (r < 0)
                return r;
        if (st->request->plan_digest && !streq(digest, st->request->plan_digest))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "the plan is not the one that was sent");

        /* The plan decides whose processes these will be; it must be this keeper's user, whatever the id says. */
        if (uid != st->plan->uid || !streq(st->plan->profile, profile))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "id, plan and keeper do not agree");

        r = context->handlers->check_plan(context->userdata, st->plan, error);
        if (r < 0)
                return r;

        st->spawn.fds[LAUNCH_FD_PLAN] = fd_duplicate(st->request->plan_fd);
        return MIN(st->spawn.fds[LAUNCH_FD_PLAN], 0);
}

/* What the next run needs of this request. */
static int step_keep(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;

        s->terms = st->plan->terms;
        (void) sandbox_count_start(s);

        s->plan_fd = fd_duplicate(st->request->plan_fd);
        return MIN(s->plan_fd, 0);
}

static int step_record(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        const Plan *plan = st->plan;
        SandboxRecord *record = s->record;
        const char *unit = s->context->run.unit->path;
        const struct {
                char **member;
                const char *value;
        } texts[] = {
                { &record->id, st->request->id },
                { &record->profile, plan->profile },
                { &record->profile_hash, plan->profile_hash },
                { &record->user, plan->user },
                { &record->instance, plan->instance },
                { &record->invocation_id, st->request->invocation_id },
                { &record->plan_hash, st->request->plan_hash },
                { &record->sub_state, "" },
                { &record->status_text, "" },
        };

        /* Everybody may look through cgroups, and not all of them may know of the profile. */
        (void) snprintf(s->cgroup_name, sizeof(s->cgroup_name), "%s", st->request->invocation_id);

        record->uid = plan->uid;
        record->timestamp = clock_usec(CLOCK_REALTIME);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                *texts[i].member = strdup(texts[i].value ?: "");
                if (!*texts[i].member)
                        return -ENOMEM;
        }

        record->control_group = text_printf("%s/%s", streq(unit, "/") ? "" : unit, s->cgroup_name);
        return record->control_group ? 0 : -ENOMEM;
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
        const uint8_t kinds[3] = { STREAM_NULL, plan->standard_output, plan->standard_error };
        bool needed = false;
        LogTerms terms;

        for (size_t i = 1; i < ELEMENTSOF(kinds); i++)
                needed = needed || kinds[i] == STREAM_JOURNAL ||
                         (kinds[i] == STREAM_CLIENT && !(s->streams & CLIENT_STREAM(i)));

        if (!needed)
                return 0;

        terms = (LogTerms){
                .identifier = plan->syslog_identifier,
                .level = plan->syslog_level,
                .level_max = plan->log_level_max,
                .level_prefix = plan->syslog_level_prefix,
        };
        return log_streams_new(&s->logs, s->context->run.event, s->record, &terms);
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
        return s->holder ? stream_holder_lend(s->holder) : lease_server_copy(s->lease);
}

/* The host's id behind one inside; UINT32_MAX, which chown(2) takes for "leave it", where there is none. */
static uint32_t id_outside(const PlanIdMap *maps, size_t n, uint32_t base, uint32_t inside) {
        for (size_t i = 0; i < n; i++)
                if (inside >= maps[i].inside && inside - maps[i].inside < maps[i].count)
                        return base + maps[i].outside + (inside - maps[i].inside);

        return UINT32_MAX;
}

static int open_journal_stream(Start *st, int number) {
        const Sandbox *s = st->sandbox;
        const Plan *plan = st->plan;
        const uint32_t base = plan->private_users == PRIVATE_USERS_PICK ? s->id_block : 0;
        int fd;

        fd = log_streams_open(s->logs, number);
        if (fd < 0)
                return fd;

        /* A pipe is opened again through /dev/stdout only by its owner. */
        (void) fchown(fd,
                      id_outside(plan->uid_map, plan->n_uid_map, base, plan->uid),
                      id_outside(plan->gid_map, plan->n_gid_map, base, plan->gid));
        return fd;
}

static int open_null_stream(Start *st, int number) {
        return fd_duplicate(st->sandbox->context->run.null_fd);
}

/* The client gives none: nothing to read, and a log to write to. */
static int open_client_stream(Start *st, int number) {
        return number == 0 ? open_null_stream(st, number) : open_journal_stream(st, number);
}

static int step_streams(Start *st, sd_bus_error *error) {
        static int (*const open_stream[])(Start * st, int number) = {
                [STREAM_NULL] = open_null_stream,
                [STREAM_CLIENT] = open_client_stream,
                [STREAM_JOURNAL] = open_journal_stream,
        };
        const uint32_t streams = st->sandbox->streams;
        const uint8_t kinds[3] = {
                st->plan->standard_input,
                st->plan->standard_output,
                st->plan->standard_error,
        };

        for (int i = 0; i < 3; i++) {
                if (kinds[i] >= ELEMENTSOF(open_stream) || !open_stream[kinds[i]] ||
                    (i == 0 && kinds[i] == STREAM_JOURNAL))
                        return sd_bus_error_setf(error,
                                                 ERROR_SETUP_FAILED,
                                                 "streams: stream %d cannot go where the plan says",
                                                 i);
                if (streams & CLIENT_STREAM(i)) {
                        if (kinds[i] != STREAM_CLIENT)
                                return sd_bus_error_setf(error,
                                                         ERROR_SETTING_NOT_PERMITTED,
                                                         "stream %d is not the client's to give",
                                                         i);
                        continue; /* it comes to the process itself */
                }

                st->spawn.fds[i] = open_stream[kinds[i]](st, i);
                if (st->spawn.fds[i] < 0)
                        return st->spawn.fds[i];
        }

        if (streams == 0)
                return 0;

        st->spawn.fds[LAUNCH_FD_STREAMS] = streams_open(st->sandbox);
        return MIN(st->spawn.fds[LAUNCH_FD_STREAMS], 0);
}

static int step_cgroup(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        const RunContext *context = &s->context->run;
        _cleanup_free_ char *text = NULL;
        int fd, r;

        r = run_new(&s->run, context, s->record->id, &s->terms, st->handlers, s);
        if (r < 0)
                return r;

        fd = s->run->cgroup_fd = st->spawn.cgroup_fd = cgroup_create(context->unit, s->cgroup_name);
        if (fd < 0)
                return fd;

        r = cgroup_apply(context->unit, fd, st->plan, &s->record->enforced, &text);
        if (r < 0)
                return limits_error(r, text, error);

        r = fault_watch_new(&s->run->fault_watch, context->faults, fd, st->handlers->hit, s);
        if (r < 0)
                (void) log_errno(r, "%s: hits of its limits will not be noticed", s->record->id);

        return limits_apply(&s->limits, context->unit, fd, error);
}

static int step_channels(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;

        return process_new(&s->run->process,
                           s->context->run.event,
                           s->logs,
                           &st->handlers->process,
                           s,
                           &st->spawn.fds[LAUNCH_FD_STATUS],
                           &st->spawn.fds[LAUNCH_FD_RESULT]);
}

static int step_notify(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;

        if (s->terms.notify_access == NOTIFY_ACCESS_NONE)
                return 0;

        return notify_socket_new(&s->run->notify,
                                 s->context->run.event,
                                 st->handlers->notified,
                                 s,
                                 &st->spawn.fds[LAUNCH_FD_NOTIFY]);
}

static int step_exec(Start *st, sd_bus_error *error) {
        const Sandbox *s = st->sandbox;
        const RunContext *context = &s->context->run;
        pid_t *pid = &s->run->process->outer;
        int r;

        st->spawn.title = s->cgroup_name;
        st->spawn.id_block = s->id_block;
        r = seed_process_spawn(context->seed, &st->spawn, pid);
        return r == -ENOTCONN ? spawn(context->exec_fd, &st->spawn, pid) : r;
}

/* What can be refused cheaply comes first, and the process last, so that no failed start has anything to kill. */
/* clang-format off */
static const struct {
        const char *name;
        int (*run)(Start *st, sd_bus_error *error);
        bool once; /* for the sandbox, not for each of its runs */
} steps[] = {
        { "plan",     step_plan,     false },
        { "keep",     step_keep,     true },
        { "record",   step_record,   true },
        { "ids",      step_ids,      true },
        { "logs",     step_logs,     true },
        { "holder",   step_holder,   true },
        { "streams",  step_streams,  false },
        { "cgroup",   step_cgroup,   false },
        { "channels", step_channels, false },
        { "notify",   step_notify,   false },
        { "exec",     step_exec,     false },
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
        _cleanup_(start_done) Start st = {
                .sandbox = s,
                .request = request ?: &again,
                .handlers = handlers,
                .spawn.fds = { [0 ... _LAUNCH_FD_END - 1] = -EBADF },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(steps); i++) {
                if (!request && steps[i].once)
                        continue;

                r = steps[i].run(&st, error);
                if (r < 0 && !sd_bus_error_is_set(error))
                        (void) sd_bus_error_setf(
                                error, ERROR_SETUP_FAILED, "%s: %s", steps[i].name, strerror(-r));
        }
        if (r >= 0)
                return 0;

        s->run = run_free(s->run);
        (void) cgroup_remove(s->context->run.unit, s->cgroup_name);
        return r;
}
