/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/fault.h"

#include "base/strv.h"

/* Those of one resource: a ring. */
typedef struct Rows {
        Fault items[FAULT_ROWS];
        size_t first, n;
        uint64_t interval_begin;
        unsigned n_in_interval;
} Rows;

struct Faults {
        Rows rows[_FAULT_RESOURCE_MAX];
};

/* clang-format off */
static const char *const resource_names[_FAULT_RESOURCE_MAX] = {
        [FAULT_OOM]         = "OOM",
        [FAULT_MEMORY_MAX]  = "MemoryMax",
        [FAULT_MEMORY_HIGH] = "MemoryHigh",
        [FAULT_TASKS_MAX]   = "TasksMax",
        [FAULT_CPU_QUOTA]   = "CPUQuota",
};

static const char *const level_names[_FAULT_LEVEL_MAX] = {
        [FAULT_OF_SANDBOX] = "sandbox",
        [FAULT_OF_USER]    = "user",
        [FAULT_OF_SYSTEM]  = "system",
};
/* clang-format on */

const char *fault_resource_name(FaultResource resource) { return resource_names[resource]; }

const char *fault_level_name(FaultLevel level) { return level_names[level]; }

int faults_new(Faults **ret) {
        Faults *f = calloc(1, sizeof(*f));

        if (!f)
                return -ENOMEM;

        *ret = f;
        return 0;
}

Faults *faults_free(Faults *f) {
        if (!f)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(f->rows); i++)
                for (size_t k = 0; k < ELEMENTSOF(f->rows[i].items); k++)
                        (void) strv_free(f->rows[i].items[k].processes);

        free(f);
        return NULL;
}

/* A clock that was set back begins a new interval, too. */
bool faults_wants(Faults *f, FaultResource resource, uint64_t time) {
        Rows *rows = f->rows + resource;

        if (time < rows->interval_begin || time - rows->interval_begin >= FAULT_INTERVAL_USEC) {
                rows->interval_begin = time;
                rows->n_in_interval = 0;
        }

        return rows->n_in_interval < FAULT_BURST;
}

void faults_add(Faults *f, const Fault *fault) {
        Rows *rows = f->rows + fault->resource;
        Fault *item = rows->items + (rows->first + rows->n) % FAULT_ROWS;

        rows->n_in_interval++;
        if (rows->n < FAULT_ROWS)
                rows->n++;
        else
                rows->first = (rows->first + 1) % FAULT_ROWS;

        (void) strv_free(item->processes);
        *item = *fault;
}

static int append_row(sd_bus_message *m, const Fault *fault) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "tssttas");
        if (r >= 0)
                r = sd_bus_message_append(m,
                                          "tsstt",
                                          fault->time,
                                          fault_resource_name(fault->resource),
                                          fault_level_name(fault->level),
                                          fault->value,
                                          fault->limit);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, fault->processes);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The oldest of the rows that are still to come, taken off; NULL: none is left. */
static const Fault *take_oldest(const Faults *f, size_t taken[static _FAULT_RESOURCE_MAX]) {
        const Fault *oldest = NULL;

        for (size_t i = 0; i < ELEMENTSOF(f->rows); i++) {
                const Rows *rows = f->rows + i;
                const Fault *next = rows->items + (rows->first + taken[i]) % FAULT_ROWS;

                if (taken[i] < rows->n && (!oldest || next->time < oldest->time))
                        oldest = next;
        }

        if (oldest)
                taken[oldest->resource]++;
        return oldest;
}

int faults_append(const Faults *f, sd_bus_message *m) {
        size_t taken[_FAULT_RESOURCE_MAX] = {};
        const Fault *fault;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(tssttas)");
        while (r >= 0 && f && (fault = take_oldest(f, taken)))
                r = append_row(m, fault);

        return r < 0 ? r : sd_bus_message_close_container(m);
}
