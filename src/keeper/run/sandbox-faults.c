/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"
#include "base/log.h"
#include "base/strv.h"
#include "keeper/keeper.h"
#include "keeper/link-client.h"
#include "keeper/parts/processes.h"
#include "keeper/sandbox/sandbox.h"

#define PROCESSES_SHOWN 8

/* The names of processes are a help, and may be missing. */
static void
on_fault(FaultResource resource, FaultLevel level, uint64_t value, uint64_t limit, void *userdata) {
        Sandbox *s = userdata;
        Fault fault = { clock_usec(CLOCK_REALTIME), resource, level, value, limit, NULL };
        const SandboxEvent hit = {
                .kind = SANDBOX_EVENT_LIMIT_HIT,
                .details = { { .text = fault_resource_name(resource) },
                             { .text = fault_level_name(level) },
                             { .number = value },
                             { .number = limit } },
        };

        if (!s->faults && faults_new(&s->faults) < 0) {
                (void) log_oom();
                return;
        }
        if (!faults_wants(s->faults, resource, fault.time))
                return;

        (void) processes_names(s->cgroup_fd, PROCESSES_SHOWN, &fault.processes);
        faults_add(s->faults, &fault);

        sandbox_tell_event(s, &hit);
        link_client_event(s->keeper->link, s, &hit);
}

void sandbox_watch_faults(Sandbox *s) {
        int r;

        r = fault_watch_new(&s->fault_watch, s->keeper->faults, s->cgroup_fd, on_fault, s);
        if (r < 0)
                (void) log_errno(r, "%s: hits of its limits will not be noticed", s->record->id);
}

int sandbox_append_faults(Sandbox *s, sd_bus_message *m) {
        fault_watch_look(s->fault_watch);
        return faults_append(s->faults, m);
}
