/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/exec.h"

int main(int argc, char **argv) {
        /* Not through exit handlers: nothing is buffered, and what is mapped goes with the process. */
        _exit(exec_main(exec_steps, argc, argv));
}
