/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "keeper/parts/spawn.h"
#include "keeper/run/run.h"
#include "plan/client-streams.h"

#include <fcntl.h>
#include <sys/stat.h>

/* What is needed between the request and the running immured-exec, and no longer. */
typedef struct Start {
        Run *run;
        const RunRequest *request;
        SpawnRequest spawn; /* its descriptors are ours */
} Start;

static void start_done(Start *st) {
        for (size_t i = 0; i < ELEMENTSOF(st->spawn.fds); i++)
                st->spawn.fds[i] = safe_close(st->spawn.fds[i]);

        (void) run_free(st->run);
}

static int duplicate(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return copy < 0 ? -errno : copy;
}

static int step_plan(Start *st, sd_bus_error *error) {
        st->spawn.id = st->request->record->id;
        st->spawn.id_block = st->request->id_block;
        st->spawn.fds[LAUNCH_FD_PLAN] = duplicate(st->request->plan_fd);
        return MIN(st->spawn.fds[LAUNCH_FD_PLAN], 0);
}

/* The host's id behind one inside; UINT32_MAX, which chown(2) takes for "leave it", where there is none. */
static uint32_t id_outside(const PlanIdMap *maps, size_t n, uint32_t base, uint32_t inside) {
        for (size_t i = 0; i < n; i++)
                if (inside >= maps[i].inside && inside - maps[i].inside < maps[i].count)
                        return base + maps[i].outside + (inside - maps[i].inside);

        return UINT32_MAX;
}

static int open_journal_stream(Start *st, int number) {
        const RunRequest *request = st->request;
        const Plan *plan = request->plan;
        const uint32_t base = plan->private_users == PRIVATE_USERS_PICK ? request->id_block : 0;
        int fd;

        fd = log_streams_open(request->logs, number);
        if (fd < 0)
                return fd;

        /* A pipe is opened again through /dev/stdout only by its owner. */
        (void) fchown(fd,
                      id_outside(plan->uid_map, plan->n_uid_map, base, plan->uid),
                      id_outside(plan->gid_map, plan->n_gid_map, base, plan->gid));
        return fd;
}

static int open_null_stream(Start *st, int number) { return duplicate(st->run->context->null_fd); }

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
        const uint8_t kinds[3] = {
                st->request->plan->standard_input,
                st->request->plan->standard_output,
                st->request->plan->standard_error,
        };

        for (int i = 0; i < 3; i++) {
                if (kinds[i] >= ELEMENTSOF(open_stream) || !open_stream[kinds[i]] ||
                    (i == 0 && kinds[i] == STREAM_JOURNAL))
                        return sd_bus_error_setf(error,
                                                 ERROR_SETUP_FAILED,
                                                 "streams: stream %d cannot go where the plan says",
                                                 i);
                if (st->request->streams & CLIENT_STREAM(i)) {
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

        if (st->request->streams == 0)
                return 0;

        st->spawn.fds[LAUNCH_FD_STREAMS] = duplicate(st->request->streams_fd);
        return MIN(st->spawn.fds[LAUNCH_FD_STREAMS], 0);
}

static void watch_faults(Run *run) {
        int r;

        r = fault_watch_new(
                &run->fault_watch, run->context->faults, run->cgroup_fd, run->handlers->hit, run->userdata);
        if (r < 0)
                (void) log_errno(r, "%s: hits of its limits will not be noticed", run->record->id);
}

static int step_cgroup(Start *st, sd_bus_error *error) {
        const RunRequest *request = st->request;
        CgroupUnit *unit = st->run->context->unit;
        _cleanup_free_ char *text = NULL;
        Run *run = st->run;
        int r;

        run->cgroup_fd = cgroup_create(unit, request->cgroup_name);
        if (run->cgroup_fd < 0)
                return run->cgroup_fd;
        st->spawn.cgroup_fd = run->cgroup_fd;

        r = cgroup_apply(unit, run->cgroup_fd, request->plan, &run->record->enforced, &text);
        if (r < 0)
                return limits_error(r, text, error);

        watch_faults(run);
        return limits_apply(request->limits, unit, run->cgroup_fd, error);
}

/* The layers of immured-exec join those of the cgroup in the record. */
static int on_verified(void *userdata, const Process *p, const char *layers) {
        Run *run = userdata;
        _cleanup_strv_ char **words = NULL;
        int r;

        if (run->notify && !notify_socket_is_bound(run->notify))
                run->handlers->failed(
                        run->userdata, ERROR_VERIFICATION_FAILED, "notify: the socket is not in its place");

        run->record->leader = (uint32_t) p->leader;
        run->record->main_pid = (uint32_t) p->main;

        r = split_words(layers, &words);
        return r < 0 ? r : strv_extend_strv(&run->record->enforced, words);
}

static void on_streams(void *userdata) {
        Run *run = userdata;

        run->handlers->streams(run->userdata);
}

static void on_failed(void *userdata, const char *error_name, const char *text) {
        Run *run = userdata;

        run->handlers->failed(run->userdata, error_name, text);
}

static void on_advanced(void *userdata) {
        Run *run = userdata;

        run->handlers->advanced(run->userdata);
}

static int step_channels(Start *st, sd_bus_error *error) {
        static const ProcessHandlers handlers = {
                .streams = on_streams,
                .verified = on_verified,
                .failed = on_failed,
                .advanced = on_advanced,
        };

        return process_new(&st->run->process,
                           st->run->context->event,
                           st->request->logs,
                           &handlers,
                           st->run,
                           &st->spawn.fds[LAUNCH_FD_STATUS],
                           &st->spawn.fds[LAUNCH_FD_RESULT]);
}

/* Under "all" anybody may send: the socket can be reached from inside alone. */
static void on_notified(void *userdata, pid_t sender, const NotifyMessage *message) {
        Run *run = userdata;

        if (run->terms->notify_access != NOTIFY_ACCESS_MAIN || sender == run->process->main)
                run->handlers->notified(run->userdata, message);
}

static int step_notify(Start *st, sd_bus_error *error) {
        Run *run = st->run;

        if (st->request->terms->notify_access == NOTIFY_ACCESS_NONE)
                return 0;

        return notify_socket_new(
                &run->notify, run->context->event, on_notified, run, &st->spawn.fds[LAUNCH_FD_NOTIFY]);
}

static int step_exec(Start *st, sd_bus_error *error) {
        const RunContext *context = st->run->context;
        pid_t *pid = &st->run->process->outer;
        int r;

        r = seed_process_spawn(context->seed, &st->spawn, pid);
        return r == -ENOTCONN ? spawn(context->exec_fd, &st->spawn, pid) : r;
}

/* What can be refused cheaply comes first, and the process last, so that no failed start has anything to kill. */
/* clang-format off */
static const struct {
        const char *name;
        int (*run)(Start *st, sd_bus_error *error);
} steps[] = {
        { "plan",     step_plan },
        { "streams",  step_streams },
        { "cgroup",   step_cgroup },
        { "channels", step_channels },
        { "notify",   step_notify },
        { "exec",     step_exec },
};
/* clang-format on */

static int take_steps(Start *st, sd_bus_error *error) {
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r;

                r = steps[i].run(st, error);
                if (r < 0 && !sd_bus_error_is_set(error))
                        (void) sd_bus_error_setf(
                                error, ERROR_SETUP_FAILED, "%s: %s", steps[i].name, strerror(-r));
                if (r < 0)
                        return r;
        }

        return 0;
}

int run_start(Run **ret,
              const RunContext *context,
              const RunRequest *request,
              const RunHandlers *handlers,
              void *userdata,
              sd_bus_error *error) {
        _cleanup_(start_done)
                Start st = { .request = request, .spawn.fds = { [0 ... _LAUNCH_FD_END - 1] = -EBADF } };
        int r;

        st.run = malloc(sizeof(*st.run));
        if (!st.run)
                return -ENOMEM;
        *st.run = (Run){
                .context = context,
                .handlers = handlers,
                .userdata = userdata,
                .terms = request->terms,
                .record = request->record,
                .cgroup_fd = -EBADF,
        };

        r = take_steps(&st, error);
        if (r < 0) {
                st.run = run_free(st.run);
                (void) cgroup_remove(context->unit, request->cgroup_name);
                return r;
        }

        *ret = TAKE_PTR(st.run);
        return 0;
}
