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

int seccomp_load(const Plan *plan, Problem *problem) {
        const size_t n = plan->n_seccomp / sizeof(struct sock_filter);
        const struct sock_fprog program = {
                .len = (unsigned short) n,
                .filter = (struct sock_filter *) (void *) plan->seccomp,
        };

        if (n == 0) {
                if (strv_contains(plan->degrade, "seccomp"))
                        return 0;
                return problem_set_layer(problem, -ENODATA, "seccomp: the plan has no system call filter");
        }

        if (n > BPF_MAXINSNS || plan->n_seccomp % sizeof(struct sock_filter) != 0)
                return problem_set(problem, -EINVAL, "Filter of %zu bytes", plan->n_seccomp);

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
