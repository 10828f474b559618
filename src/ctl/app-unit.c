/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/app-unit.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define DROPIN_NAME "immured.conf"
#define WANTS_NAME "multi-user.target.wants"
#define FILE_MAX 4096

void app_unit_name(const char *user, uid_t uid, const char *profile, char ret[static APP_UNIT_SIZE]) {
        if (account_name_is_valid(user))
                (void) snprintf(ret, APP_UNIT_SIZE, APP_UNIT_PREFIX "%s:%s.service", user, profile);
        else
                (void) snprintf(ret, APP_UNIT_SIZE, APP_UNIT_PREFIX "%u:%s.service", uid, profile);
}

/* Readable by everybody whatever our umask is, since systemctl(1) shows it to everybody. Returns the fd. */
static int make_directory(const char *directory, const char *name) {
        _cleanup_free_ char *path = text_printf("%s/%s", directory, name);
        _cleanup_close_ int fd = -EBADF;
        bool made;

        if (!path)
                return -ENOMEM;

        made = mkdir(path, 0755) >= 0;
        if (!made && errno != EEXIST)
                return -errno;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || (made && fchmod(fd, 0755) < 0))
                return -errno;

        return TAKE_FD(fd);
}

/* A reader sees all of it or nothing. */
static int write_file(int directory_fd, const char *name, const char *text) {
        _cleanup_close_ int fd = -EBADF;
        char temporary[64];
        int r;

        (void) snprintf(temporary, sizeof(temporary), ".#%s", name);
        if (unlinkat(directory_fd, temporary, 0) < 0 && errno != ENOENT)
                return -errno;

        fd = openat(directory_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;

        r = fchmod(fd, 0644) < 0 ? -errno : fd_write_full(fd, text, strlen(text));
        if (r >= 0 && fsync(fd) < 0)
                r = -errno;
        if (r >= 0 && renameat(directory_fd, temporary, directory_fd, name) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(directory_fd, temporary, 0);
        return r;
}

int app_unit_set_slice(const char *directory, const char *unit, uid_t uid) {
        _cleanup_free_ char *text = NULL, *before = NULL, *name = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        name = text_printf("%s.d", unit);
        text = text_printf("# Written by \"immurectl enable\"; \"immurectl disable\" removes it.\n"
                           "[Service]\n"
                           "Slice=immured-%u.slice\n",
                           uid);
        if (!name || !text)
                return -ENOMEM;

        fd = make_directory(directory, name);
        if (fd < 0)
                return fd;

        r = file_read_full(fd, DROPIN_NAME, FILE_MAX, &before, NULL);
        if (r >= 0 && streq(before, text))
                return 0;

        r = write_file(fd, DROPIN_NAME, text);
        return r < 0 ? r : 1;
}

/* 1: it was there. The directory is removed as well if it is empty. */
static int
remove_from(const char *directory, const char *subdirectory, const char *name, bool with_directory) {
        _cleanup_free_ char *path = text_printf("%s/%s/%s", directory, subdirectory, name);
        bool found;

        if (!path)
                return -ENOMEM;

        found = unlink(path) >= 0;
        if (!found && errno != ENOENT)
                return -errno;

        *strrchr(path, '/') = '\0';
        if (with_directory && rmdir(path) < 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
                return -errno;

        return found;
}

int app_unit_unset_slice(const char *directory, const char *unit) {
        _cleanup_free_ char *name = text_printf("%s.d", unit);

        return name ? remove_from(directory, name, DROPIN_NAME, true) : -ENOMEM;
}

int app_unit_link(const char *directory, const char *unit, const char *template) {
        _cleanup_close_ int fd = -EBADF;
        char target[256];
        ssize_t n;

        fd = make_directory(directory, WANTS_NAME);
        if (fd < 0)
                return fd;

        if (symlinkat(template, fd, unit) >= 0)
                return 1;
        if (errno != EEXIST)
                return -errno;

        n = readlinkat(fd, unit, target, sizeof(target) - 1);
        if (n < 0)
                return -EEXIST;
        target[n] = '\0';
        return streq(target, template) ? 0 : -EEXIST;
}

int app_unit_unlink(const char *directory, const char *unit) {
        return remove_from(directory, WANTS_NAME, unit, false);
}

const char *app_unit_find_template(void) {
        static const char *const paths[] = {
                APP_UNIT_DIRECTORY "/" APP_UNIT_TEMPLATE,
                "/run/systemd/system/" APP_UNIT_TEMPLATE,
                "/usr/local/lib/systemd/system/" APP_UNIT_TEMPLATE,
                "/usr/lib/systemd/system/" APP_UNIT_TEMPLATE,
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (access(paths[i], F_OK) >= 0)
                        return paths[i];

        return NULL;
}
