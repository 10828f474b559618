/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"
#include "base/strv.h"
#include "base/text.h"

#define BLANKS " \t\n\r"

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

static void append_quoted(Buffer *b, const char *word) {
        if (*word && !word[strcspn(word, BLANKS "\"'\\\a\b\f\v")] && text_is_printable(word, "")) {
                buffer_append_text(b, word);
                return;
        }

        buffer_append(b, "\"", 1);
        for (const char *p = word; *p; p++) {
                unsigned char c = (unsigned char) *p;

                if (c == '"' || c == '\\')
                        buffer_append(b, (char[]){ '\\', *p }, 2);
                else if (c < 32 || c == 127)
                        buffer_printf(b, "\\x%02x", c);
                else if (c == 0xc2 && (unsigned char) p[1] >= 0x80 &&
                         (unsigned char) p[1] < 0xa0) /* C1: U+0080 to U+009F */
                        buffer_printf(b, "\\xc2\\x%02x", (unsigned char) *++p);
                else
                        buffer_append(b, p, 1);
        }
        buffer_append(b, "\"", 1);
}

char *quote_words(char *const *words) {
        _cleanup_buffer_ Buffer b = {};

        STRV_FOREACH (word, words) {
                if (word != words)
                        buffer_append(&b, " ", 1);
                append_quoted(&b, *word);
        }

        return buffer_take_text(&b);
}
