/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target once over each file that is named, and over all files of each directory. */

#include "fuzz.h"

#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define INPUT_MAX (8U * 1024 * 1024)

static unsigned n_inputs;

static void run_file(int dir_fd, const char *name) {
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ uint8_t *exact = NULL;
        size_t size = 0;

        fprintf(stderr, "%s\n", name);
        must(file_read_full(dir_fd, name, INPUT_MAX, &text, &size) == 0);

        /* Without the NUL that the reader adds: an address sanitizer shall see every byte too far. */
        exact = malloc(size ?: 1);
        must(exact);
        memcpy(exact, text, size);
        (void) LLVMFuzzerTestOneInput(exact, size);
        n_inputs++;
}

static void run_directory(const char *path) {
        struct dirent **entries = NULL;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int n;

        must(fd >= 0);
        n = scandirat(fd, ".", &entries, NULL, alphasort);
        must(n >= 0);
        for (int i = 0; i < n; i++) {
                struct stat st;

                if (fstatat(fd, entries[i]->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
                        run_file(fd, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                struct stat st;

                must(stat(argv[i], &st) == 0);
                if (S_ISDIR(st.st_mode))
                        run_directory(argv[i]);
                else
                        run_file(AT_FDCWD, argv[i]);
        }

        printf("%u inputs\n", n_inputs);
        return n_inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
