/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * immured-keeper — keeps the sandboxes of one user
 */

#include "base/log.h"
#include "base/text.h"
#include "keeper/keeper.h"

#include <getopt.h>
#include <stdio.h>

typedef struct Arguments {
        uid_t uid;
        bool uid_set;
        const char *cgroup;
        const char *exec;
} Arguments;

static int parse_arguments(int argc, char **argv, Arguments *ret) {
        static const struct option options[] = {
                { "uid", required_argument, NULL, 'u' },
                { "cgroup", required_argument, NULL, 'c' },
                { "exec", required_argument, NULL, 'e' },
                {},
        };
        Arguments a = { .exec = LIBEXECDIR "/immured-exec" };
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                switch (c) {
                case 'u':
                        if (parse_id(optarg, &a.uid) < 0)
                                return -EINVAL;
                        a.uid_set = true;
                        break;
                case 'c':
                        a.cgroup = optarg;
                        break;
                case 'e':
                        a.exec = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        }

        if (!a.uid_set || optind != argc)
                return -EINVAL;

        *ret = a;
        return 0;
}

int main(int argc, char **argv) {
        _cleanup_(keeper_freep) Keeper *keeper = NULL;
        Arguments arguments;

        log_open("immured-keeper", getenv("JOURNAL_STREAM") != NULL);
        if (parse_arguments(argc, argv, &arguments) < 0) {
                (void) fprintf(stderr,
                               "Usage: immured-keeper --uid=UID [--cgroup=DIRECTORY] [--exec=PROGRAM]\n");
                return 2;
        }

        if (keeper_new(&keeper, arguments.uid, arguments.cgroup, arguments.exec) < 0)
                return EXIT_FAILURE;

        return keeper_run(keeper) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
