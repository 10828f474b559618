/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/manager.h"

#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/bus/dispatch.h"
#include "broker/bus/notify.h"
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

AccessObject manager_access_object(const Manager *m, const Object *object) {
        AccessObject a = { .kind = object->kind, .owner = UID_NOBODY };
        const CatalogEntry *e = NULL;

        switch (object->kind) {
        case OBJECT_SANDBOX:
                if (object->sandbox) {
                        a.owner = object->sandbox->record->uid;
                        e = catalog_find(m->catalog, object->sandbox->record->profile);
                }
                break;
        case OBJECT_PROFILE:
                e = object->profile;
                break;
        case OBJECT_USER:
                a.owner = object->uid;
                break;
        case OBJECT_BRANCH:
        case OBJECT_MANAGER:
        default:
                break;
        }

        a.profile = e ? e->profile : NULL;
        return a;
}

bool manager_may_see(const Manager *m, const Caller *caller, const Object *object) {
        const AccessObject a = manager_access_object(m, object);

        return access_check(caller, ACCESS_INSPECT, &a, NULL) == 0;
}

bool manager_may_launch(const Caller *caller, const CatalogEntry *e) {
        const AccessObject a = { .kind = OBJECT_PROFILE, .owner = UID_NOBODY, .profile = e->profile };

        AccessQuestion question = { 0 };
        int r;

        if (!e->profile || !e->profile->enabled || e->profile->abstract)
                return false;

        r = access_check(caller, ACCESS_LAUNCH, &a, &question);
        return r == 0 || (r == -ENOKEY && question.own);
}

Object manager_object_of_sandbox(Sandbox *s) {
        return (Object){ .kind = OBJECT_SANDBOX, .path = s->path, .sandbox = s, .uid = UID_NOBODY };
}

Object manager_object_of_profile(const CatalogEntry *e) {
        return (Object){ .kind = OBJECT_PROFILE, .path = e->path, .profile = e, .uid = UID_NOBODY };
}

void manager_update_status(Manager *m) {
        size_t n_sandboxes = m->sandboxes.n_items, n_users = sandboxes_count_users(&m->sandboxes);

        (void) sd_notifyf(false,
                          "STATUS=%zu %s of %zu %s",
                          n_sandboxes,
                          n_sandboxes == 1 ? "sandbox" : "sandboxes",
                          n_users,
                          n_users == 1 ? "user" : "users");
}

static void sandbox_appeared(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record) {
        bool first = !sandboxes_has_user(&m->sandboxes, record->uid);
        uid_t uid = record->uid;
        Sandbox *s;
        int r;

        r = sandboxes_insert(&m->sandboxes, record, keeper, &s);
        if (r < 0) {
                (void) log_errno(r, "A sandbox of user %u cannot be shown", uid);
                return;
        }

        if (first)
                notify_user(m, uid, true);
        notify_sandbox_new(m, s);
        manager_update_status(m);
}

void manager_sandbox_changed(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record) {
        _cleanup_(sandbox_record_freep) SandboxRecord *before = NULL;
        Sandbox *s = sandboxes_find(&m->sandboxes, record->id);

        /* A failed one makes room for a new one of the same name: that is another sandbox. */
        if (s && !streq(s->record->invocation_id, record->invocation_id)) {
                manager_sandbox_removed(
                        m, s, s->record->result, s->record->exec_main_code, s->record->exec_main_status);
                s = NULL;
        }

        if (!s) {
                sandbox_appeared(m, keeper, record);
                return;
        }

        before = s->record;
        s->record = record;
        s->keeper = keeper;
        notify_sandbox_changed(m, s, before);
}

void manager_sandbox_removed(
        Manager *m, Sandbox *sandbox, SandboxResult result, int32_t code, int32_t status) {
        _cleanup_(sandbox_freep) Sandbox *gone = sandbox;

        sandboxes_remove(&m->sandboxes, gone);
        notify_sandbox_removed(m, gone, result, code, status);
        if (!sandboxes_has_user(&m->sandboxes, gone->record->uid))
                notify_user(m, gone->record->uid, false);
        manager_update_status(m);
}

static bool is_among(SandboxRecord *const *records, size_t n_records, const char *id) {
        for (size_t i = 0; i < n_records; i++)
                if (records[i] && streq(records[i]->id, id))
                        return true;

        return false;
}

void manager_keeper_snapshot(Manager *m,
                             struct KeeperEntry *keeper,
                             SandboxRecord **records,
                             size_t n_records) {
        /* A keeper holds on to what failed; so what is gone from its list meanwhile ended well. */
        for (size_t i = m->sandboxes.n_items; i > 0; i--) {
                Sandbox *s = m->sandboxes.items[i - 1];

                if (s->keeper == keeper && !is_among(records, n_records, s->record->id))
                        manager_sandbox_removed(m, s, SANDBOX_SUCCESS, CLD_EXITED, 0);
        }

        for (size_t i = 0; i < n_records; i++)
                manager_sandbox_changed(m, keeper, TAKE_PTR(records[i]));
}

static void log_findings(const Findings *f) {
        for (size_t i = 0; i < f->n_items; i++) {
                _cleanup_free_ char *text = finding_format(f->items + i);

                log_error("%s", text ?: "out of memory");
        }
}

static void log_bad_profiles(const Catalog *c) {
        for (size_t i = 0; i < c->n_entries; i++) {
                const CatalogEntry *e = c->entries + i;

                if (e->profile)
                        continue;

                event_log(EVENT_PROFILE_REFUSED,
                          &(EventField){ "IMMURED_PROFILE", e->loaded->name },
                          1,
                          "Profile \"%s\" is refused:",
                          e->loaded->name);
                log_findings(&e->loaded->findings);
                log_findings(&e->findings);
        }
}

static int load_catalog(Manager *m, Catalog **ret, char **ret_text) {
        _cleanup_findings_ Findings findings = { 0 };
        int r;

        r = catalog_load(ret, &m->options->sources, &findings);
        if (r < 0) {
                log_findings(&findings);
                *ret_text = findings.n_items > 0 ? finding_format(findings.items) : strdup(strerror(-r));
                return r;
        }

        log_findings(&findings);
        log_bad_profiles(*ret);
        return 0;
}

static int swap_catalog(Manager *m, char **ret_text) {
        _cleanup_(catalog_freep) Catalog *before = NULL;
        Catalog *after = NULL;
        int r;

        r = load_catalog(m, &after, ret_text);
        if (r < 0)
                return r;

        before = m->catalog;
        after->generation = before->generation + 1;
        m->catalog = after;
        notify_profiles_changed(m, before, after);
        return 0;
}

int manager_reload(Manager *m, char **ret_text) {
        int r;

        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_usec(CLOCK_MONOTONIC));
        notify_reloading(m, true);

        accounts_flush(m->accounts);
        r = swap_catalog(m, ret_text);
        if (r < 0)
                event_log(EVENT_RELOAD_REFUSED,
                          &(EventField){ "IMMURED_REASON", *ret_text },
                          1,
                          "Nothing was reloaded, the old settings and profiles hold: %s",
                          *ret_text ?: strerror(-r));
        else
                event_log(EVENT_RELOADED, NULL, 0, "Reloaded: %zu profiles", m->catalog->n_entries);

        notify_reloading(m, false);
        (void) sd_notify(false, "READY=1");
        return r;
}

static int on_terminate(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int on_hangup(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        _cleanup_free_ char *text = NULL;

        (void) manager_reload(userdata, &text);
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
        sigset_t mask;
        int r;

        r = sd_event_new(&m->event);
        if (r < 0)
                return r;

        (void) sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&mask, signals[i].signo);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                r = sd_event_add_signal(m->event, NULL, signals[i].signo, signals[i].handler, m);
                if (r < 0)
                        return r;
        }

        r = sd_event_set_watchdog(m->event, true);
        return r < 0 ? r : 0;
}

/* Descriptors come with messages: a process must have room for all that may wait. */
static void raise_fd_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;

        limit.rlim_cur = MIN(limit.rlim_max, (rlim_t) FDS_MAX);
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

/* Where we run keepers ourselves; NULL: systemd does. */
static int find_cgroup_root(Manager *m, char **ret) {
        int r;

        r = cgroup_find_mount(&m->cgroup_mount);
        if (r < 0 && r != -ENOMEDIUM)
                return r;

        if (m->options->cgroup_root) {
                *ret = strdup(m->options->cgroup_root);
                return *ret ? 0 : -ENOMEM;
        }
        if (access("/run/systemd/system", F_OK) >= 0) {
                *ret = NULL;
                return 0;
        }
        if (!m->cgroup_mount)
                return -ENOMEDIUM;

        return cgroup_find_own(m->cgroup_mount, ret);
}

static const KeepersHandlers keepers_handlers = {
        .snapshot = manager_keeper_snapshot,
        .changed = manager_sandbox_changed,
        .removed = manager_sandbox_removed,
        .limit_hit = notify_limit_hit,
        .start_app = launch_app,
};

static int open_keepers(Manager *m) {
        _cleanup_free_ char *root = NULL;
        int r;

        r = find_cgroup_root(m, &root);
        if (r < 0)
                return log_errno(r, "There is no version 2 cgroup hierarchy to run sandboxes in");

        m->n_layers = layers_probe(root ?: m->cgroup_mount, m->layers);

        r = keepers_new(&m->keepers,
                        &(KeepersSetup){
                                .event = m->event,
                                .bus = m->questions,
                                .sandboxes = &m->sandboxes,
                                .cgroup_root = root,
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
        if (r < 0)
                return r;

        r = polkit_new(&m->polkit, m->questions, m->event);
        if (r < 0)
                return r;

        r = dispatch_attach(m);
        if (r < 0)
                return r;

        r = sd_bus_request_name(m->bus, BUS_NAME, 0);
        if (r < 0)
                return log_errno(r, "Cannot take the name " BUS_NAME " on the system bus");

        r = sd_bus_attach_event(m->questions, m->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        return sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
}

static int get_host_name(char **ret) {
        char name[256] = "";

        if (gethostname(name, sizeof(name) - 1) < 0)
                return -errno;

        *ret = strdup(name);
        return *ret ? 0 : -ENOMEM;
}

int manager_new(Manager **ret, const ManagerOptions *options) {
        _cleanup_(manager_freep) Manager *m = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return log_oom();

        m->audit_fd = -EBADF;
        m->options = options;
        LIST_INIT(&m->reservations);
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

        r = get_host_name(&m->host_name);
        if (r < 0)
                return log_errno(r, "Cannot get the host's name");

        r = load_catalog(m, &m->catalog, &text);
        if (r < 0)
                return log_errno(r, "Cannot start with these settings");

        /* The name first: of two brokers only the one that has it may take over the socket. */
        r = open_bus(m);
        if (r < 0)
                return log_errno(r, "Cannot set up the bus");

        r = open_keepers(m);
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
        (void) keepers_free(m->keepers);
        (void) peers_free(m->peers);
        (void) polkit_free(m->polkit);
        sandboxes_done(&m->sandboxes);
        (void) sd_event_source_disable_unref(m->audit_flush);
        audit_kernel_close(&m->audit_fd);
        (void) quotas_free(m->quotas);
        (void) catalog_free(m->catalog);
        (void) sd_bus_flush_close_unref(m->questions);
        (void) sd_bus_flush_close_unref(m->bus);
        (void) sd_event_unref(m->event);
        free(m->cgroup_mount);
        free(m->host_name);
        free(m);
        return NULL;
}

int manager_run(Manager *m) {
        int r;

        manager_update_status(m);
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
