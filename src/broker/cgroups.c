/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/cgroups.h"

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define MOUNTINFO_MAX (16U * 1024 * 1024)
#define SMALL_FILE_MAX (64U * 1024)

DEFINE_CLEANUP(DIR *, closedir);

/* proc(5) writes blanks, tabs, newlines and backslashes in paths as three octal digits. */
static void unescape_octal(char *s) {
        char *to = s;

        for (const char *from = s; *from; to++)
                if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
                        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;

        *to = '\0';
}

/* The mount point of one line of mountinfo if its type is cgroup2: field 5, and the word behind " - ". */
static const char *mount_point_of(char *line) {
        char *separator = strstr(line, " - "), *field = line, *end;

        if (!separator || !startswith(separator + 3, "cgroup2 "))
                return NULL;

        for (unsigned i = 0; i < 4; i++) {
                field = strchr(field, ' ');
                if (!field)
                        return NULL;
                field++;
        }

        end = strchr(field, ' ');
        if (!end || end > separator)
                return NULL;

        *end = '\0';
        unescape_octal(field);
        return field;
}

int cgroup_find_mount_in(const char *mountinfo, char **ret) {
        _cleanup_free_ char *copy = strdup(mountinfo);
        char *state = NULL;

        if (!copy)
                return -ENOMEM;

        for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *point = mount_point_of(line);
                char *found;

                if (!point)
                        continue;

                found = strdup(point);
                if (!found)
                        return -ENOMEM;

                *ret = found;
                return 0;
        }

        return -ENOENT;
}

int cgroup_find_mount(char **ret) {
        _cleanup_free_ char *mountinfo = NULL;
        int r;

        r = file_read_full(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mountinfo, NULL);
        if (r < 0)
                return r;

        return cgroup_find_mount_in(mountinfo, ret);
}

int cgroup_find_own(const char *mount, char **ret) {
        _cleanup_free_ char *text = NULL;
        char *state = NULL, *path;
        int r;

        r = file_read_full(AT_FDCWD, "/proc/self/cgroup", SMALL_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *group = startswith(line, "0::");

                if (!group)
                        continue;

                path = streq(group, "/") ? strdup(mount) : text_printf("%s%s", mount, group);
                if (!path)
                        return -ENOMEM;

                *ret = path;
                return 0;
        }

        return -ENOENT;
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

/* The value behind "NAME " at the start of a line. */
static const char *find_value(char *text, const char *name) {
        char *state = NULL;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *rest = name ? startswith(line, name) : line;

                if (!rest)
                        continue;
                if (!name)
                        return rest;
                if (*rest == ' ')
                        return rest + 1;
        }

        return NULL;
}

/* pidfd_open(2): the kernel tells the pid in fdinfo, and -1 once the process is gone; 0: not in our namespace. */
static int pid_of_pidfd(int pidfd, uint32_t *ret) {
        _cleanup_free_ char *path = NULL, *text = NULL, *number = NULL;
        const char *line;
        int r;

        path = text_printf("/proc/self/fdinfo/%d", pidfd);
        if (!path)
                return -ENOMEM;

        /* Other kinds of descriptors may have more to tell than fits: not what we look for either. */
        r = file_read_full(AT_FDCWD, path, SMALL_FILE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADF;

        line = strstr(text, "\nPid:\t");
        if (!line)
                return -EBADF;
        line += strlen("\nPid:\t");
        number = strndup(line, strcspn(line, "\n"));
        if (!number)
                return -ENOMEM;

        return parse_u32(number, ret) < 0 || *ret == 0 ? -ESRCH : 0;
}

int cgroup_of_pidfd(int pidfd, char **ret) {
        _cleanup_free_ char *path = NULL, *text = NULL, *group = NULL;
        const char *line;
        uint32_t pid, again;
        int r;

        r = pid_of_pidfd(pidfd, &pid);
        if (r < 0)
                return r;

        path = text_printf("/proc/%u/cgroup", pid);
        if (!path)
                return -ENOMEM;
        r = file_read_full(AT_FDCWD, path, SMALL_FILE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;

        /* Still the same process: so what was read is not of a later one with its number. */
        r = pid_of_pidfd(pidfd, &again);
        if (r < 0)
                return r;

        line = startswith(text, "0::") ?: strstr(text, "\n0::");
        if (!line)
                return -ESRCH;
        line += *line == '\n' ? strlen("\n0::") : 0;
        group = strndup(line, strcspn(line, "\n"));
        if (!group)
                return -ENOMEM;

        *ret = TAKE_PTR(group);
        return 0;
}

int cgroup_read_u64(
        const char *mount, const char *group, const char *file, const char *name, uint64_t *ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *value;
        int r;

        path = text_printf("%s%s/%s", mount, group, file);
        if (!path)
                return -ENOMEM;

        r = file_read_full(AT_FDCWD, path, SMALL_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;

        value = find_value(text, name);
        return value ? parse_u64(value, ret) : -ENODATA;
}
