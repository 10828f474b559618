/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* profiles, reload, keys, lint: what admins write */

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/verb.h"
#include "profile/config.h"
#include "profile/profile-keys.h"
#include "profile/profile-load.h"
#include "seccomp/seccomp-policy.h"

#include <fnmatch.h>
#include <stdio.h>
#include <sys/stat.h>

static const TableColumn profile_columns[] = {
        { "name", "PROFILE", 0 },
        { "may_launch", "LAUNCH", 0 },
        { "description", "DESCRIPTION", COLUMN_SHRINK },
};

int verb_profiles(const Options *o, int n, char **args) {
        static const char *const keys[] = { "name", "description", "may_launch", "path", NULL };
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *all = NULL, *rows = json_array();
        json_t *row;
        size_t i;
        int r;

        r = client_open(&bus);
        if (r >= 0)
                r = client_get_rows(bus, "ListProfiles", NULL, "ssbo", keys, &all);
        if (r < 0)
                return r;

        json_array_foreach (all, i, row)
                if (words_match(n, args, json_string_value(json_object_get(row, "name"))) &&
                    json_array_append(rows, row) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");

        return output_list(o, rows, profile_columns, ELEMENTSOF(profile_columns), "profile", "profiles");
}

int verb_reload(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *done = NULL;
        int r;

        r = client_open(&bus);
        if (r >= 0)
                r = client_call(bus, NULL, "Reload", NULL);
        if (r < 0 || o->output == OUTPUT_TEXT)
                return r;

        done = json_pack("{s:b}", "done", 1);
        return output_json(o->output, done);
}

static const TableColumn key_columns[] = {
        { "name", "KEY", 0 },
        { "section", "SECTION", 0 },
        { "supported", "BUILT", 0 },
        { "settable", "SETTABLE", 0 },
        { "syntax", "VALUE", COLUMN_SHRINK },
        { "default", "DEFAULT", COLUMN_SHRINK },
        { "help", "MEANING", COLUMN_SHRINK },
};

/*
 * Matched against "Section.Key": "Files.*" is a section, and "*Paths" all keys with that ending. Large and small
 * letters are the same here, as whoever looks for a key need not know yet how it is written.
 */
static bool key_matches(const ProfileKey *key, int n, char **patterns) {
        char full[128];

        (void) snprintf(full, sizeof(full), "%s.%s", key->section, key->name);
        for (int i = 0; i < n; i++)
                if (fnmatch(patterns[i], full, FNM_CASEFOLD) == 0 ||
                    fnmatch(patterns[i], key->name, FNM_CASEFOLD) == 0)
                        return true;

        return n == 0;
}

int verb_keys(const Options *o, int n, char **args) {
        _cleanup_json_ json_t *rows = json_array();

        for (size_t i = 0; i < n_profile_keys; i++) {
                const ProfileKey *key = &profile_keys[i];
                json_t *row;

                if (!key_matches(key, n, args))
                        continue;

                row = json_pack("{s:s, s:s, s:b, s:b, s:b, s:s, s:s, s:s}",
                                "section",
                                key->section,
                                "name",
                                key->name,
                                "supported",
                                key->parse != NULL,
                                "settable",
                                key->at_most != NULL,
                                "list",
                                key->list,
                                "default",
                                key->default_text ? key->default_text : "",
                                "syntax",
                                key->syntax ? key->syntax : "",
                                "help",
                                key->help ? key->help : "");
                if (!row || json_array_append_new(rows, row) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");
        }

        if (json_array_size(rows) == 0)
                return ctl_error(-ENOENT,
                                 "No key is called that; \"immurectl keys\" lists all, and \"immurectl keys "
                                 "'*memory*'\" those with that word");

        return output_list(o, rows, key_columns, ELEMENTSOF(key_columns), "key", "keys");
}
