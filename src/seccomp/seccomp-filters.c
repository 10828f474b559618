/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/seccomp-filters.h"

#include "base/strv.h"

#include <search.h>

static void filter_unref(void *data) {
        SeccompFilter *f = data;

        if (!f || --f->n_ref > 0)
                return;

        buffer_done(&f->key);
        free(f->data);
        free(f);
}

static void filter_unrefp(SeccompFilter **f) { filter_unref(*f); }

void seccomp_filters_done(SeccompFilters *f) {
        tdestroy(f->tree, filter_unref);
        f->tree = NULL;
}

static int compare_filters(const void *a, const void *b) {
        const SeccompFilter *x = a, *y = b;
        int r = memcmp(x->key.data, y->key.data, MIN(x->key.size, y->key.size));

        return r != 0 ? r : (x->key.size > y->key.size) - (x->key.size < y->key.size);
}

/* Texts end with their NUL and lists have their length in front, so that no two inputs have the same bytes. */
static void put_number(Buffer *key, uint64_t number) { buffer_append(key, &number, sizeof(number)); }
static void put_text(Buffer *key, const char *s) { buffer_append(key, s, strlen(s) + 1); }

static void put_texts(Buffer *key, char *const *texts) {
        put_number(key, strv_length(texts));
        STRV_FOREACH (s, texts)
                put_text(key, *s);
}

/* All of a profile that seccomp_compile() reads, except for the names in its findings. */
static void put_profile(Buffer *key, const Profile *p) {
        put_number(key, p->restrict_namespaces);
        put_number(key, p->restrict_realtime);
        put_number(key, p->restrict_suid_sgid);
        put_number(key, p->memory_deny_write_execute);
        put_number(key, p->lock_personality);
        put_number(key, (uint64_t) p->syscall_error);
        put_texts(key, p->address_families);
        put_texts(key, p->syscall_log);

        put_number(key, p->n_syscalls);
        for (size_t i = 0; i < p->n_syscalls; i++) {
                put_text(key, p->syscalls[i].name);
                put_number(key, p->syscalls[i].deny);
                put_number(key, (uint64_t) p->syscalls[i].error);
        }

        put_number(key, p->n_syscall_arguments);
        for (size_t i = 0; i < p->n_syscall_arguments; i++) {
                const ProfileSyscallArgument *item = &p->syscall_arguments[i];

                put_text(key, item->name);
                put_number(key, item->argument);
                put_number(key, item->op);
                put_number(key, item->value);
                put_number(key, (uint64_t) item->error);
        }
}

static SeccompFilter *filters_find(const SeccompFilters *f, const SeccompFilter *wanted) {
        SeccompFilter **found = (SeccompFilter **) tfind(wanted, &f->tree, compare_filters);

        return found ? *found : NULL;
}

static int filters_add(SeccompFilters *f, SeccompFilter *filter) {
        if (!tsearch(filter, &f->tree, compare_filters))
                return -ENOMEM;

        filter->n_ref++;
        return 0;
}

int seccomp_filters_get(SeccompFilters *f,
                        const SeccompFilters *before,
                        const Profile *profile,
                        const SeccompFilter **ret,
                        Findings *findings) {
        _cleanup_(filter_unrefp) SeccompFilter *fresh = NULL;
        SeccompFilter *found;
        int r;

        fresh = calloc(1, sizeof(*fresh));
        if (!fresh)
                return -ENOMEM;
        fresh->n_ref = 1;
        put_profile(&fresh->key, profile);
        r = buffer_error(&fresh->key);
        if (r < 0)
                return r;

        found = filters_find(f, fresh);
        if (found) {
                *ret = found;
                return 0;
        }

        found = before && seccomp_policy_equal(f->policy, before->policy) ? filters_find(before, fresh)
                                                                          : NULL;
        if (!found) {
                r = seccomp_compile(f->policy, profile, &fresh->data, &fresh->size, findings);
                if (r < 0)
                        return r;
                found = fresh;
        }

        r = filters_add(f, found);
        if (r < 0)
                return r;

        *ret = found;
        return 0;
}
