/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/seccomp.h"

#include "base/strv.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int seccomp_no_new_privileges(Problem *problem) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return problem_set(problem, -errno, "PR_SET_NO_NEW_PRIVS");

        return 0;
}

/*
 * Before the plan's own program, which looks at the ABI: a call of another one that has this number is refused here
 * instead of killed there.
 */
static const struct sock_filter refuse_memfd[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

int seccomp_load(const Plan *plan, bool no_memfd, Problem *problem) {
        const size_t n_before = no_memfd ? ELEMENTSOF(refuse_memfd) : 0;
        const size_t n = plan->n_seccomp / sizeof(struct sock_filter);
        _cleanup_free_ struct sock_filter *instructions = NULL;
        struct sock_fprog program;

        if (n == 0) {
                if (!no_memfd && strv_contains(plan->degrade, "seccomp"))
                        return 0;
                return problem_set_layer(problem, -ENODATA, "seccomp: the plan has no system call filter");
        }

        if (n_before + n > BPF_MAXINSNS || plan->n_seccomp % sizeof(struct sock_filter) != 0)
                return problem_set(problem, -EINVAL, "Filter of %zu bytes", plan->n_seccomp);

        instructions = calloc(n_before + n, sizeof(*instructions));
        if (!instructions)
                return problem_set(problem, -ENOMEM, "Filter");
        memcpy(instructions, refuse_memfd, n_before * sizeof(*instructions));
        memcpy(instructions + n_before, plan->seccomp, plan->n_seccomp);
        program = (struct sock_fprog){ .len = (unsigned short) (n_before + n), .filter = instructions };

        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
                /*
                 * ENOSYS: a kernel without CONFIG_SECCOMP. Without CONFIG_SECCOMP_FILTER alone it is EINVAL, which a
                 * bad filter gives too.
                 */
                if (errno == ENOSYS)
                        return problem_set_layer(problem, -errno, "seccomp: not in this kernel");
                return problem_set(problem, -errno, "SECCOMP_SET_MODE_FILTER");
        }

        return 0;
}
