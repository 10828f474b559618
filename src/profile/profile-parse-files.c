/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/place.h"
#include "profile/profile-parse.h"

#define TMPFS_SIZE_DEFAULT (UINT64_C(64) * 1024 * 1024)
#define TMPFS_SIZE_MIN (UINT64_C(64) * 1024)

/* An absolute path that may hold specifiers. Only %h and %t stand for something absolute themselves. */
static int parse_path(const char *s, char **ret, const char **ret_why) {
        bool home = startswith(s, "%h") || startswith(s, "%t");
        _cleanup_free_ char *rooted = NULL, *path = NULL;
        int r;

        *ret_why = "a path is absolute or begins with %h or %t, has no “..”, and its specifiers are known";
        if (!specifiers_are_valid(s) || !text_is_printable(s, "") || (home && s[2] && s[2] != '/'))
                return -EINVAL;

        rooted = text_printf("%s%s", home ? "/" : "", s);
        if (!rooted)
                return -ENOMEM;
        r = path_normalize(rooted, &path);
        if (r < 0)
                return r;

        if (home)
                memmove(path, path + 1, strlen(path));
        *ret_why = NULL;
        *ret = TAKE_PTR(path);
        return 0;
}

int parse_key_exec_start(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        if (!*text) {
                p->exec_start = strv_free(p->exec_start);
                return 0;
        }

        r = split_list(text, &words, ret_why);
        if (r < 0)
                return r;
        if (strv_length(words) == 0 || strv_length(words) > key->max)
                return -EINVAL;

        r = parse_path(words[0], &path, ret_why);
        if (r < 0) {
                *ret_why =
                        "it begins with the absolute path of a program; prefixes such as “-” or “+” are not known";
                return r;
        }
        STRV_FOREACH (word, words) {
                if (!specifiers_are_valid(*word)) {
                        *ret_why = "it holds an unknown specifier; a percent sign is written %%";
                        return -EINVAL;
                }
                if (streq(*word, ";")) {
                        *ret_why = "it is exactly one command";
                        return -EINVAL;
                }
        }

        free(words[0]);
        words[0] = TAKE_PTR(path);
        strv_free(p->exec_start);
        p->exec_start = TAKE_PTR(words);
        return 0;
}

int parse_key_working_directory(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);
        char *path = NULL;
        int r;

        if (streq(s, "~")) {
                path = strdup(s);
                r = path ? 0 : -ENOMEM;
        } else
                r = parse_path(s, &path, ret_why);
        if (r < 0)
                return r;

        free(p->working_directory);
        p->working_directory = path;
        return 0;
}

static int bind_parse_options(ProfileBind *b, char *options) {
        static const struct {
                const char *name;
                size_t offset;
                bool value;
        } names[] = {
                { "rbind", offsetof(ProfileBind, recursive), true },
                { "norbind", offsetof(ProfileBind, recursive), false },
                { "idmap", offsetof(ProfileBind, idmap), true },
                { "noidmap", offsetof(ProfileBind, idmap), false },
        };
        char *saved = NULL;

        for (char *o = strtok_r(options, ",", &saved); o; o = strtok_r(NULL, ",", &saved)) {
                size_t i = 0;

                while (i < ELEMENTSOF(names) && !streq(names[i].name, o))
                        i++;
                if (i >= ELEMENTSOF(names))
                        return -EINVAL;
                *(bool *) ((uint8_t *) b + names[i].offset) = names[i].value;
        }

        return 0;
}

/* "[-]src[:dst[:options]]" */
static int parse_bind(const ProfileKey *key, char *word, void *row, const char **ret_why) {
        ProfileBind *b = row;
        char *destination, *options;
        int r;

        *b = (ProfileBind){ .read_only = key->variant, .recursive = true, .idmap = true };
        b->optional = *word == '-';
        word += b->optional;
        destination = strchr(word, ':');
        if (destination)
                *destination++ = '\0';
        options = destination ? strchr(destination, ':') : NULL;
        if (options)
                *options++ = '\0';

        r = parse_path(word, &b->source, ret_why);
        if (r == 0)
                r = parse_path(destination ?: word, &b->destination, ret_why);
        if (r < 0)
                return r;
        if (options && (!*options || bind_parse_options(b, options) < 0)) {
                *ret_why = "the options are rbind, norbind, idmap, noidmap, with commas between them";
                return -EINVAL;
        }

        *ret_why = place_refuse_source_text(b->source) ?: place_refuse_target_text(b->destination);
        return *ret_why ? -EINVAL : 0;
}

/* Both kinds share one array, in the order of the files; "" removes those of this kind alone. */
static void binds_remove(Profile *p, bool read_only) {
        size_t n = 0;

        for (size_t i = 0; i < p->n_binds; i++)
                if (p->binds[i].read_only == read_only)
                        profile_row_done(PROFILE_FIELD_BINDS, &p->binds[i]);
                else
                        p->binds[n++] = p->binds[i];
        p->n_binds = n;
}

int parse_key_bind(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (!*text)
                binds_remove(p, key->variant);

        r = split_list(text, &words, ret_why);
        return r < 0 ? r : parse_rows(key, words, p, parse_bind, ret_why);
}

/* "path[:size=…,mode=…]" */
static int parse_tmpfs(const ProfileKey *key, char *word, void *row, const char **ret_why) {
        char *options = strchr(word, ':'), *saved = NULL;
        ProfileTmpfs *t = row;
        int r = 0;

        *t = (ProfileTmpfs){ .size = TMPFS_SIZE_DEFAULT, .mode = 0755 };
        if (options)
                *options++ = '\0';
        for (char *o = options ? strtok_r(options, ",", &saved) : NULL; o && r == 0;
             o = strtok_r(NULL, ",", &saved)) {
                const char *value;

                if ((value = startswith(o, "size=")))
                        r = parse_size(value, &t->size);
                else if ((value = startswith(o, "mode=")))
                        r = parse_mode(value, &t->mode);
                else
                        r = -EINVAL;
        }
        if (r < 0 || t->size < TMPFS_SIZE_MIN || t->size == UINT64_MAX || t->mode > 01777) {
                *ret_why = "the options are size= (64K and more, not infinity) and mode= (up to 1777)";
                return -EINVAL;
        }

        r = parse_path(word, &t->path, ret_why);
        if (r < 0)
                return r;

        *ret_why = place_refuse_target_text(t->path);
        return *ret_why ? -EINVAL : 0;
}

int parse_key_tmpfs(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_row_list(key, text, p, parse_tmpfs, ret_why);
}

static const char *path_refuse(const char *path, PathUse use) {
        if (use == PATH_USE_DEVICE)
                return place_refuse_device_text(path);
        if (use == PATH_USE_EXECUTE && streq(path, "/"))
                return NULL;

        return place_refuse_change_text(path, use != PATH_USE_MASK);
}

static int parse_one_path(const ProfileKey *key, char *word, void *row, const char **ret_why) {
        ProfilePath *path = row;
        int r;

        path->optional = *word == '-';
        r = parse_path(word + path->optional, &path->path, ret_why);
        if (r < 0)
                return r;

        *ret_why = path_refuse(path->path, (PathUse) key->variant);
        return *ret_why ? -EINVAL : 0;
}

int parse_key_paths(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_row_list(key, text, p, parse_one_path, ret_why);
}

/* "[-]device [rw]": one device a line, as in systemd.resource-control(5). */
int parse_key_devices(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (!*text) {
                profile_field_done(key->kind, key_field(key, p));
                return 0;
        }

        r = split_words(text, &words);
        if (r < 0 || strv_length(words) < 1 || strv_length(words) > 2) {
                *ret_why = "it is one device node, and “rw” behind a blank";
                return r < 0 ? r : -EINVAL;
        }
        if (words[1]) {
                if (words[1][0] == '\0' || words[1][strspn(words[1], "rwm")] != '\0') {
                        *ret_why = "what it may do is written “rw”";
                        return -EINVAL;
                }
                if (!streq(words[1], "rw") && !streq(words[1], "wr")) {
                        *ret_why =
                                "only “rw” can be enforced: neither of both alone, nor the making of nodes";
                        return -EOPNOTSUPP;
                }
                free(words[1]);
                words[1] = NULL;
        }

        return parse_rows(key, words, p, parse_one_path, ret_why);
}

int parse_key_root_directory(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        char *path = NULL;
        int r;

        if (*text) {
                r = parse_path(text, &path, ret_why);
                if (r < 0)
                        return r;
                *ret_why = place_refuse_source_text(path);
                if (*ret_why) {
                        free(path);
                        return -EINVAL;
                }
        }

        free(p->root_directory);
        p->root_directory = path;
        return 0;
}

/* The row of a device, which is added where there is none. */
static int io_limit_row(Profile *p, const char *path, size_t max, ProfileIoLimit **ret) {
        ProfileIoLimit row = {
                .rbps = UINT64_MAX, .wbps = UINT64_MAX, .riops = UINT64_MAX, .wiops = UINT64_MAX
        };
        int r;

        for (size_t i = 0; i < p->n_io_limits; i++)
                if (streq(p->io_limits[i].path, path)) {
                        *ret = &p->io_limits[i];
                        return 0;
                }

        if (p->n_io_limits >= max)
                return -EINVAL;
        row.path = strdup(path);
        if (!row.path)
                return -ENOMEM;
        r = profile_rows_add(PROFILE_FIELD_IO_LIMITS, &p->io_limits, &row);
        if (r < 0)
                return r;

        *ret = &p->io_limits[p->n_io_limits - 1];
        return 0;
}

/* "path value" */
int parse_key_io_limit(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *path = NULL;
        ProfileIoLimit *row = NULL;
        uint64_t value;
        int r;

        if (!*text) {
                for (size_t i = 0; i < p->n_io_limits; i++)
                        *(uint64_t *) ((uint8_t *) &p->io_limits[i] + key->variant) = UINT64_MAX;
                return 0;
        }

        r = split_words(text, &words);
        if (r < 0 || strv_length(words) != 2) {
                *ret_why = "it is a device or file and a number, with a blank between them";
                return r < 0 ? r : -EINVAL;
        }
        if (streq(words[1], "infinity"))
                value = UINT64_MAX;
        else {
                r = key->read(words[1], &value);
                if (r < 0)
                        return r;
                if (value < 1 || value == UINT64_MAX)
                        return -ERANGE;
        }

        r = path_normalize(words[0], &path);
        if (r == 0)
                r = io_limit_row(p, path, key->max, &row);
        if (r < 0) {
                *ret_why = "it begins with an absolute path; no more than 64 devices";
                return r;
        }

        *(uint64_t *) ((uint8_t *) row + key->variant) = value;
        return 0;
}
