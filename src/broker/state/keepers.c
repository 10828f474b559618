/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/keepers.h"

#include "base/event.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/state/cgroups.h"
#include "broker/state/expected.h"
#include "broker/state/keeper-start.h"
#include "broker/state/keeper-unit.h"
#include "broker/state/link-server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>

/* How long a keeper that keeps nothing may take to leave when told to. */
#define LEAVE_DEADLINE_USEC (5 * USEC_PER_SEC)
/* How long a keeper may take from being asked for to its Hello. */
#define START_DEADLINE_USEC (15 * USEC_PER_SEC)
/* How long one whose link broke may take to come back to us; where we can see whether it lives, how often we look. */
#define RETURN_DEADLINE_USEC (5 * USEC_PER_SEC)
#define RETURN_LOOK_USEC (50 * USEC_PER_MSEC)
/* Between two looks at a group whose processes were killed, and how many looks. */
#define CLEAR_INTERVAL_USEC (10 * USEC_PER_MSEC)
#define CLEAR_LOOKS_MAX 1000

/*
 * A user has one keeper that we start, and one for each application that a unit of its own runs: these come by
 * themselves, and are known by their AppName. Their uid is known from the moment the application is launched.
 */
typedef enum KeeperState {
        KEEPER_STARTING,
        KEEPER_READY,
        KEEPER_LOST,
        KEEPER_LEAVING,  /* told to, and not ended yet */
        KEEPER_CLEARING, /* what a former one left behind is being ended, before there is another */
} KeeperState;

struct KeeperEntry {
        LIST_ENTRY(KeeperEntry) entry;
        Keepers *keepers;
        uid_t uid;
        char app[APP_NAME_SIZE];   /* "": the user's own */
        char title[APP_NAME_SIZE]; /* "user 1000", "alice:web" */
        KeeperState state;
        KeeperLink *link; /* while ready */
        TAILQ_HEAD(, KeeperWaiter) waiters;
        sd_event_source *deadline;
        KeeperUnit *unit; /* with systemd, until it came up */
        char *cgroup;     /* without: the directory it was given */
        int pidfd;        /* likewise, if this very broker started it; and of one that is leaving */
        bool has_left;    /* systemd may not have noticed yet */
        sd_event_source *reconsider; /* whether it is to leave, of one that is not of our version */
        unsigned n_looks;            /* while clearing */
        sd_event_source *exited;
};

struct Keepers {
        KeepersSetup setup;
        LinkServer *server;
        char *cgroup_root; /* NULL: systemd runs keepers */
        LIST_HEAD(, KeeperEntry) list;
        Expected *expected;
};

/* app "": the user's own; otherwise the uid does not count. */
static KeeperEntry *entry_find(Keepers *k, uid_t uid, const char *app) {
        KeeperEntry *keeper;

        LIST_FOREACH (keeper, &k->list, entry)
                if (streq(keeper->app, app) && (*app || keeper->uid == uid))
                        return keeper;

        return NULL;
}

static KeeperEntry *entry_free(KeeperEntry *keeper) {
        if (!keeper)
                return NULL;

        LIST_REMOVE(keeper, entry);
        (void) sd_event_source_disable_unref(keeper->deadline);
        (void) sd_event_source_disable_unref(keeper->exited);
        (void) sd_event_source_disable_unref(keeper->reconsider);
        (void) keeper_unit_free(keeper->unit);
        (void) safe_close(keeper->pidfd);
        free(keeper->cgroup);
        free(keeper);
        return NULL;
}

static int entry_new(Keepers *k, uid_t uid, const char *app, KeeperState state, KeeperEntry **ret) {
        KeeperEntry *keeper = calloc(1, sizeof(*keeper));

        if (!keeper)
                return -ENOMEM;

        *keeper = (KeeperEntry){ .keepers = k, .uid = uid, .state = state, .pidfd = -EBADF };
        (void) snprintf(keeper->app, sizeof(keeper->app), "%s", app);
        if (*app)
                (void) snprintf(keeper->title, sizeof(keeper->title), "%s", app);
        else
                (void) snprintf(keeper->title, sizeof(keeper->title), "user %u", uid);

        if (k->cgroup_root && !*app && cgroup_path_for_keeper(k->cgroup_root, uid, &keeper->cgroup) < 0) {
                free(keeper);
                return -ENOMEM;
        }

        TAILQ_INIT(&keeper->waiters);
        LIST_INSERT_HEAD(&k->list, keeper, entry);
        *ret = keeper;
        return 0;
}

static void entry_settle(KeeperEntry *keeper) {
        keeper->deadline = sd_event_source_disable_unref(keeper->deadline);
        keeper->unit = keeper_unit_free(keeper->unit);
}

/* One of them may find that a keeper that is ready cannot do, and replace it: all who are left wait for the next. */
static void entry_tell_waiters(KeeperEntry *keeper, const char *text) {
        const KeeperState state = keeper->state;
        KeeperWaiter *w;

        while (keeper->state == state && (w = TAILQ_FIRST(&keeper->waiters))) {
                keepers_withdraw(w);
                w->handler(state == KEEPER_READY ? keeper : NULL, text, w->userdata);
        }
}

/* Without their keeper nobody knows what becomes of these. */
static void drop_sandboxes(KeeperEntry *keeper) {
        const KeepersSetup *setup = &keeper->keepers->setup;
        const Sandboxes *sandboxes = setup->sandboxes;

        for (size_t i = sandboxes->n_items; i > 0; i--)
                if (sandboxes->items[i - 1]->keeper == keeper)
                        setup->handlers->removed(
                                setup->manager, sandboxes->items[i - 1], SANDBOX_RESOURCES, 0, 0);
}

static void entry_give_up(KeeperEntry *keeper, const char *text) {
        entry_settle(keeper);
        keeper->state = KEEPER_LOST;
        entry_tell_waiters(keeper, text);
        drop_sandboxes(keeper);
        (void) entry_free(keeper);
}

static int deadline_set(KeeperEntry *keeper, uint64_t usec, sd_event_time_handler_t handler) {
        keeper->deadline = sd_event_source_disable_unref(keeper->deadline);
        return sd_event_add_time_relative(
                keeper->keepers->setup.event, &keeper->deadline, CLOCK_MONOTONIC, usec, 0, handler, keeper);
}

static int entry_start(KeeperEntry *keeper);
static int on_look(sd_event_source *s, uint64_t usec, void *userdata);

/* Goes on once nothing of a former keeper is left: with a new one, if anybody waits. The row may be gone then. */
static int entry_clear(KeeperEntry *keeper) {
        int r;

        entry_settle(keeper);
        keeper->state = KEEPER_CLEARING;
        r = keeper->cgroup ? cgroup_clear(keeper->cgroup) : 0;
        if (r == -EBUSY && keeper->n_looks++ < CLEAR_LOOKS_MAX)
                return deadline_set(keeper, CLEAR_INTERVAL_USEC, on_look);
        if (r < 0)
                return log_errno(r, "Cannot clear the cgroup %s", keeper->cgroup);

        keeper->n_looks = 0;
        if (!TAILQ_EMPTY(&keeper->waiters))
                return entry_start(keeper);

        (void) entry_free(keeper);
        return 0;
}

static int on_look(sd_event_source *s, uint64_t usec, void *userdata) {
        KeeperEntry *keeper = userdata;

        if (entry_clear(keeper) < 0)
                entry_give_up(keeper, "what the last one left behind cannot be cleared away");
        return 0;
}

/* It is gone for good. Whoever came after that gets a new one; one that never came up is not tried again. */
static void entry_end(KeeperEntry *keeper, const char *text) {
        if (keeper->state == KEEPER_STARTING)
                entry_tell_waiters(keeper, text);

        drop_sandboxes(keeper);
        if (entry_clear(keeper) < 0)
                entry_give_up(keeper, text);
}

static bool entry_has_sandboxes(const KeeperEntry *keeper) {
        return sandboxes_has_keeper(keeper->keepers->setup.sandboxes, keeper, false);
}

static int on_return_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        KeeperEntry *keeper = userdata;

        /* Alive, but slow: its sandboxes are still kept. */
        if (keeper->cgroup && cgroup_has_processes(keeper->cgroup, "keeper"))
                return deadline_set(keeper, RETURN_LOOK_USEC, on_return_deadline);

        if (entry_has_sandboxes(keeper))
                event_log(EVENT_KEEPER_GONE,
                          NULL,
                          0,
                          "The keeper of %s is gone, and its sandboxes with it",
                          keeper->title);
        entry_end(keeper, "the keeper went away");
        return 0;
}

static void entry_lose(KeeperEntry *keeper) {
        int r;

        keeper->link = NULL;
        if (keeper->state == KEEPER_LEAVING)
                return; /* on_exited() goes on when it has ended */

        keeper->state = KEEPER_LOST;
        if (!keeper->cgroup && !entry_has_sandboxes(keeper) && TAILQ_EMPTY(&keeper->waiters)) {
                (void) entry_free(keeper);
                return;
        }

        r = deadline_set(
                keeper, keeper->cgroup ? RETURN_LOOK_USEC : RETURN_DEADLINE_USEC, on_return_deadline);
        if (r < 0) {
                (void) log_errno(r, "Cannot wait for the keeper of %s", keeper->title);
                entry_give_up(keeper, "the keeper went away");
        }
}

static int on_start_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        KeeperEntry *keeper = userdata;

        log_warning("The keeper of %s did not come up within 15 s", keeper->title);
        if (keeper->pidfd < 0) {
                entry_give_up(keeper, "the keeper did not come up within 15 s");
                return 0;
        }

        /* The rest when it is dead. */
        entry_tell_waiters(keeper, "the keeper did not come up within 15 s");
        (void) pidfd_signal(keeper->pidfd, SIGKILL);
        return 0;
}

/*
 * A keeper ended: our own child, or one that we told to leave, whoever had started it. What it kept must not run on
 * where nobody knows of it.
 */
static int on_exited(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        siginfo_t info = { .si_code = CLD_EXITED };
        KeeperEntry *keeper = userdata;

        if (waitid(P_PIDFD, (id_t) fd, &info, WEXITED | WNOHANG) < 0 ? errno != ECHILD : info.si_pid == 0)
                return 0;

        keeper->exited = sd_event_source_disable_unref(keeper->exited);
        keeper->pidfd = safe_close(keeper->pidfd);
        if (info.si_code != CLD_EXITED || info.si_status != 0)
                log_warning("The keeper of %s ended: %s %d",
                            keeper->title,
                            info.si_code == CLD_EXITED ? "status" : "signal",
                            info.si_status);

        if (keeper->link) {
                KeeperLink *l = keeper->link;

                keeper->link = NULL;
                keeper_link_set_owner(l, NULL);
                keeper_link_close(l);
                keeper->state = KEEPER_LOST;
        }

        keeper->has_left = keeper->state == KEEPER_LEAVING;
        entry_end(keeper, "the keeper ended");
        return 0;
}

static int start_by_ourselves(KeeperEntry *keeper) {
        _cleanup_close_ int dir = -EBADF;
        Keepers *k = keeper->keepers;

        dir = cgroup_make_for_keeper(k->cgroup_root, keeper->uid);
        if (dir < 0)
                return log_errno(dir, "Cannot make the cgroup %s", keeper->cgroup);

        keeper->pidfd = keeper_spawn(keeper->uid, keeper->cgroup, dir);
        if (keeper->pidfd < 0)
                return log_errno(keeper->pidfd, "Cannot start the keeper of %s", keeper->title);

        return sd_event_add_io(k->setup.event, &keeper->exited, keeper->pidfd, EPOLLIN, on_exited, keeper);
}

static void on_unit_failed(const char *text, void *userdata) {
        KeeperEntry *keeper = userdata;

        log_warning("The keeper of %s does not come up: %s", keeper->title, text);
        entry_give_up(keeper, text);
}

/* It did not get far enough to be watched, and nobody else would reap it. */
static void end_child(KeeperEntry *keeper) {
        siginfo_t info = { 0 };

        if (keeper->pidfd < 0)
                return;

        keeper->exited = sd_event_source_disable_unref(keeper->exited);
        (void) pidfd_signal(keeper->pidfd, SIGKILL);
        while (waitid(P_PIDFD, (id_t) keeper->pidfd, &info, WEXITED) < 0 && errno == EINTR)
                ;
        keeper->pidfd = safe_close(keeper->pidfd);
}

static int start_by_systemd(KeeperEntry *keeper) {
        return keeper_unit_start(&keeper->unit,
                                 keeper->keepers->setup.bus,
                                 keeper->uid,
                                 keeper->has_left,
                                 on_unit_failed,
                                 keeper);
}

static int entry_start(KeeperEntry *keeper) {
        int r;

        keeper->state = KEEPER_STARTING;
        r = keeper->cgroup ? start_by_ourselves(keeper) : start_by_systemd(keeper);
        if (r >= 0)
                r = deadline_set(keeper, START_DEADLINE_USEC, on_start_deadline);
        if (r < 0)
                end_child(keeper);

        return r;
}

/* One from before this broker's time is on its way to us: a second one would fight it for the ids. */
static int entry_begin(KeeperEntry *keeper) {
        if (keeper->cgroup && cgroup_has_processes(keeper->cgroup, "keeper"))
                return deadline_set(keeper, START_DEADLINE_USEC, on_start_deadline);

        return entry_clear(keeper);
}

/* It may hang in the kernel, out of reach of SIGKILL. Whoever waits hears so, now and each time it goes on. */
static int on_leave_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        KeeperEntry *keeper = userdata;

        log_warning("The keeper of %s keeps nothing and does not leave: it is killed", keeper->title);
        (void) pidfd_signal(keeper->pidfd, SIGKILL);
        if (sd_event_source_set_time_relative(s, LEAVE_DEADLINE_USEC) < 0 ||
            sd_event_source_set_enabled(s, SD_EVENT_ONESHOT) < 0)
                log_warning("The keeper of %s is not looked at again", keeper->title);
        entry_tell_waiters(keeper, "an older keeper does not end");
        return 0;
}

/* The kernel tells us of its end. At the end of its link a new keeper would still meet this one on its way out. */
static int watch_leave(KeeperEntry *keeper) {
        int r;

        if (keeper->pidfd < 0) {
                keeper->pidfd = fcntl(keeper_link_pidfd(keeper->link), F_DUPFD_CLOEXEC, 3);
                if (keeper->pidfd < 0)
                        return -errno;

                r = sd_event_add_io(keeper->keepers->setup.event,
                                    &keeper->exited,
                                    keeper->pidfd,
                                    EPOLLIN,
                                    on_exited,
                                    keeper);
                if (r < 0)
                        return r;
        }

        return deadline_set(keeper, LEAVE_DEADLINE_USEC, on_leave_deadline);
}

void keepers_forget(Keepers *k, SandboxEntry *s) {
        k->setup.handlers->removed(k->setup.manager,
                                   s,
                                   s->record->result,
                                   s->record->exec_main_code,
                                   s->record->exec_main_status);
}

/* As a keeper does it: the newest ended sandboxes of a user are remembered. What no keeper holds goes first. */
static void forget_surplus(Keepers *k, uid_t uid) {
        SandboxEntry *s;

        while ((s = sandboxes_surplus(k->setup.sandboxes, uid, LINK_ENDED_MAX)))
                keepers_forget(k, s);
}

bool keeper_entry_retire(KeeperEntry *keeper) {
        const KeepersSetup *setup = &keeper->keepers->setup;
        int r;

        if (keeper->app[0] || keeper->state != KEEPER_READY || keeper_link_is_busy(keeper->link) ||
            sandboxes_has_keeper(setup->sandboxes, keeper, true))
                return false;

        r = watch_leave(keeper);
        /* As an admin would stop it: every version knows that. */
        if (r >= 0)
                r = pidfd_signal(keeper->pidfd, SIGTERM);
        if (r < 0) {
                (void) log_errno(r, "The keeper of %s cannot be told to leave", keeper->title);
                return false;
        }

        log_info("The keeper of %s is of another version and keeps nothing: it leaves", keeper->title);
        keeper->state = KEEPER_LEAVING;
        sandboxes_orphan(setup->sandboxes, keeper);
        return true;
}

static int on_reconsider(sd_event_source *s, void *userdata) {
        (void) keeper_entry_retire(userdata);
        return 0;
}

/* Later, from the loop: whoever tells of its sandboxes goes on with the row. */
static void entry_reconsider(KeeperEntry *keeper) {
        int r = 0;

        if (keeper->app[0] || !keeper->link || !keeper_link_is_foreign(keeper->link))
                return;

        if (keeper->reconsider)
                r = sd_event_source_set_enabled(keeper->reconsider, SD_EVENT_ONESHOT);
        else
                r = sd_event_add_defer(
                        keeper->keepers->setup.event, &keeper->reconsider, on_reconsider, keeper);
        if (r < 0)
                (void) log_errno(r, "The keeper of %s cannot be told to leave", keeper->title);
}

static void on_answered(KeeperLink *l, void *userdata) {
        KeeperEntry *keeper = keeper_link_owner(l);

        if (keeper)
                entry_reconsider(keeper);
}

void keepers_hear(Keepers *k, uid_t uid) {
        const KeeperEntry *keeper = keepers_find_ready(k, uid);

        if (keeper)
                keeper_link_hear(keeper->link);
}

KeeperEntry *keepers_find_ready(Keepers *k, uid_t uid) {
        KeeperEntry *keeper = entry_find(k, uid, "");

        return keeper && keeper->state == KEEPER_READY ? keeper : NULL;
}

KeeperEntry *keepers_find_linked(Keepers *k, const sd_bus *bus) {
        KeeperEntry *keeper;

        LIST_FOREACH (keeper, &k->list, entry)
                if (keeper->link && keeper_link_is(keeper->link, bus))
                        return keeper;

        return NULL;
}

void keeper_entry_set_uid(KeeperEntry *keeper, uid_t uid) { keeper->uid = uid; }

int keepers_wait(Keepers *k, uid_t uid, KeeperWaiter *w) {
        KeeperEntry *keeper = entry_find(k, uid, "");
        bool begin = !keeper;
        int r;

        if (begin) {
                r = entry_new(k, uid, "", KEEPER_STARTING, &keeper);
                if (r < 0)
                        return r;
        }

        w->keeper = keeper;
        TAILQ_INSERT_TAIL(&keeper->waiters, w, entry);
        if (!begin)
                return 0;

        r = entry_begin(keeper);
        if (r < 0) {
                keepers_withdraw(w);
                (void) entry_free(keeper);
        }
        return r;
}

void keepers_withdraw(KeeperWaiter *w) {
        if (!w->keeper)
                return;

        TAILQ_REMOVE(&w->keeper->waiters, w, entry);
        w->keeper = NULL;
}

uint32_t keeper_entry_link_version(const KeeperEntry *keeper) {
        return keeper->link ? keeper_link_version(keeper->link) : 0;
}

uint32_t keeper_entry_plan_version(const KeeperEntry *keeper) {
        return keeper->link ? keeper_link_plan_version(keeper->link) : 0;
}

int keeper_entry_new_call(KeeperEntry *keeper, const char *member, sd_bus_message **ret) {
        if (!keeper)
                return -ESRCH;

        return keeper->link ? keeper_link_new_call(keeper->link, member, ret) : -ENOTCONN;
}

int keeper_entry_call(KeeperEntry *keeper,
                      sd_bus_message *m,
                      LinkReplyHandler handler,
                      void *userdata,
                      uint64_t timeout_usec) {
        return keeper->link ? keeper_link_call(keeper->link, m, handler, userdata, timeout_usec) : -ENOTCONN;
}

bool keepers_are_heard(const Keepers *k) { return !expected_any(k->expected); }

static int
on_hello(KeeperLink *l, const LinkHello *hello, SandboxRecord **records, size_t n_records, void *userdata) {
        Keepers *k = userdata;
        const char *app = hello->app;
        uid_t uid = hello->uid;
        KeeperEntry *keeper;
        AppName name;
        int r;

        if (*app ? app_name_parse(app, &name) < 0 : uid == LINK_UID_UNKNOWN)
                return -EINVAL;

        keeper = entry_find(k, uid, app);
        /* One link is one keeper's; and one that was told to leave is not to be sent anything more. */
        if ((keeper_link_owner(l) && keeper_link_owner(l) != keeper) ||
            (keeper && keeper->state == KEEPER_LEAVING))
                return -EINVAL;
        if (!keeper) {
                r = entry_new(k, uid, app, KEEPER_LOST, &keeper);
                if (r < 0)
                        return r;
        } else if (keeper->link && keeper->link != l) {
                /* It reconnected before we noticed that the old link broke. */
                keeper_link_set_owner(keeper->link, NULL);
                keeper_link_close(keeper->link);
        }

        keeper->uid = uid;
        keeper->link = l;
        keeper->state = KEEPER_READY;
        keeper_link_set_owner(l, keeper);
        entry_settle(keeper);
        k->setup.handlers->snapshot(k->setup.manager, keeper, records, n_records);
        entry_tell_waiters(keeper, NULL);
        entry_reconsider(keeper);
        expected_heard(k->expected, uid, app);
        return 0;
}

static int on_start_app(KeeperLink *l, sd_bus_message *call, void *userdata) {
        const KeeperEntry *keeper = keeper_link_owner(l);
        Keepers *k = userdata;
        AppName name;

        if (!keeper || app_name_parse(keeper->app, &name) < 0)
                return -EINVAL;
        /* What runs counts against limits. The keeper asks again. */
        if (!keepers_are_heard(k))
                return sd_bus_reply_method_errorf(
                        call, ERROR_BUSY, "Not all keepers have been heard of yet");

        return k->setup.handlers->start_app(k->setup.manager, call, &name);
}

static void on_changed(KeeperLink *l, SandboxRecord *record, void *userdata) {
        _cleanup_(sandbox_record_freep) SandboxRecord *owned = record;
        KeeperEntry *keeper = keeper_link_owner(l);
        uid_t uid = record->uid;
        Keepers *k = userdata;

        if (!keeper || record->uid != keeper->uid) {
                log_warning("A keeper speaks of sandbox \"%s\", which is not its own: ignored", record->id);
                return;
        }

        k->setup.handlers->changed(k->setup.manager, keeper, TAKE_PTR(owned));
        forget_surplus(k, uid);
        entry_reconsider(keeper);
}

static void
on_removed(KeeperLink *l, const char *id, const char *result, int32_t code, int32_t status, void *userdata) {
        KeeperEntry *keeper = keeper_link_owner(l);
        Keepers *k = userdata;
        SandboxEntry *s = sandboxes_find(k->setup.sandboxes, id);

        if (s && keeper && s->keeper == keeper)
                k->setup.handlers->removed(k->setup.manager, s, sandbox_result_of(result), code, status);
        if (keeper)
                entry_reconsider(keeper);
}

static void on_event(KeeperLink *l, const char *id, const SandboxEvent *e, void *userdata) {
        Keepers *k = userdata;
        SandboxEntry *s = sandboxes_find(k->setup.sandboxes, id);

        if (s && s->keeper && s->keeper == keeper_link_owner(l))
                k->setup.handlers->event(k->setup.manager, s, e);
}

static void on_closed(KeeperLink *l, void *userdata) {
        KeeperEntry *keeper = keeper_link_owner(l);
        Keepers *k = userdata;

        /* Where we close them all, to leave, it is no news of sandboxes. */
        if (keeper && keeper->link == l && k->server)
                entry_lose(keeper);
}

static void on_heard(void *userdata) {
        const Keepers *k = userdata;

        k->setup.handlers->heard(k->setup.manager);
}

static const LinkServerHandlers link_handlers = {
        .hello = on_hello,
        .start_app = on_start_app,
        .answered = on_answered,
        .changed = on_changed,
        .removed = on_removed,
        .event = on_event,
        .closed = on_closed,
};

int keepers_new(Keepers **ret, const KeepersSetup *setup) {
        _cleanup_(keepers_freep) Keepers *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;

        k->setup = *setup;
        LIST_INIT(&k->list);
        if (setup->cgroup_root) {
                k->cgroup_root = strdup(setup->cgroup_root);
                if (!k->cgroup_root)
                        return -ENOMEM;
                k->setup.cgroup_root = k->cgroup_root;
        }

        r = expected_new(&k->expected, setup->event, setup->hierarchy, on_heard, k);
        if (r < 0)
                return r;

        r = link_server_new(&k->server, setup->event, &link_handlers, k);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(k);
        return 0;
}

Keepers *keepers_free(Keepers *k) {
        if (!k)
                return NULL;

        (void) expected_free(k->expected);
        (void) link_server_free(TAKE_PTR(k->server));
        while (!LIST_EMPTY(&k->list)) {
                KeeperEntry *keeper = LIST_FIRST(&k->list);

                entry_tell_waiters(keeper, "the broker is stopping");
                (void) entry_free(keeper);
        }

        free(k->cgroup_root);
        free(k);
        return NULL;
}
