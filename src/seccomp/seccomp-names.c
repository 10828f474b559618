/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/seccomp-names.h"

#include <seccomp.h>

/*
 * System calls that the oldest libseccomp we run with does not know. Accepting their names keeps one set of group
 * files good for every version. Where libseccomp has no number for them they answer ENOSYS, which every caller of a
 * call that young has to expect.
 */
static const char *const young_syscalls[] = {
        "cachestat",         "fchmodat2",        "file_getattr",
        "file_setattr",      "futex_requeue",    "futex_wait",
        "futex_waitv",       "futex_wake",       "getxattrat",
        "listmount",         "listns",           "listxattrat",
        "lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr",
        "map_shadow_stack",  "memfd_secret",     "mseal",
        "open_tree_attr",    "process_mrelease", "quotactl_fd",
        "removexattrat",     "riscv_hwprobe",    "set_mempolicy_home_node",
        "setxattrat",        "statmount",        "uprobe",
        "uretprobe",
};

/* Removed before Linux 6.1, or never there but by number. A program that asks for one has another way. */
static const char *const gone_syscalls[] = {
        "_sysctl",       "afs_syscall",   "bdflush",        "break",
        "create_module", "epoll_ctl_old", "epoll_wait_old", "get_kernel_syms",
        "getpmsg",       "gtty",          "idle",           "lock",
        "mpx",           "nfsservctl",    "prof",           "profil",
        "putpmsg",       "query_module",  "security",       "stty",
        "tuxcall",       "ulimit",        "vserver",
};

const char *const syscalls_always[] = {
        "execve",       "execveat",        "exit", "exit_group",
        "read",         "restart_syscall", /* a read that a signal interrupted continues with it */
        "rt_sigreturn", "write",           NULL,
};

int syscall_number(const char *name) {
        int number = seccomp_syscall_resolve_name(name);

        if (number >= 0)
                return number < SYSCALL_NUMBER_MAX ? number : -ENOSYS;
        if (number != __NR_SCMP_ERROR)
                return -ENOSYS; /* libseccomp's pseudo number for a call that only other ABIs have */

        for (size_t i = 0; i < ELEMENTSOF(young_syscalls); i++)
                if (streq(young_syscalls[i], name))
                        return -ENOSYS;

        return -EINVAL;
}

bool syscall_number_is_known(int number) {
        _cleanup_free_ char *name = NULL;

        name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        for (size_t i = 0; name && i < ELEMENTSOF(gone_syscalls); i++)
                if (streq(gone_syscalls[i], name))
                        return false;

        return name != NULL;
}
