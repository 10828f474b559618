/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <limits.h>

bool name_is_valid(const char *s, const char *first, const char *others, size_t max) {
        size_t n = strlen(s);

        return n > 0 && n <= max && strchr(first, *s) && strspn(s, others) == n;
}

bool profile_name_is_valid(const char *s) {
        return name_is_valid(s, ASCII_LOWER, ASCII_LOWER ASCII_DIGITS "_-", 32);
}

bool instance_name_is_valid(const char *s) {
        return name_is_valid(s, ASCII_LOWER ASCII_DIGITS, ASCII_LOWER ASCII_DIGITS "_-", 32);
}

bool account_name_is_valid(const char *s) {
        return name_is_valid(s, ASCII_LOWER ASCII_UPPER "_", ASCII_LOWER ASCII_UPPER ASCII_DIGITS "_-", 31);
}

bool env_name_is_valid(const char *s) {
        return name_is_valid(s, ASCII_LOWER ASCII_UPPER "_", ASCII_LOWER ASCII_UPPER ASCII_DIGITS "_", 255);
}

bool env_assignment_is_valid(const char *s) {
        const char *equals = strchr(s, '=');
        char name[256];

        if (!equals || (size_t) (equals - s) >= sizeof(name))
                return false;

        *(char *) mempcpy(name, s, (size_t) (equals - s)) = '\0';
        return env_name_is_valid(name) && text_is_printable(equals + 1, "\t\n");
}

bool hostname_is_valid(const char *s) {
        size_t n = strlen(s);

        if (n == 0 || n > HOST_NAME_MAX || strspn(s, ASCII_LOWER ASCII_UPPER ASCII_DIGITS "-.") != n)
                return false;

        /* RFC 1123: no label is empty, or begins or ends with a hyphen. */
        for (size_t i = 0; i < n; i++)
                if (strchr("-.", s[i]) && (i == 0 || s[i - 1] == '.' || i + 1 == n || s[i + 1] == '.'))
                        return false;

        return true;
}

/*
 * The length of the character at s, or 0 where it is not well-formed UTF-8 (Unicode, table 3-7). *ret_control tells C0
 * and DEL, which are one byte, and C1 (U+0080 to U+009F), which are two.
 */
static size_t take_character(const char *s, bool *ret_control) {
        const unsigned char *p = (const unsigned char *) s;
        unsigned char low = 0x80, high = 0xbf;
        size_t n;

        *ret_control = p[0] < 32 || p[0] == 127 || (p[0] == 0xc2 && p[1] <= 0x9f);
        if (p[0] < 0x80)
                return p[0] ? 1 : 0;
        if (p[0] < 0xc2 || p[0] > 0xf4)
                return 0;

        n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        if (p[0] == 0xe0)
                low = 0xa0; /* overlong */
        else if (p[0] == 0xed)
                high = 0x9f; /* surrogates */
        else if (p[0] == 0xf0)
                low = 0x90; /* overlong */
        else if (p[0] == 0xf4)
                high = 0x8f; /* past U+10FFFF */

        if (p[1] < low || p[1] > high)
                return 0;
        for (size_t i = 2; i < n; i++)
                if (p[i] < 0x80 || p[i] > 0xbf)
                        return 0;

        return n;
}

bool utf8_is_valid(const char *s) {
        bool control;

        while (*s) {
                size_t n = take_character(s, &control);

                if (n == 0)
                        return false;
                s += n;
        }

        return true;
}

bool text_is_printable(const char *s, const char *allowed) {
        bool control;

        while (*s) {
                size_t n = take_character(s, &control);

                if (n == 0 || (control && !strchr(allowed, *s)))
                        return false;
                s += n;
        }

        return true;
}

/*
 * Characters that are well-formed and printable, but not drawn, or that change the order in which others are drawn
 * (Bidi_Control, UAX #9; UTR #36). The joiners U+200C and U+200D are not among them: words and emoji need those.
 */
static bool is_format_mark(const char *s, size_t n) {
        static const struct {
                char first[5], last[5];
        } marks[] = {
                { "\u061c", "\u061c" },         /* Arabic letter mark */
                { "\u200b", "\u200b" },         /* space without width */
                { "\u200e", "\u200f" },         /* marks of direction */
                { "\u2028", "\u202e" },         /* separators of lines; embedding and override */
                { "\u2060", "\u206f" },         /* joiner of words, invisible operators, isolates */
                { "\ufeff", "\ufeff" },         /* byte order mark */
                { "\ufff9", "\ufffb" },         /* annotation */
                { "\U000e0000", "\U000e007f" }, /* tags */
        };

        /* The order of bytes is that of code points, and characters of one length compare as a whole. */
        for (size_t i = 0; i < ELEMENTSOF(marks); i++)
                if (n == strlen(marks[i].first) && memcmp(s, marks[i].first, n) >= 0 &&
                    memcmp(s, marks[i].last, n) <= 0)
                        return true;

        return false;
}

/* As take_character(), but also tells whether a terminal may be shown it. */
static size_t take_shown(const char *s, bool *ret_shown) {
        bool control;
        size_t n = take_character(s, &control);

        *ret_shown = n > 0 && !control && (n == 1 || !is_format_mark(s, n));
        return n;
}

char *text_escape(const char *s) {
        static const char digits[] = "0123456789abcdef";
        char *escaped, *p;
        size_t size;

        if (__builtin_mul_overflow(strlen(s), 4, &size) || __builtin_add_overflow(size, 1, &size))
                return NULL;
        escaped = malloc(size);
        if (!escaped)
                return NULL;

        p = escaped;
        while (*s) {
                bool shown;
                size_t n = take_shown(s, &shown);

                if (shown && *s != '\\') {
                        p = mempcpy(p, s, n);
                        s += n;
                        continue;
                }
                for (size_t i = 0; i < MAX(n, (size_t) 1); i++, s++) {
                        *p++ = '\\';
                        *p++ = 'x';
                        *p++ = digits[(unsigned char) *s >> 4];
                        *p++ = digits[(unsigned char) *s & 15];
                }
        }
        *p = '\0';
        return escaped;
}

void text_clean(const char *s, char *ret, size_t size) {
        static const char replacement[] = "\xef\xbf\xbd";
        char *p = ret;

        while (*s) {
                bool good;
                size_t n = take_shown(s, &good);
                size_t n_out = good ? n : strlen(replacement);

                if ((size_t) (p - ret) + n_out >= size)
                        break;

                p = mempcpy(p, good ? s : replacement, n_out);
                s += MAX(n, (size_t) 1);
        }
        *p = '\0';
}

void text_unescape_octal(char *s) {
        char *to = s;

        for (const char *from = s; *from; to++) {
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
                        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }

        *to = '\0';
}

bool path_is_normalized(const char *s) {
        size_t length = strnlen(s, PATH_MAX);

        if (*s != '/' || length >= PATH_MAX)
                return false;
        if (length == 1)
                return true;

        while (*s) {
                size_t n = strcspn(s + 1, "/");

                if (n == 0 || n > NAME_MAX || (n <= 2 && strncmp(s + 1, "..", n) == 0))
                        return false;
                s += 1 + n;
        }

        return true;
}

bool path_is_below(const char *path, const char *parent) {
        size_t n = 0;

        /* By hand: a plan compares each of its paths with all others, and most of them differ early. */
        while (parent[n] != '\0' && parent[n] == path[n])
                n++;
        if (parent[n] != '\0')
                return false;

        return path[n] == '\0' || path[n] == '/' || (n == 1 && parent[0] == '/');
}

int path_normalize(const char *s, char **ret) {
        _cleanup_free_ char *path = NULL;
        char *p;

        if (*s != '/' || strnlen(s, PATH_MAX) >= PATH_MAX)
                return -EINVAL;

        path = p = malloc(strlen(s) + 1);
        if (!path)
                return -ENOMEM;

        for (;;) {
                size_t n;

                s += strspn(s, "/");
                n = strcspn(s, "/");
                if (n == 0)
                        break;
                if (n > NAME_MAX || (n == 2 && strncmp(s, "..", n) == 0))
                        return -EINVAL;
                if (n > 1 || *s != '.') {
                        *p++ = '/';
                        p = mempcpy(p, s, n);
                }
                s += n;
        }
        if (p == path)
                *p++ = '/';
        *p = '\0';

        *ret = TAKE_PTR(path);
        return 0;
}
