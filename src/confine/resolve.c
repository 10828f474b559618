/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/resolve.h"

#include "base/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define LINKS_MAX 40 /* as many as the kernel follows, path_resolution(7) */

static int open_without_links(int root_fd, const char *path) {
        return fd_openat2(root_fd,
                          path,
                          O_PATH | O_CLOEXEC,
                          0,
                          RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

/* The text of a link in procfs depends on who reads it, and magic links look like any other. */
static bool is_on_procfs(int fd) {
        struct statfs fs;

        return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC;
}

static bool is_trusted(const struct stat *link, const struct stat *directory, int directory_fd) {
        bool others_may_write =
                (directory->st_mode & (S_IWGRP | S_IWOTH)) && !(directory->st_mode & S_ISVTX);

        return link->st_uid == 0 && directory->st_uid == 0 && !others_may_write &&
               !is_on_procfs(directory_fd);
}

/* "/a/./b//../c" becomes "/a/c"; ".." at the root stays there, as in a chroot. In place. */
static void squeeze(char *path) {
        char *out = path;

        for (const char *in = path; *in != '\0';) {
                size_t n;

                in += strspn(in, "/");
                n = strcspn(in, "/");
                if (n == 0)
                        break;

                if (n == 2 && strncmp(in, "..", 2) == 0) {
                        while (out > path && *--out != '/')
                                ;
                } else if (n != 1 || *in != '.') {
                        *out++ = '/';
                        memmove(out, in, n);
                        out += n;
                }

                in += n;
        }

        if (out == path)
                *out++ = '/';
        *out = '\0';
}

/* The first length bytes of path are a link: puts the link's text in their place. */
static int splice_link(char path[static PATH_MAX], size_t length, const char *target) {
        char joined[2 * PATH_MAX];
        size_t parent = length;
        int n;

        while (parent > 0 && path[parent - 1] != '/')
                parent--;
        if (*target == '/')
                parent = 0;

        n = snprintf(joined, sizeof(joined), "/%.*s/%s%s", (int) parent, path, target, path + length);
        if (n < 0 || (size_t) n >= PATH_MAX)
                return -ENAMETOOLONG;

        memcpy(path, joined, (size_t) n + 1);
        squeeze(path);
        return 0;
}

/* Finds the first link on the way and replaces it by its text, if only root could have put it there. */
static int replace_first_link(int root_fd, char path[static PATH_MAX]) {
        _cleanup_close_ int directory = -EBADF;

        directory = fd_duplicate(root_fd);
        if (directory < 0)
                return directory;

        for (char *p = path; *p != '\0';) {
                char target[PATH_MAX], name[NAME_MAX + 1];
                _cleanup_close_ int fd = -EBADF;
                struct stat st, st_directory;
                ssize_t n;

                p += strspn(p, "/");
                if (strcspn(p, "/") > NAME_MAX)
                        return -ENAMETOOLONG;
                (void) snprintf(name, sizeof(name), "%.*s", (int) strcspn(p, "/"), p);
                p += strlen(name);
                if (*name == '\0')
                        break;

                fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0 || fstat(fd, &st) < 0 || fstat(directory, &st_directory) < 0)
                        return -errno;

                if (S_ISLNK(st.st_mode)) {
                        if (!is_trusted(&st, &st_directory, directory)) {
                                *p = '\0';
                                return -EPERM;
                        }

                        n = readlinkat(fd, "", target, sizeof(target));
                        if (n < 0)
                                return -errno;
                        if ((size_t) n >= sizeof(target))
                                return -ENAMETOOLONG;
                        target[n] = '\0';

                        return splice_link(path, (size_t) (p - path), target);
                }

                (void) safe_close(directory);
                directory = TAKE_FD(fd);
        }

        /* The link was replaced in the meantime. The next attempt sees what is there now. */
        return 0;
}

int resolve_place(int root_fd, const char *path, char ret_place[static PATH_MAX], bool *ret_has_links) {
        char *current = ret_place;
        int r;

        if (strlen(path) >= PATH_MAX)
                return -ENAMETOOLONG;
        (void) snprintf(current, PATH_MAX, "%s", path);

        for (unsigned i = 0; i <= LINKS_MAX; i++) {
                r = open_without_links(root_fd, current);
                if (r >= 0 && ret_has_links)
                        *ret_has_links = i > 0;
                if (r != -ELOOP)
                        return r;

                r = replace_first_link(root_fd, current);
                if (r < 0)
                        return r;
        }

        return -ELOOP;
}

int resolve_path(int root_fd, const char *path, bool *ret_has_links) {
        char place[PATH_MAX];

        return resolve_place(root_fd, path, place, ret_has_links);
}

int resolve_directory(int root_fd, const char *place) {
        return fd_openat2(root_fd,
                          place,
                          O_PATH | O_DIRECTORY | O_CLOEXEC,
                          0,
                          RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

int resolve_where(int fd, char ret[static PATH_MAX]) {
        char link[32];
        ssize_t size;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        size = readlink(link, ret, PATH_MAX);
        if (size < 0)
                return -errno;
        if (size >= PATH_MAX)
                return -ENAMETOOLONG;
        ret[size] = '\0';

        return 0;
}

bool resolve_refused_link(int root_fd, const char *path, uid_t seen_as, uid_t uid, char *buf, size_t size) {
        char place[PATH_MAX], *slash;
        struct stat link, directory;
        int fd;

        fd = resolve_place(root_fd, path, place, NULL);
        if (fd >= 0)
                (void) safe_close(fd);
        if (fd != -EPERM || fstatat(root_fd, place + 1, &link, AT_SYMLINK_NOFOLLOW) < 0)
                return false;

        slash = strrchr(place, '/');
        *slash = '\0';
        if (fstatat(root_fd, slash == place ? "." : place + 1, &directory, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        *slash = '/';

        if (link.st_uid == 0 && directory.st_uid == 0)
                (void) snprintf(
                        buf,
                        size,
                        "%s is a symbolic link of the kernel's, or in a directory that others may write to",
                        place);
        else {
                const bool in = directory.st_uid != 0 && directory.st_uid != link.st_uid;
                const uid_t owner = in ? directory.st_uid : link.st_uid;

                (void) snprintf(buf,
                                size,
                                "%s is a symbolic link %s user %u",
                                place,
                                in ? "in a directory of" : "of",
                                owner == seen_as ? uid : owner);
        }
        return true;
}
