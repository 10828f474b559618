/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

ProfileSet *load_profiles(const Files *f) {
        _cleanup_free_ char *etc = files_path(f, "etc"), *run = files_path(f, "run"),
                            *lib = files_path(f, "lib");
        char *directories[] = { etc, run, lib, NULL };
        ProfileSet *set = NULL;

        assert_int_equal(profile_set_load(&set, directories, getuid()), 0);
        return set;
}

const Profile *assert_taken(const ProfileSet *set, const char *name) {
        const ProfileEntry *entry = profile_set_find(set, name);

        if (!entry)
                fail_msg("no %s", name);
        for (size_t i = 0; i < entry->findings.n_items; i++)
                print_message("%s: %s\n", name, entry->findings.items[i].text);
        assert_non_null(entry->profile);
        assert_int_equal(entry->findings.n_items, 0);
        return entry->profile;
}

const ProfileEntry *assert_refused(const ProfileSet *set, const char *name) {
        const ProfileEntry *entry = profile_set_find(set, name);

        if (!entry)
                fail_msg("no %s", name);
        assert_null(entry->profile);
        assert_true(entry->findings.n_items > 0);
        return entry;
}

void assert_finding(const ProfileEntry *entry,
                    size_t i,
                    const char *file,
                    unsigned line,
                    const char *key,
                    const char *text) {
        const Finding *f;
        size_t n, n_file = strlen(file);

        assert_true(i < entry->findings.n_items);
        f = &entry->findings.items[i];
        n = strlen(f->file);
        if (n < n_file || !streq(f->file + n - n_file, file) || f->line != line || !strstr(f->text, text) ||
            (key ? !f->key || !streq(f->key, key) : f->key != NULL))
                fail_msg("%s:%u: %s: %s", f->file, f->line, f->key ?: "(none)", f->text);
}
