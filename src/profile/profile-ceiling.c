/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-ceiling.h"

/* Whether the value that was asked for lets the application do nothing that the other does not. */
typedef bool (*AtMost)(const ProfileKey *key, const Profile *asked, const Profile *ceiling);

typedef struct CeilingRule {
        const char *section, *name;
        AtMost at_most;
        bool replaces; /* a list of what is let in: another one takes its place, and does not add to it */
} CeilingRule;

static const void *field(const ProfileKey *key, const Profile *p) {
        return (const uint8_t *) p + key->offset;
}

static uint64_t number(const ProfileKey *key, const Profile *p) { return *(const uint64_t *) field(key, p); }

static unsigned name_value(const ProfileKey *key, const Profile *p) {
        return *(const unsigned *) field(key, p);
}

static bool flag(const ProfileKey *key, const Profile *p) { return *(const bool *) field(key, p); }

/* Not set is infinity, which is the largest number. */
static bool at_most_number(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return number(key, asked) <= number(key, ceiling);
}

static bool at_least_number(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return number(key, asked) >= number(key, ceiling);
}

/* What is kept from others: nothing where it is not set. */
static bool at_most_guarantee(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        uint64_t a = number(key, asked), c = number(key, ceiling);

        return (a == UINT64_MAX ? 0 : a) <= (c == UINT64_MAX ? 0 : c);
}

/* cgroup-v2: a group that says nothing weighs 100. */
static bool at_most_weight(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        uint64_t a = number(key, asked), c = number(key, ceiling);

        return (a == UINT64_MAX ? 100 : a) <= (c == UINT64_MAX ? 100 : c);
}

static bool at_most_quota(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->cpu_quota <= ceiling->cpu_quota;
}

/* 0 is any number of starts. */
static bool at_most_burst(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return ceiling->start_limit_burst == 0 ||
               (asked->start_limit_burst > 0 && asked->start_limit_burst <= ceiling->start_limit_burst);
}

/*
 * An unset limit is inherited, and what that will be is not known here: without a ceiling that is written, nothing is
 * at most as loose. The same holds for both adjustments below.
 */
static bool at_most_rlimit(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        const ProfileRlimit *a = field(key, asked), *c = field(key, ceiling);

        return a->set && c->set && a->soft <= c->soft && a->hard <= c->hard;
}

static bool at_most_nice(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->nice_set && ceiling->nice_set && asked->nice >= ceiling->nice;
}

static bool at_most_oom_score(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->oom_score_adjust_set && ceiling->oom_score_adjust_set &&
               asked->oom_score_adjust >= ceiling->oom_score_adjust;
}

static bool at_most_umask(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return (ceiling->umask & ~asked->umask) == 0;
}

static bool yes_is_tighter(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return flag(key, asked) || !flag(key, ceiling);
}

static bool no_is_tighter(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return !flag(key, asked) || flag(key, ceiling);
}

/* Names whose values count upwards from the tightest. */
static bool at_most_name(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return name_value(key, asked) <= name_value(key, ceiling);
}

static bool at_most_on_disconnect(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->on_disconnect == ON_DISCONNECT_STOP || ceiling->on_disconnect == ON_DISCONNECT_KEEP;
}

/*
 * An empty home can be written to and executed from, a read-only one shows the user's files: neither is the other's
 * tighter form. Without any home, what RootDirectory= has at that place would come into sight.
 */
static bool at_most_home(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        if (asked->protect_home == ceiling->protect_home)
                return true;
        if (asked->protect_home == PROTECT_HOME_YES)
                return !ceiling->root_directory;

        return ceiling->protect_home == PROTECT_HOME_NO;
}

/* proc(5): of the two in the middle, one hides processes whole and the other their content. */
static bool at_most_proc(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        return asked->protect_proc == ceiling->protect_proc ||
               ceiling->protect_proc == PROTECT_PROC_DEFAULT ||
               (asked->protect_proc == PROTECT_PROC_INVISIBLE &&
                ceiling->protect_proc == PROTECT_PROC_NO_ACCESS);
}

/* After fewer kinds of ends. */
static bool at_most_restart(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        enum { SUCCESS = 1 << 0, EXIT_CODE = 1 << 1, ABNORMAL = 1 << 2 };
        static const unsigned ends[] = {
                [RESTART_NO] = 0,
                [RESTART_ON_SUCCESS] = SUCCESS,
                [RESTART_ON_FAILURE] = EXIT_CODE | ABNORMAL,
                [RESTART_ON_ABNORMAL] = ABNORMAL,
                [RESTART_ALWAYS] = SUCCESS | EXIT_CODE | ABNORMAL,
        };

        return (ends[asked->restart] & ~ends[ceiling->restart]) == 0;
}

static bool part_of_words(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        char *const *c = *(char *const *const *) field(key, ceiling);

        STRV_FOREACH (word, *(char *const *const *) field(key, asked))
                if (!strv_contains(c, *word))
                        return false;

        return true;
}

/* An array of paths, whose number stands elsewhere. */
typedef struct Paths {
        const ProfilePath *items;
        size_t n;
} Paths;

static Paths paths_of(const ProfileKey *key, const Profile *p) {
        const struct {
                const ProfilePath *const *items;
                const size_t *n;
        } lists[] = {
                { (const ProfilePath *const *) &p->inaccessible, &p->n_inaccessible },
                { (const ProfilePath *const *) &p->read_only, &p->n_read_only },
                { (const ProfilePath *const *) &p->read_write, &p->n_read_write },
                { (const ProfilePath *const *) &p->no_exec, &p->n_no_exec },
                { (const ProfilePath *const *) &p->exec, &p->n_exec },
                { (const ProfilePath *const *) &p->devices, &p->n_devices },
        };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                if (lists[i].items == field(key, p))
                        return (Paths){ *lists[i].items, *lists[i].n };

        return (Paths){};
}

static bool part_of_paths(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        Paths a = paths_of(key, asked), c = paths_of(key, ceiling);

        for (size_t i = 0; i < a.n; i++) {
                bool found = false;

                for (size_t k = 0; k < c.n && !found; k++)
                        found = streq(a.items[i].path, c.items[k].path);
                if (!found)
                        return false;
        }

        return true;
}

/* All of the profile's, and more behind. */
static bool more_paths(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        Paths a = paths_of(key, asked), c = paths_of(key, ceiling);

        if (a.n < c.n)
                return false;
        for (size_t i = 0; i < c.n; i++)
                if (!streq(a.items[i].path, c.items[i].path) || a.items[i].optional != c.items[i].optional)
                        return false;

        return true;
}

static bool syscall_equal(const ProfileSyscall *a, const ProfileSyscall *b) {
        return streq(a->name, b->name) && a->deny == b->deny && a->error == b->error;
}

/* The profile's list, with nothing but removals behind. Where it is empty, the parser has put the default in front. */
static bool more_removals(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
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

/* Each item refuses something, and the first that holds answers. */
static bool more_refusals(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
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
 * The same paths: two can lie on one device, where the last one written counts, so that a limit for another path could
 * lift the profile's own.
 */
static bool at_most_io(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
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

#define RLIMIT(n) \
        { "Exec", "Limit" n, at_most_rlimit, false }

/*
 * Not here: who may launch ([Access]), what runs, names, and what can as well uncover as cover (binds, directories,
 * groups, of which one less may be one refusal less).
 */
/* clang-format off */
static const CeilingRule rules[] = {
        { "Exec",       "UMask",                    at_most_umask,         false },
        { "Exec",       "Nice",                     at_most_nice,          false },
        { "Exec",       "OOMScoreAdjust",           at_most_oom_score,     false },
        RLIMIT("CPU"), RLIMIT("FSIZE"), RLIMIT("DATA"), RLIMIT("STACK"), RLIMIT("CORE"), RLIMIT("RSS"),
        RLIMIT("NOFILE"), RLIMIT("AS"), RLIMIT("NPROC"), RLIMIT("MEMLOCK"), RLIMIT("LOCKS"),
        RLIMIT("SIGPENDING"), RLIMIT("MSGQUEUE"), RLIMIT("NICE"), RLIMIT("RTPRIO"), RLIMIT("RTTIME"),

        { "Namespaces", "PrivateUsers",             at_most_name,          false },
        { "Namespaces", "RestrictNamespaces",       yes_is_tighter,        false },

        { "Files",      "ProtectSystem",            at_most_name,          false },
        { "Files",      "ProtectHome",              at_most_home,          false },
        { "Files",      "PersistentHome",           no_is_tighter,         false },
        { "Files",      "RootEphemeral",            no_is_tighter,         false },
        { "Files",      "InaccessiblePaths",        more_paths,            false },
        { "Files",      "ReadOnlyPaths",            more_paths,            false },
        { "Files",      "ReadWritePaths",           part_of_paths,         true },
        { "Files",      "NoExecPaths",              more_paths,            false },
        { "Files",      "ExecPaths",                part_of_paths,         true },
        { "Files",      "ProtectProc",              at_most_proc,          false },
        { "Files",      "ProcSubset",               yes_is_tighter,        false },
        { "Files",      "PrivateTmpSize",           at_most_number,        false },
        { "Files",      "PrivateDevices",           yes_is_tighter,        false },
        { "Files",      "DeviceAllow",              part_of_paths,         true },

        { "Network",    "RestrictAddressFamilies",  part_of_words,         true },

        { "Resources",  "MemoryMin",                at_most_guarantee,     false },
        { "Resources",  "MemoryLow",                at_most_guarantee,     false },
        { "Resources",  "MemoryHigh",               at_most_number,        false },
        { "Resources",  "MemoryMax",                at_most_number,        false },
        { "Resources",  "MemorySwapMax",            at_most_number,        false },
        { "Resources",  "MemoryZSwapMax",           at_most_number,        false },
        { "Resources",  "CPUWeight",                at_most_weight,        false },
        { "Resources",  "CPUQuota",                 at_most_quota,         false },
        { "Resources",  "IOWeight",                 at_most_weight,        false },
        { "Resources",  "IOReadBandwidthMax",       at_most_io,            false },
        { "Resources",  "IOWriteBandwidthMax",      at_most_io,            false },
        { "Resources",  "IOReadIOPSMax",            at_most_io,            false },
        { "Resources",  "IOWriteIOPSMax",           at_most_io,            false },
        { "Resources",  "TasksMax",                 at_most_number,        false },
        { "Resources",  "OOMPolicy",                at_most_name,          false },

        { "Security",   "CapabilityBoundingSet",    part_of_words,         true },
        { "Security",   "AmbientCapabilities",      part_of_words,         true },
        { "Security",   "SystemCallFilter",         more_removals,         false },
        { "Security",   "SystemCallArgumentFilter", more_refusals,         false },
        { "Security",   "LockPersonality",          yes_is_tighter,        false },
        { "Security",   "RestrictRealtime",         yes_is_tighter,        false },
        { "Security",   "RestrictSUIDSGID",         yes_is_tighter,        false },
        { "Security",   "MemoryDenyWriteExecute",   yes_is_tighter,        false },
        { "Security",   "Landlock",                 yes_is_tighter,        false },
        { "Security",   "Degrade",                  part_of_words,         true },

        { "Service",    "Restart",                  at_most_restart,       false },
        { "Service",    "RestartSec",               at_least_number,       false },
        { "Service",    "StartLimitIntervalSec",    at_least_number,       false },
        { "Service",    "StartLimitBurst",          at_most_burst,         false },
        { "Service",    "TimeoutStartSec",          at_most_number,        false },
        { "Service",    "TimeoutStopSec",           at_most_number,        false },
        { "Service",    "RuntimeMaxSec",            at_most_number,        false },
        { "Service",    "OnDisconnect",             at_most_on_disconnect, false },
};
/* clang-format on */

static const CeilingRule *rule_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (streq(rules[i].name, name))
                        return &rules[i];

        return NULL;
}

const ProfileKey *profile_settable_key(const char *name) {
        const CeilingRule *rule = rule_find(name);
        const ProfileKey *key = rule ? profile_key_find(rule->section, rule->name) : NULL;

        return key && key->parse ? key : NULL;
}

bool profile_is_at_most(const ProfileKey *key, const Profile *asked, const Profile *ceiling) {
        const CeilingRule *rule = rule_find(key->name);

        return rule && rule->at_most(key, asked, ceiling);
}

bool profile_setting_replaces(const ProfileKey *key) {
        const CeilingRule *rule = rule_find(key->name);

        return rule && rule->replaces;
}
