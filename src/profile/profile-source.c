/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-source.h"

#include "base/text.h"
#include "profile/profile-parse.h"
#include "profile/strict-ini.h"

#include <fcntl.h>
#include <strings.h>

ProfileSource *profile_source_free(ProfileSource *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n_items; i++)
                free(s->items[i].value);
        free(s->items);
        free(s->name);
        free(s->path);
        strv_free(s->dropins);
        strv_free(s->inherits);
        buffer_done(&s->content);
        findings_done(&s->findings);
        free(s);
        return NULL;
}

DEFINE_CLEANUP(ProfileSource *, profile_source_free);

static int profile_remember(Profile *p, const SourceItem *item) {
        ProfileLine line = { .key = item->key, .value = strdup(item->value) };

        if (!line.value)
                return -ENOMEM;
        for (uint32_t i = 0; i < strv_length(p->files); i++)
                if (streq(p->files[i], item->file)) {
                        line.file = i;
                        line.line = item->line;
                }

        return profile_rows_add(PROFILE_FIELD_LINES, &p->lines, &line);
}

int profile_build_apply(ProfileBuild *b, const SourceItem *item, const char **ret_why) {
        KeyOrigin *origin = &b->origins[item->key - profile_keys];
        int r;

        if (item->key->list && !origin->file && *item->value) {
                r = item->key->parse(item->key, "", b->profile, ret_why);
                if (r < 0)
                        return r;
        }

        r = item->key->parse(item->key, item->value, b->profile, ret_why);
        origin->file = item->file;
        origin->line = item->line;
        if (r < 0 && r != -ENOMEM)
                origin->bad = true;
        return r < 0 ? r : profile_remember(b->profile, item);
}

int source_item_refuse(const SourceItem *item, int error, const char *why, Findings *findings) {
        const ProfileKey *key = item->key;
        char buf[FINDING_VALUE_SIZE];
        const char *shown = finding_shorten(item->value, buf);

        if (error == -EOPNOTSUPP)
                return findings_add(findings,
                                    item->file,
                                    item->line,
                                    key->name,
                                    "“%s” is %s",
                                    shown,
                                    finding_of_error(error));

        return findings_add(findings,
                            item->file,
                            item->line,
                            key->name,
                            "“%s” is %s; expected %s%s%s",
                            shown,
                            finding_of_error(error),
                            key->syntax,
                            why ? ": " : "",
                            why ?: "");
}

/* Why there is no such key: it belongs to another section, or is misspelt. */
static int refuse_unknown_key(ProfileSource *s, const char *file, const StrictItem *item) {
        s->incomplete = true;
        if (!profile_section_exists(item->section))
                return findings_add(
                        &s->findings, file, item->line, item->key, "unknown section [%s]", item->section);

        for (size_t i = 0; i < n_profile_keys; i++) {
                const ProfileKey *key = &profile_keys[i];

                if (strcasecmp(key->name, item->key) == 0)
                        return findings_add(&s->findings,
                                            file,
                                            item->line,
                                            item->key,
                                            "unknown key in [%s]; there is %s= in [%s]",
                                            item->section,
                                            key->name,
                                            key->section);
        }

        return findings_add(&s->findings, file, item->line, item->key, "unknown key in [%s]", item->section);
}

static int source_add_item(ProfileSource *s, const SourceItem *item) {
        SourceItem *grown, copy = *item;

        copy.value = strdup(item->value);
        if (!copy.value)
                return -ENOMEM;

        grown = reallocarray(s->items, s->n_items + 1, sizeof(SourceItem));
        if (!grown) {
                free(copy.value);
                return -ENOMEM;
        }

        s->items = grown;
        s->items[s->n_items++] = copy;
        return 0;
}

/* Where the same file has this key already, counting items from first; 0: nowhere. */
static unsigned source_line_of(const ProfileSource *s, size_t first, const ProfileKey *key) {
        for (size_t i = first; i < s->n_items; i++)
                if (s->items[i].key == key)
                        return s->items[i].line;

        return 0;
}

/* Turns the lines of one file into items. */
static int source_add_lines(ProfileSource *s, const char *file, const StrictItems *lines) {
        size_t first = s->n_items;
        int r;

        for (size_t i = 0; i < lines->n_items; i++) {
                const StrictItem *line = &lines->items[i];
                const ProfileKey *key = profile_key_find(line->section, line->key);
                unsigned earlier = key && !key->list ? source_line_of(s, first, key) : 0;

                if (!key)
                        r = refuse_unknown_key(s, file, line);
                else if (!key->parse)
                        r = findings_add(&s->findings,
                                         file,
                                         line->line,
                                         key->name,
                                         "is not supported by this version");
                else if (earlier > 0)
                        r = findings_add(&s->findings,
                                         file,
                                         line->line,
                                         key->name,
                                         "is given twice in this file, first in line %u",
                                         earlier);
                else
                        r = source_add_item(s,
                                            &(SourceItem){ .key = key,
                                                           .value = line->value,
                                                           .file = file,
                                                           .line = line->line });
                if (r < 0)
                        return r;
        }

        return 0;
}

/* One file; path is the source's own copy of its name. */
static int
source_add_file(ProfileSource *s, int dir_fd, const char *name, const char *path, uid_t required_uid) {
        _cleanup_strict_items_ StrictItems lines = {};
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        r = strict_file_read(dir_fd, name, path, required_uid, &data, &size, &s->findings);
        if (r < 0)
                s->incomplete = true;
        if (r == -ENOENT)
                return findings_add_file(
                        &s->findings, path, "does not exist, or is a link to what does not exist");
        if (r < 0)
                return r == -EBADMSG ? 0 : r;

        buffer_append(&s->content, data, size);
        if (buffer_error(&s->content) < 0)
                return buffer_error(&s->content);

        r = strict_ini_parse(path, data, size, &lines, &s->findings);
        if (r < 0 && r != -EBADMSG)
                return r;
        if (r < 0)
                s->incomplete = true;

        return source_add_lines(s, path, &lines);
}

/* A drop-in, noted until all of them are known. */
typedef struct Dropin {
        char *name;
        size_t directory; /* index in the search path */
        bool mask;
} Dropin;

typedef struct Dropins {
        Dropin *items;
        size_t n_items;
} Dropins;

static void dropins_done(Dropins *d) {
        for (size_t i = 0; i < d->n_items; i++)
                free(d->items[i].name);
        free(d->items);
}

static int compare_dropins(const void *a, const void *b) {
        return strcmp(((const Dropin *) a)->name, ((const Dropin *) b)->name);
}

/* Adds those names of one drop-in directory that no earlier directory has. */
static int dropins_collect(Dropins *d, const StrictDirectory *directory, size_t index) {
        _cleanup_strv_ char **names = NULL;
        size_t n_earlier = d->n_items;
        int r;

        r = strict_directory_list(directory, ".conf", &names);
        if (r < 0)
                return r;

        STRV_FOREACH (name, names) {
                Dropin item = { .directory = index };
                bool hidden = false;
                Dropin *grown;

                for (size_t i = 0; i < n_earlier; i++)
                        hidden = hidden || streq(d->items[i].name, *name);
                if (hidden)
                        continue;

                grown = reallocarray(d->items, d->n_items + 1, sizeof(Dropin));
                if (!grown)
                        return -ENOMEM;
                d->items = grown;
                item.name = strdup(*name);
                if (!item.name)
                        return -ENOMEM;
                item.mask = strict_file_is_mask(directory->fd, *name);
                d->items[d->n_items++] = item;
        }

        return 0;
}

static int
source_add_dropin(ProfileSource *s, const Dropin *d, const StrictDirectory *directory, uid_t required_uid) {
        _cleanup_free_ char *path = NULL, *shown = NULL;
        int r;

        shown = text_escape(d->name);
        path = shown ? text_printf("%s/%s", directory->path, shown) : NULL;
        if (!path)
                return -ENOMEM;
        r = strv_consume(&s->dropins, TAKE_PTR(path));
        if (r < 0)
                return r;

        return source_add_file(
                s, directory->fd, d->name, s->dropins[strv_length(s->dropins) - 1], required_uid);
}

/* Opens NAME.profile.d below one directory of the search path. Findings where it must not be trusted. */
static int source_open_dropins(ProfileSource *s,
                               const StrictDirectory *parent,
                               uid_t required_uid,
                               StrictDirectory *ret) {
        _cleanup_free_ char *name = NULL, *path = NULL;
        int r;

        name = text_printf("%s.profile.d", s->name);
        path = name ? text_printf("%s/%s", parent->path, name) : NULL;
        if (!path)
                return -ENOMEM;
        if (parent->fd < 0 || strict_file_is_mask(parent->fd, name))
                return 0;

        r = strict_directory_open(ret, parent->fd, name, path, required_uid);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return findings_add_file(&s->findings, path, "cannot be opened: %s", strerrordesc_np(-r));
        if (ret->refusal)
                return findings_add_file(&s->findings, path, "%s", ret->refusal);
        if (ret->fd >= 0 && parent->refusal)
                return findings_add_file(&s->findings, parent->path, "%s", parent->refusal);

        return 0;
}

static int source_add_dropins(ProfileSource *s, const ProfileDirectories *directories) {
        _cleanup_(dropins_done) Dropins dropins = {};
        StrictDirectory *opened;
        int r = 0;

        opened = calloc(directories->n_items, sizeof(StrictDirectory));
        if (!opened)
                return -ENOMEM;
        for (size_t i = 0; i < directories->n_items; i++)
                opened[i].fd = -EBADF;

        for (size_t i = 0; i < directories->n_items && r == 0; i++) {
                r = source_open_dropins(s, &directories->items[i], directories->required_uid, &opened[i]);
                if (r == 0)
                        r = dropins_collect(&dropins, &opened[i], i);
                if (r < 0 && r != -ENOMEM)
                        r = findings_add_file(
                                &s->findings, opened[i].path, "cannot be listed: %s", strerrordesc_np(-r));
        }

        if (r == 0 && dropins.n_items > 0)
                qsort(dropins.items, dropins.n_items, sizeof(Dropin), compare_dropins);
        for (size_t i = 0; i < dropins.n_items && r == 0; i++)
                if (!dropins.items[i].mask)
                        r = source_add_dropin(s,
                                              &dropins.items[i],
                                              &opened[dropins.items[i].directory],
                                              directories->required_uid);

        for (size_t i = 0; i < directories->n_items; i++)
                strict_directory_done(&opened[i]);
        free(opened);
        return r;
}

/* Reads every value once, for the findings and for Inherits=. */
static int source_try(ProfileSource *s) {
        _cleanup_(profile_unrefp) Profile *p = NULL;
        _cleanup_free_ KeyOrigin *origins = NULL;
        ProfileBuild b;
        int r;

        r = profile_new(&p, s->name);
        if (r < 0)
                return r;
        origins = calloc(n_profile_keys, sizeof(KeyOrigin));
        if (!origins)
                return -ENOMEM;

        b = (ProfileBuild){ .profile = p, .origins = origins };
        for (size_t i = 0; i < s->n_items; i++) {
                const char *why = NULL;

                r = profile_build_apply(&b, &s->items[i], &why);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        s->items[i].bad = true;
                        r = source_item_refuse(&s->items[i], r, why, &s->findings);
                }
                if (r < 0)
                        return r;
        }

        return strv_copy(p->inherits, &s->inherits);
}

int profile_source_load(ProfileSource **ret,
                        const char *name,
                        const char *file_name,
                        const ProfileDirectories *directories,
                        size_t index) {
        const StrictDirectory *directory = &directories->items[index];
        _cleanup_(profile_source_freep) ProfileSource *s = NULL;
        _cleanup_free_ char *shown = NULL;
        int r;

        s = calloc(1, sizeof(ProfileSource));
        shown = text_escape(file_name);
        if (!s || !shown)
                return -ENOMEM;
        s->name = strdup(name);
        s->path = text_printf("%s/%s", directory->path, shown);
        if (!s->name || !s->path)
                return -ENOMEM;

        if (!profile_name_is_valid(name)) {
                r = findings_add_file(
                        &s->findings,
                        s->path,
                        "the file's name is no profile name: a lower-case letter and up to 31 letters, "
                        "digits, “_” and “-”");
                if (r < 0)
                        return r;

                *ret = TAKE_PTR(s);
                return 0;
        }

        if (directory->refusal) {
                s->incomplete = true;
                r = findings_add_file(&s->findings, directory->path, "%s", directory->refusal);
        } else
                r = source_add_file(s, directory->fd, file_name, s->path, directories->required_uid);
        if (r == 0)
                r = source_add_dropins(s, directories);
        if (r == 0)
                r = source_try(s);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}
