/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/exec.h"

#include "base/text.h"
#include "exec/hold.h"
#include "exec/seed.h"

#include <stdio.h>

static int usage(void) {
        (void) fprintf(stderr, "This program is started by immured-keeper, not by hand.\n");
        return EXIT_FAILURE;
}

int exec_main(const Step *steps, int argc, char **argv) {
        PlanRecent recent = { .max = 1 };
        uint32_t id_block;
        int r;

        if (argc != 3)
                return usage();
        if (streq(argv[1], "--seed"))
                return seed_main(steps, argv[1], (size_t) (argv[2] + strlen(argv[2]) - argv[1]));
        if (streq(argv[1], "--hold"))
                return hold_main();
        if (parse_u32(argv[2], &id_block) < 0)
                return usage();

        r = exec_launch(steps, id_block, &recent);
        return r < 0 ? usage() : r;
}
