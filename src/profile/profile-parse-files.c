/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/place.h"
#include "profile/profile-parse.h"

#define TMPFS_SIZE_DEFAULT (UINT64_C(64) * 1024 * 1024)
#define TMPFS_SIZE_MIN (UINT64_C(64) * 1024)

static const char why_path[] =
        "a path is absolute or begins with %h or %t, has no “..”, and its specifiers are known";
static const char why_words[] = "its quotes or escapes are wrong";
static const char why_many[] = "the list has too many items";

/* An absolute path that may hold specifiers. Only %h and %t stand for something absolute themselves. */
static int parse_path(const char *s, char **ret) {
        bool home = startswith(s, "%h") || startswith(s, "%t");
        _cleanup_free_ char *rooted = NULL, *path = NULL;
        int r;

        if (!specifiers_are_valid(s) || !text_is_printable(s, ""))
                return -EINVAL;
        if (!home)
                return path_normalize(s, ret);
        if (s[2] && s[2] != '/')
                return -EINVAL;

        rooted = text_printf("/%s", s);
        if (!rooted)
                return -ENOMEM;
        r = path_normalize(rooted, &path);
        if (r < 0)
                return r;

        memmove(path, path + 1, strlen(path));
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

        r = split_words(text, &words);
        if (r < 0) {
                *ret_why = why_words;
                return r;
        }
        if (strv_length(words) == 0 || strv_length(words) > key->max)
                return -EINVAL;

        r = parse_path(words[0], &path);
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
                r = parse_path(s, &path);
        if (r < 0) {
                *ret_why = why_path;
                return r;
        }

        free(p->working_directory);
        p->working_directory = path;
        return 0;
}

static void bind_done(ProfileBind *b) {
        free(b->source);
        free(b->destination);
        *b = (ProfileBind){};
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
static int bind_parse(ProfileBind *ret, char *word, bool read_only, const char **ret_why) {
        _cleanup_(bind_done) ProfileBind b = { .read_only = read_only, .recursive = true, .idmap = true };
        char *destination, *options;
        int r;

        b.optional = *word == '-';
        word += b.optional;
        destination = strchr(word, ':');
        if (destination)
                *destination++ = '\0';
        options = destination ? strchr(destination, ':') : NULL;
        if (options)
                *options++ = '\0';

        r = parse_path(word, &b.source);
        if (r == 0)
                r = parse_path(destination ?: word, &b.destination);
        if (r < 0) {
                *ret_why = why_path;
                return r;
        }
        if (options && (!*options || bind_parse_options(&b, options) < 0)) {
                *ret_why = "the options are rbind, norbind, idmap, noidmap, with commas between them";
                return -EINVAL;
        }
        *ret_why = place_refuse_source_text(b.source);
        if (!*ret_why)
                *ret_why = place_refuse_target_text(b.destination);
        if (*ret_why)
                return -EINVAL;

        *ret = b;
        b = (ProfileBind){};
        return 0;
}

/* Both kinds share one array, in the order of the files; "" removes those of this kind alone. */
static void binds_remove(Profile *p, bool read_only) {
        size_t n = 0;

        for (size_t i = 0; i < p->n_binds; i++)
                if (p->binds[i].read_only == read_only)
                        bind_done(&p->binds[i]);
                else
                        p->binds[n++] = p->binds[i];
        p->n_binds = n;
}

static int
parse_binds(const ProfileKey *key, const char *text, Profile *p, bool read_only, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        size_t n_before = p->n_binds;
        int r;

        if (!*text) {
                binds_remove(p, read_only);
                return 0;
        }

        r = split_words(text, &words);
        if (r < 0)
                *ret_why = why_words;
        else if (n_before + strv_length(words) > key->max) {
                *ret_why = why_many;
                r = -EINVAL;
        }

        STRV_FOREACH (word, words) {
                ProfileBind b = {};

                if (r < 0)
                        break;
                r = bind_parse(&b, *word, read_only, ret_why);
                if (r == 0)
                        r = profile_array_extend(&p->binds, &p->n_binds, sizeof(b), &b);
                if (r < 0)
                        bind_done(&b);
        }

        while (r < 0 && p->n_binds > n_before)
                bind_done(&p->binds[--p->n_binds]);
        return r;
}

int parse_key_bind(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_binds(key, text, p, false, ret_why);
}

int parse_key_bind_read_only(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_binds(key, text, p, true, ret_why);
}

/* "path[:size=…,mode=…]" */
static int tmpfs_parse(ProfileTmpfs *ret, char *word, const char **ret_why) {
        ProfileTmpfs t = { .size = TMPFS_SIZE_DEFAULT, .mode = 0755 };
        char *options = strchr(word, ':'), *saved = NULL;
        int r = 0;

        if (options)
                *options++ = '\0';
        for (char *o = options ? strtok_r(options, ",", &saved) : NULL; o && r == 0;
             o = strtok_r(NULL, ",", &saved)) {
                const char *value;

                if ((value = startswith(o, "size=")))
                        r = parse_size(value, &t.size);
                else if ((value = startswith(o, "mode=")))
                        r = parse_mode(value, &t.mode);
                else
                        r = -EINVAL;
        }
        if (r < 0 || t.size < TMPFS_SIZE_MIN || t.size == UINT64_MAX || t.mode > 01777) {
                *ret_why = "the options are size= (64K and more, not infinity) and mode= (up to 1777)";
                return -EINVAL;
        }

        r = parse_path(word, &t.path);
        if (r < 0) {
                *ret_why = why_path;
                return r;
        }
        *ret_why = place_refuse_target_text(t.path);
        if (*ret_why) {
                free(t.path);
                return -EINVAL;
        }

        *ret = t;
        return 0;
}

int parse_key_tmpfs(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        size_t n_before = *text ? p->n_tmpfs : 0;
        int r;

        r = split_words(text, &words);
        if (r < 0)
                *ret_why = why_words;
        else if (n_before + strv_length(words) > key->max) {
                *ret_why = why_many;
                r = -EINVAL;
        }

        STRV_FOREACH (word, words) {
                ProfileTmpfs t = {};

                if (r < 0)
                        break;
                r = tmpfs_parse(&t, *word, ret_why);
                if (r == 0)
                        r = profile_array_extend(&p->tmpfs, &p->n_tmpfs, sizeof(t), &t);
                if (r < 0)
                        free(t.path);
        }

        /* After an error what was added goes again; after an empty text everything does. */
        while ((r < 0 || !*text) && p->n_tmpfs > n_before)
                free(p->tmpfs[--p->n_tmpfs].path);
        return r;
}

typedef enum PathUse {
        PATH_USE_MASK,
        PATH_USE_REMOUNT,
        PATH_USE_EXECUTE, /* a remount as well; here "/" stands for the whole tree */
        PATH_USE_DEVICE,
} PathUse;

static const char *path_refuse(const char *path, PathUse use) {
        if (use == PATH_USE_DEVICE)
                return place_refuse_device_text(path);
        if (use == PATH_USE_EXECUTE && streq(path, "/"))
                return NULL;

        return place_refuse_change_text(path, use != PATH_USE_MASK);
}

static int path_parse(ProfilePath *ret, const char *word, PathUse use, const char **ret_why) {
        ProfilePath path = { .optional = *word == '-' };
        int r;

        r = parse_path(word + path.optional, &path.path);
        if (r < 0) {
                *ret_why = why_path;
                return r;
        }

        *ret_why = path_refuse(path.path, use);
        if (*ret_why) {
                free(path.path);
                return -EINVAL;
        }

        *ret = path;
        return 0;
}

static void paths_truncate(ProfilePaths *paths, size_t n) {
        while (paths->n > n)
                free(paths->items[--paths->n].path);
}

static int
paths_extend(ProfilePaths *paths, size_t max, char *const *words, PathUse use, const char **ret_why) {
        size_t n_before = paths->n;
        int r = 0;

        if (n_before + strv_length(words) > max) {
                *ret_why = why_many;
                return -EINVAL;
        }

        STRV_FOREACH (word, words) {
                ProfilePath path = {};

                r = path_parse(&path, *word, use, ret_why);
                if (r == 0)
                        r = profile_array_extend(&paths->items, &paths->n, sizeof(path), &path);
                if (r < 0) {
                        free(path.path);
                        break;
                }
        }

        if (r < 0)
                paths_truncate(paths, n_before);
        return r;
}

static int
parse_paths(const ProfileKey *key, const char *text, Profile *p, PathUse use, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (!*text) {
                paths_truncate(key_field(key, p), 0);
                return 0;
        }

        r = split_words(text, &words);
        if (r < 0) {
                *ret_why = why_words;
                return r;
        }

        return paths_extend(key_field(key, p), key->max, words, use, ret_why);
}

int parse_key_paths_to_mask(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_paths(key, text, p, PATH_USE_MASK, ret_why);
}

int parse_key_paths_to_remount(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_paths(key, text, p, PATH_USE_REMOUNT, ret_why);
}

int parse_key_paths_to_execute(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_paths(key, text, p, PATH_USE_EXECUTE, ret_why);
}

/* "[-]device [rw]": one device a line, as in systemd.resource-control(5). */
int parse_key_devices(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (!*text) {
                paths_truncate(key_field(key, p), 0);
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

        return paths_extend(key_field(key, p), key->max, words, PATH_USE_DEVICE, ret_why);
}

int parse_key_root_directory(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        char *path = NULL;
        int r;

        if (*text) {
                r = parse_path(text, &path);
                if (r < 0) {
                        *ret_why = why_path;
                        return r;
                }
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
        r = profile_array_extend(&p->io_limits, &p->n_io_limits, sizeof(row), &row);
        if (r < 0) {
                free(row.path);
                return r;
        }

        *ret = &p->io_limits[p->n_io_limits - 1];
        return 0;
}

/* "path value"; column is where the number lies in a row. */
static int parse_io_limit(const ProfileKey *key,
                          const char *text,
                          Profile *p,
                          size_t column,
                          int (*read)(const char *, uint64_t *),
                          const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *path = NULL;
        ProfileIoLimit *row = NULL;
        uint64_t value;
        int r;

        if (!*text) {
                for (size_t i = 0; i < p->n_io_limits; i++)
                        *(uint64_t *) ((uint8_t *) &p->io_limits[i] + column) = UINT64_MAX;
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
                r = read(words[1], &value);
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

        *(uint64_t *) ((uint8_t *) row + column) = value;
        return 0;
}

#define DEFINE_IO_PARSER(parser, column, read)                                                        \
        int parser(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {       \
                return parse_io_limit(key, text, p, offsetof(ProfileIoLimit, column), read, ret_why); \
        }                                                                                             \
        struct _io_semicolon_

DEFINE_IO_PARSER(parse_key_io_read_bandwidth, rbps, parse_size);
DEFINE_IO_PARSER(parse_key_io_write_bandwidth, wbps, parse_size);
DEFINE_IO_PARSER(parse_key_io_read_iops, riops, parse_u64);
DEFINE_IO_PARSER(parse_key_io_write_iops, wiops, parse_u64);
