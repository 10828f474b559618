/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/keeper.h"

#include "base/log.h"
#include "base/text.h"
#include "keeper/app.h"
#include "keeper/link-client.h"
#include "keeper/parts/spawn.h"
#include "link/hello.h"
#include "link/loop.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#define SANDBOXES_MAX 4096U
#define REAP_FAILURES_MAX 100U

struct Keeper {
        uid_t uid; /* LINK_UID_UNKNOWN until the application is launched */
        App *app;  /* NULL: a user's keeper */
        SandboxContext context;
        PlanRecent recent;
        LinkClient *link;
        SandboxList sandboxes; /* oldest first */
        size_t n_sandboxes, n_ended;
        bool launched; /* the application was, once and for all */
};

Sandbox *keeper_find(Keeper *k, const char *id) {
        Sandbox *s = TAILQ_FIRST(&k->sandboxes);

        while (s && !streq(s->record->id, id))
                s = TAILQ_NEXT(s, entry);

        return s;
}

static size_t n_alive(const Keeper *k) { return k->n_sandboxes - k->n_ended; }

static void notify_status(const Keeper *k) {
        if (k->app)
                return; /* says itself how it is */

        (void) sd_notifyf(false, "STATUS=%zu sandbox%s", n_alive(k), n_alive(k) == 1 ? "" : "es");
}

static void drop(Keeper *k, Sandbox *s) {
        TAILQ_REMOVE(&k->sandboxes, s, entry);
        k->n_sandboxes--;
        (void) sandbox_free(s);
}

void keeper_forget(Keeper *k, Sandbox *s) {
        link_tell_sandbox_removed(k->link, s->record);
        k->n_ended--;
        drop(k, s);
}

static Sandbox *oldest_ended(Keeper *k) {
        Sandbox *s = TAILQ_FIRST(&k->sandboxes);

        while (s && sandbox_is_alive(s))
                s = TAILQ_NEXT(s, entry);

        return s;
}

static void leave_when_empty(Keeper *k) {
        if (k->context.leaving && n_alive(k) == 0)
                (void) sd_event_exit(k->context.run.event, 0);
}

static int check_plan(void *userdata, const Plan *plan, sd_bus_error *error) {
        const Keeper *k = userdata;

        if (k->app)
                return app_check_plan(k->app, k->context.run.unit->path, plan, error);
        if (plan->uid != k->uid)
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "id, plan and keeper do not agree");

        return 0;
}

static void on_changed(void *userdata, const Sandbox *s) {
        Keeper *k = userdata;

        link_tell_sandbox_changed(k->link, s->record);
        if (k->app)
                app_changed(k->app, s);
}

static void on_deadline(void *userdata, const Sandbox *s, uint64_t timeout_usec) {
        Keeper *k = userdata;

        if (k->app)
                app_deadline(k->app, s, timeout_usec);
}

/* An application that asks for more time than its profile gives is waited for by whoever waits for the keeper. */
static void on_extended(void *userdata, const Sandbox *s, uint64_t timeout_usec) {
        Keeper *k = userdata;

        if (k->app)
                app_deadline(k->app, s, timeout_usec);
        else if (k->context.leaving)
                (void) sd_notifyf(false, "EXTEND_TIMEOUT_USEC=%" PRIu64, timeout_usec + USEC_PER_SEC);
}

static void on_launched(void *userdata, const Sandbox *s) {
        Keeper *k = userdata;

        if (k->app)
                app_launched(k->app, s);
}

static void on_happened(void *userdata, const Sandbox *s, const SandboxEvent *e) {
        Keeper *k = userdata;

        link_tell_event(k->link, s->record, e);
}

static void on_removed(void *userdata, const Sandbox *s) {
        Keeper *k = userdata;

        link_tell_sandbox_removed(k->link, s->record);
}

static void on_ended(void *userdata, Sandbox *s, bool keep) {
        Keeper *k = userdata;

        /* Nothing is kept of a failed application: its unit shows the failure, and this keeper ends with it. */
        if (k->app) {
                app_ended(k->app, s);
                link_tell_sandbox_removed(k->link, s->record);
                drop(k, s);
                return;
        }

        if (keep) {
                k->n_ended++;
                while (k->n_ended > LINK_ENDED_MAX)
                        keeper_forget(k, oldest_ended(k));
        } else
                drop(k, s);

        notify_status(k);
        leave_when_empty(k);
}

static const SandboxHandlers sandbox_handlers = {
        .check_plan = check_plan,
        .changed = on_changed,
        .deadline = on_deadline,
        .extended = on_extended,
        .launched = on_launched,
        .happened = on_happened,
        .removed = on_removed,
        .ended = on_ended,
};

int keeper_launch(Keeper *k, const LaunchRequest *request, sd_bus_error *error, Sandbox **ret) {
        Sandbox *s;
        int r;

        if (k->context.leaving)
                return sd_bus_error_set(error, ERROR_SHUTTING_DOWN, "the keeper is shutting down");
        if (n_alive(k) >= SANDBOXES_MAX)
                return sd_bus_error_setf(
                        error, ERROR_QUOTA_EXCEEDED, "the keeper holds %u sandboxes", SANDBOXES_MAX);

        if (k->app && k->launched)
                return sd_bus_error_setf(
                        error, ERROR_SANDBOX_EXISTS, "%s was launched already", app_name(k->app));

        s = keeper_find(k, request->id);
        if (s && sandbox_is_alive(s))
                return sd_bus_error_setf(error,
                                         ERROR_SANDBOX_EXISTS,
                                         "%s is there still: %s",
                                         request->id,
                                         s->record->sub_state);
        if (s)
                keeper_forget(k, s);

        r = sandbox_launch(&k->context, request, error, &s);
        if (r < 0)
                return r;

        k->uid = s->record->uid;
        k->launched = true;
        if (k->app)
                app_stop_asking(k->app);
        TAILQ_INSERT_TAIL(&k->sandboxes, s, entry);
        k->n_sandboxes++;
        sandbox_begin(s);
        notify_status(k);
        *ret = s;
        return 0;
}

static Sandbox *find_by_child(Keeper *k, pid_t pid) {
        Sandbox *s = TAILQ_FIRST(&k->sandboxes);

        while (s && !run_owns(s->run, pid))
                s = TAILQ_NEXT(s, entry);

        return s;
}

/* 1: there may be more to reap. A child that no sandbox owns is left from a set-up that was cut short. */
static int reap_child(Keeper *k) {
        siginfo_t child = {};
        Sandbox *s;
        int wait_status;

        if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0)
                return errno == ECHILD ? 0 : -errno;
        if (child.si_pid == 0)
                return 0;

        /* The owner is looked up before the child is reaped: after that, its pid may be given to another process. */
        s = seed_process_ended(k->context.run.seed, child.si_pid) ? NULL : find_by_child(k, child.si_pid);
        if (waitpid(child.si_pid, &wait_status, 0) < 0)
                return -errno;
        if (s)
                run_reaped(s->run, child.si_pid, wait_status);

        return 1;
}

/*
 * SIGCHLD is not queued: one may stand for many children, and a child that is not reaped here is not announced again.
 * The handler never fails, as sd-event would then stop calling it and no sandbox would ever end.
 */
static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        unsigned n_failures = 0;
        int r = 1;

        while (r != 0 && n_failures < REAP_FAILURES_MAX) {
                r = reap_child(userdata);
                n_failures += r < 0;
        }
        if (r < 0)
                (void) log_errno(r, "cannot reap a child");

        return 0;
}

/* The first request stops every sandbox as its profile says; a second one kills them. */
static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Keeper *k = userdata;
        bool again = k->context.leaving;
        uint64_t longest = 0;
        Sandbox *s;

        k->context.leaving = true;
        if (k->app)
                app_stop_asking(k->app);
        TAILQ_FOREACH (s, &k->sandboxes, entry) {
                if (!sandbox_is_alive(s))
                        continue;

                longest = MAX(longest, s->terms.timeout_stop_usec);
                if (again)
                        sandbox_kill_all(s);
                else
                        sandbox_stop(s);
        }

        (void) sd_notifyf(false, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64, terms_unit_timeout(longest));
        leave_when_empty(k);
        return 0;
}

static int append_records(sd_bus_message *m, const Keeper *k) {
        const Sandbox *s;
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        TAILQ_FOREACH (s, &k->sandboxes, entry)
                if (r >= 0)
                        r = sandbox_record_append(m, s->record);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_hello(void *userdata, sd_bus_message *m) {
        const Keeper *k = userdata;
        const LinkHello hello = {
                .link_min = LINK_VERSION_KEEPER,
                .link_max = LINK_VERSION,
                .plan_min = PLAN_VERSION_FIRST,
                .plan_max = PLAN_VERSION,
                .uid = k->uid,
                .app = k->app ? app_name(k->app) : "",
                .program = IMMURED_VERSION,
        };
        int r;

        r = link_hello_append(m, &hello);
        return r < 0 ? r : append_records(m, k);
}

static void on_welcome(void *userdata) {
        Keeper *k = userdata;

        if (k->app) {
                app_announced(k->app);
                return;
        }

        (void) sd_notify(false, "READY=1");
        notify_status(k);
}

static void on_link_down(void *userdata) {
        Keeper *k = userdata;
        Sandbox *s;

        TAILQ_FOREACH (s, &k->sandboxes, entry)
                sandbox_drop_calls(s);
}

static const LinkClientHandlers link_handlers = {
        .append_hello = append_hello,
        .welcome = on_welcome,
        .down = on_link_down,
};

static int set_up_events(Keeper *k) {
        sd_event **event = &k->context.run.event;
        int r;

        r = sd_event_default(event);
        if (r >= 0)
                r = sd_event_add_signal(*event, NULL, SIGCHLD, on_child, k);
        if (r >= 0)
                r = sd_event_add_signal(*event, NULL, SIGTERM, on_terminate, k);
        if (r >= 0)
                r = sd_event_add_signal(*event, NULL, SIGINT, on_terminate, k);
        if (r >= 0)
                r = sd_event_set_watchdog(*event, true);

        return MIN(r, 0);
}

/* The unit is in the user's slice, unless somebody put it elsewhere: then whatever is above it is not the user's. */
static int watch_faults(Keeper *k) {
        _cleanup_close_ int slice = cgroup_unit_open_slice(k->context.run.unit);

        return fault_user_new(&k->context.run.faults,
                              k->context.run.event,
                              (const int[FAULT_USER_LEVELS]){ k->context.run.unit->fd, slice });
}

int keeper_new(Keeper **ret, const KeeperOptions *options, const sd_bus_vtable *answers) {
        const char *directory = options->cgroup;
        _cleanup_(keeper_freep) Keeper *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return log_oom();
        k->uid = options->app ? LINK_UID_UNKNOWN : options->uid;
        k->context.run.exec_fd = k->context.run.null_fd = -EBADF;
        k->context.handlers = &sandbox_handlers;
        k->recent.max = PLAN_RECENT_MAX;
        k->context.recent = &k->recent;
        k->context.userdata = k;
        TAILQ_INIT(&k->sandboxes);

        r = set_up_events(k);
        if (r < 0)
                return log_errno(r, "cannot set up the event loop");

        r = link_client_new(&k->link, k->context.run.event, answers, &link_handlers, k);
        if (r < 0)
                return log_errno(r, "cannot set up the link to the broker");

        if (options->app) {
                r = app_new(&k->app, k->context.run.event, k->link, options->app);
                if (r < 0)
                        return log_errno(r, "%s is not USER:PROFILE", options->app);
        }

        k->context.run.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (k->context.run.null_fd < 0)
                return log_errno(-errno, "/dev/null");

        k->context.run.exec_fd = spawn_load(options->exec);
        if (k->context.run.exec_fd < 0)
                return log_errno(k->context.run.exec_fd, "cannot load %s", options->exec);

        r = cgroup_unit_new(&k->context.run.unit, directory);
        if (r == -EBUSY)
                return log_errno(
                        r, "another keeper has %s, or its processes do not die", directory ?: "this cgroup");
        if (r < 0)
                return log_errno(r, "cannot take over %s", directory ?: "this process's cgroup");

        r = watch_faults(k);
        if (r < 0)
                return log_errno(r, "cannot watch the limits of this user");

        r = seed_process_new(&k->context.run.seed, k->context.run.exec_fd, k->context.run.null_fd);
        if (r < 0)
                return log_oom();

        r = id_pool_new(&k->context.ids, k->app ? app_number(k->app) : k->uid);
        if (r < 0)
                return log_errno(r, "%s", IDS_DIRECTORY);

        *ret = TAKE_PTR(k);
        return 0;
}

Keeper *keeper_free(Keeper *k) {
        if (!k)
                return NULL;

        while (!TAILQ_EMPTY(&k->sandboxes))
                drop(k, TAILQ_FIRST(&k->sandboxes));

        (void) link_client_free(k->link);
        (void) app_free(k->app);
        (void) fault_user_free(k->context.run.faults);
        (void) id_pool_free(k->context.ids);
        plan_recent_done(&k->recent);
        (void) cgroup_unit_free(k->context.run.unit);
        (void) seed_process_free(k->context.run.seed);
        (void) safe_close(k->context.run.exec_fd);
        (void) safe_close(k->context.run.null_fd);
        (void) sd_event_unref(k->context.run.event);
        free(k);
        return NULL;
}

int keeper_run(Keeper *k, int *ret_signo) {
        int r;

        r = loop_run(k->context.run.event);
        *ret_signo = k->app ? app_end_signal(k->app) : 0;
        return r < 0 ? log_errno(r, "the event loop failed") : r;
}
