/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-parse.h"

/* The row of a device; made where there is none yet. */
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

/* "path value": number is where the column lies in a row. */
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
