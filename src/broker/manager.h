/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * manager — the broker's state, and what holds it together
 *
 * Life: manager_new() opens everything, manager_run() runs the loop until a signal or the bus ends it, manager_free().
 *
 * Runs in: broker. Privilege: root, with the capabilities of its unit.
 */

#include "broker/bus/interface.h"
#include "broker/peers/accounts.h"
#include "broker/peers/peers.h"
#include "broker/peers/polkit.h"
#include "broker/peers/quota.h"
#include "broker/state/catalog.h"
#include "broker/state/layers.h"
#include "broker/state/sandboxes.h"

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

struct Keepers;
struct Reservation;

/* What the command line says. */
typedef struct ManagerOptions {
        CatalogSources sources;
        char *cgroup_root; /* NULL: through systemd, or found */
} ManagerOptions;

void manager_options_done(ManagerOptions *o);

typedef struct Manager {
        const ManagerOptions *options; /* borrowed */
        sd_event *event;
        sd_bus *bus, *questions; /* that we are asked on, and that we ask on */
        Accounts *accounts;      /* first of all: its child holds what was open when it was made */
        Catalog *catalog;
        Peers *peers;
        Polkit *polkit;
        Quotas *quotas;
        Sandboxes sandboxes;
        struct Keepers *keepers;
        LIST_HEAD(, Reservation) reservations;
        Layer layers[LAYERS_MAX];
        size_t n_layers;
        char *cgroup_mount; /* NULL: there is no version 2 hierarchy */
        char *host_name;
        int audit_fd;                 /* see audit-kernel.h */
        sd_event_source *audit_flush; /* while records were left out, and nobody was told how many */
        uint64_t bus_read_usec;       /* when it had read our answers, or nearly */
        size_t n_waiting;             /* calls whose peer is not known yet */
        size_t waiting_size;          /* bytes of the larger ones among them */
} Manager;

int manager_new(Manager **ret, const ManagerOptions *options);
Manager *manager_free(Manager *m); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Manager *, manager_free);

/* 0: told to stop; negative errno: the bus is gone, or worse. */
int manager_run(Manager *m);

/* Reads everything the admin wrote anew. Fails with the old state kept and *ret_text saying why (caller frees). */
int manager_reload(Manager *m, char **ret_text);

/*
 * The keepers tell: all they hold (records that are taken become NULL); one that is new or changed (taken over); one
 * that is gone.
 */
void manager_keeper_snapshot(Manager *m,
                             struct KeeperEntry *keeper,
                             SandboxRecord **records,
                             size_t n_records);
void manager_sandbox_changed(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record);
void manager_sandbox_removed(
        Manager *m, Sandbox *sandbox, SandboxResult result, int32_t code, int32_t status);

/* STATUS= for systemd. */
void manager_update_status(Manager *m);

AccessObject manager_access_object(const Manager *m, const Object *object);

/* Whether a caller may see this object. */
bool manager_may_see(const Manager *m, const Caller *caller, const Object *object);

/* The property MayLaunch: [Access] lets him, whatever polkit may say yet, and nothing is wrong with the profile. */
bool manager_may_launch(const Caller *caller, const CatalogEntry *e);

/* Objects as the tables want them. */
Object manager_object_of_sandbox(Sandbox *s);
Object manager_object_of_profile(const CatalogEntry *e);
