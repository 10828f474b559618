/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * hostile — what a hostile program does that must start fast, as it is launched by the hundred
 *
 *   hostile fds          the descriptors it has from its first instruction on
 *   hostile exe          tries to get hold of the program that pid 1 runs, to write to it; 1: it did
 *   hostile look DIR     1: there is a canary in DIR; leaves a mark there
 *
 * Static, so that nothing but the kernel has opened anything before it.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int list_descriptors(void) {
        for (int fd = 0; fd < 65536; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        printf("%d ", fd);
        printf("\n");
        return 0;
}

/* Whatever way the program could be opened, it is opened once more to be written to. */
static int reopens(int fd) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return open(path, O_WRONLY | O_CLOEXEC) >= 0 || open(path, O_RDWR | O_TRUNC | O_CLOEXEC) >= 0;
}

static int take_program(void) {
        static const char *const paths[] = {
                "/proc/1/exe", "/proc/1/task/1/exe",      "/proc/1/map_files",
                "/proc/1/mem", "/proc/1/root/proc/1/exe",
        };
        static const int ways[] = { O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_WRONLY | O_TRUNC };
        char target[64];

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
                for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++) {
                        int fd = open(paths[i], ways[k] | O_CLOEXEC);

                        /* A directory that cannot be listed holds nothing. */
                        if (fd >= 0 && !strstr(paths[i], "map_files") &&
                            (ways[k] != O_PATH || !strstr(paths[i], "mem") || reopens(fd))) {
                                printf("%s, way %zu\n", paths[i], k);
                                return 1;
                        }
                }

        return readlink("/proc/1/exe", target, sizeof(target)) >= 0;
}

static int look(const char *directory) {
        char path[256];
        struct stat st;

        snprintf(path, sizeof(path), "%s/secret", directory);
        if (stat(path, &st) == 0)
                return 1;
        snprintf(path, sizeof(path), "%s/mark", directory);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        return 0;
}

int main(int argc, char **argv) {
        if (argc > 1 && strcmp(argv[1], "fds") == 0)
                return list_descriptors();
        if (argc > 1 && strcmp(argv[1], "exe") == 0)
                return take_program();
        if (argc > 2 && strcmp(argv[1], "look") == 0)
                return look(argv[2]);

        return 2;
}
