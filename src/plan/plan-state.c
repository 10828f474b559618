/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "profile/place.h"

#include <inttypes.h>

typedef struct StateKind {
        const char *key;
        size_t names;         /* offset in Profile, char ** */
        const char *inside;   /* where the application finds them */
        const char *host;     /* where they are on disk, below UID/PROFILE; NULL: in memory */
        const char *variable; /* as systemd.exec(5) calls it */
} StateKind;

/* The home and the directories beside it are kept in separate places, so that no name can mean both. */
/* clang-format off */
static const StateKind kinds[] = {
        { "StateDirectory",   offsetof(Profile, state_directory),   "/var/lib", PLAN_STATE_ROOT,
          "STATE_DIRECTORY" },
        { "CacheDirectory",   offsetof(Profile, cache_directory),   "/var/cache", PLAN_CACHE_ROOT,
          "CACHE_DIRECTORY" },
        { "RuntimeDirectory", offsetof(Profile, runtime_directory), "/run", NULL,
          "RUNTIME_DIRECTORY" },
};
/* clang-format on */

static char **kind_names(const PlanBuild *b, const StateKind *kind) {
        return *(char ***) (void *) ((char *) (uintptr_t) b->profile + kind->names);
}

static int expand_name(PlanBuild *b, const StateKind *kind, const char *name, char **ret) {
        _cleanup_free_ char *expanded = NULL;
        int r;

        r = plan_expand(b, kind->key, name, &expanded);
        if (r < 0)
                return r;
        if (!place_name_is_valid(expanded))
                return plan_refuse(b,
                                   "%s=%s: not the name of a directory once it is \"%s\"",
                                   kind->key,
                                   name,
                                   expanded);

        *ret = TAKE_PTR(expanded);
        return 0;
}

static uint32_t idmap_flag(const PlanBuild *b) {
        return b->profile->private_users == PRIVATE_USERS_PICK ? PLAN_NODE_IDMAP : 0;
}

/* A directory of the user's below one of root's: in the plan, a bind whose source is created. */
static int put_state(PlanBuild *b, const char *key, const char *source, const char *target) {
        int r;

        r = plan_check_writable(b, key);
        if (r < 0)
                return r;

        return plan_put_node(b,
                             PLAN_NODE(BIND,
                                       target,
                                       PLAN_NODE_SAFE | PLAN_NODE_STATE | idmap_flag(b),
                                       .source = (char *) source));
}

static int add_directory(PlanBuild *b, const StateKind *kind, const char *name, char ***seen) {
        _cleanup_free_ char *expanded = NULL, *target = NULL, *source = NULL;
        int r;

        r = expand_name(b, kind, name, &expanded);
        if (r < 0)
                return r;
        target = text_printf("%s/%s", kind->inside, expanded);
        if (!target)
                return -ENOMEM;
        r = plan_check_destination(b, kind->key, target, seen);
        if (r < 0)
                return r;

        for (size_t i = 0; i < b->plan->n_nodes; i++)
                if (path_is_below(b->plan->nodes[i].target, target))
                        return plan_refuse(
                                b, "%s=%s: the sandbox has a %s of its own", kind->key, name, target);

        if (!kind->host)
                return plan_put_node(b, PLAN_NODE(DIRECTORY, target, PLAN_NODE_OWNED, .mode = 0755));

        source = text_printf(
                "%s/%" PRIu32 "/%s/data/%s", kind->host, b->account->uid, b->profile->name, expanded);
        return source ? put_state(b, kind->key, source, target) : -ENOMEM;
}

int plan_build_state(PlanBuild *b, char ***seen) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                STRV_FOREACH (name, kind_names(b, &kinds[i])) {
                        int r = add_directory(b, &kinds[i], *name, seen);

                        if (r < 0)
                                return r;
                }

        return 0;
}

int plan_add_persistent_home(PlanBuild *b) {
        _cleanup_free_ char *source = NULL;

        source = text_printf("%s/%" PRIu32 "/%s/home", PLAN_STATE_ROOT, b->account->uid, b->profile->name);
        return source ? put_state(b, "PersistentHome", source, b->home) : -ENOMEM;
}

int plan_state_variable(PlanBuild *b, size_t i, const char **ret_name, char **ret_value) {
        _cleanup_strv_ char **paths = NULL;
        char *value;

        if (i >= ELEMENTSOF(kinds))
                return -ENOENT;

        STRV_FOREACH (name, kind_names(b, &kinds[i])) {
                _cleanup_free_ char *expanded = NULL;
                char *path;
                int r;

                r = expand_name(b, &kinds[i], *name, &expanded);
                if (r < 0)
                        return r;
                path = text_printf("%s/%s", kinds[i].inside, expanded);
                r = path ? strv_consume(&paths, path) : -ENOMEM;
                if (r < 0)
                        return r;
        }

        *ret_name = kinds[i].variable;
        if (strv_length(paths) == 0)
                return 0;

        value = strv_join(paths, ":");
        if (!value)
                return -ENOMEM;

        *ret_value = value;
        return 0;
}
