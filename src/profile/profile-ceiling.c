/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-ceiling.h"

static const void *field(const ProfileKey *key, const Profile *p) {
        return (const uint8_t *) p + key->offset;
}

static uint64_t number(const ProfileKey *key, const Profile *p) { return *(const uint64_t *) field(key, p); }

static uint32_t word(const ProfileKey *key, const Profile *p) { return *(const uint32_t *) field(key, p); }

static unsigned name(const ProfileKey *key, const Profile *p) { return *(const uint8_t *) field(key, p); }

static bool flag(const ProfileKey *key, const Profile *p) { return *(const bool *) field(key, p); }

/* Not set is infinity, which is the largest number. */
bool at_most_number(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return number(key, asked) <= number(key, ceiling);
}

bool at_least_number(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return number(key, asked) >= number(key, ceiling);
}

/* A guarantee: where it is not set, nothing is guaranteed. */
bool at_most_guarantee(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        uint64_t a = number(key, asked), c = number(key, ceiling);

        return (a == UINT64_MAX ? 0 : a) <= (c == UINT64_MAX ? 0 : c);
}

/* cgroup-v2: a group without a weight weighs 100. */
bool at_most_weight(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        uint64_t a = number(key, asked), c = number(key, ceiling);

        return (a == UINT64_MAX ? 100 : a) <= (c == UINT64_MAX ? 100 : c);
}

bool at_most_word(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return word(key, asked) <= word(key, ceiling);
}

/* 0 is any number of starts. */
bool at_most_burst(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        uint32_t a = word(key, asked), c = word(key, ceiling);

        return c == 0 || (a > 0 && a <= c);
}

/*
 * An unset limit is inherited, and nobody can tell here what that will be. So without a written ceiling no value
 * counts as tighter. The same holds for both adjustments below.
 */
bool at_most_rlimit(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        const ProfileRlimit *a = field(key, asked), *c = field(key, ceiling);

        return a->set && c->set && a->soft <= c->soft && a->hard <= c->hard;
}

bool at_most_nice(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->nice_set && ceiling->nice_set && asked->nice >= ceiling->nice;
}

bool at_most_oom_score(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->oom_score_adjust_set && ceiling->oom_score_adjust_set &&
               asked->oom_score_adjust >= ceiling->oom_score_adjust;
}

bool at_most_umask(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return (ceiling->umask & ~asked->umask) == 0;
}

bool at_most_if_yes(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return flag(key, asked) || !flag(key, ceiling);
}

bool at_most_if_no(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return !flag(key, asked) || flag(key, ceiling);
}

/* Names whose values count up from the tightest. */
bool at_most_name(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return name(key, asked) <= name(key, ceiling);
}

bool at_most_on_disconnect(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->terms.on_disconnect >= ceiling->terms.on_disconnect; /* keep, stop, kill */
}

/*
 * An empty home can be written to and executed from; a read-only one shows the user's files. Neither is the tighter
 * form of the other. Hiding the home altogether is tighter than both, unless RootDirectory= has something at that
 * place, which would then come into sight.
 */
bool at_most_home(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        if (asked->protect_home == ceiling->protect_home)
                return true;
        if (asked->protect_home == PROTECT_HOME_YES)
                return !ceiling->root_directory;

        return ceiling->protect_home == PROTECT_HOME_NO;
}

/*
 * proc(5): noaccess hides what is in the directories of other processes, ptraceable hides whole directories, but not
 * those of processes that could be traced. Neither is the tighter form of the other.
 */
bool at_most_proc(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->protect_proc == ceiling->protect_proc ||
               ceiling->protect_proc == PROTECT_PROC_DEFAULT ||
               (asked->protect_proc == PROTECT_PROC_INVISIBLE &&
                ceiling->protect_proc == PROTECT_PROC_NO_ACCESS);
}

/* After fewer kinds of ends. */
bool at_most_restart(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        enum { SUCCESS = 1 << 0, EXIT_CODE = 1 << 1, ABNORMAL = 1 << 2 };
        static const unsigned ends[] = {
                [RESTART_NO] = 0,
                [RESTART_ON_SUCCESS] = SUCCESS,
                [RESTART_ON_FAILURE] = EXIT_CODE | ABNORMAL,
                [RESTART_ON_ABNORMAL] = ABNORMAL,
                [RESTART_ALWAYS] = SUCCESS | EXIT_CODE | ABNORMAL,
        };

        return (ends[asked->terms.restart] & ~ends[ceiling->terms.restart]) == 0;
}

bool at_most_words(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        char *const *c = *(char *const *const *) field(key, ceiling);

        STRV_FOREACH (word, *(char *const *const *) field(key, asked))
                if (!strv_contains(c, *word))
                        return false;

        return true;
}

bool at_most_paths(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        const ProfilePaths *a = field(key, asked), *c = field(key, ceiling);

        for (size_t i = 0; i < a->n; i++) {
                bool found = false;

                for (size_t k = 0; k < c->n && !found; k++)
                        found = streq(a->items[i].path, c->items[k].path);
                if (!found)
                        return false;
        }

        return true;
}

/* All of the profile's paths, in their order, and perhaps more after them. */
bool at_least_paths(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        const ProfilePaths *a = field(key, asked), *c = field(key, ceiling);

        if (a->n < c->n)
                return false;
        for (size_t i = 0; i < c->n; i++)
                if (!streq(a->items[i].path, c->items[i].path) ||
                    a->items[i].optional != c->items[i].optional)
                        return false;

        return true;
}

static bool syscall_equal(const ProfileSyscall *a, const ProfileSyscall *b) {
        return streq(a->name, b->name) && a->deny == b->deny && a->error == b->error;
}

/*
 * The profile's list, followed by nothing but removals. Where the profile's list is empty, the parser has started
 * from the default.
 */
bool at_least_removals(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        const ProfileSyscall whole = { .name = (char *) key->default_text, .error = -1 };
        const ProfileSyscall *c = ceiling->n_syscalls > 0 ? ceiling->syscalls : &whole;
        size_t n = MAX(ceiling->n_syscalls, (size_t) 1);

        if (asked->n_syscalls == 0)
                return ceiling->n_syscalls == 0;
        if (asked->n_syscalls < n)
                return false;
        for (size_t i = 0; i < asked->n_syscalls; i++)
                if (i < n ? !syscall_equal(&asked->syscalls[i], &c[i]) : !asked->syscalls[i].deny)
                        return false;

        return true;
}

/*
 * Each item refuses something and the first one that holds gives the error, so more of them may only follow.
 */
bool at_least_refusals(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        if (asked->n_syscall_arguments < ceiling->n_syscall_arguments)
                return false;

        for (size_t i = 0; i < ceiling->n_syscall_arguments; i++) {
                const ProfileSyscallArgument *a = &asked->syscall_arguments[i],
                                             *c = &ceiling->syscall_arguments[i];

                if (!streq(a->name, c->name) || a->argument != c->argument || a->op != c->op ||
                    a->value != c->value || a->error != c->error)
                        return false;
        }

        return true;
}

/*
 * The paths must be the profile's own. Two paths may lie on one device, and the kernel keeps whatever was written
 * last for it: a looser limit for another path could replace the profile's.
 */
bool at_most_io(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        if (ceiling->n_io_limits == 0 || asked->n_io_limits != ceiling->n_io_limits)
                return false;

        for (size_t i = 0; i < ceiling->n_io_limits; i++) {
                const ProfileIoLimit *a = &asked->io_limits[i], *c = &ceiling->io_limits[i];

                if (!streq(a->path, c->path) || a->rbps > c->rbps || a->wbps > c->wbps ||
                    a->riops > c->riops || a->wiops > c->wiops)
                        return false;
        }

        return true;
}
