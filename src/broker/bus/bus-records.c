/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/bus-records.h"

#include "base/log.h"
#include "base/text.h"
#include "broker/bus/bus-signals.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

void bus_records_update_status(Manager *m) {
        size_t n_sandboxes = m->sandboxes.n_items, n_users = sandboxes_count_users(&m->sandboxes);

        (void) sd_notifyf(false,
                          "STATUS=%zu %s of %zu %s",
                          n_sandboxes,
                          n_sandboxes == 1 ? "sandbox" : "sandboxes",
                          n_users,
                          n_users == 1 ? "user" : "users");
}

/* first: of its user's. One that is hidden appears when it is shown. */
static void tell_appeared(Manager *m, SandboxEntry *s, bool first) {
        if (sandbox_record_is_hidden(s->record))
                return;

        if (first)
                signals_user(m, s->record->uid, true);
        signals_sandbox_new(m, s);
}

static void sandbox_appeared(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record) {
        bool first = !sandboxes_has_user(&m->sandboxes, record->uid);
        uid_t uid = record->uid;
        SandboxEntry *s;
        int r;

        r = sandboxes_insert(&m->sandboxes, record, keeper, &s);
        if (r < 0) {
                (void) log_errno(r, "A sandbox of user %u cannot be shown", uid);
                return;
        }

        tell_appeared(m, s, first);
        bus_records_update_status(m);
}

void bus_records_changed(Manager *m, struct KeeperEntry *keeper, SandboxRecord *record) {
        const bool first = !sandboxes_has_user(&m->sandboxes, record->uid);
        _cleanup_(sandbox_record_freep) SandboxRecord *before = NULL;
        SandboxEntry *s = sandboxes_find(&m->sandboxes, record->id);

        /* A failed one makes room for a new one of the same name: that is another sandbox. */
        if (s && !streq(s->record->invocation_id, record->invocation_id)) {
                bus_records_removed(
                        m, s, s->record->result, s->record->exec_main_code, s->record->exec_main_status);
                s = NULL;
        }

        if (!s) {
                sandbox_appeared(m, keeper, record);
                return;
        }

        before = s->record;
        s->record = record;
        s->keeper = keeper;
        if (sandbox_record_is_hidden(before))
                tell_appeared(m, s, first);
        else
                signals_sandbox_changed(m, s, before);
}

void bus_records_removed(
        Manager *m, SandboxEntry *sandbox, SandboxResult result, int32_t code, int32_t status) {
        _cleanup_(sandbox_entry_freep) SandboxEntry *gone = sandbox;

        sandboxes_remove(&m->sandboxes, gone);
        signals_sandbox_removed(m, gone, result, code, status);
        if (!sandbox_record_is_hidden(gone->record) && !sandboxes_has_user(&m->sandboxes, gone->record->uid))
                signals_user(m, gone->record->uid, false);
        bus_records_update_status(m);
}

static bool is_among(SandboxRecord *const *records, size_t n_records, const char *id) {
        for (size_t i = 0; i < n_records; i++)
                if (records[i] && streq(records[i]->id, id))
                        return true;

        return false;
}

void bus_records_snapshot(Manager *m,
                          struct KeeperEntry *keeper,
                          SandboxRecord **records,
                          size_t n_records) {
        /* A keeper holds on to what failed; so what is gone from its list meanwhile ended well. */
        for (size_t i = m->sandboxes.n_items; i > 0; i--) {
                SandboxEntry *s = m->sandboxes.items[i - 1];

                if (s->keeper == keeper && !is_among(records, n_records, s->record->id))
                        bus_records_removed(m, s, SANDBOX_SUCCESS, CLD_EXITED, 0);
        }

        for (size_t i = 0; i < n_records; i++)
                bus_records_changed(m, keeper, TAKE_PTR(records[i]));
}
