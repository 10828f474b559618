/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "profile/names.h"

#define IDENTITY_IDS 65536U

static bool profile_lists_group(const PlanBuild *b, const AccountGroup *g) {
        STRV_FOREACH (text, b->profile->supplementary_groups) {
                uid_t id;

                if (parse_id(*text, &id) >= 0 ? id == g->gid : g->name && streq(*text, g->name))
                        return true;
        }

        return false;
}

static int compare_ids(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return x < y ? -1 : x > y;
}

/*
 * Groups that the profile lists and the account is in. A profile for many users thus never gives one user the group
 * of another. The user's own is among them, as login(1) has it: programs ask getgroups(2) alone whether they may.
 */
static int build_groups(PlanBuild *b) {
        Plan *p = b->plan;

        p->groups = calloc(b->account->n_groups + 1, sizeof(*p->groups));
        if (!p->groups)
                return -ENOMEM;

        p->groups[p->n_groups++] = p->gid;
        for (size_t i = 0; i < b->account->n_groups; i++) {
                const AccountGroup *g = &b->account->groups[i];

                if (profile_lists_group(b, g) && !plan_has_group(p, g->gid))
                        p->groups[p->n_groups++] = g->gid;
        }

        if (p->n_groups > PLAN_GROUPS_MAX)
                return plan_refuse(b, "SupplementaryGroups=: more than %u groups", PLAN_GROUPS_MAX);

        /* The account database promises no order, but equal requests must have equal plans. */
        qsort(p->groups + 1, p->n_groups - 1, sizeof(*p->groups), compare_ids);
        return 0;
}

/*
 * The id and those of the groups, each mapped alone. Outside they count up from the picked base, or stay the same.
 */
static int
map_single(uint32_t id, const uint32_t *more, size_t n_more, bool pick, PlanIdMap **ret, size_t *ret_n) {
        PlanIdMap *map = calloc(n_more + 1, sizeof(*map));
        size_t n = 0;

        if (!map)
                return -ENOMEM;

        map[n++] = (PlanIdMap){ .inside = id, .outside = pick ? 0 : id, .count = 1 };
        for (size_t i = 0; i < n_more; i++) {
                if (more[i] == id)
                        continue; /* the kernel takes no id twice */
                map[n] = (PlanIdMap){ .inside = more[i],
                                      .outside = pick ? (uint32_t) n : more[i],
                                      .count = 1 };
                n++;
        }

        *ret = map;
        *ret_n = n;
        return 0;
}

static int map_identity(PlanIdMap **ret, size_t *ret_n) {
        PlanIdMap *map = calloc(1, sizeof(*map));

        if (!map)
                return -ENOMEM;

        *map = (PlanIdMap){ .count = IDENTITY_IDS };
        *ret = map;
        *ret_n = 1;
        return 0;
}

static int check_identity(PlanBuild *b) {
        Plan *p = b->plan;
        bool fits = p->uid < IDENTITY_IDS && p->gid < IDENTITY_IDS;

        for (size_t i = 0; i < p->n_groups; i++)
                fits = fits && p->groups[i] < IDENTITY_IDS;

        if (!fits)
                return plan_refuse(
                        b,
                        "PrivateUsers=identity carries the ids below 65536, and user %s has one above: "
                        "use pick or self",
                        p->user);

        /*
         * See ids_hold() in plan-check.c: files owned by the host's root could be created in a bound directory.
         */
        if (b->profile->ambient_capabilities && *b->profile->ambient_capabilities)
                return plan_refuse(
                        b,
                        "AmbientCapabilities= with PrivateUsers=identity would reach over the host's own "
                        "ids: use pick");

        return 0;
}

int plan_build_ids(PlanBuild *b) {
        Plan *p = b->plan;
        bool pick = b->profile->private_users == PRIVATE_USERS_PICK;
        int r;

        p->uid = b->account->uid;
        p->gid = b->account->gid;
        p->private_users = b->profile->private_users;

        if (p->uid == 0 && !pick)
                return plan_refuse(b,
                                   "PrivateUsers=%s would run the application as the host's root: use pick",
                                   private_users_names[b->profile->private_users]);

        r = build_groups(b);
        if (r < 0)
                return r;

        if (b->profile->private_users == PRIVATE_USERS_IDENTITY) {
                r = check_identity(b);
                if (r >= 0)
                        r = map_identity(&p->uid_map, &p->n_uid_map);
                if (r >= 0)
                        r = map_identity(&p->gid_map, &p->n_gid_map);
                return r;
        }

        r = map_single(p->uid, NULL, 0, pick, &p->uid_map, &p->n_uid_map);
        if (r < 0)
                return r;

        return map_single(p->gid, p->groups, p->n_groups, pick, &p->gid_map, &p->n_gid_map);
}
