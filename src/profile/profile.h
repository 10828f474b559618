/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * profile — what the admin wrote about one application, checked
 *
 * A Profile is filled by profile-load.c through the table in profile-keys.c, checked as a whole once, and never
 * changed after that. Whoever needs it shares it by reference, so a reload never changes what is being launched.
 * Text that names the user (%u, %h, …) stays as written: the plan expands it for its user.
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's (trusted in intent, hostile in form).
 */

#include "base/strv.h"
#include "base/text.h"
#include "base/util.h"
#include "profile/terms.h"

typedef enum _packed_ ProfileAuthentication {
        PROFILE_AUTHENTICATION_NONE,
        PROFILE_AUTHENTICATION_SELF,
        PROFILE_AUTHENTICATION_ADMIN,
        _PROFILE_AUTHENTICATION_MAX,
} ProfileAuthentication;

typedef enum _packed_ ProfileArguments {
        PROFILE_ARGUMENTS_FIXED,   /* ExecStart= alone (default) */
        PROFILE_ARGUMENTS_APPEND,  /* the user's arguments behind it */
        PROFILE_ARGUMENTS_PATTERN, /* the same, each must match ArgumentPattern= */
        _PROFILE_ARGUMENTS_MAX,
} ProfileArguments;

/* Where a standard stream goes. Also in the plan and on the wire: never renumber. */
typedef enum _packed_ StreamKind {
        STREAM_NULL = 0,
        STREAM_CLIENT = 1, /* the descriptor that came with the launch */
        STREAM_TTY = 2,
        STREAM_JOURNAL = 3, /* outputs only */
        _STREAM_KIND_MAX,
} StreamKind;

typedef enum _packed_ PrivateUsers {
        PRIVATE_USERS_PICK = 0, /* their own ids inside, ids that nobody else has outside (default) */
        PRIVATE_USERS_SELF = 1,
        PRIVATE_USERS_IDENTITY = 2,
        _PRIVATE_USERS_MAX,
} PrivateUsers;

typedef enum _packed_ ProtectSystem {
        PROTECT_SYSTEM_STRICT, /* only what is the user's own can be written (default) */
        PROTECT_SYSTEM_FULL, /* /usr and /etc cannot be written; other directories are the user's, in memory */
        _PROTECT_SYSTEM_MAX,
} ProtectSystem;

typedef enum _packed_ ProtectHome {
        PROTECT_HOME_TMPFS, /* an empty home (default) */
        PROTECT_HOME_READ_ONLY,
        PROTECT_HOME_YES, /* no home at all */
        PROTECT_HOME_NO,
        _PROTECT_HOME_MAX,
} ProtectHome;

/* What an application finds in /proc about processes other than its own; hidepid in proc(5). */
typedef enum _packed_ ProtectProc {
        PROTECT_PROC_INVISIBLE, /* nothing (default) */
        PROTECT_PROC_NO_ACCESS, /* that they are there */
        PROTECT_PROC_PTRACEABLE,
        PROTECT_PROC_DEFAULT,
        _PROTECT_PROC_MAX,
} ProtectProc;

typedef enum _packed_ NetworkMode {
        NETWORK_NONE = 0, /* own namespace, loopback only (default) */
        NETWORK_PRIVATE = 1,
        NETWORK_SHARED = 2,
        NETWORK_HOST = 3,
        _NETWORK_MODE_MAX,
} NetworkMode;

/* BindPaths=, BindReadOnlyPaths=: "src[:dst[:rbind|norbind|idmap|noidmap]]", leading "-": optional. */
typedef struct ProfileBind {
        char *source;      /* specifiers not yet expanded */
        char *destination; /* never NULL */
        bool read_only, optional, recursive, idmap;
} ProfileBind;

/* TemporaryFileSystem=: "path[:size=…,mode=…]". */
typedef struct ProfileTmpfs {
        char *path;
        uint64_t size; /* bytes */
        mode_t mode;
} ProfileTmpfs;

/* A list of paths, each with its leading "-" or without. */
typedef struct ProfilePath {
        char *path;
        bool optional;
} ProfilePath;

typedef struct ProfilePaths {
        ProfilePath *items;
        size_t n;
} ProfilePaths;

#define PROFILE_N_RLIMITS 16
typedef struct ProfileRlimit {
        bool set;
        uint64_t soft, hard; /* UINT64_MAX: infinity */
} ProfileRlimit;

/* IOReadBandwidthMax= and its like: one row for each device and direction. */
typedef struct ProfileIoLimit {
        char *path;                        /* a device node or a file on the device */
        uint64_t rbps, wbps, riops, wiops; /* UINT64_MAX: not limited */
} ProfileIoLimit;

/* One item of SystemCallFilter= as written: "@group", "name", with its errno. */
typedef struct ProfileSyscall {
        char *name;
        bool deny; /* came behind "~" */
        int error; /* errno for ":EPERM"; -1: SystemCallErrorNumber= */
} ProfileSyscall;

typedef enum ArgumentOperator {
        ARGUMENT_EQUAL,
        ARGUMENT_NOT_EQUAL,
        ARGUMENT_HAS_ANY, /* any of the bits */
        ARGUMENT_LESS,
        ARGUMENT_LESS_EQUAL,
        ARGUMENT_GREATER,
        ARGUMENT_GREATER_EQUAL,
        _ARGUMENT_OPERATOR_MAX,
} ArgumentOperator;

/* One item of SystemCallArgumentFilter=: the call is refused where the comparison holds. */
typedef struct ProfileSyscallArgument {
        char *name;
        unsigned argument; /* 0…5 */
        ArgumentOperator op;
        uint64_t value;
        int error; /* -1: SystemCallErrorNumber= */
} ProfileSyscallArgument;

struct ProfileKey;

/* One value as it was written. */
typedef struct ProfileLine {
        char *value;
        const struct ProfileKey *key;
        uint32_t file, line; /* which of the profile's files, and where in it; line 0: in none */
} ProfileLine;

/* Each array is followed by the number of its rows, and each row begins with its texts (profile-rows.h). */
typedef struct Profile {
        unsigned n_ref;
        char *name;
        char *source_path;   /* the .profile file */
        char **dropin_paths; /* in the order they were applied */
        char **files;        /* all that it was made of, also those that it inherits from */
        char hash[65];       /* SHA-256 in hex over all files that made it, in order */
        ProfileLine *
                lines; /* all that was applied, in order, so that it can be applied again with more after it */
        size_t n_lines;

        /* [Profile] */
        char *description;
        char **documentation;
        char **inherits;
        bool abstract, enabled;

        /* [Access] */
        char **allow_users, **allow_groups, **deny_users, **deny_groups, **manage_users, **manage_groups;
        ProfileAuthentication authentication;
        uint32_t max_instances;
        ProfileArguments arguments;
        char *argument_pattern;
        char **pass_environment;
        char **user_settable;

        /* [Exec] */
        char **exec_start; /* argv; [0] absolute */
        char *working_directory;
        char **environment, **unset_environment;
        StreamKind standard_input, standard_output, standard_error;
        mode_t umask;
        bool nice_set, oom_score_adjust_set;
        int nice, oom_score_adjust;
        ProfileRlimit rlimits[PROFILE_N_RLIMITS]; /* by RLIMIT_* number */
        char **supplementary_groups;
        bool process_two;

        /* [Namespaces] */
        PrivateUsers private_users;
        char *hostname; /* NULL: the profile's name */
        bool restrict_namespaces;

        /* [Files] */
        ProtectSystem protect_system;
        ProtectHome protect_home;
        bool home_submounts, persistent_home, private_devices;
        char *root_directory; /* NULL: the host's /usr in an empty root */
        bool root_ephemeral;
        ProfileBind *binds;
        size_t n_binds;
        ProfileTmpfs *tmpfs;
        size_t n_tmpfs;
        ProfilePaths inaccessible, read_only, read_write, no_exec, exec;
        char **state_directory, **cache_directory, **runtime_directory;
        ProtectProc protect_proc;
        bool proc_subset_pid; /* pid (default) */
        uint64_t private_tmp_size;
        ProfilePaths devices;

        /* [Network] */
        NetworkMode network_mode;
        char **address_families; /* RestrictAddressFamilies= */

        /* [Resources]; UINT64_MAX: not set */
        uint64_t memory_min, memory_low, memory_high, memory_max, memory_swap_max, memory_zswap_max;
        uint64_t cpu_weight;                       /* 1…10000 */
        uint32_t cpu_quota;                        /* 1/100 of a percent of one CPU; UINT32_MAX: not set */
        char *allowed_cpus, *allowed_memory_nodes; /* as the kernel's cpuset wants them */
        uint64_t io_weight;
        ProfileIoLimit *io_limits;
        size_t n_io_limits;
        uint64_t tasks_max; /* UINT64_MAX: infinity, written by the admin */

        /* [Security] */
        char **capability_bounding_set, **ambient_capabilities; /* "CAP_…" */
        ProfileSyscall *syscalls; /* SystemCallFilter= in order; empty: @system-service */
        size_t n_syscalls;
        bool syscalls_set;
        int syscall_error;  /* SystemCallErrorNumber= */
        char **syscall_log; /* SystemCallLog= */
        ProfileSyscallArgument *syscall_arguments;
        size_t n_syscall_arguments;
        bool landlock;          /* auto (default) or no */
        char *apparmor_profile; /* NULL: none; specifiers not yet expanded */
        char *selinux_context;  /* NULL: none; the same */
        bool lock_personality, restrict_realtime, restrict_suid_sgid, memory_deny_write_execute;
        char **degrade;

        /* [Service], and OOMPolicy= */
        Terms terms;

        /* [Log] */
        char *syslog_identifier;
        int syslog_level, log_level_max; /* syslog(3) */
        bool syslog_level_prefix;
} Profile;

/* A profile with every default in *ret, n_ref 1. -EINVAL: bad name. -ENOMEM. */
int profile_new(Profile **ret, const char *name);
Profile *profile_ref(Profile *p);
/* Where a key was written last: the file, and its line or 0 where that is not known. */
const char *profile_origin(const Profile *p, const char *key, unsigned *ret_line);
Profile *profile_unref(Profile *p); /* takes NULL, returns NULL */
DECLARE_CLEANUP(Profile *, profile_unref);
