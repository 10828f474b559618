/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/access/object-path.h"

#include "link/link.h"

#include <stdio.h>

typedef bool (*LabelCheck)(const char *label, ObjectName *n);

static bool label_is_sandbox(const char *label, ObjectName *n) {
        return sandbox_id_parse(label, NULL, &n->uid, NULL) >= 0;
}

static bool label_is_profile(const char *label, ObjectName *n) { return profile_name_is_valid(label); }

/* No leading zeros, which would give a user more names. */
static bool label_is_user(const char *label, ObjectName *n) {
        return (label[0] != '0' || label[1] == '\0') && parse_id(label, &n->uid) >= 0;
}

/* clang-format off */
static const struct {
        const char *path;
        ObjectKind kind;
        const char *children;
} fixed[] = {
        { "/",                   OBJECT_BRANCH,  "org" },
        { "/org",                OBJECT_BRANCH,  "immured" },
        { "/org/immured",        OBJECT_BRANCH,  "Broker1" },
        { OBJECT_PATH_MANAGER,   OBJECT_MANAGER, "profile sandbox user" },
        { OBJECT_PATH_SANDBOXES, OBJECT_BRANCH,  NULL },
        { OBJECT_PATH_PROFILES,  OBJECT_BRANCH,  NULL },
        { OBJECT_PATH_USERS,     OBJECT_BRANCH,  NULL },
};

static const struct {
        const char *prefix;
        ObjectKind kind;
        LabelCheck check;
} named[] = {
        { OBJECT_PATH_SANDBOXES, OBJECT_SANDBOX, label_is_sandbox },
        { OBJECT_PATH_PROFILES,  OBJECT_PROFILE, label_is_profile },
        { OBJECT_PATH_USERS,     OBJECT_USER,    label_is_user },
};
/* clang-format on */

void object_name_done(ObjectName *n) {
        free(n->name);
        n->name = NULL;
}

int object_path_of_sandbox(const char *id, char **ret) {
        return sd_bus_path_encode(OBJECT_PATH_SANDBOXES, id, ret);
}

int object_path_of_profile(const char *name, char **ret) {
        return sd_bus_path_encode(OBJECT_PATH_PROFILES, name, ret);
}

int object_path_of_user(uid_t uid, char **ret) {
        char label[16];

        (void) snprintf(label, sizeof(label), "%u", uid);
        return sd_bus_path_encode(OBJECT_PATH_USERS, label, ret);
}

/* Whether encoding the label again gives exactly this path. */
static int path_is_canonical(const char *prefix, const char *label, const char *path) {
        _cleanup_free_ char *again = NULL;
        int r;

        r = sd_bus_path_encode(prefix, label, &again);
        if (r < 0)
                return r;

        return streq(again, path) ? 0 : -ENOENT;
}

static int parse_named(size_t i, const char *path, ObjectName *ret) {
        _cleanup_object_name_ ObjectName n = { .kind = named[i].kind, .uid = UID_NOBODY };
        int r;

        r = sd_bus_path_decode(path, named[i].prefix, &n.name);
        if (r == 0 || r == -EINVAL)
                return -ENOENT;
        if (r < 0)
                return r;

        if (!named[i].check(n.name, &n))
                return -ENOENT;

        r = path_is_canonical(named[i].prefix, n.name, path);
        if (r < 0)
                return r;

        *ret = n;
        n.name = NULL;
        return 0;
}

int object_path_parse(const char *path, ObjectName *ret) {
        for (size_t i = 0; i < ELEMENTSOF(fixed); i++)
                if (streq(path, fixed[i].path)) {
                        *ret = (ObjectName){ .kind = fixed[i].kind, .uid = UID_NOBODY };
                        return 0;
                }

        for (size_t i = 0; i < ELEMENTSOF(named); i++) {
                int r = parse_named(i, path, ret);

                if (r != -ENOENT)
                        return r;
        }

        return -ENOENT;
}

const char *object_path_children(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(fixed); i++)
                if (streq(path, fixed[i].path))
                        return fixed[i].children;

        return NULL;
}
