/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/seccomp-compile.h"

#include "base/fd.h"
#include "base/strv.h"
#include "seccomp/seccomp-arguments.h"
#include "seccomp/seccomp-names.h"
#include "seccomp/seccomp-restrict.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

/*
 * The program consists of two filters, one after the other. The first allows by default and refuses what
 * seccomp-restrict.c says. Where it would allow, it goes on to the second, which decides by number alone: listed
 * calls pass, other calls that libseccomp knows get SystemCallErrorNumber=, and numbers that were unknown when
 * libseccomp was made get ENOSYS, so that programs fall back to what they did before that call existed.
 *
 * Two filters, because one cannot say both: in an allow list, "this call but not with that argument" would have to
 * be spelled as all the arguments that are fine. One program, because the kernel runs every loaded filter on every
 * call.
 *
 * Between the two stands what seccomp-arguments.c makes of SystemCallArgumentFilter=. libseccomp cannot express it:
 * its rules have no order, so where two of them hold nobody could say which one answers.
 */

/* What happens to one native number. */
typedef struct Verdict {
        bool known;
        bool allowed;
        bool logged;
        int error; /* where it is not allowed */
} Verdict;

typedef struct Compiler {
        const SeccompPolicy *policy;
        const Profile *profile;
        Findings *findings;
        Verdict verdicts[SYSCALL_NUMBER_MAX];
} Compiler;

static int compiler_find(Compiler *c, const char *key, const char *name, const char *why) {
        return findings_add(
                c->findings, c->profile->source_path ?: c->profile->name, 0, key, "%s %s", name, why);
}

/*
 * The system calls that an item stands for: those of a group, or itself. *ret is an array of borrowed names, or NULL
 * where a finding was added.
 */
static int compiler_expand(Compiler *c, const char *key, char *const item[static 2], char *const **ret) {
        *ret = NULL;

        if (item[0][0] == '@') {
                *ret = seccomp_policy_group(c->policy, item[0]);
                return *ret ? 0 : compiler_find(c, key, item[0], "is no group of system calls");
        }

        if (syscall_number(item[0]) == -EINVAL)
                return compiler_find(c, key, item[0], "is no system call");

        *ret = item;
        return 0;
}

static bool always_allowed(const char *name) { return strv_contains((char *const *) syscalls_always, name); }

/* error: -1 allows the call, anything else is its answer. */
static int compiler_apply(Compiler *c, const char *name, int error) {
        char *const item[2] = { (char *) name, NULL };
        char *const *names;
        int r;

        if (error >= 0 && always_allowed(name))
                return compiler_find(
                        c, "SystemCallFilter", name, "cannot be refused: no program starts without it");

        r = compiler_expand(c, "SystemCallFilter", item, &names);
        if (r < 0)
                return r;

        STRV_FOREACH (s, names) {
                int number = syscall_number(*s);

                if (number < 0)
                        continue; /* no number on this ABI, so it answers ENOSYS */
                c->verdicts[number].known = true;
                c->verdicts[number].allowed = error < 0;
                c->verdicts[number].error = error;
        }

        return 0;
}

static bool refuses(const ProfileSyscall *item) { return item->deny || item->error >= 0; }

/*
 * A list that begins by removing removes from the default; one that begins with names replaces it, except for what
 * every program needs.
 */
static int compiler_apply_filter(Compiler *c) {
        const Profile *p = c->profile;
        int r;

        for (int number = 0; number < SYSCALL_NUMBER_MAX; number++)
                c->verdicts[number] = (Verdict){
                        .known = syscall_number_is_known(number),
                        .error = p->syscall_error,
                };

        r = compiler_apply(
                c, p->n_syscalls == 0 || refuses(&p->syscalls[0]) ? "@system-service" : "@default", -1);
        if (r < 0)
                return r;

        for (size_t i = 0; i < p->n_syscalls; i++) {
                const ProfileSyscall *item = &p->syscalls[i];
                int error = item->error >= 0 ? item->error : p->syscall_error;

                if (item->error == 0 || item->error > SYSCALL_ERROR_MAX)
                        return -EINVAL;
                r = compiler_apply(c, item->name, refuses(item) ? error : -1);
                if (r < 0)
                        return r;
        }

        STRV_FOREACH (name, (char *const *) syscalls_always) {
                r = compiler_apply(c, *name, -1);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int compiler_apply_log(Compiler *c) {
        STRV_FOREACH (item, c->profile->syscall_log) {
                char *const *names;
                int r;

                r = compiler_expand(c, "SystemCallLog", (char *const[2]){ *item, NULL }, &names);
                if (r < 0)
                        return r;

                STRV_FOREACH (name, names) {
                        int number = syscall_number(*name);

                        if (number >= 0)
                                c->verdicts[number].logged = true;
                }
        }

        return 0;
}

static int compiler_add_verdicts(const Compiler *c, scmp_filter_ctx filter) {
        int r;

        for (int number = 0; number < SYSCALL_NUMBER_MAX; number++) {
                const Verdict *v = &c->verdicts[number];
                uint32_t action = v->allowed ? (v->logged ? SCMP_ACT_LOG : SCMP_ACT_ALLOW)
                                             : SCMP_ACT_ERRNO((uint16_t) v->error);

                /* libseccomp refuses a rule that repeats the default action. */
                if (!v->known || action == SCMP_ACT_ERRNO(ENOSYS))
                        continue;

                r = seccomp_rule_add_exact(filter, action, number, 0);
                if (r < 0)
                        return r;
        }

        return 0;
}

static void filter_releasep(scmp_filter_ctx *filter) {
        if (*filter)
                seccomp_release(*filter);
}

/* A filter for the native ABI; calls of any other ABI kill the process. */
static int filter_new(uint32_t default_action, scmp_filter_ctx *ret) {
        _cleanup_(filter_releasep) scmp_filter_ctx filter = NULL;
        int r;

        filter = seccomp_init(default_action);
        if (!filter)
                return -ENOMEM;

        r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r < 0)
                return r;

        /* A binary tree over the numbers: some ten comparisons per call in place of hundreds. */
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(filter);
        return 0;
}

typedef struct Program {
        struct sock_filter *instructions;
        size_t n;
} Program;

static void program_done(Program *p) { free(p->instructions); }

static int filter_export(scmp_filter_ctx filter, Program *ret) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *data = NULL;
        size_t size = 0;
        int r;

        fd = memfd_create("immured-seccomp", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;

        r = seccomp_export_bpf(filter, fd);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;

        r = fd_read_full(fd, PROGRAM_MAX, &data, &size);
        if (r < 0)
                return r == -EFBIG ? -E2BIG : r;
        if (size == 0 || size % sizeof(struct sock_filter) != 0)
                return -EIO;

        /* Memory from malloc(3) is aligned for any type. */
        ret->instructions = (struct sock_filter *) (void *) TAKE_PTR(data);
        ret->n = size / sizeof(struct sock_filter);
        return 0;
}

/* Joins programs: where one would allow, the next one decides. Empty ones are left out. */
static int program_join(const Program *const *programs, size_t n_programs, uint8_t **ret, size_t *ret_size) {
        struct sock_filter *joined, *at;
        size_t n = 0;

        for (size_t i = 0; i < n_programs; i++)
                n += programs[i]->n;
        if (n > BPF_MAXINSNS)
                return -E2BIG;

        joined = at = calloc(n, sizeof(struct sock_filter));
        if (!joined)
                return -ENOMEM;

        for (size_t k = 0; k < n_programs; at += programs[k++]->n) {
                const Program *p = programs[k];

                if (p->n == 0)
                        continue;
                memcpy(at, p->instructions, p->n * sizeof(struct sock_filter));
                for (size_t i = 0; k + 1 < n_programs && i < p->n; i++)
                        if (at[i].code == (BPF_RET | BPF_K) && at[i].k == SECCOMP_RET_ALLOW)
                                at[i] = (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA,
                                                                      (uint32_t) (p->n - i - 1));
        }

        *ret = (uint8_t *) joined;
        *ret_size = n * sizeof(struct sock_filter);
        return 0;
}

static int compiler_make_restrictions(const Compiler *c, Program *ret) {
        _cleanup_(filter_releasep) scmp_filter_ctx filter = NULL;
        int r;

        r = filter_new(SCMP_ACT_ALLOW, &filter);
        if (r < 0)
                return r;
        r = seccomp_restrict(filter, c->profile, c->findings);
        if (r < 0)
                return r;

        return filter_export(filter, ret);
}

static int compiler_make_numbers(const Compiler *c, Program *ret) {
        _cleanup_(filter_releasep) scmp_filter_ctx filter = NULL;
        int r;

        r = filter_new(SCMP_ACT_ERRNO(ENOSYS), &filter);
        if (r < 0)
                return r;
        r = compiler_add_verdicts(c, filter);
        if (r < 0)
                return r;

        return filter_export(filter, ret);
}

static Compiler *compiler_free(Compiler *c) {
        free(c);
        return NULL;
}
static DEFINE_CLEANUP(Compiler *, compiler_free);

int seccomp_compile(const SeccompPolicy *policy,
                    const Profile *profile,
                    uint8_t **ret,
                    size_t *ret_size,
                    Findings *findings) {
        _cleanup_(compiler_freep) Compiler *c = NULL;
        _cleanup_(program_done) Program restrictions = {}, arguments = {}, numbers = {};
        const Program *const programs[] = { &restrictions, &arguments, &numbers };
        size_t n_before = findings->n_items + findings->n_dropped;
        int r;

        /* With 0 a refused call would look as if it had worked. */
        if (profile->syscall_error <= 0 || profile->syscall_error > SYSCALL_ERROR_MAX)
                return -EINVAL;

        /*
         * Level 3 has SCMP_ACT_LOG and KILL_PROCESS (Linux 4.14). Left to itself libseccomp would ask the running
         * kernel, and the program would depend on the machine where it was compiled.
         */
        r = seccomp_api_set(3);
        if (r < 0)
                return r;

        c = calloc(1, sizeof(Compiler));
        if (!c)
                return -ENOMEM;
        c->policy = policy;
        c->profile = profile;
        c->findings = findings;

        r = compiler_apply_filter(c);
        if (r < 0)
                return r;
        r = compiler_apply_log(c);
        if (r < 0)
                return r;
        r = compiler_make_restrictions(c, &restrictions);
        if (r < 0)
                return r;
        r = seccomp_arguments(profile, &arguments.instructions, &arguments.n, findings);
        if (r < 0)
                return r;
        if (findings->n_items + findings->n_dropped > n_before)
                return -EBADMSG;
        r = compiler_make_numbers(c, &numbers);
        if (r < 0)
                return r;

        return program_join(programs, ELEMENTSOF(programs), ret, ret_size);
}
