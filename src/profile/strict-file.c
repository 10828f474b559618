/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/strict-file.h"

#include "base/fd.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define _cleanup_closedir_ _cleanup_(closedirp)

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* What is wrong with an owner or a mode; NULL: no memory. *ret_bad tells whether anything is wrong. */
static char *permission_refusal(const struct stat *st, const char *what, uid_t required_uid, bool *ret_bad) {
        *ret_bad = true;
        if (st->st_uid != required_uid && st->st_uid != 0)
                return text_printf("the %s belongs to uid %u, but must belong to uid %u",
                                   what,
                                   (unsigned) st->st_uid,
                                   (unsigned) required_uid);
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return text_printf("the %s has mode %04o, but group and others must not be able to write it",
                                   what,
                                   (unsigned) st->st_mode & 07777);

        *ret_bad = false;
        return NULL;
}

void strict_directory_done(StrictDirectory *d) {
        free(d->path);
        free(d->refusal);
        if (d->fd >= 0)
                (void) safe_close(d->fd);
        *d = (StrictDirectory){ .fd = -EBADF };
}

int strict_directory_open(
        StrictDirectory *ret, int parent_fd, const char *name, const char *path, uid_t required_uid) {
        _cleanup_strict_directory_ StrictDirectory d = { .fd = -EBADF };
        uint64_t resolve = parent_fd == AT_FDCWD ? 0 : RESOLVE_BENEATH;
        struct stat st;
        bool bad;

        d.path = strdup(path);
        if (!d.path)
                return -ENOMEM;

        d.fd = fd_openat2(parent_fd, name, O_RDONLY | O_DIRECTORY, 0, resolve | RESOLVE_NO_MAGICLINKS);
        if (d.fd < 0 && d.fd != -ENOENT)
                return d.fd;

        if (d.fd >= 0) {
                if (fstat(d.fd, &st) < 0)
                        return -errno;
                d.refusal = permission_refusal(&st, "directory", required_uid, &bad);
                if (bad && !d.refusal)
                        return -ENOMEM;
        } else
                d.fd = -EBADF;

        *ret = d;
        d = (StrictDirectory){ .fd = -EBADF };
        return 0;
}

static bool ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), n_suffix = strlen(suffix);

        return n > n_suffix && streq(s + n - n_suffix, suffix);
}

int strict_directory_list(const StrictDirectory *d, const char *suffix, char ***ret) {
        _cleanup_closedir_ DIR *dir = NULL;
        _cleanup_strv_ char **names = NULL;
        int fd, r;

        r = strv_copy(NULL, &names);
        if (r < 0)
                return r;

        if (d->fd >= 0) {
                /* On a duplicate, since readdir() moves the offset and closedir() closes. */
                fd = fd_openat2(d->fd, ".", O_RDONLY | O_DIRECTORY, 0, 0);
                if (fd < 0)
                        return fd;
                dir = fdopendir(fd);
                if (!dir) {
                        r = -errno;
                        (void) safe_close(fd);
                        return r;
                }
        }

        while (dir) {
                struct dirent *entry;

                errno = 0;
                entry = readdir(dir);
                if (!entry && errno != 0)
                        return -errno;
                if (!entry)
                        break;
                if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix))
                        continue;

                r = strv_extend(&names, entry->d_name);
                if (r < 0)
                        return r;
        }

        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

bool strict_file_is_mask(int dir_fd, const char *name) {
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(st.st_mode))
                return false;

        return fstatat(dir_fd, name, &st, 0) >= 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

int strict_file_read(int dir_fd,
                     const char *name,
                     const char *path,
                     uid_t required_uid,
                     char **ret,
                     size_t *ret_size,
                     Findings *findings) {
        _cleanup_free_ char *refusal = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        bool bad;
        int r;

        /* O_NONBLOCK: opening a FIFO would wait for a writer before fstat() can tell what it is. */
        fd = fd_openat2(
                dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
        if (fd == -ENOENT || fd == -ENOMEM)
                return fd;
        if (fd == -EXDEV || fd == -ELOOP)
                r = findings_add_file(
                        findings,
                        path,
                        "the symbolic link leads out of its directory; only a relative link inside it, or "
                        "one to /dev/null, is followed");
        else if (fd < 0)
                r = findings_add_file(findings, path, "cannot be opened: %s", strerrordesc_np(-fd));
        else if (fstat(fd, &st) < 0)
                return -errno;
        else if (!S_ISREG(st.st_mode))
                r = findings_add_file(findings, path, "is not a regular file");
        else {
                refusal = permission_refusal(&st, "file", required_uid, &bad);
                if (bad && !refusal)
                        return -ENOMEM;
                if (!bad) {
                        r = fd_read_full(fd, STRICT_FILE_MAX, ret, ret_size);
                        if (r == 0 || r == -ENOMEM)
                                return r;
                        refusal = r == -EFBIG ? text_printf("is larger than %u bytes", STRICT_FILE_MAX)
                                              : text_printf("cannot be read: %s", strerrordesc_np(-r));
                        if (!refusal)
                                return -ENOMEM;
                }
                r = findings_add_file(findings, path, "%s", refusal);
        }

        return r < 0 ? r : -EBADMSG;
}
