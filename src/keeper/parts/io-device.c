/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "keeper/parts/io-device.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* A partition's limits are those of its disk, which sysfs has as its parent; anything else is a disk itself. */
static int whole_disk(dev_t device, char **ret) {
        char path[64];
        char *number;

        (void) snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(device), minor(device));
        if (access(path, F_OK) >= 0) {
                (void) snprintf(
                        path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major(device), minor(device));
                return file_read_line(AT_FDCWD, path, ret);
        }

        number = text_printf("%u:%u", major(device), minor(device));
        if (!number)
                return -ENOMEM;

        *ret = number;
        return 0;
}

int io_limit_resolve(const char *value, char **ret) {
        _cleanup_free_ char *path = NULL, *number = NULL;
        const char *limits = strchr(value, ' ');
        struct stat st;
        char *resolved;
        dev_t device;
        int r;

        if (*value != '/' || !limits)
                return -EINVAL;

        path = strndup(value, (size_t) (limits - value));
        if (!path)
                return -ENOMEM;
        if (stat(path, &st) < 0)
                return -errno;

        /* A file system without one disk of its own, such as tmpfs or one over several, has a number with major 0. */
        device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
        if (major(device) == 0)
                return -ENODEV;

        r = whole_disk(device, &number);
        if (r < 0)
                return r;

        resolved = text_printf("%s%s", number, limits);
        if (!resolved)
                return -ENOMEM;

        *ret = resolved;
        return 0;
}
