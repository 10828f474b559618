/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * manager-state — the parts of the broker, for whoever works with several of them
 *
 * Life: manager.c makes, runs and frees them. Runs in: broker. Privilege: none of its own.
 */

#include "broker/peers/accounts.h"
#include "broker/peers/peers.h"
#include "broker/peers/polkit.h"
#include "broker/peers/quota.h"
#include "broker/state/catalog.h"
#include "broker/state/machine-layers.h"
#include "broker/state/plan-memo.h"
#include "broker/state/sandboxes.h"

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

struct Call;
struct Interface;
struct Keepers;
struct Reservation;

typedef struct Manager {
        const CatalogSources *sources; /* borrowed */
        sd_event *event;
        sd_bus *bus, *questions; /* that we are asked on, and that we ask on */
        Accounts *accounts;      /* first of all: its child holds what was open when it was made */
        Catalog *catalog;
        Peers *peers;
        Polkit *polkit;
        Quotas *quotas;
        Sandboxes sandboxes;
        PlanMemo plans;
        struct Keepers *keepers;
        TAILQ_HEAD(, Call) early; /* calls until the keepers were heard that this broker found alive */
        const struct Interface *const *const *interfaces; /* by ObjectKind, each list ends with NULL */
        LIST_HEAD(, Reservation) reservations;
        MachineLayer layers[MACHINE_LAYERS_MAX];
        size_t n_layers;
        char *cgroup_mount; /* NULL: there is no version 2 hierarchy */
        char *cgroup_root;  /* below which we run keepers ourselves; NULL: systemd does */
        char host_name[256];
        int audit_fd;                 /* see audit-kernel.h */
        sd_event_source *audit_flush; /* while records were left out, and nobody was told how many */
        uint64_t bus_read_usec;       /* when it had read our answers, or nearly */
        size_t n_waiting;             /* calls whose peer is not known yet */
        size_t waiting_size;          /* bytes of the larger ones among them */
} Manager;
