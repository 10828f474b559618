/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "profile/place.h"

/*
 * Of each pair, one list takes a right away and the other gives it back below. The path nearest to a file decides.
 */
/* clang-format off */
static const struct {
        const char *key, *lift_key;
        size_t restricted, lifted; /* where in Profile */
        uint32_t flag;
} lists[] = {
        { "ReadOnlyPaths", "ReadWritePaths", offsetof(Profile, read_only), offsetof(Profile, read_write),
          PLAN_NODE_READ_ONLY },
        { "NoExecPaths",   "ExecPaths",      offsetof(Profile, no_exec),   offsetof(Profile, exec),
          PLAN_NODE_NO_EXEC },
};
/* clang-format on */

/* One row of the table, with its paths for this user. */
typedef struct Rule {
        const char *key, *lift_key;
        uint32_t flag;
        ProfilePaths restricted, lifted;
} Rule;

typedef struct Modify {
        PlanBuild *build;
        size_t from; /* the first node that modifies */
        Rule rules[ELEMENTSOF(lists)];
} Modify;

static void paths_done(ProfilePaths *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].path);
        free(l->items);
        *l = (ProfilePaths){};
}

static void modify_done(Modify *m) {
        for (size_t i = 0; i < ELEMENTSOF(m->rules); i++) {
                paths_done(&m->rules[i].restricted);
                paths_done(&m->rules[i].lifted);
        }
}

/* The text of a link of ours, as a path of its own. */
static char *link_path(const PlanNode *link) {
        size_t n_above = (size_t) (strrchr(link->target, '/') - link->target);
        const char *text = link->source;

        if (*text == '/')
                return strdup(text);

        for (; startswith(text, "../"); text += strlen("../"))
                while (n_above > 0 && link->target[--n_above] != '/')
                        ;

        return text_printf("%.*s/%s", (int) n_above, link->target, text);
}

/* Several names of one place are one place: the tree's own links are known, and /bin/x is /usr/bin/x. */
static int follow_links(PlanBuild *b, char **path) {
        for (size_t i = 0; i < b->plan->n_nodes; i++) {
                const PlanNode *n = &b->plan->nodes[i];
                _cleanup_free_ char *link = NULL;
                char *followed;

                if (n->kind != PLAN_NODE_SYMLINK || !path_is_below(*path, n->target))
                        continue;

                link = link_path(n);
                followed = link ? text_printf("%s%s", link, *path + strlen(n->target)) : NULL;
                if (!followed)
                        return -ENOMEM;
                free(*path);
                *path = followed;
        }

        return 0;
}

static int expand_part(PlanBuild *b, const char *key, const char *text, bool mount_only, char **ret) {
        _cleanup_free_ char *target = NULL;
        const char *why;
        int r;

        r = plan_expand_path(b, key, text, &target);
        if (r >= 0)
                r = follow_links(b, &target);
        if (r < 0)
                return r;

        why = mount_only && streq(key, "NoExecPaths") && streq(target, "/")
                      ? NULL
                      : place_refuse_change(target, mount_only);
        if (why)
                return plan_refuse(b, "%s=%s: it %s", key, text, why);

        *ret = TAKE_PTR(target);
        return 0;
}

static int expand_parts(PlanBuild *b, const char *key, size_t offset, ProfilePaths *ret) {
        const ProfilePaths *paths = (const void *) ((const char *) b->profile + offset);

        if (paths->n == 0)
                return 0;

        ret->items = calloc(paths->n, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;

        for (size_t i = 0; i < paths->n; i++) {
                int r = expand_part(b, key, paths->items[i].path, true, &ret->items[i].path);

                if (r < 0)
                        return r;
                ret->items[ret->n++].optional = paths->items[i].optional;
        }

        return 0;
}

/* The longest path of the list that is the target or lies above it. */
static const ProfilePath *nearest(const ProfilePaths *l, const char *target) {
        const ProfilePath *found = NULL;

        for (size_t i = 0; i < l->n; i++)
                if (path_is_below(target, l->items[i].path) &&
                    (!found || strlen(l->items[i].path) > strlen(found->path)))
                        found = &l->items[i];

        return found;
}

static bool is_restricted(const Rule *r, const char *target) {
        const ProfilePath *restricted = nearest(&r->restricted, target),
                          *lifted = nearest(&r->lifted, target);

        return restricted && (!lifted || strlen(restricted->path) > strlen(lifted->path));
}

static bool is_masked(const Modify *m, const char *path) {
        const Plan *p = m->build->plan;

        for (size_t i = m->from; i < p->n_nodes; i++)
                if (p->nodes[i].kind == PLAN_NODE_MASK && path_is_below(path, p->nodes[i].target))
                        return true;

        return false;
}

/* One node for each target: the flags of several lists add up. */
static int add_modifier(const Modify *m, const PlanNode *node) {
        Plan *p = m->build->plan;

        for (size_t i = m->from; i < p->n_nodes; i++) {
                PlanNode *n = &p->nodes[i];

                if (n->kind != node->kind || !streq(n->target, node->target))
                        continue;

                /* Optional only if every list says so. */
                n->flags = ((n->flags | node->flags) & ~(uint32_t) PLAN_NODE_OPTIONAL) |
                           (n->flags & node->flags & PLAN_NODE_OPTIONAL);
                return 0;
        }

        return plan_add_node(m->build, node);
}

/* With ProcSubset=pid there is nothing in /proc but processes: what else is to be hidden there is not there. */
static bool is_left_out(const Modify *m, const char *target) {
        const char *entry = startswith(target, "/proc/");

        return m->build->profile->proc_subset_pid && entry && (*entry < '0' || *entry > '9');
}

/* Below a mask nothing else matters. The order is that of the paths, so the one above comes first. */
static void drop_masked_masks(const Modify *m) {
        Plan *p = m->build->plan;
        size_t n = m->from;

        plan_sort_nodes(m->build, m->from);
        for (size_t i = m->from; i < p->n_nodes; i++) {
                PlanNode *node = &p->nodes[i];

                if (n > m->from && path_is_below(node->target, p->nodes[n - 1].target))
                        free(node->target);
                else
                        p->nodes[n++] = *node;
        }
        p->n_nodes = n;
}

static int add_masks(const Modify *m) {
        const ProfilePaths *paths = &m->build->profile->inaccessible;

        for (size_t i = 0; i < paths->n; i++) {
                _cleanup_free_ char *target = NULL;
                int r;

                r = expand_part(m->build, "InaccessiblePaths", paths->items[i].path, false, &target);
                if (r >= 0 && is_left_out(m, target))
                        continue;
                if (r >= 0)
                        r = add_modifier(
                                m,
                                PLAN_NODE(MASK, target, paths->items[i].optional ? PLAN_NODE_OPTIONAL : 0));
                if (r < 0)
                        return r;
        }

        drop_masked_masks(m);
        return 0;
}

static int add_remounts(const Modify *m, const Rule *rule) {
        for (size_t i = 0; i < rule->restricted.n; i++) {
                const ProfilePath *part = &rule->restricted.items[i];
                int r;

                /* Not the root itself: the mounts that stand on it take the flag, see restrict_everything(). */
                if (streq(part->path, "/") || is_masked(m, part->path))
                        continue;

                r = add_modifier(m,
                                 PLAN_NODE(REMOUNT,
                                           part->path,
                                           rule->flag | PLAN_NODE_RECURSIVE |
                                                   (part->optional ? PLAN_NODE_OPTIONAL : 0)));
                if (r < 0)
                        return r;
        }

        return 0;
}

/* NoExecPaths=/: every mount of the tree, except those that ExecPaths= names as a whole. */
static void restrict_everything(const Modify *m, const Rule *rule) {
        Plan *p = m->build->plan;
        const ProfilePath *part = nearest(&rule->restricted, "/");

        for (size_t i = 0; part && i < m->from; i++) {
                PlanNode *n = &p->nodes[i];
                bool mounts = n->kind == PLAN_NODE_BIND || n->kind == PLAN_NODE_TMPFS ||
                              n->kind == PLAN_NODE_OVERLAY;

                if (mounts && is_restricted(rule, n->target))
                        n->flags |= rule->flag;
        }
}

static bool is_writable(const PlanNode *n) {
        return n && !(n->flags & PLAN_NODE_READ_ONLY) &&
               (n->kind == PLAN_NODE_BIND || n->kind == PLAN_NODE_TMPFS || n->kind == PLAN_NODE_OVERLAY ||
                n->flags & PLAN_NODE_OWNED);
}

/*
 * A part that keeps a right, below a path that loses it. Clearing the flag again might give more than the host itself
 * allows, so the part is bound a second time, with the flags of the bind around it and of every other list that
 * covers it.
 */
static int reopen(const Modify *m, const Rule *rule, const ProfilePath *part, const PlanNode *in) {
        PlanBuild *b = m->build;
        const PlanNode bind = *in; /* a copy of the node: the array may move, its texts stay */
        _cleanup_free_ char *source = NULL;
        uint32_t flags = bind.flags & ~(uint32_t) PLAN_NODE_OPTIONAL;

        for (size_t i = 0; i < m->from; i++)
                if (path_is_below(b->plan->nodes[i].target, part->path))
                        return plan_refuse(b,
                                           "%s=%s: %s is mounted there, within a %s= directory",
                                           rule->lift_key,
                                           part->path,
                                           b->plan->nodes[i].target,
                                           rule->key);

        for (size_t i = 0; i < ELEMENTSOF(m->rules); i++)
                if (is_restricted(&m->rules[i], part->path))
                        flags |= m->rules[i].flag;

        source = text_printf("%s%s", bind.source, part->path + strlen(bind.target));
        if (!source)
                return -ENOMEM;

        /*
         * Its source would be a part of a directory that may not exist yet, opened with the user's rights below one
         * of root's.
         */
        if (flags & PLAN_NODE_STATE)
                return plan_refuse(b,
                                   "%s=%s: not within a directory that is kept, but all of it",
                                   rule->lift_key,
                                   part->path);

        return add_modifier(m,
                            PLAN_NODE(BIND,
                                      part->path,
                                      flags | (part->optional ? PLAN_NODE_OPTIONAL : 0),
                                      .source = source));
}

static int add_lifted(const Modify *m, const Rule *rule, const ProfilePath *part) {
        PlanBuild *b = m->build;
        const PlanNode *in = plan_node_containing(b->plan, m->from, part->path);
        const ProfilePath *restricted = nearest(&rule->restricted, part->path);

        if (is_masked(m, part->path))
                return 0;
        if (rule->flag == PLAN_NODE_READ_ONLY && !is_writable(in))
                return plan_refuse(b,
                                   "%s=%s: nothing of the host is writable but through BindPaths=",
                                   rule->lift_key,
                                   part->path);

        if (!restricted)
                return 0;
        if (streq(restricted->path, part->path))
                return plan_refuse(
                        b, "%s=%s: the same path is in %s=", rule->lift_key, part->path, rule->key);
        /*
         * A whole mount below the root does not have the flag yet, and restrict_everything() passes it over.
         */
        if (streq(restricted->path, "/") &&
            (!in || in->kind == PLAN_NODE_DIRECTORY || streq(in->target, part->path)))
                return 0;
        if (!in || in->kind != PLAN_NODE_BIND)
                return plan_refuse(
                        b,
                        "%s=%s: a part of a %s= stays as it was only in a directory of the host's",
                        rule->lift_key,
                        part->path,
                        rule->key);

        return reopen(m, rule, part, in);
}

static int add_all_lifted(const Modify *m, const Rule *rule) {
        for (size_t i = 0; i < rule->lifted.n; i++) {
                int r = add_lifted(m, rule, &rule->lifted.items[i]);

                if (r < 0)
                        return r;
        }

        return 0;
}

static int read_rules(Modify *m) {
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                Rule *rule = &m->rules[i];
                int r;

                *rule = (Rule){ .key = lists[i].key, .lift_key = lists[i].lift_key, .flag = lists[i].flag };
                r = expand_parts(m->build, rule->key, lists[i].restricted, &rule->restricted);
                if (r >= 0)
                        r = expand_parts(m->build, rule->lift_key, lists[i].lifted, &rule->lifted);
                if (r < 0)
                        return r;
        }

        return 0;
}

int plan_build_modifiers(PlanBuild *b) {
        _cleanup_(modify_done) Modify m = { .build = b, .from = b->plan->n_nodes };
        int r;

        r = read_rules(&m);
        /* Masks first: what lies below one needs nothing else. */
        if (r >= 0)
                r = add_masks(&m);
        for (size_t i = 0; i < ELEMENTSOF(m.rules) && r >= 0; i++)
                r = add_remounts(&m, &m.rules[i]);
        for (size_t i = 0; i < ELEMENTSOF(m.rules) && r >= 0; i++)
                r = add_all_lifted(&m, &m.rules[i]);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(m.rules); i++)
                restrict_everything(&m, &m.rules[i]);
        plan_sort_nodes(b, m.from);
        return 0;
}
