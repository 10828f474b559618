/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/bus-reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "broker/bus/bus-signals.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

static int swap_catalog(Manager *m, char **ret_text) {
        _cleanup_(catalog_freep) Catalog *before = NULL;
        Catalog *after = NULL;
        int r;

        r = catalog_load(&after, m->sources, m->catalog, ret_text);
        if (r < 0)
                return r;

        before = m->catalog;
        after->generation = before->generation + 1;
        m->catalog = after;
        plan_memo_done(&m->plans);
        signals_profiles_changed(m, before, after);
        return 0;
}

int bus_reload(Manager *m, char **ret_text) {
        int r;

        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_usec(CLOCK_MONOTONIC));
        signals_reloading(m, true);

        accounts_flush(m->accounts);
        r = swap_catalog(m, ret_text);
        if (r < 0)
                event_log(EVENT_RELOAD_REFUSED,
                          &(EventField){ "IMMURED_REASON", *ret_text },
                          1,
                          "Nothing was reloaded, the old settings and profiles hold: %s",
                          *ret_text ?: strerror(-r));
        else
                event_log(EVENT_RELOADED, NULL, 0, "Reloaded: %zu profiles", m->catalog->n_entries);

        signals_reloading(m, false);
        (void) sd_notify(false, "READY=1");
        return r;
}
