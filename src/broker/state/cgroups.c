/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/cgroups.h"

#include "base/cgroup2.h"
#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define SMALL_FILE_MAX (64U * 1024)

static DEFINE_CLEANUP(DIR *, closedir);

int cgroup_find_mount(char **ret) {
        _cleanup_free_ char *mountinfo = NULL;
        Cgroup2Mount mount;
        char *point;
        int r;

        r = cgroup2_read_mounts(&mountinfo);
        if (r < 0)
                return r;

        if (!cgroup2_next_mount(&(char *){ mountinfo }, &mount))
                return -ENOMEDIUM;

        point = strdup(mount.point);
        if (!point)
                return -ENOMEM;

        *ret = point;
        return 0;
}

int cgroup_find_own(const char *mount, char **ret) {
        _cleanup_free_ char *group = NULL;
        char *path;
        int r;

        r = cgroup2_own_group(&group);
        if (r < 0)
                return r;

        path = streq(group, "/") ? strdup(mount) : text_printf("%s%s", mount, group);
        if (!path)
                return -ENOMEM;

        *ret = path;
        return 0;
}

/* Every controller that is there, handed to the children. A group with processes of its own cannot: EBUSY. */
static void hand_down_controllers(int dir_fd) {
        _cleanup_free_ char *line = NULL;
        char *state = NULL;

        if (file_read_line(dir_fd, "cgroup.controllers", &line) < 0)
                return;

        for (char *name = strtok_r(line, " ", &state); name; name = strtok_r(NULL, " ", &state)) {
                _cleanup_free_ char *word = text_printf("+%s", name);

                if (word)
                        (void) file_write_kernel(dir_fd, "cgroup.subtree_control", word);
        }
}

#define KEEPER_LEVELS 3
typedef char LevelNames[KEEPER_LEVELS][64];

static void name_levels(unsigned uid, LevelNames ret) {
        (void) snprintf(ret[0], sizeof(ret[0]), "immured.slice");
        (void) snprintf(ret[1], sizeof(ret[1]), "immured-%u.slice", uid);
        (void) snprintf(ret[2], sizeof(ret[2]), "immured-user@%u.service", uid);
}

int cgroup_path_for_keeper(const char *root, unsigned uid, char **ret) {
        LevelNames names;
        char *path;

        name_levels(uid, names);
        path = text_printf("%s/%s/%s/%s", root, names[0], names[1], names[2]);
        if (!path)
                return -ENOMEM;

        *ret = path;
        return 0;
}

int cgroup_make_for_keeper(const char *root, unsigned uid) {
        _cleanup_close_ int dir = -EBADF;
        LevelNames names;

        dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;

        name_levels(uid, names);
        for (size_t i = 0; i < KEEPER_LEVELS; i++) {
                int child;

                hand_down_controllers(dir);
                if (mkdirat(dir, names[i], 0755) < 0 && errno != EEXIST)
                        return -errno;

                child = openat(dir, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child < 0)
                        return -errno;

                (void) safe_close(dir);
                dir = child;
        }

        return TAKE_FD(dir);
}

bool cgroup_has_processes(const char *path, const char *child) {
        _cleanup_free_ char *file = text_printf("%s/%s/cgroup.procs", path, child), *first = NULL;

        return file && file_read_line(AT_FDCWD, file, &first) >= 0 && first[0] != '\0';
}

static int remove_children(const char *path) {
        _cleanup_(closedirp) DIR *d = opendir(path);
        int result = 0;

        if (!d)
                return errno == ENOENT ? 0 : -errno;

        for (struct dirent *e; (e = readdir(d));) {
                if (e->d_type != DT_DIR || streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                        result = -errno;
        }

        return result;
}

/* The slices stay where other keepers are in them. */
static void remove_slices(const char *path) {
        _cleanup_free_ char *parent = strdup(path);

        for (unsigned i = 0; parent && i < KEEPER_LEVELS - 1; i++) {
                char *slash = strrchr(parent, '/');

                if (!slash)
                        return;

                *slash = '\0';
                (void) rmdir(parent);
        }
}

int cgroup_clear(const char *path) {
        _cleanup_free_ char *kill_file = text_printf("%s/cgroup.kill", path);
        int r;

        if (!kill_file)
                return -ENOMEM;

        r = remove_children(path);
        if (r >= 0 && rmdir(path) < 0)
                r = -errno;
        if (r == -EBUSY)
                (void) file_write_kernel(AT_FDCWD, kill_file, "1");
        if (r < 0 && r != -ENOENT)
                return r;

        remove_slices(path);
        return 0;
}

int cgroup_of_process(pid_t pid, char **ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        int r;

        path = text_printf("/proc/%d/cgroup", pid);
        if (!path)
                return -ENOMEM;
        r = file_read_full(AT_FDCWD, path, SMALL_FILE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;

        r = cgroup2_group_in(text, ret);
        return r == -ENOMEDIUM ? -ESRCH : r;
}

/* Of a group, "/a/b", below the mount. Caller frees. */
static int read_group_file(const char *mount, const char *group, const char *file, char **ret) {
        _cleanup_free_ char *path = text_printf("%s%s/%s", mount, group, file);

        return path ? file_read_full(AT_FDCWD, path, SMALL_FILE_MAX, ret, NULL) : -ENOMEM;
}

int cgroup_read_u64(
        const char *mount, const char *group, const char *file, const char *name, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_group_file(mount, group, file, &text);
        if (r < 0)
                return r;
        if (name)
                return cgroup2_find_count(text, name, ret) ? 0 : -ENODATA;

        text[strcspn(text, "\n")] = '\0';
        return parse_u64(text, ret);
}

int cgroup_sum_u64(const char *mount, const char *group, const char *file, const char *name, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        char *state = NULL;
        uint64_t sum = 0;
        size_t n = 0;
        int r;

        r = read_group_file(mount, group, file, &text);
        if (r < 0)
                return r;

        for (char *word = strtok_r(text, " \n", &state); word; word = strtok_r(NULL, " \n", &state)) {
                const char *value = startswith(word, name);
                uint64_t number;

                if (!value || *value != '=' || parse_u64(value + 1, &number) < 0)
                        continue;
                if (__builtin_add_overflow(sum, number, &sum))
                        return -ERANGE;
                n++;
        }
        if (n == 0)
                return -ENODATA;

        *ret = sum;
        return 0;
}
