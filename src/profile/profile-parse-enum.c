/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-parse.h"

/* A value by its name; not all that the format knows are enforced by this version. */
typedef struct EnumName {
        const char *name;
        int value;
        bool supported;
} EnumName;

static int enum_find(const EnumName *names, size_t n_names, const char *s, int *ret) {
        for (size_t i = 0; i < n_names; i++) {
                if (!streq(names[i].name, s))
                        continue;
                if (!names[i].supported)
                        return -EOPNOTSUPP;

                *ret = names[i].value;
                return 0;
        }

        return -EINVAL;
}

#define DEFINE_ENUM_PARSER(parser, type, ...)                                                   \
        int parser(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) { \
                static const EnumName names[] = { __VA_ARGS__ };                                \
                int value, r;                                                                   \
                                                                                                \
                r = enum_find(names, ELEMENTSOF(names), scalar_text(key, text), &value);        \
                if (r < 0)                                                                      \
                        return r;                                                               \
                                                                                                \
                *(type *) key_field(key, p) = (type) value;                                     \
                return 0;                                                                       \
        }                                                                                       \
        struct _enum_semicolon_

/* clang-format off */
DEFINE_ENUM_PARSER(parse_key_authentication, ProfileAuthentication,
        { "none",  PROFILE_AUTHENTICATION_NONE,  true },
        { "self",  PROFILE_AUTHENTICATION_SELF,  true },
        { "admin", PROFILE_AUTHENTICATION_ADMIN, true });

DEFINE_ENUM_PARSER(parse_key_arguments, ProfileArguments,
        { "fixed",   PROFILE_ARGUMENTS_FIXED,   true },
        { "append",  PROFILE_ARGUMENTS_APPEND,  true },
        { "pattern", PROFILE_ARGUMENTS_PATTERN, true });

DEFINE_ENUM_PARSER(parse_key_allow_exec, ProfileAllowExec,
        { "owner",  PROFILE_ALLOW_EXEC_OWNER,  true },
        { "no",     PROFILE_ALLOW_EXEC_NO,     true },
        { "manage", PROFILE_ALLOW_EXEC_MANAGE, true });

DEFINE_ENUM_PARSER(parse_key_standard_input, StreamKind,
        { "null",   STREAM_NULL,   true },
        { "client", STREAM_CLIENT, true },
        { "tty",    STREAM_TTY,    false });

DEFINE_ENUM_PARSER(parse_key_standard_output, StreamKind,
        { "journal", STREAM_JOURNAL, true },
        { "client",  STREAM_CLIENT,  true },
        { "null",    STREAM_NULL,    true },
        { "tty",     STREAM_TTY,     false });

DEFINE_ENUM_PARSER(parse_key_private_users, PrivateUsers,
        { "pick",     PRIVATE_USERS_PICK,     true },
        { "self",     PRIVATE_USERS_SELF,     true },
        { "identity", PRIVATE_USERS_IDENTITY, true });

DEFINE_ENUM_PARSER(parse_key_protect_system, ProtectSystem,
        { "strict", PROTECT_SYSTEM_STRICT, true },
        { "full",   PROTECT_SYSTEM_FULL,   true });

DEFINE_ENUM_PARSER(parse_key_protect_home, ProtectHome,
        { "tmpfs",     PROTECT_HOME_TMPFS,     true },
        { "yes",       PROTECT_HOME_YES,       true },
        { "read-only", PROTECT_HOME_READ_ONLY, true },
        { "no",        PROTECT_HOME_NO,        true });

DEFINE_ENUM_PARSER(parse_key_protect_proc, ProtectProc,
        { "invisible",  PROTECT_PROC_INVISIBLE,  true },
        { "noaccess",   PROTECT_PROC_NO_ACCESS,  true },
        { "ptraceable", PROTECT_PROC_PTRACEABLE, true },
        { "default",    PROTECT_PROC_DEFAULT,    true });

DEFINE_ENUM_PARSER(parse_key_proc_subset, bool,
        { "pid", true,  true },
        { "all", false, true });

/* "shared:NAME" is refused with every other text that does not stand here. */
DEFINE_ENUM_PARSER(parse_key_network_mode, NetworkMode,
        { "none",    NETWORK_NONE,    true },
        { "private", NETWORK_PRIVATE, false },
        { "host",    NETWORK_HOST,    false });

DEFINE_ENUM_PARSER(parse_key_oom_policy, OomPolicy,
        { "kill",     OOM_POLICY_KILL,     true },
        { "stop",     OOM_POLICY_STOP,     true },
        { "continue", OOM_POLICY_CONTINUE, true });

DEFINE_ENUM_PARSER(parse_key_service_type, ServiceType,
        { "exec",    SERVICE_EXEC,    true },
        { "simple",  SERVICE_SIMPLE,  true },
        { "oneshot", SERVICE_ONESHOT, true },
        { "notify",  SERVICE_NOTIFY,  true });

DEFINE_ENUM_PARSER(parse_key_notify_access, NotifyAccess,
        { "",     NOTIFY_ACCESS_NONE, true },
        { "main", NOTIFY_ACCESS_MAIN, true },
        { "all",  NOTIFY_ACCESS_ALL,  true });

DEFINE_ENUM_PARSER(parse_key_restart, RestartPolicy,
        { "no",          RESTART_NO,          true },
        { "on-success",  RESTART_ON_SUCCESS,  true },
        { "on-failure",  RESTART_ON_FAILURE,  true },
        { "on-abnormal", RESTART_ON_ABNORMAL, true },
        { "always",      RESTART_ALWAYS,      true });

DEFINE_ENUM_PARSER(parse_key_on_disconnect, OnDisconnect,
        { "keep", ON_DISCONNECT_KEEP, true },
        { "stop", ON_DISCONNECT_STOP, true });

DEFINE_ENUM_PARSER(parse_key_landlock, bool,
        { "auto", true,  true },
        { "no",   false, true });
/* clang-format on */
