/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/strv.h"

char **strv_free(char **l) {
        if (!l)
                return NULL;

        for (char **s = l; *s; s++)
                free(*s);
        free(l);
        return NULL;
}

size_t strv_length(char *const *l) {
        size_t n = 0;

        STRV_FOREACH (s, l)
                n++;
        return n;
}

bool strv_equal(char *const *a, char *const *b) {
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;

        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;

        return true;
}

bool strv_contains(char *const *l, const char *s) {
        STRV_FOREACH (i, l)
                if (streq(*i, s))
                        return true;

        return false;
}

const char *strv_env_get(char *const *l, const char *name) {
        STRV_FOREACH (s, l) {
                const char *rest = startswith(*s, name);

                if (rest && *rest == '=')
                        return rest + 1;
        }

        return NULL;
}

int strv_consume(char ***l, char *s) {
        size_t n = strv_length(*l);
        char **grown;

        grown = s ? reallocarray(*l, n + 2, sizeof(char *)) : NULL;
        if (!grown) {
                free(s);
                return -ENOMEM;
        }

        grown[n] = s;
        grown[n + 1] = NULL;
        *l = grown;
        return 0;
}

int strv_extend(char ***l, const char *s) { return strv_consume(l, strdup(s)); }

int strv_extend_strv(char ***l, char *const *b) {
        size_t n = strv_length(*l), n_b = strv_length(b);
        _cleanup_strv_ char **copy = NULL;
        char **grown;
        int r;

        if (n_b == 0)
                return 0;

        r = strv_copy(b, &copy);
        if (r < 0)
                return r;

        grown = reallocarray(*l, n + n_b + 1, sizeof(char *));
        if (!grown)
                return -ENOMEM;

        memcpy(grown + n, copy, (n_b + 1) * sizeof(char *));
        *l = grown;
        free(TAKE_PTR(copy));
        return 0;
}

int strv_copy(char *const *l, char ***ret) {
        size_t n = strv_length(l);
        _cleanup_strv_ char **copy = NULL;

        copy = calloc(n + 1, sizeof(char *));
        if (!copy)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                copy[i] = strdup(l[i]);
                if (!copy[i])
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(copy);
        return 0;
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **l) {
        if (l)
                qsort(l, strv_length(l), sizeof(char *), compare_strings);
}

char *strv_join(char *const *l, const char *separator) {
        size_t n_separator = strlen(separator), size = 1;
        char *joined, *p;

        STRV_FOREACH (s, l)
                size += strlen(*s) + n_separator;

        joined = malloc(size);
        if (!joined)
                return NULL;

        p = joined;
        STRV_FOREACH (s, l) {
                if (s != l)
                        p = mempcpy(p, separator, n_separator);
                p = mempcpy(p, *s, strlen(*s));
        }
        *p = '\0';
        return joined;
}
