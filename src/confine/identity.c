/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/identity.h"

#include "confine/caps.h"

#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

int identity_outside(const PlanIdMap *map, size_t n, uint32_t base, uint32_t inside, uint32_t *ret) {
        for (size_t i = 0; i < n; i++) {
                uint64_t id;

                if (inside < map[i].inside || inside - map[i].inside >= map[i].count)
                        continue;

                id = (uint64_t) base + map[i].outside + (inside - map[i].inside);
                if (id >= UINT32_MAX)
                        return -EINVAL;

                *ret = (uint32_t) id;
                return 0;
        }

        return -EINVAL;
}

/*
 * setfsuid(2) and setfsgid(2) report no errors. A second call with an id that cannot exist returns the one in force.
 */
static bool fsuid_set(uid_t uid) {
        (void) setfsuid(uid);
        return (uid_t) setfsuid((uid_t) -1) == uid;
}

static bool fsgid_set(gid_t gid) {
        (void) setfsgid(gid);
        return (gid_t) setfsgid((gid_t) -1) == gid;
}

int identity_borrow(const Plan *plan, Identity *ret, Problem *problem) {
        _cleanup_free_ gid_t *saved = NULL;
        const uid_t fsuid = (uid_t) setfsuid((uid_t) -1);
        const gid_t fsgid = (gid_t) setfsgid((gid_t) -1);
        int n;

        n = getgroups(0, NULL);
        if (n < 0)
                return problem_set(problem, -errno, "getgroups");

        saved = malloc(sizeof(*saved) * ((size_t) n + 1));
        if (!saved)
                return problem_set(problem, -ENOMEM, "getgroups");
        n = getgroups(n, saved);
        if (n < 0)
                return problem_set(problem, -errno, "getgroups");

        /* The uid last: with it goes the right to change the others. */
        if (setgroups(plan->n_groups, plan->groups) < 0)
                return problem_set(problem, -errno, "setgroups");
        if (!fsgid_set(plan->gid))
                return problem_set(problem, -EPERM, "setfsgid %u", plan->gid);
        if (!fsuid_set(plan->uid))
                return problem_set(problem, -EPERM, "setfsuid %u", plan->uid);

        *ret = (Identity){
                .groups = TAKE_PTR(saved), .n_groups = (size_t) n, .fsuid = fsuid, .fsgid = fsgid
        };
        return 0;
}

int identity_return(Identity *identity, int result, Problem *problem) {
        _cleanup_free_ gid_t *groups = TAKE_PTR(identity->groups);

        /* Checked against the effective ids and by reading back, since neither call can report a failure. */
        if (identity->fsuid != geteuid() || !fsuid_set(identity->fsuid))
                return problem_set(problem, -EPERM, "setfsuid back");
        if (caps_override_files(false) < 0)
                return problem_set(problem, -EPERM, "capset");
        if (identity->fsgid != getegid() || !fsgid_set(identity->fsgid))
                return problem_set(problem, -EPERM, "setfsgid back");
        if (setgroups(identity->n_groups, groups) < 0)
                return problem_set(problem, -errno, "setgroups back");

        return MIN(result, 0);
}

int identity_make_as(uint32_t uid, uint32_t gid) {
        if (!fsgid_set(gid) || !fsuid_set(uid))
                return -EPERM;

        return caps_override_files(false);
}

int identity_set_groups(const Plan *plan, uint32_t base, Problem *problem) {
        _cleanup_free_ gid_t *outside = NULL;
        int r;

        outside = calloc(plan->n_groups + 1, sizeof(*outside));
        if (!outside)
                return problem_set(problem, -ENOMEM, "setgroups");

        for (size_t i = 0; i < plan->n_groups; i++) {
                r = identity_outside(plan->gid_map, plan->n_gid_map, base, plan->groups[i], &outside[i]);
                if (r < 0)
                        return problem_set(problem, r, "Group %u", plan->groups[i]);
        }

        if (setgroups(plan->n_groups, outside) < 0)
                return problem_set(problem, -errno, "setgroups");

        return 0;
}

int identity_set_ids(const Plan *plan, Problem *problem) {
        if (prctl(PR_SET_KEEPCAPS, 1) < 0)
                return problem_set(problem, -errno, "PR_SET_KEEPCAPS");

        if (setresgid(plan->gid, plan->gid, plan->gid) < 0)
                return problem_set(problem, -errno, "setresgid %u", plan->gid);
        if (setresuid(plan->uid, plan->uid, plan->uid) < 0)
                return problem_set(problem, -errno, "setresuid %u", plan->uid);

        /*
         * The kernel resets this to fs.suid_dumpable when ids change, and an init with the application's uid must
         * not be traced by it.
         */
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return problem_set(problem, -errno, "PR_SET_DUMPABLE");

        /*
         * The kernel empties the effective set here only where uid 0 is mapped in this namespace; otherwise there is
         * no root to give up.
         */
        return caps_regain(problem);
}
