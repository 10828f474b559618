/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/sandboxes.h"

#include "base/text.h"

#include "broker/access/object-path.h"

SandboxEntry *sandbox_entry_free(SandboxEntry *sandbox) {
        if (!sandbox)
                return NULL;

        (void) sandbox_record_free(sandbox->record);
        free(sandbox->path);
        free(sandbox);
        return NULL;
}

DEFINE_CLEANUP(SandboxEntry *, sandbox_entry_free);

void sandboxes_done(Sandboxes *s) {
        for (size_t i = 0; i < s->n_items; i++)
                (void) sandbox_entry_free(s->items[i]);

        free(s->items);
        *s = (Sandboxes){ 0 };
}

/* Index of the first sandbox whose id is not before this one. */
static size_t lower_bound(const Sandboxes *s, const char *id) {
        size_t low = 0, high = s->n_items;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(s->items[middle]->record->id, id) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        return low;
}

static bool is_at(const Sandboxes *s, size_t i, const char *id) {
        return i < s->n_items && streq(s->items[i]->record->id, id);
}

SandboxEntry *sandboxes_find(const Sandboxes *s, const char *id) {
        size_t i = lower_bound(s, id);

        return is_at(s, i, id) ? s->items[i] : NULL;
}

SandboxEntry *sandboxes_find_alive(const Sandboxes *s, const char *id) {
        SandboxEntry *sandbox = sandboxes_find(s, id);

        return sandbox && sandbox_state_is_alive(sandbox->record->state) ? sandbox : NULL;
}

SandboxEntry *sandboxes_find_shown(const Sandboxes *s, const char *id) {
        SandboxEntry *sandbox = sandboxes_find(s, id);

        return sandbox && !sandbox_record_is_hidden(sandbox->record) ? sandbox : NULL;
}

static int reserve(Sandboxes *s) {
        size_t n = s->n_allocated > 0 ? 2 * s->n_allocated : 16;
        SandboxEntry **items;

        if (s->n_items < s->n_allocated)
                return 0;

        items = reallocarray(s->items, n, sizeof(*items));
        if (!items)
                return -ENOMEM;

        s->items = items;
        s->n_allocated = n;
        return 0;
}

SandboxEntry *sandboxes_find_by_cgroup(const Sandboxes *s, const char *group) {
        for (size_t i = 0; i < s->n_items; i++) {
                const SandboxRecord *record = s->items[i]->record;

                if (sandbox_state_is_alive(record->state) && !sandbox_record_is_hidden(record) &&
                    path_is_below(group, record->control_group))
                        return s->items[i];
        }

        return NULL;
}

int sandboxes_insert(Sandboxes *s, SandboxRecord *record, struct KeeperEntry *keeper, SandboxEntry **ret) {
        _cleanup_(sandbox_record_freep) SandboxRecord *owned = record;
        _cleanup_(sandbox_entry_freep) SandboxEntry *sandbox = NULL;
        size_t i = lower_bound(s, record->id);
        int r;

        if (is_at(s, i, record->id))
                return -EEXIST;

        sandbox = calloc(1, sizeof(*sandbox));
        if (!sandbox)
                return -ENOMEM;

        sandbox->record = TAKE_PTR(owned);
        sandbox->keeper = keeper;
        r = object_path_of_sandbox(record->id, &sandbox->path);
        if (r < 0)
                return r;

        r = reserve(s);
        if (r < 0)
                return r;

        memmove(s->items + i + 1, s->items + i, (s->n_items - i) * sizeof(*s->items));
        s->items[i] = sandbox;
        s->n_items++;
        *ret = TAKE_PTR(sandbox);
        return 0;
}

void sandboxes_remove(Sandboxes *s, SandboxEntry *sandbox) {
        size_t i = lower_bound(s, sandbox->record->id);

        if (!is_at(s, i, sandbox->record->id))
                return;

        s->n_items--;
        memmove(s->items + i, s->items + i + 1, (s->n_items - i) * sizeof(*s->items));
}

bool sandboxes_has_keeper(const Sandboxes *s, const struct KeeperEntry *keeper, bool alive) {
        for (size_t i = 0; i < s->n_items; i++)
                if (s->items[i]->keeper == keeper &&
                    (!alive || sandbox_state_is_alive(s->items[i]->record->state)))
                        return true;

        return false;
}

void sandboxes_orphan(Sandboxes *s, const struct KeeperEntry *keeper) {
        for (size_t i = 0; i < s->n_items; i++)
                if (s->items[i]->keeper == keeper)
                        s->items[i]->keeper = NULL;
}

SandboxEntry *sandboxes_surplus(const Sandboxes *s, uid_t uid, size_t max) {
        SandboxEntry *oldest = NULL;
        size_t n = 0;

        for (size_t i = 0; i < s->n_items; i++) {
                SandboxEntry *e = s->items[i];

                if (e->record->uid != uid || sandbox_state_is_alive(e->record->state))
                        continue;

                n++;
                if (!e->keeper && (!oldest || e->record->timestamp < oldest->record->timestamp))
                        oldest = e;
        }

        return n > max ? oldest : NULL;
}

size_t sandboxes_count_alive(const Sandboxes *s, uid_t uid, const char *profile) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_items; i++) {
                const SandboxRecord *record = s->items[i]->record;

                if (sandbox_state_is_alive(record->state) && (uid == (uid_t) -1 || record->uid == uid) &&
                    (!profile || streq(record->profile, profile)))
                        n++;
        }

        return n;
}

bool sandboxes_has_user(const Sandboxes *s, uid_t uid) {
        for (size_t i = 0; i < s->n_items; i++)
                if (s->items[i]->record->uid == uid && !sandbox_record_is_hidden(s->items[i]->record))
                        return true;

        return false;
}

static int compare_uid(const void *a, const void *b) {
        uid_t x = *(const uid_t *) a, y = *(const uid_t *) b;

        return (x > y) - (x < y);
}

size_t sandboxes_count_users(const Sandboxes *s) {
        _cleanup_free_ uid_t *uids = calloc(MAX(s->n_items, (size_t) 1), sizeof(uid_t));
        size_t n = 0;

        if (!uids)
                return 0;

        for (size_t i = 0; i < s->n_items; i++)
                uids[i] = s->items[i]->record->uid;
        qsort(uids, s->n_items, sizeof(uid_t), compare_uid);

        for (size_t i = 0; i < s->n_items; i++)
                if (i == 0 || uids[i] != uids[i - 1])
                        n++;

        return n;
}
