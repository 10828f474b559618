/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/seccomp-arguments.h"

#include "base/strv.h"
#include "seccomp/seccomp-names.h"

#include <endian.h>
#include <linux/seccomp.h>

/* The longest comparison: both halves are loaded, with three jumps. */
#define BODY_MAX 5U
/* Around it: a comparison of the call's number, the answer, and the number again for the next item. */
#define ITEM_MAX (BODY_MAX + 3U)

/*
 * Arguments of which the kernel reads only 32 bits, and modes, of which it reads only 16; bit N stands for argument
 * N. The ABI leaves the upper bits undefined and the kernel discards them, so a filter must not compare them either.
 */
/* clang-format off */
static const struct {
        const char *syscall;
        unsigned words, modes;
} narrow_rows[] = {
        { "accept4",            1U << 0 | 1U << 3,              0 },
        { "bpf",                1U << 0 | 1U << 2,              0 },
        { "chmod",              0,                              1U << 1 },
        { "clone",              1U << 0,                        0 },
        { "close",              1U << 0,                        0 },
        { "dup3",               1U << 0 | 1U << 1 | 1U << 2,    0 },
        { "epoll_ctl",          1U << 0 | 1U << 1 | 1U << 2,    0 },
        { "fallocate",          1U << 0 | 1U << 1,              0 },
        { "fchmod",             1U << 0,                        1U << 1 },
        { "fchmodat",           1U << 0,                        1U << 2 },
        { "fcntl",              1U << 0 | 1U << 1,              0 },
        { "futex",              1U << 1 | 1U << 2 | 1U << 5,    0 },
        { "getsockopt",         1U << 0 | 1U << 1 | 1U << 2,    0 },
        { "ioctl",              1U << 0 | 1U << 1,              0 },
        { "keyctl",             1U << 0,                        0 },
        { "kill",               1U << 0 | 1U << 1,              0 },
        { "listen",             1U << 0 | 1U << 1,              0 },
        { "madvise",            1U << 2,                        0 },
        { "memfd_create",       1U << 1,                        0 },
        { "mkdir",              0,                              1U << 1 },
        { "mkdirat",            1U << 0,                        1U << 2 },
        { "mknod",              1U << 2,                        1U << 1 },
        { "mknodat",            1U << 0 | 1U << 3,              1U << 2 },
        { "mlockall",           1U << 0,                        0 },
        { "open",               1U << 1,                        1U << 2 },
        { "openat",             1U << 0 | 1U << 2,              1U << 3 },
        { "personality",        1U << 0,                        0 },
        { "pidfd_send_signal",  1U << 0 | 1U << 1 | 1U << 3,    0 },
        { "prctl",              1U << 0,                        0 },
        { "prlimit64",          1U << 0 | 1U << 1,              0 },
        { "recvfrom",           1U << 0 | 1U << 3,              0 },
        { "recvmsg",            1U << 0 | 1U << 2,              0 },
        { "renameat2",          1U << 0 | 1U << 2 | 1U << 4,    0 },
        { "sched_setscheduler", 1U << 0 | 1U << 1,              0 },
        { "sendmsg",            1U << 0 | 1U << 2,              0 },
        { "sendto",             1U << 0 | 1U << 3,              0 },
        { "setns",              1U << 0 | 1U << 1,              0 },
        { "setpriority",        1U << 0 | 1U << 1 | 1U << 2,    0 },
        { "setrlimit",          1U << 0,                        0 },
        { "setsockopt",         1U << 0 | 1U << 1 | 1U << 2 | 1U << 4, 0 },
        { "shutdown",           1U << 0 | 1U << 1,              0 },
        { "socket",             1U << 0 | 1U << 1 | 1U << 2,    0 },
        { "socketpair",         1U << 0 | 1U << 1 | 1U << 2,    0 },
        { "tgkill",             1U << 0 | 1U << 1 | 1U << 2,    0 },
        { "tkill",              1U << 0 | 1U << 1,              0 },
        { "umask",              1U << 0,                        0 },
        { "waitid",             1U << 0 | 1U << 1 | 1U << 3,    0 },
};
/* clang-format on */

/* How many bits of the argument the kernel reads: 16, 32, or 64 where that is not known. */
static unsigned width_of(const ProfileSyscallArgument *item) {
        for (size_t i = 0; i < ELEMENTSOF(narrow_rows); i++) {
                if (!streq(narrow_rows[i].syscall, item->name))
                        continue;
                if (narrow_rows[i].modes & 1U << item->argument)
                        return 16;
                return narrow_rows[i].words & 1U << item->argument ? 32 : 64;
        }

        return 64;
}

static uint32_t offset_of(unsigned argument, bool upper) {
        const bool second = upper == (__BYTE_ORDER == __LITTLE_ENDIAN);

        return (uint32_t) (offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) +
                           (second ? sizeof(uint32_t) : 0));
}

/* The comparison of one item, with its jumps still symbolic. */
typedef struct Body {
        struct sock_filter code[BODY_MAX];
        unsigned n;
} Body;

/* Targets of a jump in a body: the next instruction, the answer, or past it. */
enum {
        GO_ON = 0,
        REFUSE = 254,
        PASS = 255,
};

static void body_load(Body *b, unsigned argument, bool upper) {
        b->code[b->n++] =
                (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset_of(argument, upper));
}

static void body_jump(Body *b, uint16_t test, uint32_t value, uint8_t if_true, uint8_t if_false) {
        b->code[b->n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_K | test, value, if_true, if_false);
}

/* What each operator tests on 32 bits. BPF has few tests, so some items hold where theirs fails. */
static const struct {
        uint16_t test;
        bool holds;
} tests[_ARGUMENT_OPERATOR_MAX] = {
        [ARGUMENT_EQUAL] = { BPF_JEQ, true },         [ARGUMENT_NOT_EQUAL] = { BPF_JEQ, false },
        [ARGUMENT_HAS_ANY] = { BPF_JSET, true },      [ARGUMENT_LESS] = { BPF_JGE, false },
        [ARGUMENT_LESS_EQUAL] = { BPF_JGT, false },   [ARGUMENT_GREATER] = { BPF_JGT, true },
        [ARGUMENT_GREATER_EQUAL] = { BPF_JGE, true },
};

static void body_compare_lower(Body *b, const ProfileSyscallArgument *item) {
        const bool holds = tests[item->op].holds;

        body_load(b, item->argument, false);
        if (width_of(item) == 16)
                b->code[b->n++] = (struct sock_filter) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, UINT16_MAX);
        body_jump(b,
                  tests[item->op].test,
                  (uint32_t) item->value,
                  holds ? REFUSE : PASS,
                  holds ? PASS : REFUSE);
}

/* The upper half decides; only where it is equal does the lower half. */
static void body_compare_whole(Body *b, const ProfileSyscallArgument *item) {
        const uint32_t upper = (uint32_t) (item->value >> 32);

        body_load(b, item->argument, true);
        switch (item->op) {
        case ARGUMENT_EQUAL:
                body_jump(b, BPF_JEQ, upper, GO_ON, PASS);
                break;
        case ARGUMENT_NOT_EQUAL:
                body_jump(b, BPF_JEQ, upper, GO_ON, REFUSE);
                break;
        case ARGUMENT_HAS_ANY:
                body_jump(b, BPF_JSET, upper, REFUSE, GO_ON);
                break;
        case ARGUMENT_LESS:
        case ARGUMENT_LESS_EQUAL:
                body_jump(b, BPF_JGT, upper, PASS, GO_ON);
                body_jump(b, BPF_JEQ, upper, GO_ON, REFUSE);
                break;
        default:
                body_jump(b, BPF_JGT, upper, REFUSE, GO_ON);
                body_jump(b, BPF_JEQ, upper, GO_ON, PASS);
                break;
        }
        body_compare_lower(b, item);
}

/* Whether the lower half says it all: for narrow arguments, and where its reading covers that of the whole. */
static bool lower_is_enough(const ProfileSyscallArgument *item) {
        if (width_of(item) < 64)
                return true;
        if (item->value > UINT32_MAX)
                return false;

        return item->op == ARGUMENT_EQUAL || item->op == ARGUMENT_HAS_ANY || item->op == ARGUMENT_LESS ||
               item->op == ARGUMENT_LESS_EQUAL;
}

static uint8_t jump_distance(uint8_t target, unsigned from, unsigned answer) {
        switch (target) {
        case REFUSE:
                return (uint8_t) (answer - from - 1);
        case PASS:
                return (uint8_t) (answer - from);
        default:
                return target;
        }
}

typedef struct Writer {
        struct sock_filter *code;
        size_t n;
} Writer;

static void write_one(Writer *w, struct sock_filter instruction) { w->code[w->n++] = instruction; }

static void write_load_number(Writer *w) {
        write_one(
                w,
                (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
}

/* Enters and leaves with the number of the call in the accumulator. */
static void write_item(Writer *w, const ProfileSyscallArgument *item, int number, int error) {
        Body b = {};

        if (lower_is_enough(item))
                body_compare_lower(&b, item);
        else
                body_compare_whole(&b, item);

        /* Past the body, the answer, and the load after it. */
        write_one(w,
                  (struct sock_filter) BPF_JUMP(
                          BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) number, 0, (uint8_t) (b.n + 2)));
        for (unsigned i = 0; i < b.n; i++) {
                struct sock_filter c = b.code[i];

                if (BPF_CLASS(c.code) == BPF_JMP) {
                        c.jt = jump_distance(c.jt, i, b.n);
                        c.jf = jump_distance(c.jf, i, b.n);
                }
                write_one(w, c);
        }
        write_one(w, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t) error));
        write_load_number(w);
}

static const char *item_problem(const ProfileSyscallArgument *item) {
        if (syscall_number(item->name) == -EINVAL)
                return "is no system call";
        if (strv_contains((char *const *) syscalls_always, item->name))
                return "cannot be refused: no program starts without it";
        if (width_of(item) < 64 && item->value >> width_of(item) != 0)
                return "reads fewer bits of that argument than this value has";

        return NULL;
}

int seccomp_arguments(const Profile *profile, struct sock_filter **ret, size_t *ret_n, Findings *findings) {
        _cleanup_free_ struct sock_filter *code = NULL;
        Writer w;

        if (profile->n_syscall_arguments == 0)
                return 0;

        code = calloc(profile->n_syscall_arguments * ITEM_MAX + 2, sizeof(*code));
        if (!code)
                return -ENOMEM;

        w = (Writer){ .code = code };
        write_load_number(&w);
        for (size_t i = 0; i < profile->n_syscall_arguments; i++) {
                const ProfileSyscallArgument *item = &profile->syscall_arguments[i];
                const char *problem = item_problem(item);
                const int error = item->error >= 0 ? item->error : profile->syscall_error;
                int r;

                if (problem) {
                        r = findings_add(findings,
                                         profile->source_path ?: profile->name,
                                         0,
                                         "SystemCallArgumentFilter",
                                         "%s %s",
                                         item->name,
                                         problem);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (error <= 0 || error > SYSCALL_ERROR_MAX)
                        return -EINVAL;
                /* A call without a number on this ABI answers ENOSYS whatever its arguments. */
                if (syscall_number(item->name) >= 0)
                        write_item(&w, item, syscall_number(item->name), error);
        }
        write_one(&w, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));

        *ret = TAKE_PTR(code);
        *ret_n = w.n;
        return 0;
}
