/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/state.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/resolve.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>

#define NAME_BUFFER (NAME_MAX + 1)

static const char *const roots[] = { PLAN_STATE_ROOT, PLAN_CACHE_ROOT };

/* Takes the next name off a path; false at its end. A name that is too long comes out empty, and opening it fails. */
static bool next_name(const char **path, char ret[static NAME_BUFFER]) {
        size_t n;

        *path += strspn(*path, "/");
        n = strcspn(*path, "/");
        if (n == 0)
                return false;

        (void) snprintf(ret, NAME_BUFFER, "%.*s", n > NAME_MAX ? 0 : (int) n, *path);
        *path += n;
        return true;
}

/* Never through a link, and never out of the directory. */
static int open_below(int parent_fd, const char *name, uint64_t flags) {
        return fd_openat2(parent_fd,
                          name,
                          flags | O_NOFOLLOW | O_CLOEXEC,
                          0,
                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static int open_or_make(int parent_fd, const char *name, mode_t mode) {
        if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
                return -errno;

        return open_below(parent_fd, name, O_PATH | O_DIRECTORY);
}

static int check_roots_alone(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;

        return st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

/* It is made as root's and given away here, so that a crash in between leaves nothing that anybody else could use. */
static int give_to_user(int fd, uint32_t uid, uint32_t gid) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_uid == uid)
                return 0;
        if (st.st_uid != 0)
                return -EPERM;

        return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* /var/lib/immured is made by systemd-tmpfiles; here it is made on machines without. */
static int open_root(int root_fd, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_close_ int parent = -EBADF;
        char above[PATH_MAX];
        int fd;

        fd = resolve_path(root_fd, path, NULL);
        if (fd != -ENOENT)
                return fd;

        (void) snprintf(above, sizeof(above), "%.*s", (int) (slash - path), path);
        parent = resolve_path(root_fd, above, NULL);
        return parent < 0 ? parent : open_or_make(parent, slash + 1, 0755);
}

static int state_walk(int root_fd, const char *root, const char *rest, uint32_t uid, uint32_t gid) {
        _cleanup_close_ int fd = -EBADF;
        char name[NAME_BUFFER];
        int r;

        fd = open_root(root_fd, root);
        if (fd < 0)
                return fd;

        while (next_name(&rest, name)) {
                int next;

                r = check_roots_alone(fd);
                if (r < 0)
                        return r;
                next = open_or_make(fd, name, 0700);
                if (next < 0)
                        return next;

                (void) safe_close(fd);
                fd = next;
        }

        r = give_to_user(fd, uid, gid);
        return r < 0 ? r : TAKE_FD(fd);
}

int state_open(int root_fd, const PlanNode *node, uint32_t uid, uint32_t gid, Problem *problem) {
        for (size_t i = 0; i < ELEMENTSOF(roots); i++) {
                int fd;

                if (!path_is_below(node->source, roots[i]) || streq(node->source, roots[i]))
                        continue;

                fd = state_walk(root_fd, roots[i], node->source + strlen(roots[i]), uid, gid);
                if (fd == -EPERM)
                        return problem_set(problem,
                                           fd,
                                           "%s, or a directory above it, belongs to somebody else",
                                           node->source);
                return fd < 0 ? problem_set(problem, fd, "%s", node->source) : fd;
        }

        return problem_set(problem, -EINVAL, "%s", node->source);
}

static int make_file(int parent_fd, const char *name) {
        _cleanup_close_ int fd = -EBADF;

        fd = openat(parent_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
                return -errno;

        return 0;
}

int state_make_place(int state_fd, const char *path, bool is_directory) {
        _cleanup_close_ int fd = -EBADF;
        char name[NAME_BUFFER];

        fd = fd_duplicate(state_fd);
        if (fd < 0)
                return fd;

        while (next_name(&path, name)) {
                int next;

                if (*path == '\0' && !is_directory)
                        return make_file(fd, name);

                next = open_or_make(fd, name, 0700);
                if (next < 0)
                        return next;

                (void) safe_close(fd);
                fd = next;
        }

        return 0;
}
