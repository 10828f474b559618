/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/pattern.h"

#include "base/text.h"

#include <regex.h>

/* What a part of a pattern costs. */
typedef struct Part {
        unsigned nodes, loops;
} Part;

typedef struct Scan {
        const char *at;
        Part groups[PATTERN_GROUPS_MAX + 1]; /* the groups still open; the whole pattern is the first */
        size_t n_groups;
        Part last; /* what a repetition would repeat */
        bool has_last, is_repeated;
        const char *why;
} Scan;

static const char why_long[] = "it is too long once its repetitions are written out";

static int fail(Scan *s, const char *why) {
        s->why = why;
        return -EINVAL;
}

static void close_last(Scan *s) {
        Part *group = s->groups + s->n_groups - 1;

        if (s->has_last) {
                group->nodes += s->last.nodes;
                group->loops = MAX(group->loops, s->last.loops);
        }
        s->has_last = s->is_repeated = false;
}

static int take_atom(Scan *s, Part part) {
        close_last(s);
        s->last = part;
        s->has_last = true;
        return part.nodes > PATTERN_NODES_MAX || s->groups[s->n_groups - 1].nodes > PATTERN_NODES_MAX
                       ? fail(s, why_long)
                       : 0;
}

/* [abc], []abc], [^]abc], [[:alpha:]], [[.a.]], [[=a=]]. regcomp(3) is left to say whether it ends. */
static int take_set(Scan *s) {
        if (*s->at == '^')
                s->at++;
        if (*s->at == ']')
                s->at++;
        while (*s->at && *s->at != ']') {
                char kind = s->at[1];

                if (*s->at++ != '[' || !strchr(":.=", kind) || kind == '\0')
                        continue;
                for (s->at++; *s->at && !(s->at[0] == kind && s->at[1] == ']'); s->at++)
                        ;
                s->at += *s->at ? 2 : 0;
        }
        s->at += *s->at ? 1 : 0;
        return take_atom(s, (Part){ 1, 0 });
}

static int take_escape(Scan *s) {
        char c = *s->at;

        if (c >= '1' && c <= '9')
                return fail(s, "it refers back to what parentheses have matched");

        s->at += c ? 1 : 0;
        return take_atom(s, (Part){ 1, 0 });
}

static int open_group(Scan *s) {
        close_last(s);
        if (s->n_groups == ELEMENTSOF(s->groups))
                return fail(s, "its parentheses are nested too deeply");

        s->groups[s->n_groups++] = (Part){ 1, 0 };
        return 0;
}

static int close_group(Scan *s) {
        close_last(s);
        if (s->n_groups == 1)
                return fail(s, "a parenthesis is closed that was not opened; a literal one is written \\)");

        return take_atom(s, s->groups[--s->n_groups]);
}

static int take_branch(Scan *s) {
        close_last(s);
        s->groups[s->n_groups - 1].nodes++;
        return 0;
}

/* How many copies of it regcomp(3) makes. */
static int read_bounds(Scan *s, unsigned *ret) {
        const char *end = strchr(s->at, '}');
        _cleanup_free_ char *bounds = NULL;
        uint32_t least, most;
        char *comma;

        if (!end)
                return fail(s, "a { begins no repetition; a literal one is written \\{");
        bounds = strndup(s->at, (size_t) (end - s->at));
        if (!bounds)
                return -ENOMEM;

        s->at = end + 1;
        comma = strchr(bounds, ',');
        if (comma)
                *comma++ = '\0';
        most = PATTERN_NODES_MAX;
        if (parse_u32(bounds, &least) < 0 || (comma && *comma && parse_u32(comma, &most) < 0) ||
            least > most || most > PATTERN_NODES_MAX)
                return fail(s, "a repetition is {N}, {N,} or {N,M}, with numbers that are not too large");
        if (!comma || !*comma)
                most = least;

        /* {0} still leaves one copy in the compiled pattern, though nothing can reach it. */
        *ret = MAX(most, 1U);
        return 0;
}

static int take_repetition(Scan *s) {
        unsigned copies = 1;
        int r;

        if (!s->has_last)
                return fail(s, "a repetition has nothing to repeat");
        if (s->is_repeated)
                return fail(s, "a repetition is repeated");
        if (s->at[-1] == '{') {
                r = read_bounds(s, &copies);
                if (r < 0)
                        return r;
        }

        s->last.nodes = s->last.nodes * copies + 1;
        s->last.loops++;
        s->is_repeated = true;
        if (s->last.nodes > PATTERN_NODES_MAX)
                return fail(s, why_long);
        if (s->last.loops > PATTERN_LOOPS_MAX)
                return fail(s, "its repetitions are nested too deeply");

        return 0;
}

static int take_anchor(Scan *s) {
        close_last(s);
        return 0;
}

static int take_next(Scan *s) {
        static const struct {
                char c;
                int (*take)(Scan *s);
        } signs[] = {
                { '\\', take_escape },    { '[', take_set },        { '(', open_group },
                { ')', close_group },     { '|', take_branch },     { '*', take_repetition },
                { '+', take_repetition }, { '?', take_repetition }, { '{', take_repetition },
                { '^', take_anchor },     { '$', take_anchor },
        };
        char c = *s->at++;

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                if (signs[i].c == c)
                        return signs[i].take(s);

        return take_atom(s, (Part){ 1, 0 });
}

static int scan(const char *pattern, const char **ret_why) {
        Scan s = { .at = pattern, .n_groups = 1 };
        int r = 0;

        while (r == 0 && *s.at)
                r = take_next(&s);
        if (r == 0) {
                close_last(&s);
                if (s.n_groups > 1)
                        r = fail(&s, "a parenthesis is not closed");
                else if (s.groups[0].nodes > PATTERN_NODES_MAX)
                        r = fail(&s, why_long);
        }

        if (r == -EINVAL)
                *ret_why = s.why;
        return r;
}

/*
 * Between anchors and in parentheses of our own. pattern_check() has made sure that those of the pattern pair up.
 */
static int compile(regex_t *re, const char *pattern) {
        _cleanup_free_ char *anchored = text_printf("^(%s)$", pattern);
        int r;

        if (!anchored)
                return -ENOMEM;

        r = regcomp(re, anchored, REG_EXTENDED | REG_NOSUB);
        return r == REG_ESPACE ? -ENOMEM : r == 0 ? 0 : -EINVAL;
}

int pattern_check(const char *pattern, const char **ret_why) {
        regex_t re;
        int r;

        r = scan(pattern, ret_why);
        if (r < 0)
                return r;

        r = compile(&re, pattern);
        if (r == -EINVAL)
                *ret_why = "it does not compile as an extended regular expression";
        if (r == 0)
                regfree(&re);

        return r;
}

/*
 * Compiled again for each text: glibc's matcher keeps the states it has met, and they would add up in the broker.
 */
int pattern_matches(const char *pattern, const char *text) {
        const char *why;
        regex_t re;
        int r;

        r = scan(pattern, &why);
        if (r == 0)
                r = compile(&re, pattern);
        if (r < 0)
                return r;

        r = regexec(&re, text, 0, NULL, 0);
        regfree(&re);
        return r == REG_ESPACE ? -ENOMEM : r == 0;
}
