/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/manager.h"

#include "base/log.h"
#include "broker/bus/bus-reload.h"
#include "broker/bus/bus-signals.h"
#include "broker/bus/dispatch.h"
#include "broker/bus/interface.h"
#include "broker/call/audit-kernel.h"
#include "broker/launch/launch.h"
#include "broker/peers/connection.h"
#include "broker/state/cgroups.h"
#include "broker/state/keepers.h"
#include "link/loop.h"

#include <signal.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#define FDS_MAX 65536

void manager_options_done(ManagerOptions *o) {
        free(o->sources.config);
        (void) strv_free(o->sources.profiles);
        (void) strv_free(o->sources.seccomp);
        free(o->cgroup_root);
        *o = (ManagerOptions){ 0 };
}

static int on_terminate(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int on_hangup(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        _cleanup_free_ char *text = NULL;

        (void) bus_reload(userdata, &text);
        return 0;
}

/* clang-format off */
static const struct {
        int signo;
        sd_event_signal_handler_t handler;
} signals[] = {
        { SIGTERM, on_terminate },
        { SIGINT,  on_terminate },
        { SIGHUP,  on_hangup },
};
/* clang-format on */

static int open_event(Manager *m) {
        int r;

        r = sd_event_new(&m->event);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(signals); i++)
                r = sd_event_add_signal(
                        m->event, NULL, signals[i].signo | SD_EVENT_SIGNAL_PROCMASK, signals[i].handler, m);

        return r < 0 ? r : sd_event_set_watchdog(m->event, true);
}

/* Descriptors come with messages: a process must have room for all that may wait. */
static void raise_fd_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;

        limit.rlim_cur = MIN(limit.rlim_max, (rlim_t) FDS_MAX);
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

static int find_cgroups(Manager *m, const char *root) {
        int r;

        r = cgroup_find_mount(&m->cgroup_mount);
        if (r < 0 && r != -ENOMEDIUM)
                return r;

        if (root) {
                m->cgroup_root = strdup(root);
                return m->cgroup_root ? 0 : -ENOMEM;
        }
        if (access("/run/systemd/system", F_OK) >= 0)
                return 0;

        return m->cgroup_mount ? cgroup_find_own(m->cgroup_mount, &m->cgroup_root) : -ENOMEDIUM;
}

static const KeepersHandlers keepers_handlers = {
        .snapshot = signals_snapshot,
        .changed = signals_record_changed,
        .removed = signals_record_removed,
        .event = signals_event,
        .heard = dispatch_keepers_heard,
        .start_app = launch_app,
};

static int open_keepers(Manager *m, const char *cgroup_root) {
        const char *hierarchy;
        int r;

        r = find_cgroups(m, cgroup_root);
        if (r < 0)
                return log_errno(r, "There is no version 2 cgroup hierarchy to run sandboxes in");

        hierarchy = m->cgroup_root ?: m->cgroup_mount;
        m->n_layers = machine_layers_probe(hierarchy, m->layers);

        r = keepers_new(&m->keepers,
                        &(KeepersSetup){
                                .event = m->event,
                                .bus = m->questions,
                                .sandboxes = &m->sandboxes,
                                .hierarchy = hierarchy,
                                .cgroup_root = m->cgroup_root,
                                .handlers = &keepers_handlers,
                                .manager = m,
                        });
        if (r < 0)
                return log_errno(r, "Cannot listen for keepers on " LINK_SOCKET);

        return 0;
}

static int open_bus(Manager *m) {
        int r;

        r = connection_open(&m->bus);
        if (r >= 0)
                r = connection_open_questions(&m->questions);
        if (r < 0)
                return r;

        r = peers_new(&m->peers, m->questions, m->event, dispatch_peer_ready, m);
        if (r >= 0)
                r = polkit_new(&m->polkit, m->questions, m->event);
        if (r >= 0)
                r = dispatch_attach(m);
        if (r < 0)
                return r;

        r = sd_bus_request_name(m->bus, BUS_NAME, 0);
        if (r < 0)
                return log_errno(r, "Cannot take the name " BUS_NAME " on the system bus");

        r = sd_bus_attach_event(m->questions, m->event, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
}

int manager_new(Manager **ret, const ManagerOptions *options) {
        _cleanup_(manager_freep) Manager *m = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return log_oom();

        m->audit_fd = -EBADF;
        m->sources = &options->sources;
        m->interfaces = interfaces_by_kind;
        LIST_INIT(&m->reservations);
        TAILQ_INIT(&m->early);
        raise_fd_limit();

        r = accounts_new(&m->accounts);
        if (r < 0)
                return log_errno(r, "Cannot start the process that looks up accounts");

        r = open_event(m);
        if (r < 0)
                return log_errno(r, "Cannot set up the event loop");

        r = accounts_attach(m->accounts, m->event);
        if (r < 0)
                return log_errno(r, "Cannot watch the process that looks up accounts");

        r = quotas_new(&m->quotas);
        if (r < 0)
                return log_oom();

        if (gethostname(m->host_name, sizeof(m->host_name) - 1) < 0)
                return log_errno(-errno, "Cannot get the host's name");

        r = catalog_load(&m->catalog, m->sources, NULL, &text);
        if (r < 0)
                return log_errno(r, "Cannot start with these settings");

        /* The name first: of two brokers only the one that has it may take over the socket. */
        r = open_bus(m);
        if (r < 0)
                return log_errno(r, "Cannot set up the bus");

        r = open_keepers(m, options->cgroup_root);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

/* Whoever waits is answered while there still is a bus to answer on. */
Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;

        (void) accounts_free(m->accounts);
        m->accounts = NULL;
        dispatch_drop(m);
        (void) keepers_free(m->keepers);
        (void) peers_free(m->peers);
        (void) polkit_free(m->polkit);
        sandboxes_done(&m->sandboxes);
        (void) sd_event_source_disable_unref(m->audit_flush);
        audit_kernel_close(&m->audit_fd);
        (void) quotas_free(m->quotas);
        plan_memo_done(&m->plans);
        (void) catalog_free(m->catalog);
        (void) sd_bus_flush_close_unref(m->questions);
        (void) sd_bus_flush_close_unref(m->bus);
        (void) sd_event_unref(m->event);
        free(m->cgroup_mount);
        free(m->cgroup_root);
        free(m);
        return NULL;
}

DEFINE_CLEANUP(Manager *, manager_free);

int manager_run(Manager *m) {
        int r;

        signals_update_status(m);
        (void) sd_notify(false, "READY=1");
        log_info("Ready: %zu profiles", m->catalog->n_entries);

        r = loop_run(m->event);
        (void) sd_notify(false, "STOPPING=1");
        if (r < 0)
                return log_errno(r, "The event loop failed");
        /* Nobody asked for it: what sd-bus ends the loop with. */
        if (r > 0)
                return log_errno(-ECONNRESET, "The system bus is gone");

        return 0;
}
