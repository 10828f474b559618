/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "keeper/app.h"
#include "keeper/keeper.h"
#include "keeper/parts/spawn.h"
#include "keeper/sandbox/sandbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* What is needed between the request and the running immured-exec, and no longer. */
typedef struct Start {
        Sandbox *sandbox;
        const LaunchRequest *request;
        Plan *plan;
        uint8_t digest[SHA256_SIZE];
        SpawnRequest spawn; /* its descriptors are ours */
} Start;

/* clang-format off */
#define START_EMPTY (Start) { .spawn.fds = { [0 ... _LAUNCH_FD_END - 1] = -EBADF } }
/* clang-format on */

static void start_done(Start *st) {
        for (size_t i = 0; i < ELEMENTSOF(st->spawn.fds); i++)
                st->spawn.fds[i] = safe_close(st->spawn.fds[i]);

        st->plan = plan_free(st->plan);
        (void) sandbox_free(st->sandbox);
}

static int duplicate(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return copy < 0 ? -errno : copy;
}

static int step_plan(Start *st, sd_bus_error *error) {
        const Sandbox *s = st->sandbox;
        char profile[33];
        uint32_t uid;
        int r;

        if (sandbox_id_parse(st->request->id, profile, &uid, NULL) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "not the id of a sandbox");

        r = plan_from_memfd(st->request->plan_fd, &st->plan, st->digest);
        if (r < 0)
                return r;

        /* The plan decides whose processes these will be; it must be this keeper's user, whatever the id says. */
        if (uid != st->plan->uid || !streq(st->plan->profile, profile) ||
            (!s->keeper->app && uid != s->keeper->uid))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "id, plan and keeper do not agree");
        if (s->keeper->app) {
                r = app_check_plan(s->keeper->app, st->plan, error);
                if (r < 0)
                        return r;
        }

        st->spawn.fds[LAUNCH_FD_PLAN] = duplicate(st->request->plan_fd);
        return MIN(st->spawn.fds[LAUNCH_FD_PLAN], 0);
}

/* Whatever the next run will want of this request. */
static int step_keep(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;

        terms_from_plan(&s->terms, st->plan);
        (void) sandbox_count_start(s);

        s->plan_fd = duplicate(st->request->plan_fd);
        if (s->plan_fd < 0)
                return s->plan_fd;

        for (size_t i = 0; i < ELEMENTSOF(s->stream_fds); i++) {
                if (st->request->streams[i] < 0)
                        continue;

                s->has_client_streams = true;
                if (s->terms.restart == RESTART_NO)
                        continue;

                s->stream_fds[i] = duplicate(st->request->streams[i]);
                if (s->stream_fds[i] < 0)
                        return s->stream_fds[i];
        }

        return 0;
}

static int step_record(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        const Plan *plan = st->plan;
        SandboxRecord *record = s->record;
        const char *unit = s->keeper->unit->path;
        char hash[SHA256_HEX_SIZE];

        sha256_hex(st->digest, hash);
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
        record->plan_hash = strdup(hash);
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

        if (s->id_picked) {
                st->spawn.id_base = s->id_base;
                return 0;
        }
        /* The block's last id is the owner's, whom nothing may be mapped to. */
        if (st->plan->private_users == PRIVATE_USERS_PICK &&
            (!maps_fit(st->plan->uid_map, st->plan->n_uid_map) ||
             !maps_fit(st->plan->gid_map, st->plan->n_gid_map)))
                return sd_bus_error_setf(
                        error, ERROR_SETUP_FAILED, "ids: the plan maps more than %u", IDS_BLOCK_SIZE - 1);

        r = id_pool_acquire(s->keeper->ids, &s->id_base);
        if (r < 0)
                return r;

        s->id_picked = true;
        st->spawn.id_base = s->id_base;
        return 0;
}

/* The host's id behind one inside; UINT32_MAX, which chown(2) takes for "leave it", where there is none. */
static uint32_t id_outside(const PlanIdMap *maps, size_t n, uint32_t base, uint32_t inside) {
        for (size_t i = 0; i < n; i++)
                if (inside >= maps[i].inside && inside - maps[i].inside < maps[i].count)
                        return base + maps[i].outside + (inside - maps[i].inside);

        return UINT32_MAX;
}

static int open_journal_stream(Start *st, int number) {
        Sandbox *s = st->sandbox;
        const Plan *plan = st->plan;
        const uint32_t base = plan->private_users == PRIVATE_USERS_PICK ? s->id_base : 0;
        int fd, r;

        if (!s->streams) {
                LogStreamsInfo info = {
                        .id = s->record->id,
                        .profile = plan->profile,
                        .user = plan->user,
                        .invocation_id = st->request->invocation_id,
                        .syslog_identifier = plan->syslog_identifier,
                        .uid = plan->uid,
                        .level_max = plan->log_level_max,
                };

                r = log_streams_new(&s->streams, s->keeper->event, &info);
                if (r < 0)
                        return r;
        }

        fd = log_streams_open(s->streams, number);
        if (fd < 0)
                return fd;

        /* A pipe is opened again through /dev/stdout only by its owner. */
        (void) fchown(fd,
                      id_outside(plan->uid_map, plan->n_uid_map, base, plan->uid),
                      id_outside(plan->gid_map, plan->n_gid_map, base, plan->gid));
        return fd;
}

static int open_null_stream(Start *st, int number) { return duplicate(st->sandbox->keeper->null_fd); }

/* Without a descriptor from the client: nothing to read, and a log to write to. */
static int open_client_stream(Start *st, int number) {
        if (st->request->streams[number] >= 0)
                return duplicate(st->request->streams[number]);

        return number == 0 ? open_null_stream(st, number) : open_journal_stream(st, number);
}

static int step_streams(Start *st, sd_bus_error *error) {
        static int (*const open_stream[])(Start * st, int number) = {
                [STREAM_NULL] = open_null_stream,
                [STREAM_CLIENT] = open_client_stream,
                [STREAM_JOURNAL] = open_journal_stream,
        };
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
                if (st->request->streams[i] >= 0 && kinds[i] != STREAM_CLIENT)
                        return sd_bus_error_setf(error,
                                                 ERROR_SETTING_NOT_PERMITTED,
                                                 "stream %d is not the client's to give",
                                                 i);

                st->spawn.fds[i] = open_stream[kinds[i]](st, i);
                if (st->spawn.fds[i] < 0)
                        return st->spawn.fds[i];
        }

        return 0;
}

static int step_cgroup(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;
        _cleanup_free_ char *text = NULL;
        int r;

        s->cgroup_fd = cgroup_create(s->keeper->unit, s->cgroup_name);
        if (s->cgroup_fd < 0)
                return s->cgroup_fd;
        st->spawn.cgroup_fd = s->cgroup_fd;

        r = cgroup_apply(s->keeper->unit, s->cgroup_fd, st->plan, &s->record->enforced, &text);
        if (r < 0)
                return sandbox_cgroup_error(r, text, error);

        sandbox_watch_faults(s);
        return sandbox_apply_limits(s, error);
}

static int step_channels(Start *st, sd_bus_error *error) {
        static const int on = 1;
        Sandbox *s = st->sandbox;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        s->status_fd = pair[0];
        st->spawn.fds[LAUNCH_FD_STATUS] = pair[1];
        /* Before anybody can write: credentials are attached when a record is sent. */
        if (setsockopt(s->status_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return -errno;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        s->result_fd = pair[0];
        st->spawn.fds[LAUNCH_FD_RESULT] = pair[1];

        /* Init holds the writing end; the keeper must never wait for it. */
        r = fd_set_nonblock(s->result_fd, true);
        if (r < 0)
                return r;

        r = fd_set_nonblock(s->status_fd, true);
        if (r < 0)
                return r;

        return sandbox_watch_status(s);
}

static int step_notify(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;

        if (st->plan->notify_access == NOTIFY_ACCESS_NONE)
                return 0;

        return notify_socket_new(
                &s->notify, s->keeper->event, sandbox_notified, s, &st->spawn.fds[LAUNCH_FD_NOTIFY]);
}

static void on_lease(void *userdata, const LeaseRequest *request) {
        Sandbox *s = userdata;

        if (request->signo > 0)
                (void) sandbox_signal(s, false, request->signo);
        if (request->stop) {
                sandbox_stop(s);
                sandbox_advance(s);
        }
}

static void on_lease_gone(void *userdata) {
        Sandbox *s = userdata;

        s->lease = lease_server_free(s->lease);
        if (s->terms.on_disconnect == ON_DISCONNECT_STOP) {
                sandbox_stop(s);
                sandbox_advance(s);
        }
}

static int step_lease(Start *st, sd_bus_error *error) {
        Sandbox *s = st->sandbox;

        if (!st->request->lease)
                return 0;

        return lease_server_new(&s->lease, s->keeper->event, on_lease, on_lease_gone, s, &s->lease_holder);
}

static int step_exec(Start *st, sd_bus_error *error) {
        Keeper *k = st->sandbox->keeper;
        int r;

        st->spawn.id = st->sandbox->record->id;
        r = seed_process_spawn(k->seed, &st->spawn, &st->sandbox->outer);
        return r == -ENOTCONN ? spawn(k->exec_fd, &st->spawn, &st->sandbox->outer) : r;
}

/* In this order: what is cheap to refuse comes first, the process last, so that nothing has to be undone by force. */
/* clang-format off */
static const struct {
        const char *name;
        int (*run)(Start *st, sd_bus_error *error);
        bool once; /* for the sandbox, not for each of its runs */
} steps[] = {
        { "plan",     step_plan,     false },
        { "keep",     step_keep,     true },
        { "record",   step_record,   true },
        { "ids",      step_ids,      false },
        { "streams",  step_streams,  false },
        { "cgroup",   step_cgroup,   false },
        { "channels", step_channels, false },
        { "notify",   step_notify,   false },
        { "lease",    step_lease,    true },
        { "exec",     step_exec,     false },
};
/* clang-format on */

static int start_new(Start *st, Keeper *k, const LaunchRequest *request) {
        Sandbox *s;

        st->request = request;
        s = st->sandbox = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->keeper = k;
        s->no_wait = request->no_wait;
        s->cgroup_fd = s->main_fd = s->status_fd = s->result_fd = s->lease_holder = s->plan_fd = -EBADF;
        for (size_t i = 0; i < ELEMENTSOF(s->stream_fds); i++)
                s->stream_fds[i] = -EBADF;

        s->record = calloc(1, sizeof(*s->record));
        return s->record ? 0 : -ENOMEM;
}

static int take_steps(Start *st, bool again, sd_bus_error *error) {
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r;

                if (again && steps[i].once)
                        continue;

                r = steps[i].run(st, error);
                if (r < 0 && !sd_bus_error_is_set(error))
                        (void) sd_bus_error_setf(
                                error, ERROR_SETUP_FAILED, "%s: %s", steps[i].name, strerror(-r));
                if (r < 0)
                        return r;
        }

        return 0;
}

int sandbox_start_again(Sandbox *s) {
        const LaunchRequest request = {
                .id = s->record->id,
                .invocation_id = s->record->invocation_id,
                .plan_fd = s->plan_fd,
                .streams = { s->stream_fds[0], s->stream_fds[1], s->stream_fds[2] },
        };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(start_done) Start st = START_EMPTY;
        int r;

        st.sandbox = s;
        st.request = &request;
        r = take_steps(&st, true, &error);
        (void) TAKE_PTR(st.sandbox);
        if (r < 0) {
                sandbox_abort(s, error.name, "%s", error.message);
                sandbox_release_run(s);
                (void) cgroup_remove(s->keeper->unit, s->cgroup_name);
        }

        return r;
}

int sandbox_launch(Keeper *k, const LaunchRequest *request, sd_bus_error *error, Sandbox **ret) {
        _cleanup_(start_done) Start st = START_EMPTY;
        int r;

        r = start_new(&st, k, request);
        if (r < 0)
                return r;

        r = take_steps(&st, false, error);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(st.sandbox);
        return 0;
}

Sandbox *sandbox_free(Sandbox *s) {
        if (!s)
                return NULL;

        sandbox_release(s);
        if (s->cgroup_name[0] && s->phase != PHASE_DEAD)
                (void) cgroup_remove(s->keeper->unit, s->cgroup_name);

        (void) safe_close(s->lease_holder);
        (void) sd_bus_message_unref(s->launch_call);
        call_list_drop(&s->stop_calls);
        call_list_drop(&s->restart_calls);
        call_list_drop(&s->freeze_calls);

        sandbox_forget_limits(s);
        (void) faults_free(s->faults);
        sd_bus_error_free(&s->error);
        (void) sandbox_record_free(s->record);
        free(s);
        return NULL;
}
