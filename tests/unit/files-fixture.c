/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files-fixture.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

Files files_new(void) {
        Files f = { "/tmp/immured-files-XXXXXX" };

        assert_non_null(mkdtemp(f.root));
        assert_int_equal(chmod(f.root, 0755), 0);
        return f;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

void files_done(Files *f) { (void) nftw(f->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS); }

char *files_path(const Files *f, const char *name) {
        char *path = text_printf("%s/%s", f->root, name);

        assert_non_null(path);
        return path;
}

void files_make_directory(const Files *f, const char *name) {
        _cleanup_free_ char *path = files_path(f, name);

        if (mkdir(path, 0755) < 0)
                assert_int_equal(errno, EEXIST);
        assert_int_equal(chmod(path, 0755), 0);
}

void files_write_bytes(const Files *f, const char *name, const void *data, size_t size) {
        _cleanup_free_ char *path = files_path(f, name), *parent = strdup(name);
        _cleanup_close_ int fd = -EBADF;

        for (char *slash = strchr(parent, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                files_make_directory(f, parent);
                *slash = '/';
        }

        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(fchmod(fd, 0644), 0);
        assert_int_equal(fd_write_full(fd, data, size), 0);
}

void files_write(const Files *f, const char *name, const char *text) {
        files_write_bytes(f, name, text, strlen(text));
}

void files_link(const Files *f, const char *target, const char *name) {
        _cleanup_free_ char *path = files_path(f, name);

        assert_int_equal(symlink(target, path), 0);
}
