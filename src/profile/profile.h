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

typedef enum ProfileAuthentication {
        PROFILE_AUTHENTICATION_NONE,
        PROFILE_AUTHENTICATION_SELF,
        PROFILE_AUTHENTICATION_ADMIN,
} ProfileAuthentication;

typedef enum ProfileArguments {
        PROFILE_ARGUMENTS_FIXED,   /* ExecStart= alone (default) */
        PROFILE_ARGUMENTS_APPEND,  /* the user's arguments behind it */
        PROFILE_ARGUMENTS_PATTERN, /* the same, each must match ArgumentPattern= */
} ProfileArguments;

typedef enum ProfileAllowExec {
        PROFILE_ALLOW_EXEC_OWNER,
        PROFILE_ALLOW_EXEC_NO,
        PROFILE_ALLOW_EXEC_MANAGE,
} ProfileAllowExec;

/* Where a standard stream goes. Also in the plan and on the wire: never renumber. */
typedef enum StreamKind {
        STREAM_NULL = 0,
        STREAM_CLIENT = 1, /* the descriptor that came with the launch */
        STREAM_TTY = 2,
        STREAM_JOURNAL = 3, /* outputs only */
} StreamKind;

typedef enum PrivateUsers {
        PRIVATE_USERS_PICK = 0, /* own ids inside, ids that nobody else has outside (default) */
        PRIVATE_USERS_SELF = 1,
        PRIVATE_USERS_IDENTITY = 2,
} PrivateUsers;

typedef enum ProtectSystem {
        PROTECT_SYSTEM_STRICT, /* nothing of the tree but what is the user's own (default) */
        PROTECT_SYSTEM_FULL,   /* /usr and /etc; other directories are the user's, in memory */
} ProtectSystem;

typedef enum ProtectHome {
        PROTECT_HOME_TMPFS, /* an empty home (default) */
        PROTECT_HOME_READ_ONLY,
        PROTECT_HOME_YES, /* no home at all */
        PROTECT_HOME_NO,
} ProtectHome;

/* What of processes that are not its own an application finds in /proc; proc(5), hidepid. */
typedef enum ProtectProc {
        PROTECT_PROC_INVISIBLE, /* nothing (default) */
        PROTECT_PROC_NO_ACCESS, /* that they are there */
        PROTECT_PROC_PTRACEABLE,
        PROTECT_PROC_DEFAULT,
} ProtectProc;

typedef enum NetworkMode {
        NETWORK_NONE = 0, /* own namespace, loopback only (default) */
        NETWORK_PRIVATE = 1,
        NETWORK_SHARED = 2,
        NETWORK_HOST = 3,
} NetworkMode;

typedef enum OomPolicy {
        OOM_POLICY_KILL = 0,
        OOM_POLICY_STOP = 1,
        OOM_POLICY_CONTINUE = 2,
} OomPolicy;

/* When a launch counts as done. Also in the plan: never renumber. */
typedef enum ServiceType {
        SERVICE_EXEC = 0,    /* the application was executed (default) */
        SERVICE_SIMPLE = 1,  /* its process exists */
        SERVICE_ONESHOT = 2, /* it has ended */
        SERVICE_NOTIFY = 3,  /* it says READY=1, sd_notify(3) */
} ServiceType;

/* After which ends it is started again, as in systemd.service(5). Also in the plan: never renumber. */
typedef enum RestartPolicy {
        RESTART_NO = 0,
        RESTART_ON_SUCCESS = 1,
        RESTART_ON_FAILURE = 2,
        RESTART_ON_ABNORMAL = 3,
        RESTART_ALWAYS = 4,
} RestartPolicy;

/* Whose notifications count. Also in the plan: never renumber. */
typedef enum NotifyAccess {
        NOTIFY_ACCESS_NONE =
                0, /* not said: main where anything needs one, else there is no socket (default) */
        NOTIFY_ACCESS_MAIN = 1, /* the application's first process */
        NOTIFY_ACCESS_ALL = 2,
} NotifyAccess;

typedef enum OnDisconnect {
        ON_DISCONNECT_KEEP = 0,
        ON_DISCONNECT_STOP = 1,
} OnDisconnect;

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

/* One path of a P list with its leading "-". */
typedef struct ProfilePath {
        char *path;
        bool optional;
} ProfilePath;

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
        const struct ProfileKey *key;
        char *value;
} ProfileLine;

typedef struct Profile {
        unsigned n_ref;
        char *name;
        char *source_path;   /* the .profile file */
        char **dropin_paths; /* in the order they were applied */
        char hash[65];       /* SHA-256 in hex over all files that made it, in order */
        ProfileLine *lines;  /* all that was applied, in order: it can be made again, with more behind */
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
        ProfileAllowExec allow_exec;

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
        bool persistent_home, private_devices;
        char *root_directory; /* NULL: the host's /usr in an empty root */
        bool root_ephemeral;
        ProfileBind *binds;
        size_t n_binds;
        ProfileTmpfs *tmpfs;
        size_t n_tmpfs;
        ProfilePath *inaccessible, *read_only, *read_write, *no_exec, *exec;
        size_t n_inaccessible, n_read_only, n_read_write, n_no_exec, n_exec;
        char **state_directory, **cache_directory, **runtime_directory;
        ProtectProc protect_proc;
        bool proc_subset_pid; /* pid (default) */
        uint64_t private_tmp_size;
        ProfilePath *devices;
        size_t n_devices;

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
        OomPolicy oom_policy;

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

        /* [Service] */
        ServiceType type;
        NotifyAccess notify_access;
        uint64_t watchdog_usec; /* USEC_INFINITY: none */
        RestartPolicy restart;
        uint64_t restart_usec, restart_max_delay_usec; /* max: USEC_INFINITY: always restart_usec */
        uint32_t restart_steps;
        uint64_t start_limit_interval_usec;                               /* 0: no limit */
        uint32_t start_limit_burst;                                       /* likewise */
        uint64_t timeout_start_usec, timeout_stop_usec, runtime_max_usec; /* USEC_INFINITY: none */
        int kill_signal;
        uint32_t success_statuses[8]; /* bit set of exit codes 0…255 */
        uint64_t success_signals;     /* bit N: signal N counts as success */
        OnDisconnect on_disconnect;

        /* [Log] */
        char *syslog_identifier;
        int log_level_max;
} Profile;

/* A profile with every default in *ret, n_ref 1. -EINVAL: bad name. -ENOMEM. */
int profile_new(Profile **ret, const char *name);
Profile *profile_ref(Profile *p);
Profile *profile_unref(Profile *p); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Profile *, profile_unref);
