/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-fields.h"

#include "base/security-label.h"
#include "plan/plan-check.h"
#include "plan/plan-text.h"
#include "profile/names.h"

#include <signal.h>
#include <sys/resource.h>

/* The offset, and a compiler's complaint where the field is not of that type. */
#define AT(object, type, field) \
        (offsetof(object, field) + 0 * sizeof((type *) NULL == &((object *) NULL)->field))
#define ENUM(array) .max = ELEMENTSOF(array) - 1, .names = (array)
/* Stands for a number that the version after this one takes from a larger range, as an enumeration with more names. */
#if IMMURED_NEXT
#define GROWS(before_) .max = (before_) + 1, .max_before = (before_), .grown = PLAN_VERSION
#else
#define GROWS(before_) .max = (before_)
#endif

static const char *const node_names[] = {
        [PLAN_NODE_DIRECTORY] = "directory", [PLAN_NODE_SYMLINK] = "symlink",
        [PLAN_NODE_FILE] = "file",           [PLAN_NODE_TMPFS] = "tmpfs",
        [PLAN_NODE_BIND] = "bind",           [PLAN_NODE_PROC] = "proc",
        [PLAN_NODE_DEVICE] = "device",       [PLAN_NODE_DEVPTS] = "devpts",
        [PLAN_NODE_MQUEUE] = "mqueue",       [PLAN_NODE_MASK] = "mask",
        [PLAN_NODE_REMOUNT] = "remount",     [PLAN_NODE_OVERLAY] = "overlay",
        [PLAN_NODE_SOCKET] = "socket",
};
static const char *const rlimit_names[] = {
        [RLIMIT_CPU] = "CPU",           [RLIMIT_FSIZE] = "FSIZE",
        [RLIMIT_DATA] = "DATA",         [RLIMIT_STACK] = "STACK",
        [RLIMIT_CORE] = "CORE",         [RLIMIT_RSS] = "RSS",
        [RLIMIT_NPROC] = "NPROC",       [RLIMIT_NOFILE] = "NOFILE",
        [RLIMIT_MEMLOCK] = "MEMLOCK",   [RLIMIT_AS] = "AS",
        [RLIMIT_LOCKS] = "LOCKS",       [RLIMIT_SIGPENDING] = "SIGPENDING",
        [RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NICE] = "NICE",
        [RLIMIT_RTPRIO] = "RTPRIO",     [RLIMIT_RTTIME] = "RTTIME",
};

_Static_assert(ELEMENTSOF(node_names) == _PLAN_NODE_KIND_MAX, "every kind of node has a name");
_Static_assert(ELEMENTSOF(rlimit_names) == PROFILE_N_RLIMITS, "every rlimit has a name");

/* clang-format off */
static const PlanField rlimit_fields[] = {
        { "Resource", PLAN_FIELD_U8,  AT(PlanRlimit, uint8_t, resource), ENUM(rlimit_names) },
        { "Soft",     PLAN_FIELD_U64, AT(PlanRlimit, uint64_t, soft), .max = UINT64_MAX, .format = PLAN_FORMAT_LIMIT },
        { "Hard",     PLAN_FIELD_U64, AT(PlanRlimit, uint64_t, hard), .max = UINT64_MAX, .format = PLAN_FORMAT_LIMIT },
};
static const PlanTable rlimit_table = { rlimit_fields, ELEMENTSOF(rlimit_fields), sizeof(PlanRlimit) };

static const PlanField id_map_fields[] = {
        { "Inside",  PLAN_FIELD_U32, AT(PlanIdMap, uint32_t, inside),  .max = UINT32_MAX - 1 },
        { "Outside", PLAN_FIELD_U32, AT(PlanIdMap, uint32_t, outside), .max = UINT32_MAX - 1 },
        { "Count",   PLAN_FIELD_U32, AT(PlanIdMap, uint32_t, count),   .min = 1, .max = UINT32_MAX - 1 },
};
static const PlanTable id_map_table = { id_map_fields, ELEMENTSOF(id_map_fields), sizeof(PlanIdMap) };

static const PlanField node_fields[] = {
        { "Kind",   PLAN_FIELD_U8,            AT(PlanNode, uint8_t, kind), ENUM(node_names) },
        { "Flags",  PLAN_FIELD_U32,           AT(PlanNode, uint32_t, flags),
          .max = _PLAN_NODE_FLAGS_ALL, .format = PLAN_FORMAT_NODE_FLAGS },
        { "Source", PLAN_FIELD_OPTIONAL_TEXT, AT(PlanNode, char *, source), .min = 1, .max = PATH_MAX - 1 },
        { "Target", PLAN_FIELD_TEXT,          AT(PlanNode, char *, target), .min = 1, .max = PATH_MAX - 1,
          .is_valid = plan_path_is_valid },
        { "Data",   PLAN_FIELD_OPTIONAL_TEXT, AT(PlanNode, char *, data), .max = PLAN_DATA_MAX },
        { "Size",   PLAN_FIELD_U64,           AT(PlanNode, uint64_t, size),
          .max = UINT64_MAX, .format = PLAN_FORMAT_LIMIT },
        { "Mode",   PLAN_FIELD_U32,           AT(PlanNode, uint32_t, mode), .max = 07777,
          .format = PLAN_FORMAT_OCTAL },
};
static const PlanTable node_table = { node_fields, ELEMENTSOF(node_fields), sizeof(PlanNode) };

static const PlanField cgroup_fields[] = {
        { "File",  PLAN_FIELD_TEXT, AT(PlanCgroupValue, char *, file),  .min = 1, .max = 64 },
        { "Value", PLAN_FIELD_TEXT, AT(PlanCgroupValue, char *, value), .min = 1, .max = PATH_MAX + 256,
          .is_valid = plan_text_is_one_line },
        { "Layer", PLAN_FIELD_TEXT, AT(PlanCgroupValue, char *, layer), .min = 1, .max = 16 },
};
static const PlanTable cgroup_table = { cgroup_fields, ELEMENTSOF(cgroup_fields), sizeof(PlanCgroupValue) };

#define SCALAR(type, field) AT(Plan, type, field)
#define ARRAY(type, field) AT(Plan, type *, field), AT(Plan, size_t, n_##field)

static const PlanField plan_fields[] = {
        { "Profile",            PLAN_FIELD_TEXT, SCALAR(char *, profile), .min = 1, .max = 32,
          .is_valid = profile_name_is_valid },
        { "ProfileHash",        PLAN_FIELD_TEXT, SCALAR(char *, profile_hash), .min = SHA256_HEX_SIZE - 1,
          .max = SHA256_HEX_SIZE - 1, .is_valid = plan_text_is_hex },
        { "User",               PLAN_FIELD_TEXT, SCALAR(char *, user), .min = 1, .max = 256,
          .is_valid = plan_account_name_is_valid },
        { "UID",                PLAN_FIELD_U32, SCALAR(uint32_t, uid), .max = UINT32_MAX - 1 },
        { "GID",                PLAN_FIELD_U32, SCALAR(uint32_t, gid), .max = UINT32_MAX - 1 },
        { "SupplementaryGroups", PLAN_FIELD_WORDS, ARRAY(uint32_t, groups), .max = PLAN_GROUPS_MAX },
        { "Instance",           PLAN_FIELD_OPTIONAL_TEXT, SCALAR(char *, instance), .min = 1, .max = 32,
          .is_valid = instance_name_is_valid },

        { "ExecStart",          PLAN_FIELD_TEXTS, SCALAR(char **, argv), .min = 1, .max = PLAN_ARGV_MAX,
          .text_max = PLAN_STRING_MAX, .is_valid = utf8_is_valid },
        { "Environment",        PLAN_FIELD_TEXTS, SCALAR(char **, environment), .max = PLAN_ENVIRONMENT_MAX,
          .text_max = PLAN_STRING_MAX, .is_valid = env_assignment_is_valid },
        { "WorkingDirectory",   PLAN_FIELD_TEXT, SCALAR(char *, working_directory), .min = 1, .max = PATH_MAX - 1,
          .is_valid = plan_path_is_valid },
        { "StandardInput",      PLAN_FIELD_U8, SCALAR(uint8_t, standard_input), ENUM(stream_names) },
        { "StandardOutput",     PLAN_FIELD_U8, SCALAR(uint8_t, standard_output), ENUM(stream_names) },
        { "StandardError",      PLAN_FIELD_U8, SCALAR(uint8_t, standard_error), ENUM(stream_names) },
        { "UMask",              PLAN_FIELD_U32, SCALAR(uint32_t, umask), .max = 0777, .format = PLAN_FORMAT_OCTAL },
        { "NiceSet",            PLAN_FIELD_BOOL, SCALAR(bool, nice_set), .max = 1 },
        { "Nice",               PLAN_FIELD_I32, SCALAR(int32_t, nice), .min = -20, .max = 19 },
        { "OOMScoreAdjustSet",  PLAN_FIELD_BOOL, SCALAR(bool, oom_score_adjust_set), .max = 1 },
        { "OOMScoreAdjust",     PLAN_FIELD_I32, SCALAR(int32_t, oom_score_adjust), .min = -1000, .max = 1000 },
        { "Limits",             PLAN_FIELD_ROWS, ARRAY(PlanRlimit, rlimits), .max = PROFILE_N_RLIMITS,
          .rows = &rlimit_table },
        { "Init",               PLAN_FIELD_BOOL, SCALAR(bool, init), .max = 1 },

        { "PrivateUsers",       PLAN_FIELD_U8, SCALAR(uint8_t, private_users), ENUM(private_users_names) },
        { "UIDMap",             PLAN_FIELD_ROWS, ARRAY(PlanIdMap, uid_map), .min = 1, .max = PLAN_ID_MAPS_MAX,
          .rows = &id_map_table },
        { "GIDMap",             PLAN_FIELD_ROWS, ARRAY(PlanIdMap, gid_map), .min = 1, .max = PLAN_ID_MAPS_MAX,
          .rows = &id_map_table },
        { "Hostname",           PLAN_FIELD_TEXT, SCALAR(char *, hostname), .min = 1, .max = 64,
          .is_valid = hostname_is_valid },
        { "Tree",               PLAN_FIELD_ROWS, ARRAY(PlanNode, nodes), .min = 1, .max = PLAN_NODES_MAX,
          .rows = &node_table },
        { "HostDevices",        PLAN_FIELD_BOOL, SCALAR(bool, host_devices), .max = 1 },
        { "Network",            PLAN_FIELD_U8, SCALAR(uint8_t, network), ENUM(network_names) },

        { "CapabilityBoundingSet", PLAN_FIELD_U64, SCALAR(uint64_t, bounding_set), .max = PLAN_CAPABILITIES_ALL,
          .format = PLAN_FORMAT_CAPABILITIES },
        { "AmbientCapabilities", PLAN_FIELD_U64, SCALAR(uint64_t, ambient_set), .max = PLAN_CAPABILITIES_ALL,
          .format = PLAN_FORMAT_CAPABILITIES },
        { "Seccomp",            PLAN_FIELD_BYTES, ARRAY(uint8_t, seccomp), .min = PLAN_INSTRUCTION_SIZE,
          .max = PLAN_INSTRUCTIONS_MAX * PLAN_INSTRUCTION_SIZE, .format = PLAN_FORMAT_PROGRAM },
        { "Landlock",           PLAN_FIELD_BOOL, SCALAR(bool, landlock), .max = 1 },
        { "LandlockNoTCP",      PLAN_FIELD_BOOL, SCALAR(bool, landlock_no_tcp), .max = 1 },
        { "AppArmorProfile",    PLAN_FIELD_OPTIONAL_TEXT, SCALAR(char *, apparmor_profile), .min = 1, .max = 256,
          .is_valid = apparmor_profile_is_valid },
        { "SELinuxContext",     PLAN_FIELD_OPTIONAL_TEXT, SCALAR(char *, selinux_context), .min = 1, .max = 1024,
          .is_valid = selinux_context_is_valid },

        { "ControlGroup",       PLAN_FIELD_ROWS, ARRAY(PlanCgroupValue, cgroup), .max = PLAN_CGROUP_MAX,
          .rows = &cgroup_table },
        { "OOMPolicy",          PLAN_FIELD_U8, SCALAR(uint8_t, terms.oom_policy), ENUM(oom_policy_names) },
        { "Degrade",            PLAN_FIELD_TEXTS, SCALAR(char **, degrade), .max = PLAN_DEGRADE_MAX, .text_max = 16,
          .is_valid = layer_name_is_valid },

        { "Type",               PLAN_FIELD_U8, SCALAR(uint8_t, terms.type), ENUM(service_type_names) },
        { "NotifyAccess",       PLAN_FIELD_U8, SCALAR(uint8_t, terms.notify_access), ENUM(notify_access_names) },
        { "WatchdogUSec",       PLAN_FIELD_U64, SCALAR(uint64_t, terms.watchdog_usec), .min = 1, .max = UINT64_MAX,
          .format = PLAN_FORMAT_LIMIT },
        { "Restart",            PLAN_FIELD_U8, SCALAR(uint8_t, terms.restart), ENUM(restart_names) },
        { "RestartUSec",        PLAN_FIELD_U64, SCALAR(uint64_t, terms.restart_usec), .max = UINT64_MAX,
          .format = PLAN_FORMAT_LIMIT },
        { "RestartSteps",       PLAN_FIELD_U32, SCALAR(uint32_t, terms.restart_steps), GROWS(1000) },
        { "RestartMaxDelayUSec", PLAN_FIELD_U64, SCALAR(uint64_t, terms.restart_max_delay_usec), .max = UINT64_MAX,
          .format = PLAN_FORMAT_LIMIT },
        { "StartLimitIntervalUSec", PLAN_FIELD_U64, SCALAR(uint64_t, terms.start_limit_interval_usec),
          .max = UINT64_MAX,
          .format = PLAN_FORMAT_LIMIT },
        { "StartLimitBurst",    PLAN_FIELD_U32, SCALAR(uint32_t, terms.start_limit_burst), .max = 1000 },
        { "TimeoutStartUSec",   PLAN_FIELD_U64, SCALAR(uint64_t, terms.timeout_start_usec), .max = UINT64_MAX,
          .format = PLAN_FORMAT_LIMIT },
        { "TimeoutStopUSec",    PLAN_FIELD_U64, SCALAR(uint64_t, terms.timeout_stop_usec), .max = UINT64_MAX,
          .format = PLAN_FORMAT_LIMIT },
        { "RuntimeMaxUSec",     PLAN_FIELD_U64, SCALAR(uint64_t, terms.runtime_max_usec), .max = UINT64_MAX,
          .format = PLAN_FORMAT_LIMIT },
        { "KillSignal",         PLAN_FIELD_I32, SCALAR(int32_t, terms.kill_signal), .min = 1, .max = _NSIG - 1,
          .format = PLAN_FORMAT_SIGNAL },
        { "SuccessExitStatus",  PLAN_FIELD_BITS, SCALAR(PlanBits, terms.success_statuses), .min = PLAN_BITS_WORDS,
          .max = PLAN_BITS_WORDS },
        { "SuccessSignals",     PLAN_FIELD_U64, SCALAR(uint64_t, terms.success_signals), .max = UINT64_MAX,
          .format = PLAN_FORMAT_SIGNALS },
        { "OnDisconnect",       PLAN_FIELD_U8, SCALAR(uint8_t, terms.on_disconnect), ENUM(on_disconnect_names),
          .grown = 5, .max_before = ON_DISCONNECT_STOP },

        { "SyslogIdentifier",   PLAN_FIELD_TEXT, SCALAR(char *, syslog_identifier), .min = 1, .max = 255,
          .is_valid = plan_text_is_one_line },
        { "LogLevelMax",        PLAN_FIELD_I32, SCALAR(int32_t, log_level_max), .min = -1, .max = 7 },
        { "NoExecMemory",       PLAN_FIELD_BOOL, SCALAR(bool, no_exec_memory), .max = 1, .since = 5 },
        { "SyslogLevel",        PLAN_FIELD_I32, SCALAR(int32_t, syslog_level), .max = 7, .since = 5, .before = 6 },
        /* Older keepers read the prefix always. A launch must not fail for that, so "no" counts as what they do. */
        { "SyslogLevelPrefix",  PLAN_FIELD_BOOL, SCALAR(bool, syslog_level_prefix), .max = 1, .since = 5 },
#if IMMURED_NEXT
        { "Next",               PLAN_FIELD_BOOL, SCALAR(bool, next), .max = 1, .since = PLAN_VERSION },
#endif
};
/* clang-format on */

const PlanTable plan_table = { plan_fields, ELEMENTSOF(plan_fields), sizeof(Plan) };
