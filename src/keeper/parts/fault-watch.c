/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/fault-watch.h"

#include "base/fd.h"
#include "keeper/parts/fault-level.h"

#include <stdio.h>
#include <sys/inotify.h>
#include <sys/queue.h>

#define FILES_MAX 4

/* One cgroup that is watched. */
typedef struct Level {
        FaultUser *user;
        FaultWatch *watch; /* NULL: one that all share */
        int fd;
        LevelCounts seen;
        uint64_t oom_usec; /* CLOCK_MONOTONIC, when it was seen to have no memory left; 0: never */
        bool has_quota;
        sd_event_source *files[FILES_MAX];
        sd_event_source *hold;
} Level;

struct FaultWatch {
        LIST_ENTRY(FaultWatch) entry;
        Level level;
        FaultHandler handler;
        void *userdata;
};

struct FaultUser {
        sd_event *event;
        Level levels[FAULT_USER_LEVELS];
        LIST_HEAD(, FaultWatch) watches;
        sd_event_source *poll;
};

static void level_close(Level *l) {
        for (size_t i = 0; i < ELEMENTSOF(l->files); i++)
                l->files[i] = sd_event_source_disable_unref(l->files[i]);
        l->hold = sd_event_source_disable_unref(l->hold);
        l->fd = safe_close(l->fd);
}

static uint64_t now_usec(FaultUser *u) {
        uint64_t now = 0;

        (void) sd_event_now(u->event, CLOCK_MONOTONIC, &now);
        return now;
}

/* The later of two looks that saw a cgroup without memory left; NULL: none did lately. */
static const Level *later_oom(const Level *a, const Level *b, uint64_t now) {
        if (b->oom_usec == 0 || now - b->oom_usec > FAULT_OOM_FRESH_USEC ||
            (a && a->oom_usec >= b->oom_usec))
                return a;

        return b;
}

/* A process of this sandbox was killed: whose memory had run out? */
static void tell_kill(FaultWatch *w) {
        FaultUser *u = w->level.user;
        uint64_t now = now_usec(u), value, limit;
        const Level *l = later_oom(NULL, &w->level, now);
        FaultLevel whose = FAULT_OF_SYSTEM;

        for (size_t i = 0; i < ELEMENTSOF(u->levels); i++)
                l = later_oom(l, u->levels + i, now);

        if (l)
                whose = l == &w->level ? FAULT_OF_SANDBOX : FAULT_OF_USER;
        level_amounts(l ? l->fd : w->level.fd, FAULT_OOM, &value, &limit);
        w->handler(FAULT_OOM, whose, value, l ? limit : 0, w->userdata);
}

/* Where the kernel says who wanted a task, but not whose limit it was: that with the least room left. */
static const Level *level_of_tasks(const FaultWatch *w) {
        const FaultUser *u = w->level.user;
        uint64_t least = level_tasks_left(w->level.fd);
        const Level *found = &w->level;

        if (level_knows_whose_tasks(w->level.fd))
                return found;

        for (size_t i = 0; i < ELEMENTSOF(u->levels); i++) {
                uint64_t left = u->levels[i].fd < 0 ? UINT64_MAX : level_tasks_left(u->levels[i].fd);

                if (left < least) {
                        least = left;
                        found = u->levels + i;
                }
        }

        return found;
}

/* To the sandbox whose cgroup it is, or to all of them. */
static void tell(const Level *l, FaultResource resource, uint64_t value, uint64_t limit) {
        FaultWatch *w;

        if (l->watch) {
                l->watch->handler(resource, FAULT_OF_SANDBOX, value, limit, l->watch->userdata);
                return;
        }

        LIST_FOREACH (w, &l->user->watches, entry)
                w->handler(resource, FAULT_OF_USER, value, limit, w->userdata);
}

static void tell_amount(const Level *l, FaultResource resource) {
        uint64_t value, limit;

        level_amounts(l->fd, resource, &value, &limit);
        tell(l, resource, value, limit);
}

static void tell_tasks(const Level *l) {
        FaultWatch *w = l->watch;
        const Level *whose;
        uint64_t value, limit;

        if (!w) {
                tell_amount(l, FAULT_TASKS_MAX);
                return;
        }

        whose = level_of_tasks(w);
        level_amounts(whose->fd, FAULT_TASKS_MAX, &value, &limit);
        w->handler(
                FAULT_TASKS_MAX, whose == l ? FAULT_OF_SANDBOX : FAULT_OF_USER, value, limit, w->userdata);
}

static int on_file(sd_event_source *source, const struct inotify_event *event, void *userdata);
static int on_poll(sd_event_source *source, uint64_t usec, void *userdata);

static bool has_quota(const FaultUser *u) {
        FaultWatch *w;

        LIST_FOREACH (w, &u->watches, entry)
                if (w->level.has_quota)
                        return true;

        for (size_t i = 0; i < ELEMENTSOF(u->levels); i++)
                if (u->levels[i].has_quota && !LIST_EMPTY(&u->watches))
                        return true;

        return false;
}

/* Without the timer, throttling is noticed only when somebody asks: no reason to fail. */
static void poll_if_needed(FaultUser *u) {
        if (!has_quota(u)) {
                u->poll = sd_event_source_disable_unref(u->poll);
                return;
        }

        if (!u->poll)
                (void) sd_event_add_time_relative(
                        u->event, &u->poll, CLOCK_MONOTONIC, FAULT_POLL_USEC, USEC_PER_SEC, on_poll, u);
}

static void level_look(Level *l) {
        const LevelCounts before = l->seen;

        if (l->fd < 0)
                return;

        l->seen = level_read(l->fd);
        l->has_quota = level_has_quota(l->fd);
        if (l->seen.oom > before.oom)
                l->oom_usec = now_usec(l->user);

        if (l->seen.memory_high > before.memory_high)
                tell_amount(l, FAULT_MEMORY_HIGH);
        if (l->seen.memory_max > before.memory_max)
                tell_amount(l, FAULT_MEMORY_MAX);
        if (l->seen.tasks_max > before.tasks_max)
                tell_tasks(l);
        if (l->watch && l->seen.oom_kills > before.oom_kills)
                tell_kill(l->watch);
        if (l->seen.throttled > before.throttled) {
                uint64_t value, limit;

                level_amounts(l->fd, FAULT_CPU_QUOTA, &value, &limit);
                tell(l, FAULT_CPU_QUOTA, l->seen.throttled_usec - before.throttled_usec, limit);
        }
}

/* What all share first: a kill in a sandbox may be its doing. */
static void look(FaultUser *u, FaultWatch *w) {
        for (size_t i = 0; i < ELEMENTSOF(u->levels); i++)
                level_look(u->levels + i);
        if (w)
                level_look(&w->level);
        poll_if_needed(u);
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata) {
        FaultUser *u = userdata;
        FaultWatch *w;

        u->poll = sd_event_source_disable_unref(u->poll);
        look(u, NULL);
        LIST_FOREACH (w, &u->watches, entry)
                if (w->level.has_quota)
                        level_look(&w->level);

        poll_if_needed(u);
        return 0;
}

/* The files of a controller that is not enabled are not there. */
static int level_watch(Level *l) {
        for (size_t i = 0; level_files[i] && i < ELEMENTSOF(l->files); i++) {
                char path[64];
                int r;

                (void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", l->fd, level_files[i]);
                r = sd_event_add_inotify(l->user->event, l->files + i, path, IN_MODIFY, on_file, l);
                if (r < 0 && r != -ENOENT)
                        return r;
        }

        return 0;
}

static int on_hold_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Level *l = userdata;

        l->hold = sd_event_source_disable_unref(l->hold);
        (void) level_watch(l);
        look(l->user, l->watch);
        return 0;
}

/* A handler may free its own source: sd-event keeps it until the handler has returned. */
static int on_file(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Level *l = userdata;

        if (!l->hold && sd_event_add_time_relative(l->user->event,
                                                   &l->hold,
                                                   CLOCK_MONOTONIC,
                                                   FAULT_HOLD_USEC,
                                                   100 * USEC_PER_MSEC,
                                                   on_hold_over,
                                                   l) >= 0)
                for (size_t i = 0; i < ELEMENTSOF(l->files); i++)
                        l->files[i] = sd_event_source_disable_unref(l->files[i]);

        look(l->user, l->watch);
        return 0;
}

/* The descriptor is duplicated, as the caller may close its own at any time. */
static int level_open(Level *l, FaultUser *u, FaultWatch *w, int fd) {
        int r;

        l->user = u;
        l->watch = w;
        l->fd = fd_duplicate(fd);
        if (l->fd < 0)
                return l->fd;

        r = level_watch(l);
        if (r < 0)
                return r;

        l->seen = level_read(l->fd);
        l->has_quota = level_has_quota(l->fd);
        return 0;
}

int fault_user_new(FaultUser **ret, sd_event *event, const int fds[static FAULT_USER_LEVELS]) {
        _cleanup_(fault_user_freep) FaultUser *u = NULL;
        int r;

        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;

        u->event = sd_event_ref(event);
        LIST_INIT(&u->watches);
        for (size_t i = 0; i < ELEMENTSOF(u->levels); i++)
                u->levels[i].fd = -EBADF;

        for (size_t i = 0; i < ELEMENTSOF(u->levels); i++) {
                if (fds[i] < 0)
                        continue;

                r = level_open(u->levels + i, u, NULL, fds[i]);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(u);
        return 0;
}

FaultUser *fault_user_free(FaultUser *u) {
        if (!u)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(u->levels); i++)
                level_close(u->levels + i);
        (void) sd_event_source_disable_unref(u->poll);
        (void) sd_event_unref(u->event);
        free(u);
        return NULL;
}

int fault_watch_new(FaultWatch **ret, FaultUser *u, int cgroup_fd, FaultHandler handler, void *userdata) {
        FaultWatch *w;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;

        w->handler = handler;
        w->userdata = userdata;
        r = level_open(&w->level, u, w, cgroup_fd);
        if (r < 0) {
                level_close(&w->level);
                free(w);
                return r;
        }

        LIST_INSERT_HEAD(&u->watches, w, entry);
        poll_if_needed(u);
        *ret = w;
        return 0;
}

FaultWatch *fault_watch_free(FaultWatch *w) {
        FaultUser *u;

        if (!w)
                return NULL;

        u = w->level.user;
        LIST_REMOVE(w, entry);
        level_close(&w->level);
        free(w);
        poll_if_needed(u);
        return NULL;
}

void fault_watch_look(FaultWatch *w) {
        if (w)
                look(w->level.user, w);
}
