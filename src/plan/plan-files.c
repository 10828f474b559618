/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"

#define SAFE (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)

/* Places that are the sandbox's own: what the kernel shows there must be of this sandbox. */
static const char *const own_places[] = { "/proc", "/dev", "/sys" };

static PlanNode *node_at(Plan *p, const char *target) {
        for (size_t i = 0; i < p->n_nodes; i++)
                if (streq(p->nodes[i].target, target))
                        return &p->nodes[i];

        return NULL;
}

int plan_put_node(PlanBuild *b, const PlanNode *node) {
        PlanNode *old = node_at(b->plan, node->target), *last;
        PlanNode taken;
        int r;

        r = plan_add_node(b, node);
        if (r < 0 || !old)
                return r;

        /* The array may have moved; the new node takes the old one's place. */
        old = node_at(b->plan, node->target);
        last = &b->plan->nodes[--b->plan->n_nodes];
        taken = *last;
        free(old->source);
        free(old->target);
        free(old->data);
        *old = taken;
        return 0;
}

/* A place of [Files]: not the root, not the sandbox's own, not given before. */
static int check_destination(PlanBuild *b, const char *key, const char *path, char ***seen) {
        if (streq(path, "/"))
                return plan_refuse(
                        b, PLAN_REFUSAL_BAD_SETTING, "%s=: the root itself cannot be replaced", key);

        for (size_t i = 0; i < ELEMENTSOF(own_places); i++)
                if (path_is_below(path, own_places[i]))
                        return plan_refuse(b,
                                           PLAN_REFUSAL_BAD_SETTING,
                                           "%s=: %s would cover a part of the sandbox's own %s",
                                           key,
                                           path,
                                           own_places[i]);

        if (strv_contains(*seen, path))
                return plan_refuse(b, PLAN_REFUSAL_BAD_SETTING, "%s=: %s is given twice", key, path);

        return strv_extend(seen, path);
}

/* A directory of the host does not hold what the tree has below that place: it would have to be made in there. */
static int
check_covers(PlanBuild *b, const char *key, const char *path, size_t n_default, char *const *seen) {
        for (size_t i = 0; i < n_default; i++) {
                const char *target = b->plan->nodes[i].target;

                if (!streq(target, path) && path_is_below(target, path) && !strv_contains(seen, target))
                        return plan_refuse(
                                b,
                                PLAN_REFUSAL_BAD_SETTING,
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
        int r;

        r = plan_expand_path(b, key, bind->source, &source);
        if (r >= 0)
                r = plan_expand_path(b, key, bind->destination, &target);
        if (r >= 0)
                r = check_destination(b, key, target, seen);
        if (r >= 0)
                r = check_covers(b, key, target, n_default, *seen);
        if (r < 0)
                return r;

        if (plan_source_is_forbidden(source))
                return plan_refuse(
                        b,
                        PLAN_REFUSAL_BAD_SETTING,
                        "%s=: %s is or contains a file system of the kernel's or a socket that leads out of "
                        "the sandbox",
                        key,
                        source);

        /* On disk, what the application's root makes is root's: with a setuid bit, another user could take it up. */
        if (b->account->uid == 0 && !bind->read_only && !b->profile->restrict_suid_sgid)
                return plan_refuse(b,
                                   PLAN_REFUSAL_BAD_SETTING,
                                   "%s=: for root only with RestrictSUIDSGID=yes, or read-only",
                                   key);

        return plan_put_node(
                b,
                &(PlanNode){
                        .kind = PLAN_NODE_BIND,
                        .source = source,
                        .target = target,
                        .flags = SAFE | PLAN_NODE_AS_USER | (bind->read_only ? PLAN_NODE_READ_ONLY : 0) |
                                 (bind->optional ? PLAN_NODE_OPTIONAL : 0) |
                                 (bind->recursive ? PLAN_NODE_RECURSIVE : 0) | (idmap ? PLAN_NODE_IDMAP : 0),
                });
}

static int add_tmpfs(PlanBuild *b, const ProfileTmpfs *tmpfs, char ***seen) {
        _cleanup_free_ char *target = NULL;
        int r;

        r = plan_expand_path(b, "TemporaryFileSystem", tmpfs->path, &target);
        if (r >= 0)
                r = check_destination(b, "TemporaryFileSystem", target, seen);
        if (r < 0)
                return r;

        /* The user's own within the home, and as the mode says elsewhere. */
        return plan_put_node(b,
                             &(PlanNode){
                                     .kind = PLAN_NODE_TMPFS,
                                     .target = target,
                                     .flags = SAFE | (path_is_below(target, b->home) ? PLAN_NODE_OWNED : 0),
                                     .size = tmpfs->size,
                                     .mode = tmpfs->mode,
                             });
}

int plan_build_mounts(PlanBuild *b) {
        _cleanup_strv_ char **seen = NULL;
        size_t n_default = b->plan->n_nodes;
        int r;

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

static const PlanNode *mask_above(const Plan *p, size_t from, const char *path) {
        for (size_t i = from; i < p->n_nodes; i++)
                if (p->nodes[i].kind == PLAN_NODE_MASK && path_is_below(path, p->nodes[i].target))
                        return &p->nodes[i];

        return NULL;
}

/* All flags that remounts of the path, or of a directory above it, add. */
static uint32_t remount_flags(const Plan *p, size_t from, const char *path) {
        uint32_t flags = 0;

        for (size_t i = from; i < p->n_nodes; i++)
                if (p->nodes[i].kind == PLAN_NODE_REMOUNT && path_is_below(path, p->nodes[i].target))
                        flags |= p->nodes[i].flags;

        return flags;
}

static int expand_modified(PlanBuild *b, const char *key, const ProfilePath *path, char **ret) {
        _cleanup_free_ char *target = NULL;
        bool own = false;
        int r;

        r = plan_expand_path(b, key, path->path, &target);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(own_places); i++)
                own = own || streq(target, own_places[i]);
        if (own || streq(target, "/"))
                return plan_refuse(b,
                                   PLAN_REFUSAL_BAD_SETTING,
                                   "%s=%s: only what lies below it can be named",
                                   key,
                                   path->path);

        *ret = TAKE_PTR(target);
        return 0;
}

/* One node for each target: a mask makes all else moot, and flags of several lists add up. */
static int add_modifier(PlanBuild *b, size_t from, const PlanNode *node) {
        Plan *p = b->plan;

        if (mask_above(p, from, node->target))
                return 0;

        for (size_t i = from; i < p->n_nodes; i++) {
                PlanNode *n = &p->nodes[i];

                if (n->kind != node->kind || !streq(n->target, node->target))
                        continue;

                /* Optional only where every list says so. */
                n->flags = ((n->flags | node->flags) & ~(uint32_t) PLAN_NODE_OPTIONAL) |
                           (n->flags & node->flags & PLAN_NODE_OPTIONAL);
                return 0;
        }

        return plan_add_node(b, node);
}

static int add_modifiers(PlanBuild *b,
                         size_t from,
                         const char *key,
                         const ProfilePath *paths,
                         size_t n_paths,
                         PlanNodeKind kind,
                         uint32_t flags) {
        for (size_t i = 0; i < n_paths; i++) {
                _cleanup_free_ char *target = NULL;
                int r;

                r = expand_modified(b, key, &paths[i], &target);
                if (r < 0)
                        return r;

                if (kind == PLAN_NODE_REMOUNT && path_is_below(target, "/proc"))
                        return plan_refuse(
                                b, PLAN_REFUSAL_BAD_SETTING, "%s=%s: not below /proc", key, paths[i].path);

                r = add_modifier(b,
                                 from,
                                 &(PlanNode){
                                         .kind = (uint8_t) kind,
                                         .target = target,
                                         .flags = flags | (paths[i].optional ? PLAN_NODE_OPTIONAL : 0),
                                 });
                if (r < 0)
                        return r;
        }

        return 0;
}

/*
 * A part of a read-only path that stays writable. Lifting the flag again could reach more than the host allowed, so
 * the part is bound a second time, with the flags its own bind has and with whatever else was laid over it.
 */
static int reopen(PlanBuild *b, size_t from, const char *target, const PlanNode *bind, bool optional) {
        uint32_t laid_over = remount_flags(b->plan, from, target) & PLAN_NODE_NO_EXEC;
        _cleanup_free_ char *source = NULL;

        for (size_t i = 0; i < from; i++)
                if (path_is_below(b->plan->nodes[i].target, target))
                        return plan_refuse(
                                b,
                                PLAN_REFUSAL_BAD_SETTING,
                                "ReadWritePaths=%s: %s is mounted there, within a ReadOnlyPaths= directory",
                                target,
                                b->plan->nodes[i].target);

        source = text_printf("%s%s", bind->source, target + strlen(bind->target));
        if (!source)
                return -ENOMEM;

        return plan_add_node(b,
                             &(PlanNode){
                                     .kind = PLAN_NODE_BIND,
                                     .source = source,
                                     .target = (char *) target,
                                     .flags = bind->flags | laid_over | (optional ? PLAN_NODE_OPTIONAL : 0),
                             });
}

static int add_read_write(PlanBuild *b, size_t from, const ProfilePath *path) {
        _cleanup_free_ char *target = NULL;
        const PlanNode *in;
        bool writable;
        int r;

        r = expand_modified(b, "ReadWritePaths", path, &target);
        if (r < 0)
                return r;
        if (mask_above(b->plan, from, target))
                return 0;

        in = plan_node_containing(b->plan, from, target);
        writable =
                in && !(in->flags & PLAN_NODE_READ_ONLY) &&
                (in->kind == PLAN_NODE_BIND || in->kind == PLAN_NODE_TMPFS || (in->flags & PLAN_NODE_OWNED));
        if (!writable)
                return plan_refuse(
                        b,
                        PLAN_REFUSAL_BAD_SETTING,
                        "ReadWritePaths=%s: nothing of the host is writable but through BindPaths=",
                        path->path);

        if (!(remount_flags(b->plan, from, target) & PLAN_NODE_READ_ONLY))
                return 0;
        if (in->kind != PLAN_NODE_BIND)
                return plan_refuse(
                        b,
                        PLAN_REFUSAL_BAD_SETTING,
                        "ReadWritePaths=%s: a part of a ReadOnlyPaths= stays writable only in a BindPaths= "
                        "directory",
                        path->path);
        for (size_t i = from; i < b->plan->n_nodes; i++)
                if (b->plan->nodes[i].kind == PLAN_NODE_REMOUNT &&
                    (b->plan->nodes[i].flags & PLAN_NODE_READ_ONLY) &&
                    streq(b->plan->nodes[i].target, target))
                        return plan_refuse(b,
                                           PLAN_REFUSAL_BAD_SETTING,
                                           "ReadWritePaths=%s: the same path is in ReadOnlyPaths=",
                                           path->path);

        PlanNode bind = *in; /* what it points to stays when the array moves */

        return reopen(b, from, target, &bind, path->optional);
}

int plan_build_modifiers(PlanBuild *b) {
        const Profile *p = b->profile;
        size_t from = b->plan->n_nodes;
        const struct {
                const char *key;
                const ProfilePath *paths;
                size_t n_paths;
                PlanNodeKind kind;
                uint32_t flags;
        } lists[] = {
                /* Masks first: what lies below one needs nothing more. */
                { "InaccessiblePaths", p->inaccessible, p->n_inaccessible, PLAN_NODE_MASK, 0 },
                { "ReadOnlyPaths",
                  p->read_only,
                  p->n_read_only,
                  PLAN_NODE_REMOUNT,
                  PLAN_NODE_READ_ONLY | PLAN_NODE_RECURSIVE },
                { "NoExecPaths",
                  p->no_exec,
                  p->n_no_exec,
                  PLAN_NODE_REMOUNT,
                  PLAN_NODE_NO_EXEC | PLAN_NODE_RECURSIVE },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                r = add_modifiers(b,
                                  from,
                                  lists[i].key,
                                  lists[i].paths,
                                  lists[i].n_paths,
                                  lists[i].kind,
                                  lists[i].flags);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < p->n_read_write; i++) {
                r = add_read_write(b, from, &p->read_write[i]);
                if (r < 0)
                        return r;
        }

        plan_sort_nodes(b, from);
        return 0;
}
