/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-load.h"

#include "base/sha256.h"
#include "profile/profile-check.h"
#include "profile/profile-source.h"
#include "profile/strict-file.h"

#include <fcntl.h>
#include <libgen.h>
#include <search.h>

#define INHERIT_DEPTH_MAX 8
#define PROFILES_MAX 16384 /* in one set */

static const char *const default_directories[] = {
        "/etc/immured/profiles",
        "/run/immured/profiles",
        "/usr/lib/immured/profiles",
        NULL,
};

/* Ancestors before heirs, each once: the order in which their keys are applied. */
typedef struct Lineage {
        const ProfileSource *order[PROFILES_MAX];
        size_t n_order;
} Lineage;

/* All that is open or read while a set is being made. */
typedef struct ProfileLoad {
        ProfileDirectories directories;
        void *seen;              /* names as text, of masked files, too: a tree of tsearch(3) */
        ProfileSource **sources; /* sorted by name */
        size_t n_sources;
        Lineage *lineage; /* of one profile at a time */
} ProfileLoad;

static void profile_load_done(ProfileLoad *l) {
        for (size_t i = 0; i < l->directories.n_items; i++)
                strict_directory_done(&l->directories.items[i]);
        free(l->directories.items);
        tdestroy(l->seen, free);
        free(l->lineage);
        for (size_t i = 0; i < l->n_sources; i++)
                profile_source_free(l->sources[i]);
        free(l->sources);
}

ProfileSet *profile_set_free(ProfileSet *set) {
        if (!set)
                return NULL;

        for (size_t i = 0; i < set->n_entries; i++) {
                free(set->entries[i].name);
                free(set->entries[i].path);
                strv_free(set->entries[i].files);
                profile_unref(set->entries[i].profile);
                findings_done(&set->entries[i].findings);
        }
        free(set->entries);
        free(set);
        return NULL;
}

DEFINE_CLEANUP(ProfileSet *, profile_set_free);

const ProfileEntry *profile_set_find(const ProfileSet *set, const char *name) {
        for (size_t i = 0; i < set->n_entries; i++)
                if (streq(set->entries[i].name, name))
                        return &set->entries[i];

        return NULL;
}

static int load_open_directories(ProfileLoad *l, char *const *directories, uid_t required_uid) {
        size_t n = strv_length(directories);
        int r;

        l->directories.required_uid = required_uid;
        l->directories.items = calloc(n + 1, sizeof(StrictDirectory));
        if (!l->directories.items)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                r = strict_directory_open(
                        &l->directories.items[i], AT_FDCWD, directories[i], directories[i], required_uid);
                if (r < 0)
                        return r;
                l->directories.n_items++;
        }

        return 0;
}

static int compare_names(const void *a, const void *b) { return strcmp(a, b); }

static int compare_sources(const void *a, const void *b) {
        const ProfileSource *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

/* 1 where the name is new; 0. The tree takes a copy. */
static int load_add_name(ProfileLoad *l, const char *name) {
        char *copy = strdup(name), **found = NULL;
        bool is_new;

        if (copy)
                found = (char **) tsearch(copy, &l->seen, compare_names);
        is_new = found && *found == copy;
        if (!is_new)
                free(copy);
        return found ? is_new : -ENOMEM;
}

/* One file of one directory, unless an earlier directory has that name. */
static int load_add_file(ProfileLoad *l, size_t index, const char *file_name) {
        _cleanup_free_ char *name = NULL, *shown = NULL;
        ProfileSource *source = NULL, **grown;
        int r;

        name = strndup(file_name, strlen(file_name) - strlen(".profile"));
        shown = name ? text_escape(name) : NULL;
        if (!shown)
                return -ENOMEM;
        r = load_add_name(l, shown);
        if (r <= 0)
                return r;
        if (strict_file_is_mask(l->directories.items[index].fd, file_name))
                return 0;

        if (l->n_sources >= PROFILES_MAX)
                return -E2BIG;
        grown = reallocarray(l->sources, l->n_sources + 1, sizeof(ProfileSource *));
        if (!grown)
                return -ENOMEM;
        l->sources = grown;

        r = profile_source_load(&source, shown, file_name, &l->directories, index);
        if (r < 0)
                return r;

        l->sources[l->n_sources++] = source;
        return 0;
}

static int load_read_sources(ProfileLoad *l) {
        int r;

        for (size_t i = 0; i < l->directories.n_items; i++) {
                _cleanup_strv_ char **names = NULL;

                r = strict_directory_list(&l->directories.items[i], ".profile", &names);
                if (r < 0)
                        return r;
                STRV_FOREACH (name, names) {
                        r = load_add_file(l, i, *name);
                        if (r < 0)
                                return r;
                }
        }

        if (l->n_sources > 0)
                qsort(l->sources, l->n_sources, sizeof(ProfileSource *), compare_sources);
        return 0;
}

static int compare_source_name(const void *name, const void *source) {
        return strcmp(name, (*(const ProfileSource *const *) source)->name);
}

static const ProfileSource *load_find(const ProfileLoad *l, const char *name) {
        const ProfileSource *const *found =
                bsearch(name, l->sources, l->n_sources, sizeof(ProfileSource *), compare_source_name);

        return found ? *found : NULL;
}

/* The line of Inherits=, for findings about it. */
static int
refuse_inherits(const ProfileSource *s, Findings *findings, const char *format, const char *name) {
        const char *file = s->path;
        unsigned line = 0;
        char *text;
        int r;

        for (size_t i = 0; i < s->n_items; i++)
                if (streq(s->items[i].key->name, "Inherits")) {
                        file = s->items[i].file;
                        line = s->items[i].line;
                }

        text = text_printf(format, name);
        if (!text)
                return -ENOMEM;
        r = findings_add(findings, file, line, "Inherits", "%s", text);
        free(text);
        return r;
}

static bool lineage_contains(const Lineage *l, const ProfileSource *s) {
        for (size_t i = 0; i < l->n_order; i++)
                if (l->order[i] == s)
                        return true;

        return false;
}

/* A source on the current path, and which of its parents comes next. */
typedef struct LineageFrame {
        const ProfileSource *source;
        size_t next;
} LineageFrame;

/* Depth first, on a stack of bounded depth. 0 (even with findings) or -ENOMEM. */
static int lineage_collect(const ProfileLoad *load, const ProfileSource *s, Lineage *l, Findings *findings) {
        LineageFrame stack[INHERIT_DEPTH_MAX + 1] = { { .source = s } };
        size_t depth = 1;
        int r = 0;

        while (depth > 0 && r == 0) {
                LineageFrame *frame = &stack[depth - 1];
                const char *name = frame->next < strv_length(frame->source->inherits)
                                           ? frame->source->inherits[frame->next++]
                                           : NULL;
                const ProfileSource *parent = name ? load_find(load, name) : NULL;
                bool cycle = false;

                if (!name) {
                        l->order[l->n_order++] = frame->source;
                        depth--;
                        continue;
                }
                for (size_t i = 0; i < depth; i++)
                        cycle = cycle || stack[i].source == parent;

                if (!parent)
                        r = refuse_inherits(frame->source, findings, "there is no profile “%s”", name);
                else if (cycle)
                        r = refuse_inherits(
                                frame->source, findings, "“%s” inherits from this profile itself", name);
                else if (parent->findings.n_items > 0)
                        r = refuse_inherits(frame->source, findings, "“%s” is refused itself", name);
                else if (lineage_contains(l, parent))
                        continue;
                else if (depth >= ELEMENTSOF(stack))
                        r = refuse_inherits(s, findings, "more than 8 generations, at “%s”", name);
                else
                        stack[depth++] = (LineageFrame){ .source = parent };
        }

        return r;
}

/* All that an ancestor says, except about itself. */
static int build_apply_source(ProfileBuild *b, const ProfileSource *s, bool is_heir, Findings *findings) {
        int r;

        for (size_t i = 0; i < s->n_items; i++) {
                const SourceItem *item = &s->items[i];
                const char *why = NULL;

                if (!is_heir && streq(item->key->section, "Profile"))
                        continue;
                if (item->bad) {
                        b->origins[item->key - profile_keys].bad = true;
                        continue;
                }
                r = profile_build_apply(b, item, &why);
                if (r < 0 && r != -ENOMEM)
                        r = source_item_refuse(item, r, why, findings);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int build_hash(Profile *p, const Lineage *l) {
        uint8_t digest[SHA256_SIZE];
        _cleanup_buffer_ Buffer all = {};

        for (size_t i = 0; i < l->n_order; i++) {
                const ProfileSource *s = l->order[i];
                int r;

                buffer_append(&all, s->content.data, s->content.size);
                r = strv_extend_strv(&p->dropin_paths, s->dropins);
                if (r < 0)
                        return r;
        }
        if (buffer_error(&all) < 0)
                return buffer_error(&all);

        sha256(all.data, all.size, digest);
        sha256_hex(digest, p->hash);
        return 0;
}

static int list_files(const Lineage *l, char ***ret) {
        int r = 0;

        for (size_t i = 0; i < l->n_order && r == 0; i++) {
                r = strv_extend(ret, l->order[i]->path);
                if (r == 0)
                        r = strv_extend_strv(ret, l->order[i]->dropins);
        }

        return r;
}

/*
 * One profile with all it inherits. With findings *ret stays NULL, while *ret_files still tells what was read. 0 or
 * -ENOMEM.
 */
static int load_build(const ProfileLoad *load,
                      const ProfileSource *s,
                      Profile **ret,
                      char ***ret_files,
                      Findings *findings) {
        _cleanup_(profile_unrefp) Profile *p = NULL;
        _cleanup_free_ KeyOrigin *origins = NULL;
        Lineage *lineage = load->lineage;
        size_t n_before = findings->n_items;
        ProfileBuild b;
        int r;

        if (!profile_name_is_valid(s->name))
                return 0;
        r = profile_new(&p, s->name);
        if (r < 0)
                return r;

        p->source_path = strdup(s->path);
        origins = calloc(n_profile_keys, sizeof(KeyOrigin));
        if (!p->source_path || !origins)
                return -ENOMEM;

        b = (ProfileBuild){ .profile = p, .origins = origins };
        lineage->n_order = 0;
        r = lineage_collect(load, s, lineage, findings);
        if (r == 0)
                r = list_files(lineage, ret_files);
        if (r == 0)
                r = strv_copy(*ret_files, &p->files);
        for (size_t i = 0; i < lineage->n_order && r == 0; i++)
                r = build_apply_source(&b, lineage->order[i], lineage->order[i] == s, findings);
        if (r == 0 && findings->n_items == n_before)
                r = profile_check(p, origins, !s->incomplete, findings);
        if (r == 0)
                r = build_hash(p, lineage);
        if (r < 0)
                return r;

        if (findings->n_items == 0)
                *ret = TAKE_PTR(p);
        return 0;
}

static int set_add(ProfileSet *set, const ProfileLoad *load, const ProfileSource *s) {
        ProfileEntry *entry = &set->entries[set->n_entries];
        int r;

        *entry = (ProfileEntry){ .name = strdup(s->name), .path = strdup(s->path) };
        set->n_entries++;
        if (!entry->name || !entry->path)
                return -ENOMEM;

        /* A source keeps its findings until all that inherit from it have asked. */
        r = findings_extend(&entry->findings, &s->findings);
        if (r == 0)
                r = load_build(load, s, &entry->profile, &entry->files, &entry->findings);
        findings_sort(&entry->findings);
        return r;
}

int profile_set_load(ProfileSet **ret, char *const *directories, uid_t required_uid) {
        _cleanup_(profile_load_done) ProfileLoad load = {};
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        int r;

        r = load_open_directories(&load, directories ?: (char *const *) default_directories, required_uid);
        if (r < 0)
                return r;
        r = load_read_sources(&load);
        if (r < 0)
                return r;

        load.lineage = calloc(1, sizeof(Lineage));
        set = calloc(1, sizeof(ProfileSet));
        if (!load.lineage || !set)
                return -ENOMEM;
        set->entries = calloc(load.n_sources + 1, sizeof(ProfileEntry));
        if (!set->entries)
                return -ENOMEM;

        for (size_t i = 0; i < load.n_sources; i++) {
                r = set_add(set, &load, load.sources[i]);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(set);
        return 0;
}

/* The search path with the file's own directory in front. */
static int file_search_path(const char *path, char *const *directories, char ***ret) {
        _cleanup_strv_ char **l = NULL;
        _cleanup_free_ char *copy = NULL;
        int r;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        r = strv_extend(&l, dirname(copy));
        if (r < 0)
                return r;

        STRV_FOREACH (directory, directories ?: (char *const *) default_directories) {
                if (streq(*directory, l[0]))
                        continue;
                r = strv_extend(&l, *directory);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(l);
        return 0;
}

int profile_load_file(
        Profile **ret, const char *path, char *const *directories, uid_t required_uid, Findings *findings) {
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_strv_ char **search_path = NULL;
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        const ProfileEntry *entry = NULL;
        int r;

        r = file_search_path(path, directories, &search_path);
        if (r < 0)
                return r;
        r = profile_set_load(&set, search_path, required_uid);
        if (r < 0 && r != -ENOMEM) {
                r = findings_add_file(
                        findings, path, "the profile directories cannot be read: %s", strerrordesc_np(-r));
                return r < 0 ? r : -EBADMSG;
        }
        if (r < 0)
                return r;

        for (size_t i = 0; i < set->n_entries; i++)
                if (streq(strrchr(set->entries[i].path, '/') + 1, name))
                        entry = &set->entries[i];
        if (!entry) {
                r = findings_add_file(
                        findings,
                        path,
                        "is no profile: either it does not exist, or its name does not end with .profile, or "
                        "it is a link to /dev/null");
                return r < 0 ? r : -EBADMSG;
        }

        r = findings_extend(findings, &entry->findings);
        if (r < 0)
                return r;
        if (!entry->profile)
                return -EBADMSG;

        *ret = profile_ref(entry->profile);
        return 0;
}
