/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/fault-level.h"

#include "base/cgroup2.h"
#include "base/fd.h"
#include "base/text.h"

#define FILE_SIZE_MAX 4096U

const char *const level_files[] = {
        "memory.events.local", "pids.events.local", "pids.events", "cpu.max", NULL
};

#define COUNT(member) offsetof(LevelCounts, member)

/* Rows of one file stand together, so that it is read once. If two rows fill one number, the later one wins. */
/* clang-format off */
static const struct {
        const char *file, *word;
        size_t offset;
} counters[] = {
        { "memory.events.local", "high",           COUNT(memory_high) },
        { "memory.events.local", "max",            COUNT(memory_max) },
        { "memory.events.local", "oom",            COUNT(oom) },
        { "memory.events.local", "oom_kill",       COUNT(oom_kills) },
        { "pids.events",         "max",            COUNT(tasks_max) },
        { "pids.events.local",   "max",            COUNT(tasks_max) },
        { "cpu.stat",            "nr_throttled",   COUNT(throttled) },
        { "cpu.stat",            "throttled_usec", COUNT(throttled_usec) },
};
/* clang-format on */

LevelCounts level_read(int fd) {
        _cleanup_free_ char *text = NULL;
        LevelCounts counts = {};

        for (size_t i = 0; i < ELEMENTSOF(counters); i++) {
                if (i == 0 || !streq(counters[i].file, counters[i - 1].file)) {
                        free(text);
                        text = NULL;
                        (void) file_read_full(fd, counters[i].file, FILE_SIZE_MAX, &text, NULL);
                }
                if (text)
                        (void) cgroup2_find_count(
                                text,
                                counters[i].word,
                                (uint64_t *) (void *) ((uint8_t *) &counts + counters[i].offset));
        }

        return counts;
}

/* The first of these files that holds a number. "max" is none. */
static bool read_number(int fd, const char *const files[static 2], uint64_t *ret) {
        for (size_t i = 0; i < 2 && files[i]; i++) {
                _cleanup_free_ char *line = NULL;

                if (file_read_line(fd, files[i], &line) >= 0 && parse_u64(line, ret) >= 0)
                        return true;
        }

        return false;
}

/* µs of processor time per second; 0: no limit. */
static uint64_t read_quota(int fd) {
        _cleanup_free_ char *line = NULL;
        uint64_t quota, period;
        char *blank;

        if (file_read_line(fd, "cpu.max", &line) < 0)
                return 0;

        blank = strchr(line, ' ');
        if (!blank)
                return 0;
        *blank = '\0';
        if (parse_u64(line, &quota) < 0 || parse_u64(blank + 1, &period) < 0 || period == 0 ||
            quota > UINT64_MAX / USEC_PER_SEC)
                return 0;

        return MAX(quota * USEC_PER_SEC / period, UINT64_C(1));
}

/* After an OOM kill the memory in use is small again; memory.peak (Linux 5.19) still tells what was used. */
/* clang-format off */
static const struct {
        const char *value[2], *limit[2];
} amounts[_FAULT_RESOURCE_MAX] = {
        [FAULT_OOM]         = { { "memory.peak", "memory.current" }, { "memory.max" } },
        [FAULT_MEMORY_MAX]  = { { "memory.current" },                { "memory.max" } },
        [FAULT_MEMORY_HIGH] = { { "memory.current" },                { "memory.high" } },
        [FAULT_TASKS_MAX]   = { { "pids.current" },                  { "pids.max" } },
        [FAULT_CPU_QUOTA]   = { { NULL },                            { NULL } },
};
/* clang-format on */

void level_amounts(int fd, FaultResource resource, uint64_t *ret_value, uint64_t *ret_limit) {
        uint64_t value = 0, limit = 0;

        (void) read_number(fd, amounts[resource].value, &value);
        if (resource == FAULT_CPU_QUOTA)
                limit = read_quota(fd);
        else
                (void) read_number(fd, amounts[resource].limit, &limit);

        *ret_value = value;
        *ret_limit = limit;
}

bool level_knows_whose_tasks(int fd) { return faccessat(fd, "pids.events.local", F_OK, 0) >= 0; }

bool level_has_quota(int fd) { return read_quota(fd) > 0; }

uint64_t level_tasks_left(int fd) {
        uint64_t current = 0, max = 0;

        if (!read_number(fd, amounts[FAULT_TASKS_MAX].limit, &max))
                return UINT64_MAX;

        (void) read_number(fd, amounts[FAULT_TASKS_MAX].value, &current);
        return current >= max ? 0 : max - current;
}
