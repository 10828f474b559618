/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/cgroup-find.h"

#include "base/cgroup2.h"
#include "base/fd.h"

#include <fcntl.h>

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

        r = cgroup2_own_group(&path);
        if (r < 0)
                return r;

        (void) strip_keeper(path, keeper);
        *ret = TAKE_PTR(path);
        return 0;
}

int cgroup_find_unit(const char *keeper, char **ret, bool *ret_inside) {
        _cleanup_free_ char *path = NULL, *mountinfo = NULL;
        bool inside;
        int r;

        r = cgroup2_own_group(&path);
        if (r < 0)
                return r;
        inside = strip_keeper(path, keeper);

        r = file_read_full(AT_FDCWD, "/proc/self/mountinfo", CGROUP2_PROC_FILE_MAX, &mountinfo, NULL);
        if (r < 0)
                return r;

        r = cgroup2_directory(mountinfo, path, ret);
        if (r < 0)
                return r;

        *ret_inside = inside;
        return 0;
}
