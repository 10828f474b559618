/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/exec.h"

int main(int argc, char **argv) {
        /* Without exit handlers: nothing is buffered, and memory goes with the process. */
        _exit(exec_main(exec_steps, argc, argv));
}
