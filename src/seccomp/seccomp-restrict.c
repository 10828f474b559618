/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/seccomp-restrict.h"

#include "profile/call-constants.h"
#include "seccomp/seccomp-names.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * The positions of the arguments below were checked for these ABIs, and that none of the calls is multiplexed
 * (socketcall, ipc). On another ABI a rule could silently look at the wrong argument.
 */
#if !defined(__x86_64__) && !defined(__aarch64__) && !(defined(__riscv) && __riscv_xlen == 64)
#error "seccomp-restrict.c: check the arguments of clone, mmap and the multiplexed calls for this ABI first"
#endif

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* O_TMPFILE contains O_DIRECTORY; this bit alone makes the kernel use the mode. */
#define O_TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

#define PERSONALITY_QUERY UINT32_MAX
#define SCHED_RESET_ON_FORK_BIT UINT32_C(0x40000000)

/* Which settings a row belongs to. */
typedef enum Restriction {
        RESTRICT_ALWAYS = 1U << 0,
        RESTRICT_NAMESPACES = 1U << 1,
        RESTRICT_PERSONALITY = 1U << 2,
        RESTRICT_REALTIME = 1U << 3,
        RESTRICT_SUID_SGID = 1U << 4,
        RESTRICT_WRITE_EXECUTE = 1U << 5,
        RESTRICT_CLONE3 = 1U << 6,
} Restriction;

/* Refuses a call where all of when[] holds; with n_when 0, always. */
typedef struct RefuseRow {
        unsigned restriction;
        const char *syscall;
        int error;
        unsigned n_when;
        struct scmp_arg_cmp when[2];
} RefuseRow;

/*
 * All of these values are in the lower 32 bits of their argument, and most of these calls read no more than that. So
 * only the lower half is compared: a rule on the whole register could be dodged with garbage in the upper half.
 */
#define IS(n, value) \
        { .arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = (uint32_t) (value) }
#define HAS(n, bits) \
        { .arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (uint32_t) (bits), .datum_b = (uint32_t) (bits) }

/* clang-format off */
static const RefuseRow refuse_rows[] = {
        /* Its flags are in memory, which no filter can read; libc falls back to clone(2). */
        { RESTRICT_CLONE3,        "clone3",        ENOSYS, 0, {} },
        /* Would type into the terminal of whoever started us. */
        { RESTRICT_ALWAYS,        "ioctl",         EPERM,  1, { IS(1, TIOCSTI) } },
        { RESTRICT_ALWAYS,        "ioctl",         EPERM,  1, { IS(1, TIOCLINUX) } },

        { RESTRICT_NAMESPACES,    "clone",         EPERM,  1, { HAS(0, CLONE_NEWNS) } },
        { RESTRICT_NAMESPACES,    "clone",         EPERM,  1, { HAS(0, CLONE_NEWCGROUP) } },
        { RESTRICT_NAMESPACES,    "clone",         EPERM,  1, { HAS(0, CLONE_NEWUTS) } },
        { RESTRICT_NAMESPACES,    "clone",         EPERM,  1, { HAS(0, CLONE_NEWIPC) } },
        { RESTRICT_NAMESPACES,    "clone",         EPERM,  1, { HAS(0, CLONE_NEWUSER) } },
        { RESTRICT_NAMESPACES,    "clone",         EPERM,  1, { HAS(0, CLONE_NEWPID) } },
        { RESTRICT_NAMESPACES,    "clone",         EPERM,  1, { HAS(0, CLONE_NEWNET) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWNS) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWCGROUP) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWUTS) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWIPC) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWUSER) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWPID) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWNET) } },
        { RESTRICT_NAMESPACES,    "unshare",       EPERM,  1, { HAS(0, CLONE_NEWTIME) } },
        { RESTRICT_NAMESPACES,    "setns",         EPERM,  0, {} },

        /* The policy is in memory. */
        { RESTRICT_REALTIME,      "sched_setattr", EPERM,  0, {} },

        { RESTRICT_SUID_SGID,     "chmod",         EPERM,  1, { HAS(1, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "chmod",         EPERM,  1, { HAS(1, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "fchmod",        EPERM,  1, { HAS(1, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "fchmod",        EPERM,  1, { HAS(1, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "fchmodat",      EPERM,  1, { HAS(2, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "fchmodat",      EPERM,  1, { HAS(2, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "fchmodat2",     EPERM,  1, { HAS(2, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "fchmodat2",     EPERM,  1, { HAS(2, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "creat",         EPERM,  1, { HAS(1, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "creat",         EPERM,  1, { HAS(1, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "mkdir",         EPERM,  1, { HAS(1, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "mkdir",         EPERM,  1, { HAS(1, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "mkdirat",       EPERM,  1, { HAS(2, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "mkdirat",       EPERM,  1, { HAS(2, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "mknod",         EPERM,  1, { HAS(1, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "mknod",         EPERM,  1, { HAS(1, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "mknodat",       EPERM,  1, { HAS(2, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "mknodat",       EPERM,  1, { HAS(2, S_ISGID) } },
        /* Without one of these flags the kernel ignores the mode, which may then be garbage. */
        { RESTRICT_SUID_SGID,     "open",          EPERM,  2, { HAS(1, O_CREAT),       HAS(2, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "open",          EPERM,  2, { HAS(1, O_CREAT),       HAS(2, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "open",          EPERM,  2, { HAS(1, O_TMPFILE_BIT), HAS(2, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "open",          EPERM,  2, { HAS(1, O_TMPFILE_BIT), HAS(2, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "openat",        EPERM,  2, { HAS(2, O_CREAT),       HAS(3, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "openat",        EPERM,  2, { HAS(2, O_CREAT),       HAS(3, S_ISGID) } },
        { RESTRICT_SUID_SGID,     "openat",        EPERM,  2, { HAS(2, O_TMPFILE_BIT), HAS(3, S_ISUID) } },
        { RESTRICT_SUID_SGID,     "openat",        EPERM,  2, { HAS(2, O_TMPFILE_BIT), HAS(3, S_ISGID) } },
        /* The mode is in memory; after ENOSYS programs fall back to openat(2). */
        { RESTRICT_SUID_SGID,     "openat2",       ENOSYS, 0, {} },

        { RESTRICT_WRITE_EXECUTE, "mmap",          EPERM,  1, { HAS(2, PROT_WRITE | PROT_EXEC) } },
        { RESTRICT_WRITE_EXECUTE, "mprotect",      EPERM,  1, { HAS(2, PROT_EXEC) } },
        { RESTRICT_WRITE_EXECUTE, "pkey_mprotect", EPERM,  1, { HAS(2, PROT_EXEC) } },
        { RESTRICT_WRITE_EXECUTE, "shmat",         EPERM,  1, { HAS(2, SHM_EXEC) } },
        /* Can be mapped for executing after it was written, even where vm.memfd_noexec forbids to execute it. */
        { RESTRICT_WRITE_EXECUTE, "memfd_create",  EPERM,  0, {} },
        { RESTRICT_WRITE_EXECUTE, "memfd_secret",  EPERM,  0, {} },
        /* Writes where the process itself may not, as a debugger must. */
        { RESTRICT_WRITE_EXECUTE, "ptrace",        EPERM,  1, { IS(0, PTRACE_POKETEXT) } },
        { RESTRICT_WRITE_EXECUTE, "ptrace",        EPERM,  1, { IS(0, PTRACE_POKEDATA) } },
};
/* clang-format on */

/* Refuses a call unless the lower half of its argument is one of allowed[]. */
typedef struct OneOfRow {
        unsigned restriction;
        const char *syscall;
        int error;
        unsigned arg;
        size_t n_allowed;
        uint32_t allowed[6];
} OneOfRow;

/* clang-format off */
static const OneOfRow one_of_rows[] = {
        { RESTRICT_PERSONALITY, "personality", EPERM, 0, 2, { 0 /* PER_LINUX */, PERSONALITY_QUERY } },
        { RESTRICT_REALTIME, "sched_setscheduler", EPERM, 1, 6,
          { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_OTHER | SCHED_RESET_ON_FORK_BIT,
            SCHED_BATCH | SCHED_RESET_ON_FORK_BIT, SCHED_IDLE | SCHED_RESET_ON_FORK_BIT } },
};
/* clang-format on */

/* By its own name: groups have it for the day when the kernel lets a filter see its flags. */
static bool names_clone3(const Profile *p) {
        bool named = false;

        for (size_t i = 0; i < p->n_syscalls; i++)
                if (streq(p->syscalls[i].name, "clone3"))
                        named = !p->syscalls[i].deny && p->syscalls[i].error < 0;

        return named;
}

static unsigned profile_restrictions(const Profile *p) {
        unsigned restrictions = RESTRICT_ALWAYS;

        if (p->restrict_namespaces || !names_clone3(p))
                restrictions |= RESTRICT_CLONE3;

        if (p->restrict_namespaces)
                restrictions |= RESTRICT_NAMESPACES;
        if (p->restrict_realtime)
                restrictions |= RESTRICT_REALTIME;
        if (p->restrict_suid_sgid)
                restrictions |= RESTRICT_SUID_SGID;
        if (p->memory_deny_write_execute)
                restrictions |= RESTRICT_WRITE_EXECUTE;
        /*
         * With the personality READ_IMPLIES_EXEC every mapping is executable, behind the back of
         * MemoryDenyWriteExecute=.
         */
        if (p->lock_personality || p->memory_deny_write_execute)
                restrictions |= RESTRICT_PERSONALITY;

        return restrictions;
}

/* A call without a number on this ABI answers ENOSYS anyway. */
static int refuse(scmp_filter_ctx filter,
                  const char *syscall,
                  int error,
                  unsigned n_when,
                  const struct scmp_arg_cmp *when) {
        int number = syscall_number(syscall);

        if (number == -ENOSYS)
                return 0;
        if (number < 0)
                return number;

        return seccomp_rule_add_exact_array(filter, SCMP_ACT_ERRNO((uint16_t) error), number, n_when, when);
}

static bool any_below(const uint32_t *values, size_t n, unsigned bit, uint32_t prefix) {
        for (size_t i = 0; i < n; i++)
                if ((uint64_t) values[i] >> bit == prefix)
                        return true;

        return false;
}

/*
 * Refuses a call unless the lower 32 bits of an argument are one of allowed[]. A rule cannot compare with "none of
 * these", so this is said with bits. Think of all values as leaves of a binary tree: off the path to each allowed
 * leaf branch subtrees without any, and "is in this subtree" is one masked comparison.
 */
static int refuse_unless_one_of(scmp_filter_ctx filter,
                                const char *syscall,
                                int error,
                                unsigned arg,
                                const uint32_t *allowed,
                                size_t n_allowed) {
        int r;

        if (n_allowed == 0)
                return refuse(filter, syscall, error, 0, NULL);

        for (size_t i = 0; i < n_allowed; i++)
                for (unsigned bit = 0; bit < 32; bit++) {
                        uint32_t sibling = (allowed[i] >> bit) ^ 1;
                        struct scmp_arg_cmp when = {
                                .arg = arg,
                                .op = SCMP_CMP_MASKED_EQ,
                                .datum_a = UINT32_MAX << bit,
                                .datum_b = sibling << bit,
                        };

                        if (any_below(allowed, n_allowed, bit, sibling) ||
                            any_below(allowed, i, bit + 1, sibling >> 1))
                                continue; /* holds an allowed value, or an earlier one has refused it */

                        r = refuse(filter, syscall, error, 1, &when);
                        if (r < 0)
                                return r;
                }

        return 0;
}

/*
 * socketpair(2) too: it loads the module of any family, and one of its ends may be connected elsewhere. An empty
 * list allows no family.
 */
static int restrict_families(scmp_filter_ctx filter, const Profile *p, Findings *findings) {
        uint32_t families[ADDRESS_FAMILIES_MAX];
        bool netlink = false;
        size_t n = 0;
        int r;

        STRV_FOREACH (name, p->address_families) {
                int family = address_family_by_name(*name);

                if (family < 0) {
                        r = findings_add(findings,
                                         p->source_path ?: p->name,
                                         0,
                                         "RestrictAddressFamilies",
                                         "%s is no address family, see address_families(7)",
                                         *name);
                        if (r < 0)
                                return r;
                        continue;
                }

                if (any_below(families, n, 0, (uint32_t) family))
                        continue; /* listed twice, or under another name (AF_LOCAL, AF_UNIX) */

                netlink = netlink || family == AF_NETLINK;
                families[n++] = (uint32_t) family;
        }

        r = refuse_unless_one_of(filter, "socket", EAFNOSUPPORT, 0, families, n);
        if (r < 0)
                return r;
        r = refuse_unless_one_of(filter, "socketpair", EAFNOSUPPORT, 0, families, n);
        if (r < 0 || !netlink)
                return r;

        /*
         * Of netlink only NETLINK_ROUTE, which is 0: addresses and routes of the sandbox's own network, which glibc
         * and many libraries ask for and only CAP_NET_ADMIN changes. The other protocols reach whole subsystems of
         * the kernel; nftables has most often given root to whoever had a user namespace. They answer what a kernel
         * without them would. There is no protocol beyond the five bits of MAX_LINKS.
         */
        for (unsigned bit = 1; r >= 0 && bit < MAX_LINKS; bit <<= 1)
                r = refuse(filter,
                           "socket",
                           EPROTONOSUPPORT,
                           2,
                           (const struct scmp_arg_cmp[]){ IS(0, AF_NETLINK), HAS(2, bit) });

        return r;
}

int seccomp_restrict(scmp_filter_ctx filter, const Profile *profile, Findings *findings) {
        unsigned restrictions = profile_restrictions(profile);
        int r;

        for (size_t i = 0; i < ELEMENTSOF(refuse_rows); i++) {
                const RefuseRow *row = &refuse_rows[i];

                if ((restrictions & row->restriction) == 0)
                        continue;
                r = refuse(filter, row->syscall, row->error, row->n_when, row->when);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < ELEMENTSOF(one_of_rows); i++) {
                const OneOfRow *row = &one_of_rows[i];

                if ((restrictions & row->restriction) == 0)
                        continue;
                r = refuse_unless_one_of(
                        filter, row->syscall, row->error, row->arg, row->allowed, row->n_allowed);
                if (r < 0)
                        return r;
        }

        return restrict_families(filter, profile, findings);
}
