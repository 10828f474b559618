/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

static char directory[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) remove(path);
        return 0;
}

static void remove_directory(void) { (void) nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

const char *fuzz_directory(void) {
        if (!*directory) {
                /* In memory, where there is such a place: a file is written for each input. */
                snprintf(directory,
                         sizeof(directory),
                         "%s/immured-fuzz.XXXXXX",
                         access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
                must(mkdtemp(directory));
                must(chmod(directory, 0755) == 0);
                must(atexit(remove_directory) == 0);
        }

        return directory;
}

void fuzz_write(const char *name, const void *data, ssize_t size) {
        char path[512];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", fuzz_directory(), name);
        if (size < 0) {
                (void) unlink(path);
                return;
        }

        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0) {
                char *slash = strrchr(path, '/');

                *slash = '\0';
                must(mkdir(path, 0755) == 0);
                *slash = '/';
                fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        }
        must(fd >= 0);
        must(fchmod(fd, 0644) == 0);
        must(fd_write_full(fd, data, (size_t) size) == 0);
        (void) close(fd);
}

void fuzz_must_be_text(const char *s) {
        must(s);
        must(utf8_is_valid(s));
}

bool fuzz_next(const uint8_t **data, size_t *size, char separator, char **ret, size_t *ret_size) {
        const uint8_t *end;
        size_t n;

        free(*ret);
        *ret = NULL;
        if (!*data)
                return false;

        end = *size > 0 ? memchr(*data, separator, *size) : NULL;
        n = end ? (size_t) (end - *data) : *size;
        *ret = malloc(n + 1);
        must(*ret);
        if (n > 0)
                memcpy(*ret, *data, n);
        (*ret)[n] = '\0';
        *ret_size = n;

        *size -= end ? n + 1 : n;
        *data = end ? end + 1 : NULL;
        return true;
}
