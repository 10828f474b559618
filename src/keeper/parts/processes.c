/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/processes.h"

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "keeper/parts/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#define CGROUPS_MAX 256

DEFINE_CLEANUP(DIR *, closedir);

char *processes_command(const char *cmdline, size_t size, const char *comm) {
        _cleanup_free_ char *line = NULL;

        while (size > 0 && cmdline[size - 1] == '\0')
                size--;
        if (size == 0)
                line = text_printf("[%s]", comm);
        else {
                line = calloc(1, size + 1);
                for (size_t i = 0; line && i < size; i++)
                        line[i] = cmdline[i] ?: ' ';
        }

        return line ? text_escape(line) : NULL;
}

static ssize_t read_at(int dir_fd, const char *file, char *buffer, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        n = read(fd, buffer, size);
        return n < 0 ? -errno : n;
}

/*
 * A pid may be given to another process after it was read from cgroup.procs. Its directory in /proc stays that of the
 * process it was opened for, so whoever is still in the list when that is open is the one that is shown.
 */
static int append_process(sd_bus_message *m, int cgroup_fd, const char *group, pid_t pid) {
        char path[32], comm[64] = "", cmdline[PROCESS_COMMAND_MAX];
        _cleanup_free_ char *command = NULL;
        _cleanup_close_ int dir = -EBADF;
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%d", pid);
        dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return 0;

        if (!cgroup_has_process(cgroup_fd, pid) || read_at(dir, "comm", comm, sizeof(comm) - 1) < 0)
                return 0;

        comm[strcspn(comm, "\n")] = '\0';
        n = read_at(dir, "cmdline", cmdline, sizeof(cmdline));
        command = processes_command(cmdline, n > 0 ? (size_t) n : 0, comm);
        if (!command)
                return -ENOMEM;

        return sd_bus_message_append(m, "(sus)", group, (uint32_t) pid, command);
}

static int append_members(sd_bus_message *m, int cgroup_fd, const char *group, size_t *n) {
        _cleanup_free_ char *procs = NULL;
        pid_t pid;
        int r = 0;

        /* Gone, or too long to be shown. */
        if (file_read_full(cgroup_fd, "cgroup.procs", CGROUP_PROCS_SIZE_MAX, &procs, NULL) < 0)
                return 0;

        for (char *rest = procs; r >= 0 && *n < PROCESSES_MAX && (pid = cgroup_next_process(&rest)) > 0;
             (*n)++)
                r = append_process(m, cgroup_fd, group, pid);

        return r;
}

/* The cgroups below this one, behind those already known. The descriptor stays the caller's. */
static int add_children(int cgroup_fd, const char *group, char ***groups) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int fd;

        fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                (void) safe_close(fd);
                return 0;
        }

        while ((entry = readdir(dir))) {
                char *path;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
                    strv_length(*groups) >= CGROUPS_MAX)
                        continue;

                path = text_printf("%s/%s", streq(group, "/") ? "" : group, entry->d_name);
                if (!path || strv_consume(groups, path) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int append_all(sd_bus_message *m, int cgroup_fd) {
        _cleanup_strv_ char **groups = NULL;
        size_t n = 0;
        int r;

        r = strv_extend(&groups, "/");
        for (size_t i = 0; r >= 0 && groups[i]; i++) {
                _cleanup_close_ int fd = openat(cgroup_fd,
                                                i == 0 ? "." : groups[i] + 1,
                                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0)
                        continue;

                r = append_members(m, fd, groups[i], &n);
                if (r >= 0)
                        r = add_children(fd, groups[i], &groups);
        }

        return r;
}

int processes_append(sd_bus_message *m, int cgroup_fd) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(sus)");
        if (r >= 0 && cgroup_fd >= 0)
                r = append_all(m, cgroup_fd);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Names, not command lines: the kernel has the name, but would page the command line in, from wherever it lies. */
static int add_name(char ***names, pid_t pid) {
        char path[32], comm[64] = "";
        _cleanup_free_ char *escaped = NULL, *name = NULL;

        (void) snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        if (read_at(AT_FDCWD, path, comm, sizeof(comm) - 1) < 0)
                return 0;

        comm[strcspn(comm, "\n")] = '\0';
        escaped = text_escape(comm);
        name = escaped ? text_printf("%d %s", pid, escaped) : NULL;
        return name ? strv_consume(names, TAKE_PTR(name)) : -ENOMEM;
}

int processes_names(int cgroup_fd, size_t max, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *procs = NULL;
        pid_t pid;
        int r;

        r = file_read_full(cgroup_fd, "cgroup.procs", CGROUP_PROCS_SIZE_MAX, &procs, NULL);
        if (r < 0)
                return r;

        for (char *rest = procs; strv_length(names) < max && (pid = cgroup_next_process(&rest)) > 0;) {
                r = add_name(&names, pid);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(names);
        return 0;
}
