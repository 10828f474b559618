/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* immurectl — the command line of immured; it does nothing that another client on the bus could not do */

#include "ctl/verb.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>

/* If the caller has closed a standard stream, the next file we open must not get its number. */
static int ensure_standard_streams(void) {
        int fd;

        do {
                fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
                if (fd < 0)
                        return -errno;
        } while (fd <= STDERR_FILENO);

        (void) close(fd);
        return 0;
}

int main(int argc, char **argv) {
        int r;

        setlocale(LC_CTYPE, "");

        r = ensure_standard_streams();
        if (r < 0)
                return EXIT_FAILURE;

        return verb_dispatch(argc, argv);
}
