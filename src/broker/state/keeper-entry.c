/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/keeper-entry.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/state/cgroups.h"
#include "broker/state/keeper-start.h"
#include "broker/state/keeper-unit.h"
#include "broker/state/keepers.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>

/* How often a group whose processes were killed is looked at. */
#define CLEAR_LOOKS_MAX 1000

static void entry_kill(KeeperEntry *keeper);
static void entry_forget_unseen(KeeperEntry *keeper);
static void entry_leave(KeeperEntry *keeper);
static void entry_clear(KeeperEntry *keeper);

/*
 * Any state ends with a Hello or with the end of the process, but for LEAVING and CLEARING, which no Hello ends. What
 * takes longer than this is told to whoever waits, and acted on, again and again. The row may be gone afterwards.
 */
/* clang-format off */
static const struct {
        uint64_t usec; /* 0: only when asked for */
        const char *text; /* NULL: nobody is told */
        void (*act)(KeeperEntry *keeper);
} states[] = {
        [KEEPER_STARTING] = { 15 * USEC_PER_SEC,  "the keeper did not come up within 15 s", entry_kill },
        [KEEPER_READY]    = { 0,                  NULL,                                     entry_leave },
        [KEEPER_LOST]     = { 15 * USEC_PER_SEC,  "the keeper does not come back",          entry_forget_unseen },
        [KEEPER_LEAVING]  = { 5 * USEC_PER_SEC,   "an older keeper does not end",           entry_kill },
        [KEEPER_CLEARING] = { 10 * USEC_PER_MSEC, NULL,                                     entry_clear },
};
/* clang-format on */

static void timer_set(KeeperEntry *keeper, uint64_t usec) {
        (void) sd_event_source_set_time_relative(keeper->timer, usec);
        (void) sd_event_source_set_enabled(keeper->timer, SD_EVENT_ONESHOT);
}

static void entry_enter(KeeperEntry *keeper, KeeperState state) {
        keeper->state = state;
        keeper->unit = keeper_unit_free(keeper->unit);
        keeper->n_looks = 0;
        timer_set(keeper, states[state].usec ?: USEC_INFINITY);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        KeeperEntry *keeper = userdata;
        const KeeperState state = keeper->state;

        if (states[state].usec > 0)
                timer_set(keeper, states[state].usec);
        if (states[state].text) {
                log_warning("%s: %s", keeper->title, states[state].text);
                keeper_entry_tell_waiters(keeper, states[state].text);
        }
        states[state].act(keeper);
        return 0;
}

/* A process of ours that has ended is reaped; of any other that is an error, and nothing is to be done. */
static void entry_unwatch(KeeperEntry *keeper) {
        siginfo_t info;

        keeper->exited = sd_event_source_disable_unref(keeper->exited);
        if (keeper->pidfd >= 0)
                (void) waitid(P_PIDFD, (id_t) keeper->pidfd, &info, WEXITED | WNOHANG);
        keeper->pidfd = safe_close(keeper->pidfd);
}

void keeper_entry_free(KeeperEntry *keeper) {
        LIST_REMOVE(keeper, entry);
        entry_unwatch(keeper);
        (void) sd_event_source_disable_unref(keeper->timer);
        (void) keeper_unit_free(keeper->unit);
        free(keeper->cgroup);
        free(keeper);
}

static int entry_on_timer_new(KeeperEntry *keeper) {
        int r;

        r = sd_event_add_time(keeper->setup->event, &keeper->timer, CLOCK_MONOTONIC, 0, 1, on_timer, keeper);
        return r < 0 ? r : sd_event_source_set_enabled(keeper->timer, SD_EVENT_OFF);
}

int keeper_entry_new(
        KeeperEntry **ret, KeeperList *list, const struct KeepersSetup *setup, uid_t uid, const char *app) {
        KeeperEntry *keeper = calloc(1, sizeof(*keeper));
        int r;

        if (!keeper)
                return -ENOMEM;

        *keeper = (KeeperEntry){ .setup = setup, .uid = uid, .state = KEEPER_LOST, .pidfd = -EBADF };
        TAILQ_INIT(&keeper->waiters);
        LIST_INSERT_HEAD(list, keeper, entry);
        (void) snprintf(keeper->app, sizeof(keeper->app), "%s", app);
        if (*app)
                (void) snprintf(keeper->title, sizeof(keeper->title), "%s", app);
        else
                (void) snprintf(keeper->title, sizeof(keeper->title), "user %u", uid);

        r = entry_on_timer_new(keeper);
        if (r >= 0 && setup->cgroup_root && !*app)
                r = cgroup_path_for_keeper(setup->cgroup_root, uid, &keeper->cgroup);
        if (r < 0) {
                keeper_entry_free(keeper);
                return r;
        }

        *ret = keeper;
        return 0;
}

/* One of them may find that a keeper that is ready cannot do, and replace it: all who are left wait for the next. */
void keeper_entry_tell_waiters(KeeperEntry *keeper, const char *text) {
        const KeeperState state = keeper->state;
        KeeperWaiter *w;

        while (keeper->state == state && (w = TAILQ_FIRST(&keeper->waiters))) {
                TAILQ_REMOVE(&keeper->waiters, w, entry);
                w->keeper = NULL;
                w->handler(state == KEEPER_READY ? keeper : NULL, text, w->userdata);
        }
}

/* Without their keeper nobody knows what becomes of these. */
static void drop_sandboxes(KeeperEntry *keeper) {
        const KeepersSetup *setup = keeper->setup;
        const Sandboxes *sandboxes = setup->sandboxes;

        if (sandboxes_has_keeper(sandboxes, keeper, false))
                event_log(EVENT_KEEPER_GONE,
                          NULL,
                          0,
                          "The keeper of %s is gone, and its sandboxes with it",
                          keeper->title);

        for (size_t i = sandboxes->n_items; i > 0; i--)
                if (sandboxes->items[i - 1]->keeper == keeper)
                        setup->handlers->removed(
                                setup->manager, sandboxes->items[i - 1], SANDBOX_RESOURCES, 0, 0);
}

static void entry_give_up(KeeperEntry *keeper, const char *text) {
        keeper_entry_tell_waiters(keeper, text);
        drop_sandboxes(keeper);
        keeper_entry_free(keeper);
}

static void entry_forget_unseen(KeeperEntry *keeper) {
        if (keeper->pidfd < 0)
                entry_give_up(keeper, "the keeper went away");
}

/* It may hang in the kernel, out of reach of SIGKILL. */
static void entry_kill(KeeperEntry *keeper) {
        if (keeper->pidfd >= 0)
                (void) pidfd_signal(keeper->pidfd, SIGKILL);
        else
                entry_forget_unseen(keeper);
}

/*
 * It is gone for good, and what it kept must not run on where nobody knows of it. Whoever came after that gets a new
 * one; one that never came up is not tried again.
 */
static void entry_end(KeeperEntry *keeper, const char *text) {
        if (keeper->state == KEEPER_STARTING)
                keeper_entry_tell_waiters(keeper, text);

        drop_sandboxes(keeper);
        entry_enter(keeper, KEEPER_CLEARING);
        entry_clear(keeper);
}

static int on_exited(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        siginfo_t info = { .si_code = CLD_EXITED };
        KeeperEntry *keeper = userdata;
        KeeperLink *l = TAKE_PTR(keeper->link);

        /* Of those that are not children of ours we hear no more than that they have ended. */
        if (waitid(P_PIDFD, (id_t) fd, &info, WEXITED | WNOHANG) >= 0 && info.si_pid > 0 &&
            (info.si_code != CLD_EXITED || info.si_status != 0))
                log_warning("The keeper of %s ended: %s %d",
                            keeper->title,
                            info.si_code == CLD_EXITED ? "status" : "signal",
                            info.si_status);

        entry_unwatch(keeper);
        if (l) {
                l->owner = NULL;
                keeper_link_close(l);
        }
        keeper->has_left = true;
        entry_end(keeper, "the keeper ended");
        return 0;
}

/* In place of whoever was watched. The descriptor is taken over, and may be negative errno. */
static int entry_watch(KeeperEntry *keeper, int pidfd) {
        entry_unwatch(keeper);
        keeper->pidfd = pidfd;
        if (pidfd < 0)
                return pidfd;

        return sd_event_add_io(keeper->setup->event, &keeper->exited, pidfd, EPOLLIN, on_exited, keeper);
}

static int start_by_ourselves(KeeperEntry *keeper) {
        _cleanup_close_ int dir = -EBADF;
        siginfo_t info;
        int r;

        dir = cgroup_make_for_keeper(keeper->setup->cgroup_root, keeper->uid);
        if (dir < 0)
                return dir;

        r = entry_watch(keeper, keeper_spawn(keeper->uid, keeper->cgroup, dir));
        if (r < 0 && keeper->pidfd >= 0) {
                /* Nobody else would reap it. */
                (void) pidfd_signal(keeper->pidfd, SIGKILL);
                (void) waitid(P_PIDFD, (id_t) keeper->pidfd, &info, WEXITED);
        }
        return r;
}

static void on_unit_failed(const char *text, void *userdata) {
        KeeperEntry *keeper = userdata;

        log_warning("The keeper of %s does not come up: %s", keeper->title, text);
        entry_give_up(keeper, text);
}

static int entry_start(KeeperEntry *keeper) {
        entry_enter(keeper, KEEPER_STARTING);
        if (keeper->cgroup)
                return start_by_ourselves(keeper);

        return keeper_unit_start(
                &keeper->unit, keeper->setup->bus, keeper->uid, keeper->has_left, on_unit_failed, keeper);
}

/* Goes on once nothing of a former keeper is left: with a new one, if anybody waits. */
static void entry_clear(KeeperEntry *keeper) {
        int r;

        r = keeper->cgroup ? cgroup_clear(keeper->cgroup) : 0;
        if (r == -EBUSY && keeper->n_looks++ < CLEAR_LOOKS_MAX)
                return;
        if (r < 0) {
                (void) log_errno(r, "Cannot clear the cgroup %s", keeper->cgroup);
                entry_give_up(keeper, "what the last one left behind cannot be cleared away");
                return;
        }
        if (TAILQ_EMPTY(&keeper->waiters)) {
                keeper_entry_free(keeper);
                return;
        }

        r = entry_start(keeper);
        if (r < 0) {
                (void) log_errno(r, "Cannot start the keeper of %s", keeper->title);
                entry_give_up(keeper, strerror(-r));
        }
}

void keeper_entry_begin(KeeperEntry *keeper) {
        /* It is on its way to us: a second one would fight it for the ids. */
        if (keeper->cgroup && cgroup_has_processes(keeper->cgroup, "keeper")) {
                entry_enter(keeper, KEEPER_STARTING);
                return;
        }

        entry_enter(keeper, KEEPER_CLEARING);
        timer_set(keeper, 0);
}

int keeper_entry_link(KeeperEntry *keeper, KeeperLink *l) {
        int pidfd, r;

        pidfd = fd_duplicate(l->pidfd);
        if (pidfd < 0)
                return pidfd;

        r = entry_watch(keeper, pidfd);
        if (r < 0)
                return r;

        keeper->link = l;
        l->owner = keeper;
        entry_enter(keeper, KEEPER_READY);
        return 0;
}

void keeper_entry_lose(KeeperEntry *keeper) {
        keeper->link = NULL;
        if (keeper->state != KEEPER_LEAVING)
                entry_enter(keeper, KEEPER_LOST);
}

bool keeper_entry_retire(KeeperEntry *keeper) {
        int r;

        if (keeper->app[0] || keeper->state != KEEPER_READY || !LIST_EMPTY(&keeper->link->calls) ||
            sandboxes_has_keeper(keeper->setup->sandboxes, keeper, true))
                return false;

        /* As an admin would stop it: every version knows that. */
        r = pidfd_signal(keeper->pidfd, SIGTERM);
        if (r < 0) {
                (void) log_errno(r, "The keeper of %s cannot be told to leave", keeper->title);
                return false;
        }

        log_info("The keeper of %s is of another version and keeps nothing: it leaves", keeper->title);
        entry_enter(keeper, KEEPER_LEAVING);
        sandboxes_orphan(keeper->setup->sandboxes, keeper);
        return true;
}

static void entry_leave(KeeperEntry *keeper) { (void) keeper_entry_retire(keeper); }

/* Later, as whoever tells of its sandboxes goes on with the row. */
void keeper_entry_reconsider(KeeperEntry *keeper) {
        if (keeper->state == KEEPER_READY && keeper->link->foreign)
                timer_set(keeper, 0);
}

uint32_t keeper_entry_link_version(const KeeperEntry *keeper) {
        return keeper->link ? keeper->link->version : 0;
}

uint32_t keeper_entry_plan_version(const KeeperEntry *keeper) {
        return keeper->link ? keeper->link->plan_version : 0;
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
