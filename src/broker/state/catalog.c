/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/catalog.h"

#include "base/log.h"
#include "broker/access/object-path.h"

static const char *entry_name(const CatalogEntry *e) { return e->loaded->name; }

static int entry_fill(CatalogEntry *e, const ProfileEntry *loaded, Catalog *c, const Catalog *before) {
        const SeccompFilter *filter = NULL;
        int r;

        e->loaded = loaded;
        r = object_path_of_profile(loaded->name, &e->path);
        if (r < 0)
                return r;

        if (!loaded->profile)
                return 0;

        r = seccomp_filters_get(
                &c->filters, before ? &before->filters : NULL, loaded->profile, &filter, &e->findings);
        if (r == -EBADMSG)
                return 0;
        if (r < 0)
                return r;

        e->profile = loaded->profile;
        e->seccomp = filter->data;
        e->n_seccomp = filter->size;
        return 0;
}

static int load(Catalog **ret, const CatalogSources *sources, const Catalog *before, Findings *findings) {
        _cleanup_(catalog_freep) Catalog *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;

        r = config_load(&c->config, sources->config ?: CONFIG_PATH, sources->required_uid, findings);
        if (r < 0)
                return r;

        r = seccomp_policy_load(&c->policy, sources->seccomp, sources->required_uid, findings);
        if (r < 0)
                return r;

        c->filters.policy = c->policy;
        r = profile_set_load(&c->profiles, sources->profiles, sources->required_uid);
        if (r < 0)
                return r;

        c->entries = calloc(MAX(c->profiles->n_entries, (size_t) 1), sizeof(*c->entries));
        if (!c->entries)
                return -ENOMEM;

        for (size_t i = 0; i < c->profiles->n_entries; i++) {
                c->n_entries++;
                r = entry_fill(c->entries + i, c->profiles->entries + i, c, before);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(c);
        return 0;
}

static void log_findings(const Findings *f) {
        for (size_t i = 0; i < f->n_items; i++) {
                _cleanup_free_ char *text = finding_format(f->items + i);

                log_error("%s", text ?: "out of memory");
        }
}

static void log_bad_profiles(const Catalog *c) {
        for (size_t i = 0; i < c->n_entries; i++) {
                const CatalogEntry *e = c->entries + i;

                if (e->profile)
                        continue;

                event_log(EVENT_PROFILE_REFUSED,
                          &(EventField){ "IMMURED_PROFILE", e->loaded->name },
                          1,
                          "Profile \"%s\" is refused:",
                          e->loaded->name);
                log_findings(&e->loaded->findings);
                log_findings(&e->findings);
        }
}

int catalog_load(Catalog **ret, const CatalogSources *sources, const Catalog *before, char **ret_text) {
        _cleanup_findings_ Findings findings = { 0 };
        int r;

        r = load(ret, sources, before, &findings);
        if (r < 0) {
                log_findings(&findings);
                *ret_text = findings.n_items > 0 ? finding_format(findings.items) : strdup(strerror(-r));
                return r;
        }

        log_findings(&findings);
        log_bad_profiles(*ret);
        return 0;
}

Catalog *catalog_free(Catalog *c) {
        if (!c)
                return NULL;

        for (size_t i = 0; i < c->n_entries; i++) {
                free(c->entries[i].path);
                findings_done(&c->entries[i].findings);
        }

        free(c->entries);
        (void) profile_set_free(c->profiles);
        seccomp_filters_done(&c->filters);
        (void) seccomp_policy_free(c->policy);
        config_done(&c->config);
        free(c);
        return NULL;
}

DEFINE_CLEANUP(Catalog *, catalog_free);

static int compare_name(const void *name, const void *entry) { return strcmp(name, entry_name(entry)); }

const CatalogEntry *catalog_find(const Catalog *c, const char *name) {
        return bsearch(name, c->entries, c->n_entries, sizeof(*c->entries), compare_name);
}

char *catalog_entry_error(const CatalogEntry *e) {
        const Findings *f = e->findings.n_items > 0 ? &e->findings : &e->loaded->findings;
        _cleanup_free_ char *first = NULL;
        size_t more;

        if (f->n_items == 0)
                return strdup("");

        first = finding_format(f->items);
        if (!first)
                return NULL;

        more = f->n_items - 1 + f->n_dropped;
        return more > 0 ? text_printf("%s (and %zu more)", first, more) : TAKE_PTR(first);
}

bool catalog_entry_equal(const CatalogEntry *a, const CatalogEntry *b) {
        _cleanup_free_ char *error_a = NULL, *error_b = NULL;

        if (a->profile && b->profile)
                return streq(a->profile->hash, b->profile->hash) && a->n_seccomp == b->n_seccomp &&
                       memcmp(a->seccomp, b->seccomp, a->n_seccomp) == 0;
        if (a->profile || b->profile)
                return false;

        error_a = catalog_entry_error(a);
        error_b = catalog_entry_error(b);
        return error_a && error_b && streq(error_a, error_b);
}
