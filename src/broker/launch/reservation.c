/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/reservation.h"

#include "base/text.h"
#include "broker/call/manager-state.h"

static size_t count_pending(const Manager *m, uid_t uid, const char *profile) {
        Reservation *r;
        size_t n = 0;

        /* Once the keeper has reported its sandbox, it is counted there. */
        LIST_FOREACH (r, &m->reservations, entry)
                if ((uid == UID_NOBODY || r->uid == uid) && (!profile || streq(r->profile, profile)) &&
                    !sandboxes_find_alive(&m->sandboxes, r->id))
                        n++;

        return n;
}

static size_t count(const Manager *m, uid_t uid, const char *profile) {
        return sandboxes_count_alive(&m->sandboxes, uid, profile) + count_pending(m, uid, profile);
}

static int check_limits(Call *c, const Profile *profile, uid_t uid) {
        const Config *config = &c->manager->catalog->config;

        if (count(c->manager, uid, profile->name) >= profile->max_instances)
                return call_fail(c,
                                 ERROR_QUOTA_EXCEEDED,
                                 "User %u has %u sandboxes of profile \"%s\" already (MaxInstances=)",
                                 uid,
                                 profile->max_instances,
                                 profile->name);
        if (count(c->manager, uid, NULL) >= config->max_sandboxes_per_user)
                return call_fail(c,
                                 ERROR_QUOTA_EXCEEDED,
                                 "User %u has %u sandboxes already (MaxSandboxesPerUser=)",
                                 uid,
                                 config->max_sandboxes_per_user);
        if (count(c->manager, UID_NOBODY, NULL) >= config->max_sandboxes)
                return call_fail(c,
                                 ERROR_QUOTA_EXCEEDED,
                                 "There are %u sandboxes already (MaxSandboxes=)",
                                 config->max_sandboxes);

        return 0;
}

static bool id_is_taken(const Manager *m, const char *id) {
        Reservation *r;

        LIST_FOREACH (r, &m->reservations, entry)
                if (streq(r->id, id))
                        return true;

        return sandboxes_find_alive(&m->sandboxes, id) != NULL;
}

int reservation_take(Reservation *r, Call *c, const Profile *profile, uid_t uid) {
        _cleanup_free_ char *name = strdup(profile->name);
        int k;

        if (!name)
                return -ENOMEM;

        k = check_limits(c, profile, uid);
        if (k < 0)
                return k;

        /* This ends, as the limits bound how many ids can be taken. */
        for (unsigned n = 1;; n++) {
                _cleanup_free_ char *id = text_printf("%s.%u.%u", profile->name, uid, n);

                if (!id)
                        return -ENOMEM;
                if (id_is_taken(c->manager, id))
                        continue;

                *r = (Reservation){ .id = TAKE_PTR(id), .profile = TAKE_PTR(name), .uid = uid };
                LIST_INSERT_HEAD(&c->manager->reservations, r, entry);
                return 0;
        }
}

void reservation_done(Reservation *r) {
        if (!r->id)
                return;

        LIST_REMOVE(r, entry);
        free(r->id);
        free(r->profile);
        *r = (Reservation){ 0 };
}
