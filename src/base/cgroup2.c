/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cgroup2.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>

/* Root and mount point of a line of mountinfo; false unless it is a cgroup2 mount. */
static bool parse_mount(char *line, Cgroup2Mount *ret) {
        char *fields[5], *rest = line, *type;

        type = strstr(line, " - cgroup2 ");
        if (!type)
                return false;

        *type = '\0';
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                fields[i] = strsep(&rest, " ");
                if (!fields[i])
                        return false;
        }

        text_unescape_octal(fields[3]);
        text_unescape_octal(fields[4]);
        if (!path_is_normalized(fields[3]) || !path_is_normalized(fields[4]))
                return false;

        *ret = (Cgroup2Mount){ .root = fields[3], .point = fields[4] };
        return true;
}

bool cgroup2_next_mount(char **rest, Cgroup2Mount *ret) {
        for (char *line; (line = strsep(rest, "\n"));)
                if (parse_mount(line, ret))
                        return true;

        return false;
}

int cgroup2_read_mounts(char **ret) {
        return file_read_full(AT_FDCWD, "/proc/self/mountinfo", CGROUP2_PROC_FILE_MAX, ret, NULL);
}

int cgroup2_directory(const char *mountinfo, const char *group, char **ret) {
        _cleanup_free_ char *copy = NULL;
        Cgroup2Mount mount;
        char *rest;

        copy = rest = strdup(mountinfo);
        if (!copy)
                return -ENOMEM;

        while (cgroup2_next_mount(&rest, &mount)) {
                const char *below;
                char *directory;

                if (!path_is_below(group, mount.root))
                        continue;

                below = streq(mount.root, "/") ? group : group + strlen(mount.root);
                directory = text_printf(
                        "%s%s", streq(mount.point, "/") ? "" : mount.point, streq(below, "/") ? "" : below);
                if (!directory)
                        return -ENOMEM;

                *ret = directory;
                return 0;
        }

        return -ENOMEDIUM;
}

int cgroup2_group_in(const char *text, char **ret) {
        const char *path = startswith(text, "0::");
        _cleanup_free_ char *copy = NULL;

        if (!path) {
                path = strstr(text, "\n0::");
                if (!path)
                        return -ENOMEDIUM;
                path += strlen("\n0::");
        }

        copy = strndup(path, strcspn(path, "\n"));
        if (!copy)
                return -ENOMEM;
        if (!path_is_normalized(copy))
                return -ENOMEDIUM;

        *ret = TAKE_PTR(copy);
        return 0;
}

int cgroup2_own_group(char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = file_read_full(AT_FDCWD, "/proc/self/cgroup", CGROUP2_PROC_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;

        return cgroup2_group_in(text, ret);
}

bool cgroup2_find_count(const char *text, const char *name, uint64_t *ret) {
        size_t n = strlen(name);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                char number[24] = "";
                size_t length;

                line += *line == '\n' ? 1 : 0;
                if (strncmp(line, name, n) != 0 || line[n] != ' ')
                        continue;

                length = strcspn(line + n + 1, "\n");
                if (length >= sizeof(number))
                        return false;

                memcpy(number, line + n + 1, length);
                return parse_u64(number, ret) >= 0;
        }

        return false;
}
