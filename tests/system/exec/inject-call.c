/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inject-call.h"

#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)
int inject_skip_call(pid_t pid) {
        return (int) ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1L);
}

int inject_answer_call(pid_t pid, int error) {
        return (int) ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), (long) -error);
}
#elif defined(__aarch64__)
int inject_skip_call(pid_t pid) {
        int nothing = -1;
        struct iovec iov = { &nothing, sizeof(nothing) };

        return (int) ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &iov);
}

int inject_answer_call(pid_t pid, int error) {
        struct user_regs_struct regs;
        struct iovec iov = { &regs, sizeof(regs) };

        if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) < 0)
                return -1;
        regs.regs[0] = (unsigned long long) -error;
        return (int) ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov);
}
#endif
