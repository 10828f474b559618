/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plain files stand for the kernel's: writing to them is announced by inotify as a change of the kernel's is. */

#include "keeper/parts/fault-watch.h"

#include "files-fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define HITS_MAX 256

typedef struct Hits {
        struct {
                FaultResource resource;
                FaultLevel level;
                uint64_t value, limit;
        } items[HITS_MAX];
        size_t n;
} Hits;

static void
on_fault(FaultResource resource, FaultLevel level, uint64_t value, uint64_t limit, void *userdata) {
        Hits *h = userdata;

        assert_true(h->n < HITS_MAX);
        h->items[h->n].resource = resource;
        h->items[h->n].level = level;
        h->items[h->n].value = value;
        h->items[h->n++].limit = limit;
}

/* slice/unit/{a,b}, two sandboxes of one user. */
typedef struct Tree {
        Files files;
        sd_event *event;
        FaultUser *user;
        FaultWatch *a, *b;
        Hits hits_a, hits_b;
} Tree;

static void put(const Tree *t, const char *group, const char *file, const char *text) {
        char name[64];

        (void) snprintf(name, sizeof(name), "%s/%s", group, file);
        files_write(&t->files, name, text);
}

#define SLICE "slice"
#define UNIT "slice/unit"
#define A "slice/unit/a"
#define B "slice/unit/b"

static const char *const groups[] = { SLICE, UNIT, A, B };

static int open_group(const Tree *t, const char *group) {
        _cleanup_free_ char *path = files_path(&t->files, group);
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void watch(Tree *t, const char *group, Hits *hits, FaultWatch **ret) {
        _cleanup_close_ int fd = open_group(t, group);

        assert_int_equal(fault_watch_new(ret, t->user, fd, on_fault, hits), 0);
}

static int set_up(void **state) {
        Tree *t = calloc(1, sizeof(*t));

        assert_non_null(t);
        t->files = files_new();
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                put(t, groups[i], "memory.events.local", "high 0\nmax 0\noom 0\noom_kill 0\n");
                put(t, groups[i], "memory.max", "max\n");
                put(t, groups[i], "memory.current", "1000\n");
                put(t, groups[i], "pids.events", "max 0\n");
                put(t, groups[i], "pids.max", "max\n");
                put(t, groups[i], "pids.current", "1\n");
                put(t, groups[i], "cpu.max", "max 100000\n");
        }

        assert_true(sd_event_new(&t->event) >= 0);
        {
                _cleanup_close_ int unit = open_group(t, UNIT), slice = open_group(t, SLICE);

                assert_int_equal(fault_user_new(&t->user, t->event, (const int[]){ unit, slice }), 0);
        }
        watch(t, A, &t->hits_a, &t->a);
        watch(t, B, &t->hits_b, &t->b);
        *state = t;
        return 0;
}

static int tear_down(void **state) {
        Tree *t = *state;

        t->a = fault_watch_free(t->a);
        t->b = fault_watch_free(t->b);
        t->user = fault_user_free(t->user);
        (void) sd_event_unref(t->event);
        files_done(&t->files);
        free(t);
        return 0;
}

/* All that is there to be handled, without waiting. */
static void turn(Tree *t) {
        while (sd_event_run(t->event, 0) > 0)
                ;
}

static void assert_hit(
        const Hits *h, size_t i, FaultResource resource, FaultLevel level, uint64_t value, uint64_t limit) {
        assert_true(i < h->n);
        assert_int_equal(h->items[i].resource, resource);
        assert_int_equal(h->items[i].level, level);
        assert_int_equal(h->items[i].value, value);
        assert_int_equal(h->items[i].limit, limit);
}

static void a_hit_is_told_of_the_sandbox_that_had_it(void **state) {
        Tree *t = *state;

        put(t, A, "memory.max", "5000\n");
        put(t, A, "memory.events.local", "high 0\nmax 3\noom 0\noom_kill 0\n");
        turn(t);

        assert_int_equal(t->hits_a.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_MEMORY_MAX, FAULT_OF_SANDBOX, 1000, 5000);
        assert_int_equal(t->hits_b.n, 0);
}

static void what_was_counted_before_is_no_news(void **state) {
        Tree *t = *state;

        put(t, A, "memory.events.local", "high 7\nmax 7\noom 7\noom_kill 7\n");
        t->a = fault_watch_free(t->a);
        watch(t, A, &t->hits_a, &t->a);
        fault_watch_look(t->a);
        assert_int_equal(t->hits_a.n, 0);
}

static void a_kill_is_of_the_level_that_ran_out_of_memory(void **state) {
        Tree *t = *state;

        put(t, A, "memory.max", "5000\n");
        put(t, A, "memory.peak", "4999\n");
        put(t, A, "memory.events.local", "high 0\nmax 0\noom 1\noom_kill 1\n");
        turn(t);
        assert_int_equal(t->hits_a.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_OOM, FAULT_OF_SANDBOX, 4999, 5000);

        put(t, SLICE, "memory.max", "9000\n");
        put(t, SLICE, "memory.peak", "8999\n");
        put(t, SLICE, "memory.events.local", "high 0\nmax 0\noom 1\noom_kill 0\n");
        put(t, B, "memory.events.local", "high 0\nmax 0\noom 0\noom_kill 1\n");
        turn(t);
        assert_int_equal(t->hits_b.n, 1);
        assert_hit(&t->hits_b, 0, FAULT_OOM, FAULT_OF_USER, 8999, 9000);
        assert_int_equal(t->hits_a.n, 1);
}

/* The kernel counts that there was no memory, and a moment later that it killed. */
static void a_kill_may_come_after_the_lack_of_memory(void **state) {
        Tree *t = *state;

        put(t, UNIT, "memory.max", "8000\n");
        put(t, UNIT, "memory.events.local", "high 0\nmax 0\noom 1\noom_kill 0\n");
        turn(t);
        assert_int_equal(t->hits_a.n, 0);

        put(t, A, "memory.events.local", "high 0\nmax 0\noom 0\noom_kill 1\n");
        turn(t);
        assert_int_equal(t->hits_a.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_OOM, FAULT_OF_USER, 1000, 8000);
}

static void a_kill_that_no_limit_explains_is_the_systems(void **state) {
        Tree *t = *state;

        put(t, A, "memory.events.local", "high 0\nmax 0\noom 0\noom_kill 2\n");
        turn(t);
        assert_int_equal(t->hits_a.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_OOM, FAULT_OF_SYSTEM, 1000, 0);
}

static void what_all_share_is_told_to_all(void **state) {
        Tree *t = *state;

        put(t, SLICE, "memory.high", "500\n");
        put(t, SLICE, "memory.events.local", "high 5\nmax 0\noom 0\noom_kill 0\n");
        turn(t);
        assert_int_equal(t->hits_a.n, 1);
        assert_int_equal(t->hits_b.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_MEMORY_HIGH, FAULT_OF_USER, 1000, 500);
        assert_hit(&t->hits_b, 0, FAULT_MEMORY_HIGH, FAULT_OF_USER, 1000, 500);
}

/* Before Linux 6.11 the counter is that of who wanted a task. */
static void tasks_are_of_the_level_with_the_least_room(void **state) {
        Tree *t = *state;

        put(t, A, "pids.max", "20\n");
        put(t, A, "pids.current", "20\n");
        put(t, A, "pids.events", "max 1\n");
        turn(t);
        assert_int_equal(t->hits_a.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_TASKS_MAX, FAULT_OF_SANDBOX, 20, 20);

        put(t, SLICE, "pids.max", "30\n");
        put(t, SLICE, "pids.current", "30\n");
        put(t, B, "pids.max", "20\n");
        put(t, B, "pids.current", "10\n");
        put(t, B, "pids.events", "max 1\n");
        turn(t);
        assert_int_equal(t->hits_b.n, 1);
        assert_hit(&t->hits_b, 0, FAULT_TASKS_MAX, FAULT_OF_USER, 30, 30);
}

/* From then on it is that of whose limit it was. */
static void tasks_are_of_the_level_that_counts_them(void **state) {
        Tree *t = *state;

        t->a = fault_watch_free(t->a);
        put(t, A, "pids.events.local", "max 0\n");
        watch(t, A, &t->hits_a, &t->a);
        put(t, SLICE, "pids.max", "30\n");
        put(t, SLICE, "pids.current", "30\n");
        put(t, A, "pids.max", "20\n");
        put(t, A, "pids.current", "12\n");
        put(t, A, "pids.events.local", "max 1\n");
        turn(t);
        assert_int_equal(t->hits_a.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_TASKS_MAX, FAULT_OF_SANDBOX, 12, 20);
}

static uint64_t now_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static void put_high(const Tree *t, unsigned n) {
        char text[64];

        (void) snprintf(text, sizeof(text), "high %u\nmax 0\noom 0\noom_kill 0\n", n);
        put(t, A, "memory.events.local", text);
}

/* However slow the machine is: one look when it begins, and two for each time that went by, over and begun again. */
static void a_storm_is_one_look_until_the_time_is_over(void **state) {
        Tree *t = *state;
        uint64_t begin = now_usec();
        size_t n;

        for (unsigned i = 1; i <= 100; i++) {
                put_high(t, i);
                turn(t);
        }
        n = t->hits_a.n;
        assert_in_range(n, 1, 1 + 2 * ((now_usec() - begin) / FAULT_HOLD_USEC));

        /* Nothing of it is lost: the time being over is the next event there is. */
        put_high(t, 101);
        while (t->hits_a.n == n)
                assert_true(sd_event_run(t->event, UINT64_MAX) >= 0);
        assert_int_equal(t->hits_a.n, n + 1);
}

static void a_quota_is_looked_at_when_somebody_asks(void **state) {
        Tree *t = *state;

        put(t, A, "cpu.max", "20000 100000\n");
        put(t, A, "cpu.stat", "usage_usec 1\nnr_throttled 1\nthrottled_usec 30\n");
        fault_watch_look(t->a);
        assert_int_equal(t->hits_a.n, 1);
        assert_hit(&t->hits_a, 0, FAULT_CPU_QUOTA, FAULT_OF_SANDBOX, 30, 200000);

        put(t, A, "cpu.stat", "usage_usec 1\nnr_throttled 3\nthrottled_usec 75\n");
        fault_watch_look(t->a);
        assert_hit(&t->hits_a, 1, FAULT_CPU_QUOTA, FAULT_OF_SANDBOX, 45, 200000);

        put(t, UNIT, "cpu.max", "30000 100000\n");
        put(t, UNIT, "cpu.stat", "usage_usec 1\nnr_throttled 3\nthrottled_usec 4\n");
        fault_watch_look(t->b);
        assert_hit(&t->hits_b, 0, FAULT_CPU_QUOTA, FAULT_OF_USER, 4, 300000);
        assert_hit(&t->hits_a, 2, FAULT_CPU_QUOTA, FAULT_OF_USER, 4, 300000);
}

static void without_controllers_nothing_is_told(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_close_ int fd = open(f.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Hits hits = {};
        sd_event *event = NULL;
        FaultUser *u = NULL;
        FaultWatch *w = NULL;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(fault_user_new(&u, event, (const int[]){ -EBADF, -ENOENT }), 0);
        assert_int_equal(fault_watch_new(&w, u, fd, on_fault, &hits), 0);
        fault_watch_look(w);
        assert_int_equal(hits.n, 0);
        (void) fault_watch_free(w);
        (void) fault_user_free(u);
        (void) sd_event_unref(event);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TREE_TEST(a_hit_is_told_of_the_sandbox_that_had_it),
                TREE_TEST(what_was_counted_before_is_no_news),
                TREE_TEST(a_kill_is_of_the_level_that_ran_out_of_memory),
                TREE_TEST(a_kill_may_come_after_the_lack_of_memory),
                TREE_TEST(a_kill_that_no_limit_explains_is_the_systems),
                TREE_TEST(what_all_share_is_told_to_all),
                TREE_TEST(tasks_are_of_the_level_with_the_least_room),
                TREE_TEST(tasks_are_of_the_level_that_counts_them),
                TREE_TEST(a_storm_is_one_look_until_the_time_is_over),
                TREE_TEST(a_quota_is_looked_at_when_somebody_asks),
                cmocka_unit_test(without_controllers_nothing_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
