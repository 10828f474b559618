/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * text — strict readers of what people write: numbers, sizes, time spans, names, paths
 *
 * The syntax follows systemd.syntax(7) and systemd.time(7). A reader accepts the whole text or nothing of it: no
 * blanks around it, no signs where none belong, no wrap-around. Outputs stay untouched on failure.
 * Errors everywhere: -EINVAL for text that does not parse, -ERANGE for a number that does not fit the type, -ENOMEM.
 *
 * Runs in: everything. Privilege: none. Input: hostile.
 */

#include "base/util.h"

#include <sys/types.h>

#define USEC_INFINITY UINT64_MAX
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

int parse_boolean(const char *s, bool *ret);  /* yes/no, true/false, on/off, 1/0 */
int parse_u64(const char *s, uint64_t *ret);  /* decimal */
int parse_u32(const char *s, uint32_t *ret);  /* decimal */
int parse_i32(const char *s, int32_t *ret);   /* decimal, may be negative */
int parse_id(const char *s, uid_t *ret);      /* decimal uid or gid; 65535 and UINT32_MAX are refused */
int parse_mode(const char *s, mode_t *ret);   /* octal, at most 07777 */
int parse_size(const char *s, uint64_t *ret); /* bytes; K M G T P E, base 1024; "infinity" is UINT64_MAX */
int parse_usec(const char *s,
               uint64_t *ret); /* in microseconds: "5", "5s", "1min 30s", "500ms"; "infinity" */
int parse_permyriad(const char *s, uint32_t *ret); /* "12.34%" is 1234; any multiple of 100 % fits */
int parse_signal(const char *s, int *ret);         /* "TERM", "SIGTERM", "15", "RTMIN+3" */

/* "SIGTERM" for 15, or NULL for a number that is no signal. The text is static or thread-local. */
const char *signal_name(int signo);

/* "64M", "1.5G", "infinity", for people. Writes into buf and returns it. */
char *format_size(uint64_t bytes, char *buf, size_t size);
/* Microseconds as "1min 30s" or "infinity", for people. Writes into buf and returns it. */
char *format_usec(uint64_t usec, char *buf, size_t size);

#define ASCII_LOWER "abcdefghijklmnopqrstuvwxyz"
#define ASCII_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ASCII_DIGITS "0123456789"

/* A first character from one set, the others from another, at most max in all. */
bool name_is_valid(const char *s, const char *first, const char *others, size_t max);
/* [a-z][a-z0-9_-]{0,31} for profiles; an instance may also start with a digit. */
bool profile_name_is_valid(const char *s);
bool instance_name_is_valid(const char *s);
/* A user or group name as systemd accepts it in strict mode: [a-zA-Z_][a-zA-Z0-9_-]{0,30}. */
bool account_name_is_valid(const char *s);
/* The NAME of an environment variable, and a whole NAME=value. */
bool env_name_is_valid(const char *s);
bool env_assignment_is_valid(const char *s);
bool hostname_is_valid(const char *s);

bool utf8_is_valid(const char *s);
/* Whether s is valid UTF-8 without control characters, except those in allowed. */
bool text_is_printable(const char *s, const char *allowed);

/* Absolute, shorter than PATH_MAX, no "." or ".." component, no "//", and no trailing slash except for "/" itself. */
bool path_is_normalized(const char *s);
/* Whether path is parent or lies below it: /a/b is below /a, /ab is not. Both must be normalized. */
bool path_is_below(const char *path, const char *parent);
/* Collapses slashes and removes "." and a trailing slash. Relative paths and ".." are refused. Caller frees *ret. */
int path_normalize(const char *s, char **ret);

/*
 * Splits a line into words as systemd does for ExecStart=: blanks separate, '…' and "…" group, a backslash escapes
 * as in C (\n \t \\ \" \' \s \xHH \nnn). -EINVAL: an open quote, an unknown escape or invalid UTF-8. Free *ret with
 * strv_free().
 */
int split_words(const char *s, char ***ret);

/*
 * s with every control character, mark of direction or other invisible format mark, backslash and invalid byte written
 * as \xHH, for logs and terminals. Caller frees; NULL: no memory.
 */
char *text_escape(const char *s);

/*
 * Writes as much of s as fits into size bytes (at least 4), as valid UTF-8: U+FFFD stands for each control character,
 * format mark and stray byte. For what hostile programs say of themselves, to be shown unescaped.
 */
void text_clean(const char *s, char *ret, size_t size);

/* Turns "\040" and its like back into the byte, in place: the blanks and backslashes of mountinfo's paths, proc(5). */
void text_unescape_octal(char *s);

/* asprintf(3) that returns the text, or NULL without memory. Caller frees. */
char *text_printf(const char *format, ...) _printf_(1, 2);
