/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/run/run.h"

#include "base/fd.h"
#include "base/log.h"
#include "keeper/parts/timer.h"
#include "link/link.h"

#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>

/* cgroup files announce their changes through inotify (cgroup-v2.rst, "[Un]populated Notification"). */
static int
watch_file(Run *run, const char *file, sd_event_inotify_handler_t handler, sd_event_source **ret) {
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", run->cgroup_fd, file);
        return sd_event_add_inotify(run->context->event, ret, path, IN_MODIFY, handler, run);
}

static int on_memory_events(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Run *run = userdata;

        if (cgroup_oom_kills(run->cgroup_fd) > 0)
                run->handlers->out_of_memory(run->userdata);

        return 0;
}

/* What the application has to say lies in its socket until here: before, it was not known who it is. */
void run_executed(Run *run) {
        int r;

        if (run->terms->oom_policy == OOM_POLICY_STOP)
                (void) watch_file(run, "memory.events", on_memory_events, &run->memory_event);

        r = run->notify ? notify_socket_listen(run->notify) : 0;
        if (r < 0)
                (void) log_errno(r, "%s: cannot hear its notifications", run->id);
}

bool run_owns(Run *run, pid_t pid) {
        return run && (notify_socket_owns(run->notify, pid) || process_owns(run->process, pid));
}

void run_reaped(Run *run, pid_t pid, int wait_status) {
        if (notify_socket_owns(run->notify, pid))
                notify_socket_reaped(run->notify);
        else
                process_reaped(run->process, pid, wait_status);
}

int run_signal(const Run *run, bool all, int signo) {
        const Process *p = run->process;
        int n;

        if (!all)
                return pidfd_signal(p->main_fd, signo);
        if (signo == SIGKILL)
                return cgroup_kill(run->cgroup_fd);

        /* Our init forwards what it gets to the application, which would then have it twice. */
        n = cgroup_signal(run->cgroup_fd, p->leader != p->main ? p->leader : 0, signo);
        return n > 0 ? 0 : n < 0 ? n : -ESRCH;
}

void run_kill(const Run *run) {
        int r = cgroup_kill(run->cgroup_fd);

        if (r < 0)
                (void) log_errno(r, "%s: cannot kill the cgroup", run->id);
}

bool run_remove_cgroup(const Run *run, const char *name) {
        fault_watch_look(run->fault_watch);
        return cgroup_remove(run->context->unit, name) >= 0;
}

/* A task that sleeps uninterruptibly freezes when it wakes up: only the kernel knows when all of them are. */
static void look_again(Run *run) {
        if (run->frozen == run->freezing || cgroup_is_frozen(run->cgroup_fd) != run->freezing)
                return;

        run->frozen = run->freezing;
        run->handlers->frozen(run->userdata);
        call_list_answer(&run->freeze_calls, NULL);
}

static int on_cgroup_events(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Run *run = userdata;

        look_again(run);
        run->handlers->process.advanced(run->userdata);
        return 0;
}

int run_watch_cgroup(Run *run) {
        return run->cgroup_event ? 0
                                 : watch_file(run, "cgroup.events", on_cgroup_events, &run->cgroup_event);
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
        Run *run = userdata;

        /* A sign of life may lie there unread, as the application can send more than is read at a time. */
        notify_socket_drain(run->notify);
        if (sd_event_source_get_enabled(source, NULL) == 0)
                run->handlers->starved(run->userdata);

        return 0;
}

void run_feed_watchdog(Run *run) {
        int r;

        if (run->terms->watchdog_usec == USEC_INFINITY || run->freezing)
                return;

        /* After its packets, hence the priority. */
        r = timer_start(run->context->event,
                        &run->watchdog,
                        run->terms->watchdog_usec,
                        SD_EVENT_PRIORITY_NORMAL + 20,
                        on_watchdog,
                        run);
        if (r < 0)
                (void) log_errno(r, "%s: cannot watch over it", run->id);
}

void run_stop_watchdog(Run *run) { (void) sd_event_source_set_enabled(run->watchdog, SD_EVENT_OFF); }

void run_extend_watchdog(Run *run, uint64_t usec) {
        uint64_t now = 0, own = run->terms->watchdog_usec;

        if (own >= UINT64_MAX / PLAN_EXTENSION_MAX / 2)
                return;

        (void) sd_event_now(run->context->event, CLOCK_MONOTONIC, &now);
        timer_extend(run->watchdog, now + MIN(usec, own * PLAN_EXTENSION_MAX));
}

int run_freeze(Run *run, bool freeze, sd_bus_message *call, sd_bus_error *error) {
        const char *id = run->id;
        int r;

        if (run->freezing != freeze && run->freeze_calls.n > 0)
                return sd_bus_error_setf(
                        error, ERROR_BUSY, "%s is being %s", id, run->freezing ? "frozen" : "thawed");

        r = run_watch_cgroup(run);
        if (r >= 0)
                r = cgroup_freeze(run->cgroup_fd, freeze);
        if (r < 0)
                return r;

        /* The frozen can give no sign of life, and the thawed has all its time for the next. */
        run->freezing = freeze;
        if (freeze)
                run_stop_watchdog(run);
        else
                run_feed_watchdog(run);
        if (call_list_add(&run->freeze_calls, call) < 0)
                return sd_bus_error_setf(error, ERROR_BUSY, "too many callers wait for %s", id);

        if (run->frozen == freeze)
                call_list_answer(&run->freeze_calls, NULL);
        look_again(run);
        return 1;
}

void run_thaw(Run *run) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!run)
                return;

        if (run->freezing || run->frozen) {
                r = cgroup_freeze(run->cgroup_fd, false);
                if (r < 0 && r != -ENODEV && r != -ENOENT)
                        (void) log_errno(r, "%s: cannot thaw it", run->id);
        }
        run->freezing = run->frozen = false;

        if (run->freeze_calls.n == 0)
                return;

        (void) sd_bus_error_setf(&error, ERROR_SANDBOX_NOT_RUNNING, "%s is not running any more", run->id);
        call_list_answer(&run->freeze_calls, &error);
}

int run_new(Run **ret,
            const RunContext *context,
            const char *id,
            const Terms *terms,
            const RunHandlers *handlers,
            void *userdata) {
        Run *run = malloc(sizeof(*run));

        if (!run)
                return -ENOMEM;

        *run = (Run){
                .context = context,
                .handlers = handlers,
                .userdata = userdata,
                .id = id,
                .terms = terms,
                .cgroup_fd = -EBADF,
        };
        *ret = run;
        return 0;
}

Run *run_free(Run *run) {
        if (!run)
                return NULL;

        run_thaw(run);
        (void) sd_event_source_disable_unref(run->cgroup_event);
        (void) sd_event_source_disable_unref(run->memory_event);
        (void) sd_event_source_disable_unref(run->watchdog);
        (void) fault_watch_free(run->fault_watch);
        (void) notify_socket_free(run->notify);
        (void) process_free(run->process);
        (void) safe_close(run->cgroup_fd);
        free(run);
        return NULL;
}
