/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/cgroup-find.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>

#define PROC_FILE_MAX (4U * 1024 * 1024)

/* This process's cgroup in the unified hierarchy: the line "0::/…". */
static int own_cgroup(char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = file_read_full(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;

        for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
                const char *path = startswith(line, "0::");
                char *copy;

                if (!path)
                        continue;
                if (!path_is_normalized(path))
                        return -ENOMEDIUM;

                copy = strdup(path);
                if (!copy)
                        return -ENOMEM;

                *ret = copy;
                return 0;
        }

        return -ENOMEDIUM;
}

/* Cuts a last component named keeper off; true if there was one. "/keeper" alone becomes "/". */
static bool strip_keeper(char *path, const char *keeper) {
        char *slash = strrchr(path, '/');

        if (!slash || !streq(slash + 1, keeper))
                return false;

        slash[slash == path ? 1 : 0] = '\0';
        return true;
}

int cgroup_find_unit_path(const char *keeper, char **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = own_cgroup(&path);
        if (r < 0)
                return r;

        (void) strip_keeper(path, keeper);
        *ret = TAKE_PTR(path);
        return 0;
}

/* proc(5) writes blanks and backslashes in paths as \ooo. */
static void unescape_octal(char *s) {
        char *to = s;

        for (const char *from = s; *from; to++) {
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
                        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }

        *to = '\0';
}

/* Root and mount point of one line of mountinfo, where it is a cgroup2 mount. */
static bool parse_mount(char *line, char **ret_root, char **ret_point) {
        char *fields[5], *rest = line, *type;

        type = strstr(line, " - cgroup2 ");
        if (!type)
                return false;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                fields[i] = strsep(&rest, " ");
                if (!fields[i])
                        return false;
        }

        unescape_octal(fields[3]);
        unescape_octal(fields[4]);
        *ret_root = fields[3];
        *ret_point = fields[4];
        return true;
}

int cgroup_directory_from_mountinfo(const char *mountinfo, const char *cgroup, char **ret) {
        _cleanup_free_ char *copy = NULL;
        char *rest, *root, *point;

        copy = rest = strdup(mountinfo);
        if (!copy)
                return -ENOMEM;

        for (char *line; (line = strsep(&rest, "\n"));) {
                const char *below;
                char *directory;

                if (!parse_mount(line, &root, &point) || !path_is_normalized(root) ||
                    !path_is_below(cgroup, root))
                        continue;

                below = streq(root, "/") ? cgroup : cgroup + strlen(root);
                directory =
                        text_printf("%s%s", streq(point, "/") ? "" : point, streq(below, "/") ? "" : below);
                if (!directory)
                        return -ENOMEM;

                *ret = directory;
                return 0;
        }

        return -ENOMEDIUM;
}

int cgroup_find_unit(const char *keeper, char **ret, bool *ret_inside) {
        _cleanup_free_ char *path = NULL, *mountinfo = NULL;
        bool inside;
        int r;

        r = own_cgroup(&path);
        if (r < 0)
                return r;
        inside = strip_keeper(path, keeper);

        r = file_read_full(AT_FDCWD, "/proc/self/mountinfo", PROC_FILE_MAX, &mountinfo, NULL);
        if (r < 0)
                return r;

        r = cgroup_directory_from_mountinfo(mountinfo, path, ret);
        if (r < 0)
                return r;

        *ret_inside = inside;
        return 0;
}
