/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/names.h"

const char *const authentication_names[] = { "none", "self", "admin" };
const char *const arguments_names[] = { "fixed", "append", "pattern" };
const char *const stream_names[] = { "null", "client", "tty", "journal" };
const char *const private_users_names[] = { "pick", "self", "identity" };
const char *const protect_system_names[] = { "strict", "full" };
const char *const protect_home_names[] = { "tmpfs", "read-only", "yes", "no" };
const char *const protect_proc_names[] = { "invisible", "noaccess", "ptraceable", "default" };
const char *const network_names[] = { "none", "private", "shared", "host" };
const char *const oom_policy_names[] = { "kill", "stop", "continue" };
const char *const service_type_names[] = { "exec", "simple", "oneshot", "notify" };
const char *const notify_access_names[] = { "none", "main", "all" };
const char *const restart_names[] = { "no", "on-success", "on-failure", "on-abnormal", "always" };
const char *const on_disconnect_names[] = { "keep", "stop", "kill" };

int name_value(const char *const *names, size_t n_names, const char *s) {
        for (size_t i = 0; i < n_names; i++)
                if (streq(names[i], s))
                        return (int) i;

        return -EINVAL;
}

bool layer_name_is_valid(const char *s) {
        static const char *const names[] = {
                "memory", "pids",    "cpu",      "cpuset",   "io",
                "idmap",  "seccomp", "landlock", "apparmor", "selinux",
        };

        return name_value(names, ELEMENTSOF(names), s) >= 0;
}
