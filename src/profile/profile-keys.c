/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-keys.h"

#include "profile/names.h"
#include "profile/profile-ceiling.h"
#include "profile/profile-parse.h"

#include <sys/resource.h>

#define NOFIELD 0
#define RLIMIT_FIELD(n) (offsetof(Profile, rlimits) + RLIMIT_##n * sizeof(ProfileRlimit))

_Static_assert(RLIMIT_NLIMITS == PROFILE_N_RLIMITS, "one row for each resource limit");

/* clang-format off */
/* Found out from the field itself, so that no row can be wrong about it. */
#define FIELD_KIND(field)                                                                       \
        _Generic(((Profile *) NULL)->field,                                                     \
                 char *: PROFILE_FIELD_TEXT, char **: PROFILE_FIELD_WORDS,                      \
                 ProfileBind *: PROFILE_FIELD_BINDS, ProfileTmpfs *: PROFILE_FIELD_TMPFS,       \
                 ProfilePaths: PROFILE_FIELD_PATHS, ProfileIoLimit *: PROFILE_FIELD_IO_LIMITS,  \
                 ProfileSyscall *: PROFILE_FIELD_SYSCALLS,                                      \
                 ProfileSyscallArgument *: PROFILE_FIELD_SYSCALL_ARGUMENTS, default: PROFILE_FIELD_PLAIN)

/* Rows by what they hold; further columns follow by their names. */
#define KEY(s, n, parser, field_, lo, hi, l, d, syn, h, ...) \
        { .section = s, .name = n, .parse = parser, .offset = offsetof(Profile, field_), .kind = FIELD_KIND(field_), \
          .min = lo, .max = hi, .list = l, .default_text = d, .syntax = syn, .help = h, __VA_ARGS__ }
#define BOOL(s, n, field, d, h, ...) KEY(s, n, parse_key_bool, field, 0, 1, false, d, "yes|no", h, __VA_ARGS__)
#define VALUE(s, n, parser, field, d, syn, h, ...) KEY(s, n, parser, field, 0, 0, false, d, syn, h, __VA_ARGS__)
#define LIST(s, n, parser, field, d, syn, h, ...) KEY(s, n, parser, field, 0, 1024, true, d, syn, h, __VA_ARGS__)
#define NUMBER(s, n, reader, field, lo, hi, l, d, syn, h, ...) \
        KEY(s, n, parse_key_number, field, lo, hi, l, d, syn, h, .read = reader, __VA_ARGS__)
#define PATHS(n, use, field, h, ...) \
        LIST("Files", n, parse_key_paths, field, "", "[-]path…", h, .variant = use, __VA_ARGS__)
#define IO_LIMIT(n, reader, column, syn, h) \
        KEY("Resources", n, parse_key_io_limit, io_limits, 0, 64, true, "", syn, h, .read = reader, \
            .variant = offsetof(ProfileIoLimit, column), .at_most = at_most_io)
/* One of a few names, kept in one byte. */
#define NAME(s, n, field, all, d, syn, h, ...) \
        KEY(s, n, parse_key_name, field, 0 * sizeof(char[sizeof(((Profile *) NULL)->field) == 1 ? 1 : -1]), \
            ELEMENTSOF(all) - 1, false, d, syn, h, .names = (all), __VA_ARGS__)
#define RLIMIT(n, reader, hi, syn, h) \
        { .section = "Exec", .name = "Limit" #n, .parse = parse_key_rlimit, .read = reader, \
          .offset = RLIMIT_FIELD(n), .max = hi, .default_text = "", .syntax = syn "[:" syn "]", .help = h, \
          .at_most = at_most_rlimit }
/* Nothing is stored: the only value taken is the one that is in force anyway. */
#define FIXED(s, n, parser, d, syn, h) \
        { .section = s, .name = n, .parse = parser, .offset = NOFIELD, .default_text = d, .syntax = syn, .help = h }
/* Part of the format, and refused until it is enforced. */
#define LATER(s, n, l, d, syn, h) \
        { .section = s, .name = n, .parse = NULL, .list = l, .default_text = d, .syntax = syn, .help = h }
#define BIT(n) (UINT32_C(1) << (n))

/* clang-format on */

#define SIZE_LIMIT (UINT64_C(1) << 60)
#define USEC_PER_YEAR (UINT64_C(366) * 24 * 3600 * USEC_PER_SEC)

static const char *const proc_subset_names[] = { "all", "pid" };
static const char *const landlock_names[] = { "no", "auto" };

static bool key_is_settable(const char *s) { return profile_settable_key(s) != NULL; }

/* Only the table itself can tell which names it takes. */
static int parse_key_settable(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_list(key,
                          text,
                          p,
                          key_is_settable,
                          "an item is not a key that can be tightened; “immurectl keys” tells which can",
                          ret_why);
}

/*
 * Keys without .at_most are never the user's to set: who may launch ([Access]), what runs, names, and whatever can
 * uncover as well as cover. Binds and directories do, and so do groups, since a group can also be what a file
 * refuses.
 */
/* clang-format off */
const ProfileKey profile_keys[] = {
        /* What the profile is */
        KEY("Profile", "Description", parse_key_text, description, 0, 512, false, "", "text",
             "What the application is, for people"),
        LIST("Profile", "Documentation", parse_key_words, documentation, "", "URI…",
             "Where to read about it"),
        KEY("Profile", "Inherits", parse_key_profile_names, inherits, 0, 16, true, "", "profile…",
             "Profiles whose keys are read before this one's"),
        BOOL("Profile", "Abstract", abstract, "no", "Only for other profiles to inherit from, never launched"),
        BOOL("Profile", "Enabled", enabled, "yes", "Whether it may be launched"),

        /* Who may do what with it */
        LIST("Access", "AllowUsers", parse_key_users, allow_users, "", "user…",
             "Users who may launch it; if AllowGroups= is empty too, only root may"),
        LIST("Access", "AllowGroups", parse_key_groups, allow_groups, "", "group…",
             "Groups whose members may launch it"),
        LIST("Access", "DenyUsers", parse_key_users, deny_users, "", "user…",
             "Users who may not launch it, even if they are allowed above"),
        LIST("Access", "DenyGroups", parse_key_groups, deny_groups, "", "group…",
             "Groups whose members, and who might be one, may not launch it even if allowed above"),
        LIST("Access", "ManageUsers", parse_key_users, manage_users, "", "user…",
             "Users who may stop and inspect others' sandboxes of it"),
        LIST("Access", "ManageGroups", parse_key_groups, manage_groups, "", "group…",
             "Groups whose members may stop and inspect others' sandboxes of it"),
        NAME("Access", "Authentication", authentication, authentication_names, "none", "none|self|admin",
             "Whose password polkit asks for before each launch"),
        KEY("Access", "MaxInstances", parse_key_u32, max_instances, 1, 4096, false, "1", "1…4096",
             "How many sandboxes of it each user may have at a time"),
        NAME("Access", "Arguments", arguments, arguments_names, "fixed", "fixed|append|pattern",
             "Whether the user may add arguments"),
        KEY("Access", "ArgumentPattern", parse_key_pattern, argument_pattern, 0, 1024, false, "",
             "extended regular expression", "What each added argument must match as a whole"),
        LIST("Access", "PassEnvironment", parse_key_environment_names, pass_environment, "TERM LANG",
             "name…", "Environment variables that the user may set; replaces the default"),
        LIST("Access", "UserSettable", parse_key_settable, user_settable, "", "key…",
             "Keys that the user may tighten; their values here are the ceiling"),
        FIXED("Access", "AllowExec", parse_key_only_default, "no", "no|owner|manage",
             "Who may run further commands in a sandbox of it (no in this version)"),
        FIXED("Access", "AllowLearn", parse_key_only_no, "no", "yes|no",
             "Whether it may be launched to record what it needs (no in this version)"),

        /* What runs */
        KEY("Exec", "ExecStart", parse_key_exec_start, exec_start, 0, 256, false, "", "/path argument…",
             "The program and its arguments, without a shell"),
        VALUE("Exec", "WorkingDirectory", parse_key_working_directory, working_directory, "~", "~|path",
             "The directory it starts in; ~ is the home"),
        LIST("Exec", "Environment", parse_key_environment, environment, "", "NAME=value…",
             "Environment variables to set"),
        LIST("Exec", "UnsetEnvironment", parse_key_environment_names, unset_environment, "", "name…",
             "Environment variables to remove, whoever set them"),
        NAME("Exec", "StandardInput", standard_input, stream_names, "null", "null|client|tty",
             "Where it reads from", .foreign = BIT(STREAM_JOURNAL), .later = BIT(STREAM_TTY)),
        NAME("Exec", "StandardOutput", standard_output, stream_names, "journal",
             "journal|client|tty|null", "Where its output goes", .later = BIT(STREAM_TTY)),
        NAME("Exec", "StandardError", standard_error, stream_names, "journal",
             "journal|client|tty|null", "Where its error output goes", .later = BIT(STREAM_TTY)),
        KEY("Exec", "UMask", parse_key_mode, umask, 0, 0777, false, "0077", "octal mode",
             "Permissions that new files are created without", .at_most = at_most_umask),
        VALUE("Exec", "Nice", parse_key_nice, nice, "", "-20…19", "Scheduling priority", .at_most = at_most_nice),
        VALUE("Exec", "OOMScoreAdjust", parse_key_oom_score_adjust, oom_score_adjust, "", "-1000…1000",
             "How readily the kernel kills it when memory runs out", .at_most = at_most_oom_score),
        RLIMIT(CPU, read_seconds, SIZE_LIMIT, "time", "CPU time of a process"),
        RLIMIT(FSIZE, parse_size, SIZE_LIMIT, "size", "Size of files it writes"),
        RLIMIT(DATA, parse_size, SIZE_LIMIT, "size", "Data of a process"),
        RLIMIT(STACK, parse_size, SIZE_LIMIT, "size", "Stack of a process"),
        RLIMIT(CORE, parse_size, SIZE_LIMIT, "size", "Size of a core dump"),
        RLIMIT(RSS, parse_size, SIZE_LIMIT, "size", "Resident memory; not enforced by Linux"),
        RLIMIT(NOFILE, read_count, 1 << 30, "number", "Open files of a process"),
        RLIMIT(AS, parse_size, SIZE_LIMIT, "size", "Address space of a process"),
        RLIMIT(NPROC, read_count, 1 << 22, "number", "Processes of the user"),
        RLIMIT(MEMLOCK, parse_size, SIZE_LIMIT, "size", "Locked memory"),
        RLIMIT(LOCKS, read_count, SIZE_LIMIT, "number", "File locks; not enforced by Linux"),
        RLIMIT(SIGPENDING, read_count, 1 << 30, "number", "Queued signals"),
        RLIMIT(MSGQUEUE, parse_size, SIZE_LIMIT, "size", "POSIX message queues"),
        RLIMIT(NICE, read_count, 40, "0…40", "How far the priority may be raised: 20 minus the nice value"),
        RLIMIT(RTPRIO, read_count, 99, "0…99", "Real-time priority"),
        RLIMIT(RTTIME, read_usec, SIZE_LIMIT, "time", "Real-time CPU time without a pause"),
        LIST("Exec", "SupplementaryGroups", parse_key_groups, supplementary_groups, "", "group…",
             "Which of the user's groups it keeps"),
        BOOL("Exec", "ProcessTwo", process_two, "yes", "Run it below an init that reaps orphans"),

        /* What it is kept apart from */
        NAME("Namespaces", "PrivateUsers", private_users, private_users_names, "pick",
             "pick|identity|self", "Which ids it has on the host", .at_most = at_most_name),
        KEY("Namespaces", "Hostname", parse_key_hostname, hostname, 0, 64, false, "", "host name",
             "The host name it sees; empty: the profile's name"),
        BOOL("Namespaces", "RestrictNamespaces", restrict_namespaces, "yes", "It cannot create namespaces",
             .at_most = at_most_if_yes),

        /* What it sees of the files */
        NAME("Files", "ProtectSystem", protect_system, protect_system_names, "strict", "strict|full",
             "What is read-only (strict: all but its own; full: /usr and /etc, the rest is in memory)",
             .at_most = at_most_name),
        NAME("Files", "ProtectHome", protect_home, protect_home_names, "tmpfs", "tmpfs|read-only|yes|no",
             "What it sees of the home (tmpfs: an empty one; yes: none; read-only and no: the user's own)",
             .at_most = at_most_home),
        BOOL("Files", "HomeSubmounts", home_submounts, "yes",
             "Whether ProtectHome=read-only and no show what is mounted below the home"),
        BOOL("Files", "PersistentHome", persistent_home, "no",
             "Keep the home, which is empty at first, between launches", .at_most = at_most_if_no),
        VALUE("Files", "RootDirectory", parse_key_root_directory, root_directory, "", "path",
             "A directory as its root, instead of the host's /usr and /etc"),
        LATER("Files", "RootImage", false, "", "path", "A disk image as root"),
        BOOL("Files", "RootEphemeral", root_ephemeral, "no",
             "Let it write to RootDirectory=, in memory up to PrivateTmpSize=, and discard that",
             .at_most = at_most_if_no),
        LIST("Files", "BindPaths", parse_key_bind, binds, "", "[-]source[:destination[:options]]…",
             "Files and directories of the host it may read and write"),
        LIST("Files", "BindReadOnlyPaths", parse_key_bind, binds, "",
             "[-]source[:destination[:options]]…", "Files and directories of the host it may read", .variant = true),
        LIST("Files", "TemporaryFileSystem", parse_key_tmpfs, tmpfs, "", "path[:size=…,mode=…]…",
             "Empty directories in memory"),
        PATHS("InaccessiblePaths", PATH_USE_MASK, inaccessible,
             "Paths it must not see", .at_most = at_least_paths),
        PATHS("ReadOnlyPaths", PATH_USE_REMOUNT, read_only,
             "Paths it must not write to", .at_most = at_least_paths),
        PATHS("ReadWritePaths", PATH_USE_REMOUNT, read_write,
             "Paths below ReadOnlyPaths= that stay writable", .at_most = at_most_paths, .replaces = true),
        PATHS("NoExecPaths", PATH_USE_EXECUTE, no_exec,
             "Paths from which nothing can be executed; / means everywhere", .at_most = at_least_paths),
        PATHS("ExecPaths", PATH_USE_REMOUNT, exec,
             "Paths below NoExecPaths= from which programs can be executed",
             .at_most = at_most_paths, .replaces = true),
        LIST("Files", "StateDirectory", parse_key_directories, state_directory, "", "name…",
             "Directories below /var/lib that it keeps"),
        LIST("Files", "CacheDirectory", parse_key_directories, cache_directory, "", "name…",
             "Directories below /var/cache that it keeps but can do without"),
        LIST("Files", "RuntimeDirectory", parse_key_directories, runtime_directory, "", "name…",
             "Directories below /run that last as long as its sandbox"),
        NAME("Files", "ProtectProc", protect_proc, protect_proc_names, "invisible",
             "invisible|noaccess|ptraceable|default", "How much /proc shows of processes that are not its own",
             .at_most = at_most_proc),
        NAME("Files", "ProcSubset", proc_subset_pid, proc_subset_names, "pid", "pid|all",
             "Whether /proc shows only processes, and nothing of the machine", .at_most = at_most_if_yes),
        NUMBER("Files", "PrivateTmpSize", parse_size, private_tmp_size, 65536, SIZE_LIMIT, false, "64M",
             "size",
             "Size of each of /tmp, /var/tmp, /dev/shm, the empty home and the directories of ProtectSystem=full; "
             "and of all that RootEphemeral= lets it write",
             .at_most = at_most_number),
        BOOL("Files", "PrivateDevices", private_devices, "yes",
             "A /dev without hardware except DeviceAllow=; no: with every character device the user may use",
             .at_most = at_most_if_yes),
        LIST("Files", "DeviceAllow", parse_key_devices, devices, "", "[-]device [rw]",
             "A character device it may read and write, as far as the user may", .variant = PATH_USE_DEVICE,
             .at_most = at_most_paths, .replaces = true),

        /* What it reaches */
        NAME("Network", "Mode", network_mode, network_names, "none",
             "none|private|shared:NAME|host", "Which network it is in (none in this version)",
             .foreign = BIT(NETWORK_SHARED), .later = BIT(NETWORK_PRIVATE) | BIT(NETWORK_HOST)),
        LATER("Network", "EgressPolicy", false, "deny", "deny|allow",
             "What happens to connections that no EgressAllow= names"),
        LATER("Network", "EgressAllow", true, "", "cidr[:port[-port]][/tcp|udp]…",
             "Where it may connect to"),
        LATER("Network", "Port", true, "", "[tcp|udp:][address:]port[:inner]…",
             "Ports of the host that lead to it"),
        LATER("Network", "DNS", true, "", "address…", "Name servers it uses"),
        LATER("Network", "IngressBandwidthMax", false, "", "bytes per second", "How fast it may receive"),
        LATER("Network", "EgressBandwidthMax", false, "", "bytes per second", "How fast it may send"),
        LIST("Network", "RestrictAddressFamilies", parse_key_address_families, address_families,
             "AF_UNIX AF_INET AF_INET6 AF_NETLINK", "family…|none",
             "Kinds of sockets it may create; replaces the default",
             .at_most = at_most_words, .replaces = true),
        LATER("Network", "IPAccounting", false, "yes", "yes|no", "Count what it sends and receives"),

        /* How much it uses */
        NUMBER("Resources", "MemoryMin", parse_size, memory_min, 0, SIZE_LIMIT, false, "", "size",
             "Memory that is never reclaimed from it", .at_most = at_most_guarantee),
        NUMBER("Resources", "MemoryLow", parse_size, memory_low, 0, SIZE_LIMIT, false, "", "size",
             "Memory that is reclaimed from it last", .at_most = at_most_guarantee),
        NUMBER("Resources", "MemoryHigh", parse_size, memory_high, 4096, UINT64_MAX, false, "",
             "size|infinity", "Memory above which it is slowed down", .at_most = at_most_number),
        NUMBER("Resources", "MemoryMax", parse_size, memory_max, 4096, UINT64_MAX, false, "",
             "size|infinity", "Memory above which it is killed", .at_most = at_most_number),
        NUMBER("Resources", "MemorySwapMax", parse_size, memory_swap_max, 0, UINT64_MAX, false, "",
             "size|infinity", "Swap it may use", .at_most = at_most_number),
        NUMBER("Resources", "MemoryZSwapMax", parse_size, memory_zswap_max, 0, UINT64_MAX, false, "",
             "size|infinity", "Compressed swap it may use", .at_most = at_most_number),
        NUMBER("Resources", "CPUWeight", parse_u64, cpu_weight, 1, 10000, false, "", "1…10000",
             "Its share of busy CPUs, where others have 100", .at_most = at_most_weight),
        KEY("Resources", "CPUQuota", parse_key_cpu_quota, cpu_quota, 100, UINT32_MAX - 1, false, "",
             "percentage", "CPU time it may use at most, as a share of one CPU", .at_most = at_most_word),
        KEY("Resources", "AllowedCPUs", parse_key_cpu_set, allowed_cpus, 0, 8191, false, "",
             "number[-number]…", "CPUs it may run on"),
        KEY("Resources", "AllowedMemoryNodes", parse_key_cpu_set, allowed_memory_nodes, 0, 1023, false, "",
             "number[-number]…", "Memory nodes it may use"),
        NUMBER("Resources", "IOWeight", parse_u64, io_weight, 1, 10000, false, "", "1…10000",
             "Its share of busy disks, where others have 100", .at_most = at_most_weight),
        IO_LIMIT("IOReadBandwidthMax", parse_size, rbps, "device size", "Bytes per second it may read"),
        IO_LIMIT("IOWriteBandwidthMax", parse_size, wbps, "device size", "Bytes per second it may write"),
        IO_LIMIT("IOReadIOPSMax", parse_u64, riops, "device number", "Reads per second"),
        IO_LIMIT("IOWriteIOPSMax", parse_u64, wiops, "device number", "Writes per second"),
        NUMBER("Resources", "TasksMax", parse_u64, tasks_max, 1, UINT64_MAX, false, "512",
             "number|infinity", "Processes and threads it may have", .at_most = at_most_number),
        NAME("Resources", "OOMPolicy", terms.oom_policy, oom_policy_names, "kill", "kill|stop|continue",
             "What happens when the kernel kills one of its processes for want of memory", .at_most = at_most_name),

        /* With which rights */
        LIST("Security", "CapabilityBoundingSet", parse_key_capabilities, capability_bounding_set, "",
             "CAP_…", "Capabilities it can have, inside its user namespace",
             .at_most = at_most_words, .replaces = true),
        LIST("Security", "AmbientCapabilities", parse_key_capabilities, ambient_capabilities, "", "CAP_…",
             "Capabilities it starts with, out of those above", .at_most = at_most_words, .replaces = true),
        LIST("Security", "SystemCallFilter", parse_key_syscall_filter, syscalls, "@system-service",
             "[~]name|@group[:errno]…", "System calls it may make; replaces the default",
             .at_most = at_least_removals),
        KEY("Security", "SystemCallArgumentFilter", parse_key_syscall_arguments, syscall_arguments, 0, 128, true,
             "", "call:argument==value[:errno]…", "System calls to refuse because of an argument",
             .at_most = at_least_refusals),
        FIXED("Security", "SystemCallArchitectures", parse_key_only_default, "native", "native",
             "ABIs of system calls"),
        VALUE("Security", "SystemCallErrorNumber", parse_key_error_number, syscall_error, "EPERM", "errno",
             "What a refused system call returns"),
        LIST("Security", "SystemCallLog", parse_key_syscall_names, syscall_log, "", "name|@group…",
             "System calls to log"),
        LATER("Security", "SystemCallNotify", false, "no", "yes|no", "Name every refused system call"),
        BOOL("Security", "LockPersonality", lock_personality, "yes", "It cannot change its execution domain",
             .at_most = at_most_if_yes),
        BOOL("Security", "RestrictRealtime", restrict_realtime, "yes", "It cannot use real-time scheduling",
             .at_most = at_most_if_yes),
        BOOL("Security", "RestrictSUIDSGID", restrict_suid_sgid, "yes",
             "It cannot create setuid or setgid files, nor setgid directories, which shared ones are",
             .at_most = at_most_if_yes),
        BOOL("Security", "MemoryDenyWriteExecute", memory_deny_write_execute, "no",
             "No memory that is both writable and executable", .at_most = at_most_if_yes),
        KEY("Security", "AppArmorProfile", parse_key_apparmor_profile, apparmor_profile, 0, 256, false, "", "name",
             "The AppArmor profile it runs in"),
        KEY("Security", "SELinuxContext", parse_key_selinux_context, selinux_context, 0, 1024, false, "", "context",
             "The SELinux context it runs in"),
        NAME("Security", "Landlock", landlock, landlock_names, "auto", "auto|no",
             "Landlock rules from [Files] and [Network], as a second wall", .at_most = at_most_if_yes),
        LIST("Security", "Degrade", parse_key_layers, degrade, "", "layer…",
             "Layers that the machine may lack", .at_most = at_most_words, .replaces = true),

        /* Its life */
        NAME("Service", "Type", terms.type, service_type_names, "exec", "exec|simple|notify|oneshot",
             "When a launch counts as done; simple is exec by another name"),
        NAME("Service", "NotifyAccess", terms.notify_access, notify_access_names, "", "main|all",
             "Whose notifications count; empty: main with Type=notify or WatchdogSec=, else nobody's",
             .foreign = BIT(NOTIFY_ACCESS_NONE)),
        NAME("Service", "Restart", terms.restart, restart_names, "no", "no|on-success|on-failure|on-abnormal|always",
             "After which ends it is started again", .at_most = at_most_restart),
        NUMBER("Service", "RestartSec", parse_usec, terms.restart_usec, 0, USEC_PER_YEAR, false, "1s", "time",
             "How long to wait before it is started again", .at_most = at_least_number),
        KEY("Service", "RestartSteps", parse_key_u32, terms.restart_steps, 0, 1000, false, "0", "0…1000",
             "Over how many restarts the wait grows from RestartSec= to RestartMaxDelaySec="),
        NUMBER("Service", "RestartMaxDelaySec", parse_usec, terms.restart_max_delay_usec, 0, UINT64_MAX, false,
             "infinity", "time|infinity", "The longest wait; needs RestartSteps="),
        NUMBER("Service", "StartLimitIntervalSec", parse_usec, terms.start_limit_interval_usec, 0, UINT64_MAX, false,
             "10s", "time|infinity", "The time within which starts are counted; 0: they are not",
             .at_most = at_least_number),
        KEY("Service", "StartLimitBurst", parse_key_u32, terms.start_limit_burst, 0, 1000, false, "5", "0…1000",
             "How many starts that time allows; 0: any number", .at_most = at_most_burst),
        NUMBER("Service", "TimeoutStartSec", parse_usec, terms.timeout_start_usec, USEC_PER_MSEC, UINT64_MAX, false,
             "30s", "time|infinity", "How long a launch may take", .at_most = at_most_number),
        NUMBER("Service", "TimeoutStopSec", parse_usec, terms.timeout_stop_usec, 0, UINT64_MAX, false, "10s",
             "time|infinity", "How long it may take to stop, before it is killed", .at_most = at_most_number),
        NUMBER("Service", "RuntimeMaxSec", parse_usec, terms.runtime_max_usec, USEC_PER_MSEC, UINT64_MAX, false,
             "infinity", "time|infinity", "How long it may run", .at_most = at_most_number),
        LATER("Service", "IdleTimeoutSec", false, "", "time", "How long it may do nothing"),
        NUMBER("Service", "WatchdogSec", parse_usec, terms.watchdog_usec, USEC_PER_MSEC, UINT64_MAX, false,
             "infinity", "time|infinity", "How long it may go without a sign of life once it is ready"),
        VALUE("Service", "KillSignal", parse_key_signal, terms.kill_signal, "SIGTERM", "signal",
             "The signal that asks it to stop"),
        LIST("Service", "SuccessExitStatus", parse_key_success_status, terms.success_statuses, "",
             "0…255|name|signal…", "Exit codes and signals that count as success besides 0"),
        NAME("Service", "OnDisconnect", terms.on_disconnect, on_disconnect_names, "keep", "keep|stop|kill",
             "What happens when whoever launched it disconnects", .at_most = at_most_on_disconnect),
        LATER("Service", "HealthCmd", false, "", "/path argument…",
             "A command that tells whether it is healthy"),
        LATER("Service", "HealthIntervalSec", false, "", "time", "How often to ask"),
        LATER("Service", "HealthTimeoutSec", false, "", "time", "How long the answer may take"),
        LATER("Service", "HealthRetries", false, "", "number", "How many failures make it unhealthy"),
        LATER("Service", "HealthStartPeriodSec", false, "", "time", "How long failures do not count"),
        LATER("Service", "HealthOnFailure", false, "none", "none|kill|restart",
             "What happens when it is unhealthy"),

        /* Its log */
        KEY("Log", "SyslogIdentifier", parse_key_log_name, syslog_identifier, 0, 128, false, "", "name",
             "Its name in the log; empty: the profile's name"),
        VALUE("Log", "SyslogLevel", parse_key_log_level, syslog_level, "info",
             "emerg|alert|crit|err|warning|notice|info|debug", "The priority of its lines"),
        BOOL("Log", "SyslogLevelPrefix", syslog_level_prefix, "no",
             "Whether \"<N>\" before a line is its priority, up to err or SyslogLevel="),
        VALUE("Log", "LogLevelMax", parse_key_log_level, log_level_max, "debug",
             "emerg|alert|crit|err|warning|notice|info|debug", "The least important messages that are kept"),
        LATER("Log", "LogRateLimitIntervalSec", false, "", "time", "The time within which messages are counted"),
        LATER("Log", "LogRateLimitBurst", false, "", "number", "How many messages that time allows"),
};
/* clang-format on */

const size_t n_profile_keys = ELEMENTSOF(profile_keys);

const ProfileKey *profile_key_find(const char *section, const char *name) {
        for (size_t i = 0; i < n_profile_keys; i++)
                if (streq(profile_keys[i].name, name) && streq(profile_keys[i].section, section))
                        return &profile_keys[i];

        return NULL;
}

bool profile_section_exists(const char *section) {
        for (size_t i = 0; i < n_profile_keys; i++)
                if (streq(profile_keys[i].section, section))
                        return true;

        return false;
}

const ProfileKey *profile_settable_key(const char *name) {
        for (size_t i = 0; i < n_profile_keys; i++)
                if (profile_keys[i].at_most && streq(profile_keys[i].name, name))
                        return &profile_keys[i];

        return NULL;
}
