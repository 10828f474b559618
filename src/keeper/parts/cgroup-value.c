/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/cgroup-value.h"

#include "base/strv.h"
#include "base/text.h"

#include <unistd.h>

/* The kernel keeps sizes in whole pages. */
static bool size_matches(const char *wanted, const char *text) {
        uint64_t a, b, page = (uint64_t) sysconf(_SC_PAGESIZE);

        if (parse_u64(wanted, &a) < 0 || parse_u64(text, &b) < 0)
                return streq(wanted, text);

        return b == a / page * page;
}

static bool text_matches(const char *wanted, const char *text) { return streq(wanted, text); }

/* "weight" reads back as "default weight". */
static bool weight_matches(const char *wanted, const char *text) {
        const char *value = startswith(text, "default ");

        return streq(value ?: text, startswith(wanted, "default ") ?: wanted);
}

/* A line for each device; the kernel adds what was not said as "max". */
static bool io_line_matches(const char *wanted, const char *line) {
        _cleanup_strv_ char **said = NULL, **read = NULL;

        if (split_words(wanted, &said) < 0 || split_words(line, &read) < 0 || strv_length(said) == 0 ||
            strv_length(read) == 0 || !streq(said[0], read[0]))
                return false;

        STRV_FOREACH (word, said + 1) {
                if (!strv_contains(read + 1, *word))
                        return false;
        }

        return true;
}

static bool io_matches(const char *wanted, const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;

        for (char *line; (line = strsep(&rest, "\n"));)
                if (io_line_matches(wanted, line))
                        return true;

        return false;
}

/* clang-format off */
static const struct {
        const char *prefix;
        bool (*matches)(const char *wanted, const char *text);
} value_rules[] = {
        { "memory.oom.group", text_matches },
        { "memory.",          size_matches },
        { "io.max",           io_matches },
        { "io.weight",        weight_matches },
        { "",                 text_matches },
};
/* clang-format on */

bool cgroup_value_matches(const char *file, const char *wanted, const char *text) {
        size_t i = 0;

        while (!startswith(file, value_rules[i].prefix))
                i++;

        return value_rules[i].matches(wanted, text);
}

typedef struct Range {
        uint32_t first, last;
} Range;

/* The next "N" or "N-M" of a list; -ENODATA: there is none, -EINVAL: it is something else. */
static int next_range(char **rest, Range *ret) {
        char *word = strsep(rest, ","), *dash;
        int r;

        if (!word)
                return -ENODATA;

        dash = strchr(word, '-');
        if (dash)
                *dash = '\0';
        r = parse_u32(word, &ret->first);
        if (r >= 0)
                r = parse_u32(dash ? dash + 1 : word, &ret->last);

        return r < 0 ? -EINVAL : 0;
}

/* The kernel writes what lies side by side as one range, so each lies in one of the others or is not all there. */
static bool range_is_within(const Range *range, const char *allowed) {
        _cleanup_free_ char *copy = strdup(allowed);
        char *rest = copy;

        for (Range one; rest && next_range(&rest, &one) >= 0;)
                if (one.first <= range->first && range->last <= one.last)
                        return true;

        return false;
}

bool cgroup_set_is_within(const char *set, const char *allowed) {
        _cleanup_free_ char *copy = strdup(set);
        char *rest = copy;
        Range range;
        int r;

        if (!copy)
                return false;

        while ((r = next_range(&rest, &range)) >= 0)
                if (!range_is_within(&range, allowed))
                        return false;

        return r == -ENODATA;
}
