/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile-parse — from the text of one value to one field of a Profile; the third column of the key table
 *
 * All have the form and the promises of ProfileParser: an empty text restores the default, a value that is refused
 * leaves the field as it was. -EOPNOTSUPP: a value of the format that this version does not enforce.
 *
 * Runs in: broker, immurectl. Privilege: none. Input: hostile in form.
 */

#include "profile/profile-keys.h"

/* The text of a scalar, or its default where it is empty. */
static inline const char *scalar_text(const ProfileKey *key, const char *text) {
        return *text ? text : key->default_text;
}

static inline void *key_field(const ProfileKey *key, Profile *p) { return (uint8_t *) p + key->offset; }

/* Only %u %U %g %G %h %i %N %H %t and %% are specifiers. */
bool specifiers_are_valid(const char *s);

/* The words of a list. */
int split_list(const char *text, char ***ret, const char **ret_why);

/* Makes a row of one word. What a row owns after a failure is freed by the caller. */
typedef int (*RowParser)(const ProfileKey *key, char *word, void *row, const char **ret_why);

/* Appends a row for each word. After a failure the array is as it was. */
int parse_rows(const ProfileKey *key, char *const *words, Profile *p, RowParser parse, const char **ret_why);
/* The same for each word of a text; an empty one removes all rows. */
int parse_row_list(
        const ProfileKey *key, const char *text, Profile *p, RowParser parse, const char **ret_why);

#define DECLARE_PARSER(name) \
        int name(const ProfileKey *key, const char *text, Profile *p, const char **ret_why)

/* profile-parse.c: one value */
DECLARE_PARSER(parse_key_bool);
DECLARE_PARSER(parse_key_name); /* one of key->names, into a field of one byte; "": the first */
DECLARE_PARSER(parse_key_u32);
DECLARE_PARSER(parse_key_number); /* "": not set, UINT64_MAX; also "infinity" where key->max is UINT64_MAX */
DECLARE_PARSER(parse_key_text);   /* one line; "": NULL */
DECLARE_PARSER(parse_key_log_name); /* text with specifiers and without blanks */
DECLARE_PARSER(parse_key_mode);
DECLARE_PARSER(parse_key_signal);
DECLARE_PARSER(parse_key_pattern);
DECLARE_PARSER(parse_key_hostname);
DECLARE_PARSER(parse_key_cpu_quota);
DECLARE_PARSER(parse_key_cpu_set);
DECLARE_PARSER(parse_key_nice);
DECLARE_PARSER(parse_key_oom_score_adjust);
DECLARE_PARSER(parse_key_error_number);
DECLARE_PARSER(parse_key_log_level);
DECLARE_PARSER(parse_key_success_status);
DECLARE_PARSER(parse_key_rlimit);

/* profile-parse.c: takes the one value that is always in force and refuses all others; stores nothing. */
DECLARE_PARSER(parse_key_only_no);
DECLARE_PARSER(parse_key_only_default);

/* profile-parse-list.c: words that are appended to a strv; all that `valid` takes, or none */
int parse_list(const ProfileKey *key,
               const char *text,
               Profile *p,
               bool (*valid)(const char *),
               const char *why,
               const char **ret_why);
DECLARE_PARSER(parse_key_words);
DECLARE_PARSER(parse_key_profile_names);
DECLARE_PARSER(parse_key_users);
DECLARE_PARSER(parse_key_groups);
DECLARE_PARSER(parse_key_directories);
DECLARE_PARSER(parse_key_environment);
DECLARE_PARSER(parse_key_environment_names);
DECLARE_PARSER(parse_key_address_families);
DECLARE_PARSER(parse_key_capabilities);
DECLARE_PARSER(parse_key_layers);

/* profile-parse-security.c: system calls and their arguments, labels */
DECLARE_PARSER(parse_key_syscall_names);
DECLARE_PARSER(parse_key_syscall_filter);
DECLARE_PARSER(parse_key_syscall_arguments);
DECLARE_PARSER(parse_key_apparmor_profile);
DECLARE_PARSER(parse_key_selinux_context);

/* profile-parse-files.c: command lines, paths, mounts, devices and their limits */
DECLARE_PARSER(parse_key_exec_start);
DECLARE_PARSER(parse_key_working_directory);
DECLARE_PARSER(parse_key_bind); /* key->variant: whether read-only */
DECLARE_PARSER(parse_key_tmpfs);
DECLARE_PARSER(parse_key_root_directory);
DECLARE_PARSER(parse_key_devices);
DECLARE_PARSER(parse_key_paths);    /* key->variant: a PathUse */
DECLARE_PARSER(parse_key_io_limit); /* key->variant: where its number lies in a ProfileIoLimit */

typedef enum PathUse {
        PATH_USE_MASK,
        PATH_USE_REMOUNT,
        PATH_USE_EXECUTE, /* a remount as well; here "/" stands for the whole tree */
        PATH_USE_DEVICE,
} PathUse;

/* For key->read: what resource limits count, or "infinity". */
int read_count(const char *s, uint64_t *ret);
int read_seconds(const char *s, uint64_t *ret);
int read_usec(const char *s, uint64_t *ret);

/* A positive errno by its name ("EPERM") or number; -EINVAL, -ERANGE. */
int parse_error_number(const char *s, int *ret);
