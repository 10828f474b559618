/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/keeper-row.h"

#include "base/event.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/manager.h"
#include "broker/state/cgroups.h"
#include "broker/state/keeper-start.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>

/* How long a keeper may take from being asked for to its Hello. */
#define START_DEADLINE_USEC (15 * USEC_PER_SEC)
/* How long one whose link broke may take to come back to us; where we can see whether it lives, how often we look. */
#define RETURN_DEADLINE_USEC (5 * USEC_PER_SEC)
#define RETURN_LOOK_USEC (50 * USEC_PER_MSEC)
/* Between two looks at a group whose processes were killed, and how many looks. */
#define CLEAR_INTERVAL_USEC (10 * USEC_PER_MSEC)
#define CLEAR_LOOKS_MAX 1000

Keeper *keeper_find(Keepers *k, uid_t uid, const char *app) {
        Keeper *keeper;

        LIST_FOREACH (keeper, &k->list, entry)
                if (streq(keeper->app, app) && (*app || keeper->uid == uid))
                        return keeper;

        return NULL;
}

static Keeper *keeper_free(Keeper *keeper) {
        if (!keeper)
                return NULL;

        LIST_REMOVE(keeper, entry);
        (void) sd_event_source_disable_unref(keeper->deadline);
        (void) sd_event_source_disable_unref(keeper->exited);
        (void) keeper_unit_free(keeper->unit);
        (void) safe_close(keeper->pidfd);
        free(keeper->cgroup);
        free(keeper);
        return NULL;
}

int keeper_new(Keepers *k, uid_t uid, const char *app, KeeperState state, Keeper **ret) {
        Keeper *keeper = calloc(1, sizeof(*keeper));

        if (!keeper)
                return -ENOMEM;

        *keeper = (Keeper){ .keepers = k, .uid = uid, .state = state, .pidfd = -EBADF };
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

void keeper_settle(Keeper *keeper) {
        keeper->deadline = sd_event_source_disable_unref(keeper->deadline);
        keeper->unit = keeper_unit_free(keeper->unit);
}

void keeper_tell_waiters(Keeper *keeper, const char *text) {
        KeeperWaiter *w;

        while ((w = TAILQ_FIRST(&keeper->waiters))) {
                keepers_withdraw(w);
                w->handler(keeper->state == KEEPER_READY ? keeper : NULL, text, w->userdata);
        }
}

/* Nobody can speak for these any more. */
static void drop_sandboxes(Keeper *keeper) {
        Sandboxes *sandboxes = &keeper->keepers->manager->sandboxes;

        for (size_t i = sandboxes->n_items; i > 0; i--)
                if (sandboxes->items[i - 1]->keeper == keeper)
                        manager_sandbox_removed(
                                keeper->keepers->manager, sandboxes->items[i - 1], SANDBOX_RESOURCES, 0, 0);
}

static void keeper_give_up(Keeper *keeper, const char *text) {
        keeper_settle(keeper);
        keeper->state = KEEPER_LOST;
        keeper_tell_waiters(keeper, text);
        drop_sandboxes(keeper);
        (void) keeper_free(keeper);
}

static int deadline_set(Keeper *keeper, uint64_t usec, sd_event_time_handler_t handler) {
        keeper->deadline = sd_event_source_disable_unref(keeper->deadline);
        return sd_event_add_time_relative(keeper->keepers->manager->event,
                                          &keeper->deadline,
                                          CLOCK_MONOTONIC,
                                          usec,
                                          0,
                                          handler,
                                          keeper);
}

static int keeper_start(Keeper *keeper);
static int on_look(sd_event_source *s, uint64_t usec, void *userdata);

/* Goes on once nothing of a former keeper is left: with a new one, if anybody waits. The row may be gone then. */
static int keeper_clear(Keeper *keeper) {
        int r;

        keeper_settle(keeper);
        keeper->state = KEEPER_CLEARING;
        r = keeper->cgroup ? cgroup_clear(keeper->cgroup) : 0;
        if (r == -EBUSY && keeper->n_looks++ < CLEAR_LOOKS_MAX)
                return deadline_set(keeper, CLEAR_INTERVAL_USEC, on_look);
        if (r < 0)
                return log_errno(r, "Cannot clear the cgroup %s", keeper->cgroup);

        keeper->n_looks = 0;
        if (!TAILQ_EMPTY(&keeper->waiters))
                return keeper_start(keeper);

        (void) keeper_free(keeper);
        return 0;
}

static int on_look(sd_event_source *s, uint64_t usec, void *userdata) {
        Keeper *keeper = userdata;

        if (keeper_clear(keeper) < 0)
                keeper_give_up(keeper, "what the last one left behind cannot be cleared away");
        return 0;
}

/* It is gone for good. Whoever came after that gets a new one; one that never came up is not tried again. */
static void keeper_end(Keeper *keeper, const char *text) {
        if (keeper->state == KEEPER_STARTING)
                keeper_tell_waiters(keeper, text);

        drop_sandboxes(keeper);
        if (keeper_clear(keeper) < 0)
                keeper_give_up(keeper, text);
}

static bool keeper_has_sandboxes(const Keeper *keeper) {
        const Sandboxes *sandboxes = &keeper->keepers->manager->sandboxes;

        for (size_t i = 0; i < sandboxes->n_items; i++)
                if (sandboxes->items[i]->keeper == keeper)
                        return true;

        return false;
}

static int on_return_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        Keeper *keeper = userdata;

        /* Alive, but slow: its sandboxes are still kept. */
        if (keeper->cgroup && cgroup_has_processes(keeper->cgroup, "keeper"))
                return deadline_set(keeper, RETURN_LOOK_USEC, on_return_deadline);

        if (keeper_has_sandboxes(keeper))
                event_log(EVENT_KEEPER_GONE,
                          NULL,
                          0,
                          "The keeper of %s is gone, and its sandboxes with it",
                          keeper->title);
        keeper_end(keeper, "the keeper went away");
        return 0;
}

void keeper_lose(Keeper *keeper) {
        int r;

        keeper->link = NULL;
        keeper->state = KEEPER_LOST;
        if (!keeper->cgroup && !keeper_has_sandboxes(keeper) && TAILQ_EMPTY(&keeper->waiters)) {
                (void) keeper_free(keeper);
                return;
        }

        r = deadline_set(
                keeper, keeper->cgroup ? RETURN_LOOK_USEC : RETURN_DEADLINE_USEC, on_return_deadline);
        if (r < 0) {
                (void) log_errno(r, "Cannot wait for the keeper of %s", keeper->title);
                keeper_give_up(keeper, "the keeper went away");
        }
}

static int on_start_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
        Keeper *keeper = userdata;

        log_warning("The keeper of %s did not come up within 15 s", keeper->title);
        if (keeper->pidfd < 0) {
                keeper_give_up(keeper, "the keeper did not come up within 15 s");
                return 0;
        }

        /* The rest when it is dead. */
        keeper_tell_waiters(keeper, "the keeper did not come up within 15 s");
        (void) pidfd_signal(keeper->pidfd, SIGKILL);
        return 0;
}

/* Our own child ended. What it kept must not run on without anybody who knows of it. */
static int on_exited(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        siginfo_t info = { 0 };
        Keeper *keeper = userdata;

        if (waitid(P_PIDFD, (id_t) fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
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

        keeper_end(keeper, "the keeper ended");
        return 0;
}

static int start_by_ourselves(Keeper *keeper) {
        _cleanup_close_ int dir = -EBADF;
        Keepers *k = keeper->keepers;

        dir = cgroup_make_for_keeper(k->cgroup_root, keeper->uid);
        if (dir < 0)
                return log_errno(dir, "Cannot make the cgroup %s", keeper->cgroup);

        keeper->pidfd = keeper_spawn(keeper->uid, keeper->cgroup, dir);
        if (keeper->pidfd < 0)
                return log_errno(keeper->pidfd, "Cannot start the keeper of %s", keeper->title);

        return sd_event_add_io(
                k->manager->event, &keeper->exited, keeper->pidfd, EPOLLIN, on_exited, keeper);
}

static void on_unit_failed(const char *text, void *userdata) {
        Keeper *keeper = userdata;

        log_warning("The keeper of %s does not come up: %s", keeper->title, text);
        keeper_give_up(keeper, text);
}

/* Nobody would watch it, nor reap it. */
static void end_child(Keeper *keeper) {
        siginfo_t info = { 0 };

        if (keeper->pidfd < 0)
                return;

        keeper->exited = sd_event_source_disable_unref(keeper->exited);
        (void) pidfd_signal(keeper->pidfd, SIGKILL);
        while (waitid(P_PIDFD, (id_t) keeper->pidfd, &info, WEXITED) < 0 && errno == EINTR)
                ;
        keeper->pidfd = safe_close(keeper->pidfd);
}

static int start_by_systemd(Keeper *keeper) {
        return keeper_unit_start(
                &keeper->unit, keeper->keepers->manager->questions, keeper->uid, on_unit_failed, keeper);
}

static int keeper_start(Keeper *keeper) {
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
static int keeper_begin(Keeper *keeper) {
        if (keeper->cgroup && cgroup_has_processes(keeper->cgroup, "keeper"))
                return deadline_set(keeper, START_DEADLINE_USEC, on_start_deadline);

        return keeper_clear(keeper);
}

Keeper *keepers_find_ready(Keepers *k, uid_t uid) {
        Keeper *keeper = keeper_find(k, uid, "");

        /*
         * Whoever held a lease heard of the end from the keeper itself, and may ask for the next launch before our
         * loop came to the link: what is in there already counts first, or a limit would refuse it.
         */
        if (keeper && keeper->state == KEEPER_READY) {
                keeper_link_hear(keeper->link);
                keeper = keeper_find(k, uid, "");
        }

        return keeper && keeper->state == KEEPER_READY ? keeper : NULL;
}

Keeper *keepers_find_linked(Keepers *k, const sd_bus *bus) {
        Keeper *keeper;

        LIST_FOREACH (keeper, &k->list, entry)
                if (keeper->link && keeper_link_is(keeper->link, bus))
                        return keeper;

        return NULL;
}

void keeper_set_uid(Keeper *keeper, uid_t uid) { keeper->uid = uid; }

int keepers_wait(Keepers *k, uid_t uid, KeeperWaiter *w) {
        Keeper *keeper = keeper_find(k, uid, "");
        bool begin = !keeper;
        int r;

        if (begin) {
                r = keeper_new(k, uid, "", KEEPER_STARTING, &keeper);
                if (r < 0)
                        return r;
        }

        w->keeper = keeper;
        TAILQ_INSERT_TAIL(&keeper->waiters, w, entry);
        if (!begin)
                return 0;

        r = keeper_begin(keeper);
        if (r < 0) {
                keepers_withdraw(w);
                (void) keeper_free(keeper);
        }
        return r;
}

void keepers_withdraw(KeeperWaiter *w) {
        if (!w->keeper)
                return;

        TAILQ_REMOVE(&w->keeper->waiters, w, entry);
        w->keeper = NULL;
}

int keeper_new_call(Keeper *keeper, const char *member, sd_bus_message **ret) {
        return keeper->link ? keeper_link_new_call(keeper->link, member, ret) : -ENOTCONN;
}

int keeper_call(Keeper *keeper,
                sd_bus_message *m,
                KeeperReplyHandler handler,
                void *userdata,
                uint64_t timeout_usec) {
        return keeper->link ? keeper_link_call(keeper->link, m, handler, userdata, timeout_usec) : -ENOTCONN;
}

int keepers_new(Keepers **ret, Manager *m, const char *cgroup_root) {
        _cleanup_(keepers_freep) Keepers *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;

        k->manager = m;
        LIST_INIT(&k->list);
        if (cgroup_root) {
                k->cgroup_root = strdup(cgroup_root);
                if (!k->cgroup_root)
                        return -ENOMEM;
        }

        r = keeper_links_new(&k->links, m->event, &keeper_link_handlers, k);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(k);
        return 0;
}

Keepers *keepers_free(Keepers *k) {
        if (!k)
                return NULL;

        (void) keeper_links_free(TAKE_PTR(k->links));
        while (!LIST_EMPTY(&k->list)) {
                Keeper *keeper = LIST_FIRST(&k->list);

                keeper_tell_waiters(keeper, "the broker is stopping");
                (void) keeper_free(keeper);
        }

        free(k->cgroup_root);
        free(k);
        return NULL;
}
