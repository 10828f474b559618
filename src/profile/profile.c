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

Profile *profile_unref(Profile *p) {
        if (!p)
                return NULL;

        assert(p->n_ref > 0);
        if (--p->n_ref > 0)
                return NULL;

        for (size_t i = 0; i < n_profile_keys; i++)
                profile_field_done(profile_keys[i].kind, (uint8_t *) p + profile_keys[i].offset);
        profile_field_done(PROFILE_FIELD_LINES, &p->lines);
        free(p->name);
        free(p->source_path);
        strv_free(p->dropin_paths);
        strv_free(p->files);
        free(p);
        return NULL;
}

DEFINE_CLEANUP(Profile *, profile_unref);

const char *profile_origin(const Profile *p, const char *key, unsigned *ret_line) {
        const char *file = p->source_path;

        *ret_line = 0;
        for (size_t i = 0; i < p->n_lines; i++)
                if (streq(p->lines[i].key->name, key) && p->lines[i].line > 0) {
                        file = p->files[p->lines[i].file];
                        *ret_line = p->lines[i].line;
                }

        return file;
}
