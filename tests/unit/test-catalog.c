/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/catalog.h"
#include "files-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define PROGRAM "[Exec]\nExecStart=/usr/bin/true\n"

static void write_all(const Files *f) {
        files_write(f, "immured.conf", "");
        files_write(f, "seccomp/default.policy", "read\n");
        files_write(f, "seccomp/system-service.policy", "read\nmkdir\n");
        files_write(f, "profiles/a.profile", PROGRAM);
        files_write(f, "profiles/b.profile", PROGRAM);
        files_write(f, "profiles/heir.profile", "[Profile]\nInherits=b\n");
}

static Catalog *load(const Files *f, const Catalog *before) {
        _cleanup_free_ char *config = files_path(f, "immured.conf"), *seccomp = files_path(f, "seccomp"),
                            *profiles = files_path(f, "profiles"), *text = NULL;
        const CatalogSources sources = {
                .config = config,
                .profiles = (char *[]){ profiles, NULL },
                .seccomp = (char *[]){ seccomp, NULL },
                .required_uid = geteuid(),
        };
        Catalog *c = NULL;

        assert_int_equal(catalog_load(&c, &sources, before, &text), 0);
        return c;
}

static const CatalogEntry *entry(const Catalog *c, const char *name) {
        const CatalogEntry *e = catalog_find(c, name);

        assert_non_null(e);
        assert_non_null(e->profile);
        return e;
}

/* As a catalog that follows no other one. */
static void assert_as_new(const Catalog *c, const Files *f) {
        _cleanup_(catalog_freep) Catalog *fresh = load(f, NULL);

        assert_int_equal(c->n_entries, fresh->n_entries);
        for (size_t i = 0; i < c->n_entries; i++)
                assert_true(catalog_entry_equal(c->entries + i, fresh->entries + i));
}

/* A file, what is written to it, and whose filter that changes. */
static const struct {
        const char *file, *text;
        bool a, b, heir;
} changes[] = {
        { "profiles/a.profile", PROGRAM, false, false, false },
        { "profiles/a.profile", PROGRAM "[Profile]\nDescription=x\n", false, false, false },
        { "profiles/a.profile", PROGRAM "[Security]\nSystemCallFilter=~mkdir\n", true, false, false },
        { "profiles/b.profile", PROGRAM "[Security]\nSystemCallFilter=~mkdir\n", false, true, true },
        { "profiles/b.profile.d/x.conf", "[Security]\nSystemCallErrorNumber=ENOENT\n", false, true, true },
        { "profiles/heir.profile.d/x.conf",
          "[Security]\nSystemCallErrorNumber=ENOENT\n",
          false,
          false,
          true },
        { "seccomp/system-service.policy", "read\nrmdir\n", true, true, true },
};

static void test_what_changed_is_compiled_again(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_(catalog_freep) Catalog *before = NULL, *after = NULL;

                write_all(&f);
                before = load(&f, NULL);
                files_write(&f, changes[i].file, changes[i].text);
                after = load(&f, before);

                assert_int_equal(entry(after, "a")->seccomp != entry(before, "a")->seccomp, changes[i].a);
                assert_int_equal(entry(after, "b")->seccomp != entry(before, "b")->seccomp, changes[i].b);
                assert_int_equal(entry(after, "heir")->seccomp != entry(before, "heir")->seccomp,
                                 changes[i].heir);

                before = catalog_free(before);
                assert_as_new(after, &f);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_changed_is_compiled_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
