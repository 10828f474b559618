/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile.h"

#include "profile/profile-keys.h"

#include <assert.h>
#include <limits.h>

int profile_new(Profile **ret, const char *name) {
        _cleanup_(profile_unrefp) Profile *p = NULL;

        if (!profile_name_is_valid(name))
                return -EINVAL;

        p = calloc(1, sizeof(Profile));
        if (!p)
                return -ENOMEM;
        p->n_ref = 1;

        p->name = strdup(name);
        if (!p->name)
                return -ENOMEM;

        for (size_t i = 0; i < n_profile_keys; i++) {
                const ProfileKey *key = &profile_keys[i];
                const char *why = NULL;
                int r;

                if (!key->parse)
                        continue;
                r = key->parse(key, "", p, &why);
                if (r == 0 && key->list && *key->default_text)
                        r = key->parse(key, key->default_text, p, &why);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(p);
        return 0;
}

Profile *profile_ref(Profile *p) {
        assert(p && p->n_ref > 0 && p->n_ref < UINT_MAX);

        p->n_ref++;
        return p;
}

static void paths_done(ProfilePaths *paths) {
        for (size_t i = 0; i < paths->n; i++)
                free(paths->items[i].path);
        free(paths->items);
}

static void free_field(Profile *p, const ProfileKey *key) {
        void *field = (uint8_t *) p + key->offset;

        switch (key->kind) {
        case PROFILE_FIELD_TEXT:
                free(*(char **) field);
                break;
        case PROFILE_FIELD_WORDS:
                strv_free(*(char ***) field);
                break;
        case PROFILE_FIELD_PATHS:
                paths_done(field);
                break;
        case PROFILE_FIELD_PLAIN:
                break;
        }
}

Profile *profile_unref(Profile *p) {
        if (!p)
                return NULL;

        assert(p->n_ref > 0);
        if (--p->n_ref > 0)
                return NULL;

        for (size_t i = 0; i < p->n_binds; i++) {
                free(p->binds[i].source);
                free(p->binds[i].destination);
        }
        free(p->binds);
        for (size_t i = 0; i < p->n_tmpfs; i++)
                free(p->tmpfs[i].path);
        free(p->tmpfs);
        for (size_t i = 0; i < p->n_io_limits; i++)
                free(p->io_limits[i].path);
        free(p->io_limits);
        for (size_t i = 0; i < p->n_syscalls; i++)
                free(p->syscalls[i].name);
        free(p->syscalls);
        for (size_t i = 0; i < p->n_syscall_arguments; i++)
                free(p->syscall_arguments[i].name);
        free(p->syscall_arguments);

        for (size_t i = 0; i < p->n_lines; i++)
                free(p->lines[i].value);
        free(p->lines);

        for (size_t i = 0; i < n_profile_keys; i++)
                free_field(p, &profile_keys[i]);
        free(p->name);
        free(p->source_path);
        strv_free(p->dropin_paths);
        free(p);
        return NULL;
}
