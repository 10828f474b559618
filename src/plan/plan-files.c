/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "profile/place.h"

/*
 * The tree cannot have anything of its own below a directory of the host: it would have to be created on the host.
 */
static int
check_covers(PlanBuild *b, const char *key, const char *path, size_t n_default, char *const *seen) {
        for (size_t i = 0; i < n_default; i++) {
                const char *target = b->plan->nodes[i].target;

                if (!streq(target, path) && path_is_below(target, path) && !strv_contains(seen, target))
                        return plan_refuse(
                                b,
                                "%s=: %s would cover the sandbox's own %s; name what lies below it instead",
                                key,
                                path,
                                target);
        }

        return 0;
}

static int add_bind(PlanBuild *b, const ProfileBind *bind, size_t n_default, char ***seen) {
        const char *key = bind->read_only ? "BindReadOnlyPaths" : "BindPaths";
        bool idmap = bind->idmap && b->profile->private_users == PRIVATE_USERS_PICK;
        _cleanup_free_ char *source = NULL, *target = NULL;
        const char *why;
        int r;

        r = plan_expand_path(b, key, bind->source, &source);
        if (r >= 0)
                r = plan_expand_path(b, key, bind->destination, &target);
        if (r >= 0)
                r = plan_check_destination(b, key, target, seen);
        if (r >= 0)
                r = check_covers(b, key, target, n_default, *seen);
        if (r < 0)
                return r;

        why = place_refuse_source(source);
        if (why)
                return plan_refuse(b, "%s=: %s %s", key, source, why);

        r = bind->read_only ? 0 : plan_check_writable(b, key);
        if (r < 0)
                return r;

        return plan_put_node(b,
                             PLAN_NODE(BIND,
                                       target,
                                       PLAN_NODE_SAFE | PLAN_NODE_AS_USER |
                                               (bind->read_only ? PLAN_NODE_READ_ONLY : 0) |
                                               (bind->optional ? PLAN_NODE_OPTIONAL : 0) |
                                               (bind->recursive ? PLAN_NODE_RECURSIVE : 0) |
                                               (idmap ? PLAN_NODE_IDMAP : 0),
                                       .source = source));
}

static int add_tmpfs(PlanBuild *b, const ProfileTmpfs *tmpfs, char ***seen) {
        _cleanup_free_ char *target = NULL;
        int r;

        r = plan_expand_path(b, "TemporaryFileSystem", tmpfs->path, &target);
        if (r >= 0)
                r = plan_check_destination(b, "TemporaryFileSystem", target, seen);
        if (r < 0)
                return r;

        /* Within the home it belongs to the user; elsewhere its mode decides. */
        return plan_put_node(
                b,
                PLAN_NODE(TMPFS,
                          target,
                          PLAN_NODE_SAFE | (path_is_below(target, b->home) ? PLAN_NODE_OWNED : 0),
                          .size = tmpfs->size,
                          .mode = tmpfs->mode));
}

static int add_device(PlanBuild *b, const ProfilePath *device) {
        _cleanup_free_ char *path = NULL;
        const char *why;
        int r;

        r = plan_expand_path(b, "DeviceAllow", device->path, &path);
        if (r < 0)
                return r;

        why = place_refuse_device(path);
        if (why)
                return plan_refuse(b, "DeviceAllow=%s: it %s", path, why);
        if (plan_node_at(b->plan, path))
                return 0; /* everyone has it */

        return plan_add_node(b,
                             PLAN_NODE(DEVICE,
                                       path,
                                       PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC | PLAN_NODE_AS_USER |
                                               (device->optional ? PLAN_NODE_OPTIONAL : 0),
                                       .source = path));
}

int plan_build_mounts(PlanBuild *b) {
        _cleanup_strv_ char **seen = NULL;
        size_t n_default = b->plan->n_nodes;
        int r;

        r = plan_build_state(b, &seen);
        if (r < 0)
                return r;

        for (size_t i = 0; i < b->profile->devices.n; i++) {
                r = add_device(b, &b->profile->devices.items[i]);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < b->profile->n_tmpfs; i++) {
                r = add_tmpfs(b, &b->profile->tmpfs[i], &seen);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < b->profile->n_binds; i++) {
                r = add_bind(b, &b->profile->binds[i], n_default, &seen);
                if (r < 0)
                        return r;
        }

        return 0;
}
