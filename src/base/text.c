/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include "base/strv.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#define BLANKS " \t\n\r"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

int parse_boolean(const char *s, bool *ret) {
        static const struct {
                const char *name;
                bool value;
        } names[] = {
                { "yes", true }, { "no", false },  { "true", true }, { "false", false },
                { "on", true },  { "off", false }, { "1", true },    { "0", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(s, names[i].name)) {
                        *ret = names[i].value;
                        return 0;
                }

        return -EINVAL;
}

/* Reads the digits of this base (at most 10) at *s, at least one, and moves *s past them. */
static int take_number(const char **s, unsigned base, uint64_t *ret) {
        const char *p = *s;
        uint64_t value = 0;

        /* As an unsigned number, what is no digit is a large one. */
        for (unsigned digit; (digit = (unsigned) (*p - '0')) < base; p++)
                if (__builtin_mul_overflow(value, base, &value) ||
                    __builtin_add_overflow(value, digit, &value))
                        return -ERANGE;
        if (p == *s)
                return -EINVAL;

        *s = p;
        *ret = value;
        return 0;
}

/* A number that is the whole text. */
static int parse_number(const char *s, unsigned base, uint64_t max, uint64_t *ret) {
        uint64_t value;
        int r;

        r = take_number(&s, base, &value);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        if (value > max)
                return -ERANGE;

        *ret = value;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret) { return parse_number(s, 10, UINT64_MAX, ret); }

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t value;
        int r;

        r = parse_number(s, 10, UINT32_MAX, &value);
        if (r == 0)
                *ret = (uint32_t) value;
        return r;
}

int parse_i32(const char *s, int32_t *ret) {
        bool negative = *s == '-';
        uint64_t value;
        int r;

        r = parse_number(s + negative, 10, (uint64_t) INT32_MAX + negative, &value);
        if (r == 0)
                *ret = (int32_t) (negative ? -(int64_t) value : (int64_t) value);
        return r;
}

int parse_id(const char *s, uid_t *ret) {
        uint32_t value;
        int r;

        r = parse_u32(s, &value);
        if (r < 0)
                return r;
        /* chown(2) and its like take (uid_t) -1 for "no change", and so do their 16 bit versions with 65535. */
        if (value == UINT32_MAX || value == UINT16_MAX)
                return -ERANGE;

        *ret = value;
        return 0;
}

int parse_mode(const char *s, mode_t *ret) {
        uint64_t value;
        int r;

        r = parse_number(s, 8, 07777, &value);
        if (r == 0)
                *ret = (mode_t) value;
        return r;
}

/*
 * A decimal number at *s, possibly with a fraction. The caller reads the unit that follows. The fraction is kept as
 * digits/scale; digits after the ninth are dropped.
 */
typedef struct Decimal {
        uint64_t whole, digits, scale;
} Decimal;

static int take_decimal(const char **s, Decimal *ret) {
        Decimal d = { .scale = 1 };
        const char *p = *s;
        int r;

        r = take_number(&p, 10, &d.whole);
        if (r < 0)
                return r;

        if (*p == '.') {
                p++;
                if (!is_digit(*p))
                        return -EINVAL;
                for (; is_digit(*p); p++)
                        if (d.scale < UINT64_C(1000000000)) {
                                d.digits = d.digits * 10 + (uint64_t) (*p - '0');
                                d.scale *= 10;
                        }
        }

        *s = p;
        *ret = d;
        return 0;
}

static int decimal_times(const Decimal *d, uint64_t unit, uint64_t *ret) {
        uint64_t value, fraction;

        fraction = (uint64_t) ((unsigned __int128) d->digits * unit / d->scale);
        if (__builtin_mul_overflow(d->whole, unit, &value) ||
            __builtin_add_overflow(value, fraction, &value) || value == UINT64_MAX)
                return -ERANGE;

        *ret = value;
        return 0;
}

int parse_size(const char *s, uint64_t *ret) {
        static const char suffixes[] = "KMGTPE";
        uint64_t unit = 1;
        Decimal d;
        int r;

        if (streq(s, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }

        r = take_decimal(&s, &d);
        if (r < 0)
                return r;

        if (*s) {
                const char *suffix = strchr(suffixes, *s);

                if (!suffix || s[1])
                        return -EINVAL;
                unit <<= 10 * (suffix - suffixes + 1);
        } else if (d.scale > 1)
                return -EINVAL; /* a fraction of a byte */

        return decimal_times(&d, unit, ret);
}

static const struct {
        const char *name;
        uint64_t usec;
} time_units[] = {
        { "us", 1 },
        { "usec", 1 },
        { "µs", 1 },
        { "ms", USEC_PER_MSEC },
        { "msec", USEC_PER_MSEC },
        { "s", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "seconds", USEC_PER_SEC },
        { "m", 60 * USEC_PER_SEC },
        { "min", 60 * USEC_PER_SEC },
        { "minute", 60 * USEC_PER_SEC },
        { "minutes", 60 * USEC_PER_SEC },
        { "h", 3600 * USEC_PER_SEC },
        { "hr", 3600 * USEC_PER_SEC },
        { "hour", 3600 * USEC_PER_SEC },
        { "hours", 3600 * USEC_PER_SEC },
        { "d", 86400 * USEC_PER_SEC },
        { "day", 86400 * USEC_PER_SEC },
        { "days", 86400 * USEC_PER_SEC },
        { "w", 604800 * USEC_PER_SEC },
        { "week", 604800 * USEC_PER_SEC },
        { "weeks", 604800 * USEC_PER_SEC },
        /* systemd.time(7): 30.44 days, 365.25 days */
        { "M", 2629800 * USEC_PER_SEC },
        { "month", 2629800 * USEC_PER_SEC },
        { "months", 2629800 * USEC_PER_SEC },
        { "y", 31557600 * USEC_PER_SEC },
        { "year", 31557600 * USEC_PER_SEC },
        { "years", 31557600 * USEC_PER_SEC },
};

/* Reads the unit at *s; a bare number means seconds. */
static int take_time_unit(const char **s, uint64_t *ret) {
        size_t n = strcspn(*s, " \t0123456789");

        if (n == 0) {
                *ret = USEC_PER_SEC;
                return 0;
        }

        for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
                if (strlen(time_units[i].name) == n && memcmp(*s, time_units[i].name, n) == 0) {
                        *s += n;
                        *ret = time_units[i].usec;
                        return 0;
                }

        return -EINVAL;
}

int parse_usec(const char *s, uint64_t *ret) {
        uint64_t sum = 0;
        int r;

        if (streq(s, "infinity")) {
                *ret = USEC_INFINITY;
                return 0;
        }

        do {
                uint64_t unit, value;
                Decimal d;

                r = take_decimal(&s, &d);
                if (r < 0)
                        return r;
                /* "5 s" is as good as "5s", but a blank at the end is not. */
                if (*s == ' ' && s[strspn(s, " ")] && !is_digit(s[strspn(s, " ")]))
                        s += strspn(s, " ");
                r = take_time_unit(&s, &unit);
                if (r < 0)
                        return r;
                r = decimal_times(&d, unit, &value);
                if (r < 0)
                        return r;
                if (__builtin_add_overflow(sum, value, &sum) || sum == USEC_INFINITY)
                        return -ERANGE;

                if (*s == ' ') {
                        s += strspn(s, " ");
                        if (!*s)
                                return -EINVAL;
                }
        } while (*s);

        *ret = sum;
        return 0;
}

int parse_permyriad(const char *s, uint32_t *ret) {
        uint64_t value;
        Decimal d;
        int r;

        r = take_decimal(&s, &d);
        if (r < 0)
                return r;
        if (!streq(s, "%") || d.scale > 100)
                return -EINVAL;

        r = decimal_times(&d, 100, &value);
        if (r < 0)
                return r;
        if (value >= UINT32_MAX)
                return -ERANGE;

        *ret = (uint32_t) value;
        return 0;
}

int parse_signal(const char *s, int *ret) {
        const char *name = startswith(s, "SIG") ?: s, *offset;
        uint32_t number;
        int r;

        if (is_digit(*s)) {
                r = parse_u32(s, &number);
                if (r < 0)
                        return r;
                if (number == 0 || number > (uint32_t) SIGRTMAX)
                        return -ERANGE;
                *ret = (int) number;
                return 0;
        }

        for (int i = 1; i < NSIG; i++) {
                const char *abbreviation = sigabbrev_np(i);

                if (abbreviation && streq(abbreviation, name)) {
                        *ret = i;
                        return 0;
                }
        }

        offset = startswith(name, "RTMIN");
        if (!offset || (*offset && *offset != '+'))
                return -EINVAL;
        number = 0;
        if (*offset) {
                r = parse_u32(offset + 1, &number);
                if (r < 0)
                        return r;
        }
        if (number > (uint32_t) (SIGRTMAX - SIGRTMIN))
                return -ERANGE;

        *ret = SIGRTMIN + (int) number;
        return 0;
}

const char *signal_name(int signo) {
        static _Thread_local char buf[32];
        const char *abbreviation;

        if (signo >= SIGRTMIN && signo <= SIGRTMAX) {
                (void) snprintf(buf, sizeof(buf), "SIGRTMIN+%d", signo - SIGRTMIN);
                return buf;
        }

        abbreviation = signo > 0 && signo < NSIG ? sigabbrev_np(signo) : NULL;
        if (!abbreviation)
                return NULL;

        (void) snprintf(buf, sizeof(buf), "SIG%s", abbreviation);
        return buf;
}

char *format_size(uint64_t bytes, char *buf, size_t size) {
        static const char suffixes[] = "KMGTPE";
        int unit;

        if (bytes == UINT64_MAX) {
                (void) snprintf(buf, size, "infinity");
                return buf;
        }

        for (unit = (int) strlen(suffixes); unit > 0; unit--)
                if (bytes >> (10 * unit))
                        break;
        if (unit == 0)
                (void) snprintf(buf, size, "%llu", (unsigned long long) bytes);
        else {
                uint64_t whole = bytes >> (10 * unit), rest = bytes - (whole << (10 * unit));
                /* Seven bits fewer on both sides keep the product within 64 bits, even for exabytes. */
                unsigned tenth = (unsigned) ((rest >> 7) * 10 >> (10 * unit - 7));

                if (tenth > 0)
                        (void) snprintf(buf, size, "%u.%u%c", (unsigned) whole, tenth, suffixes[unit - 1]);
                else
                        (void) snprintf(buf, size, "%u%c", (unsigned) whole, suffixes[unit - 1]);
        }

        return buf;
}

char *format_usec(uint64_t usec, char *buf, size_t size) {
        static const struct {
                const char *suffix;
                uint64_t usec;
        } units[] = {
                { "y", 31557600 * USEC_PER_SEC },
                { "month", 2629800 * USEC_PER_SEC },
                { "w", 604800 * USEC_PER_SEC },
                { "d", 86400 * USEC_PER_SEC },
                { "h", 3600 * USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC },
                { "s", USEC_PER_SEC },
                { "ms", USEC_PER_MSEC },
                { "us", 1 },
        };
        size_t used = 0;

        if (usec == 0 || usec == USEC_INFINITY) {
                (void) snprintf(buf, size, "%s", usec == 0 ? "0" : "infinity");
                return buf;
        }

        for (size_t i = 0; i < ELEMENTSOF(units) && usec > 0 && used < size; i++) {
                uint64_t n = usec / units[i].usec;
                int written;

                if (n == 0)
                        continue;
                usec %= units[i].usec;
                written = snprintf(buf + used,
                                   size - used,
                                   "%s%llu%s",
                                   used > 0 ? " " : "",
                                   (unsigned long long) n,
                                   units[i].suffix);
                if (written < 0)
                        break;
                used += (size_t) written;
        }

        return buf;
}

/* systemd.syntax(7): escapes of one letter. */
static const struct {
        char letter, value;
} short_escapes[] = {
        { 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' },  { 'n', '\n' }, { 'r', '\r' },  { 't', '\t' },
        { 'v', '\v' }, { 's', ' ' },  { '\\', '\\' }, { '"', '"' },  { '\'', '\'' },
};

/* n digits of a base as one byte. Zero is refused: it would end the text. */
static int unescape_number(const char *s, unsigned n, unsigned base, char *ret) {
        unsigned value = 0;

        for (unsigned i = 0; i < n; i++) {
                static const char digits[] = "0123456789abcdef";
                char c = s[i] >= 'A' && s[i] <= 'F' ? (char) (s[i] - 'A' + 'a') : s[i];
                const char *digit = c ? strchr(digits, c) : NULL;

                if (!digit || (unsigned) (digit - digits) >= base)
                        return -EINVAL;
                value = value * base + (unsigned) (digit - digits);
        }
        if (value == 0 || value > 255)
                return -EINVAL;

        *ret = (char) value;
        return 0;
}

/* Reads the escape that starts with the backslash at *s, and moves *s past it. */
static int take_escape(const char **s, char *ret) {
        const char *p = *s + 1;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(short_escapes); i++)
                if (*p == short_escapes[i].letter) {
                        *ret = short_escapes[i].value;
                        *s = p + 1;
                        return 0;
                }

        r = *p == 'x' ? unescape_number(p + 1, 2, 16, ret) : unescape_number(p, 3, 8, ret);
        if (r < 0)
                return r;

        *s = p + 3;
        return 0;
}

/* Reads the word that starts at *s, and moves *s past it. */
static int take_word(const char **s, char **ret) {
        _cleanup_free_ char *word = NULL;
        const char *p = *s;
        char quote = '\0';
        size_t n = 0;
        int r;

        /* No escape yields more than it takes. */
        word = malloc(strlen(p) + 1);
        if (!word)
                return -ENOMEM;

        while (*p && (quote || !strchr(BLANKS, *p))) {
                if (*p == '\\') {
                        r = take_escape(&p, word + n);
                        if (r < 0)
                                return r;
                        n++;
                } else if (quote && *p == quote) {
                        quote = '\0';
                        p++;
                } else if (!quote && (*p == '"' || *p == '\'')) {
                        quote = *p;
                        p++;
                } else
                        word[n++] = *p++;
        }
        if (quote)
                return -EINVAL;

        word[n] = '\0';
        if (!utf8_is_valid(word))
                return -EINVAL;

        *s = p;
        *ret = TAKE_PTR(word);
        return 0;
}

int split_words(const char *s, char ***ret) {
        _cleanup_strv_ char **words = NULL;
        int r;

        r = strv_copy(NULL, &words);
        if (r < 0)
                return r;

        for (s += strspn(s, BLANKS); *s; s += strspn(s, BLANKS)) {
                char *word = NULL;

                r = take_word(&s, &word);
                if (r < 0)
                        return r;
                r = strv_consume(&words, word);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(words);
        return 0;
}

char *text_printf(const char *format, ...) {
        char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        return n < 0 ? NULL : text;
}
