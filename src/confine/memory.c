/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/memory.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#define SYSCTL "/proc/sys/vm/memfd_noexec"

bool memory_can_be_sealed(void) { return access(SYSCTL, W_OK) == 0; }

int memory_seal(Problem *problem) {
        _cleanup_close_ int proof_fd = -EBADF;
        int r;

        /* Not 1, under which whoever asks with MFD_EXEC still gets one. */
        r = file_write_kernel(AT_FDCWD, SYSCTL, "2");
        if (r < 0)
                return problem_set(problem, r, SYSCTL);

        proof_fd = memfd_create("proof", MFD_CLOEXEC | MFD_EXEC);
        if (proof_fd >= 0 || errno != EACCES)
                return problem_set_difference(problem, "A file in memory can still be made executable");

        return 0;
}
