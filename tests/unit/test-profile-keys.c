/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-keys.h"

#include "profile/profile-parse.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <syslog.h>

#include <cmocka.h>

static Profile *profile(void) {
        Profile *p = NULL;

        assert_int_equal(profile_new(&p, "editor"), 0);
        return p;
}

static int set(Profile *p, const char *section, const char *name, const char *text) {
        const ProfileKey *key = profile_key_find(section, name);
        const char *why = NULL;

        if (!key || !key->parse)
                fail_msg("no key %s in [%s]", name, section);
        return key->parse(key, text, p, &why);
}

static void defaults_confine(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(p->n_ref, 1);
        assert_string_equal(p->name, "editor");
        assert_false(p->abstract);
        assert_true(p->enabled);
        assert_int_equal(strv_length(p->allow_users), 0);
        assert_int_equal(strv_length(p->allow_groups), 0);
        assert_int_equal(p->max_instances, 1);
        assert_int_equal(p->arguments, PROFILE_ARGUMENTS_FIXED);
        assert_int_equal(strv_length(p->pass_environment), 2);
        assert_int_equal(p->standard_input, STREAM_NULL);
        assert_int_equal(p->standard_output, STREAM_JOURNAL);
        assert_int_equal(p->umask, 077);
        assert_string_equal(p->working_directory, "~");
        assert_true(p->process_two);
        assert_int_equal(p->private_users, PRIVATE_USERS_PICK);
        assert_true(p->restrict_namespaces);
        assert_int_equal(p->protect_system, PROTECT_SYSTEM_STRICT);
        assert_int_equal(p->protect_home, PROTECT_HOME_TMPFS);
        assert_int_equal(p->protect_proc, PROTECT_PROC_INVISIBLE);
        assert_false(p->persistent_home || p->root_ephemeral);
        assert_true(p->private_devices);
        assert_null(p->root_directory);
        assert_true(p->proc_subset_pid);
        assert_int_equal(p->devices.n, 0);
        assert_int_equal(p->private_tmp_size, 64 << 20);
        assert_int_equal(p->network_mode, NETWORK_NONE);
        assert_int_equal(strv_length(p->address_families), 4);
        assert_int_equal(p->memory_max, UINT64_MAX);
        assert_int_equal(p->tasks_max, 512);
        assert_int_equal(p->cpu_quota, UINT32_MAX);
        assert_int_equal(p->terms.oom_policy, OOM_POLICY_KILL);
        assert_int_equal(strv_length(p->capability_bounding_set), 0);
        assert_int_equal(strv_length(p->ambient_capabilities), 0);
        assert_int_equal(p->syscall_error, EPERM);
        assert_true(p->lock_personality && p->restrict_realtime && p->restrict_suid_sgid);
        assert_int_equal(strv_length(p->degrade), 0);
        assert_int_equal(p->terms.type, SERVICE_EXEC);
        assert_int_equal(p->terms.notify_access, NOTIFY_ACCESS_NONE);
        assert_true(p->terms.watchdog_usec == USEC_INFINITY);
        assert_int_equal(p->terms.timeout_start_usec, 30 * USEC_PER_SEC);
        assert_int_equal(p->terms.timeout_stop_usec, 10 * USEC_PER_SEC);
        assert_int_equal(p->terms.restart, RESTART_NO);
        assert_int_equal(p->terms.restart_usec, USEC_PER_SEC);
        assert_int_equal(p->terms.restart_steps, 0);
        assert_true(p->terms.restart_max_delay_usec == USEC_INFINITY);
        assert_int_equal(p->terms.start_limit_interval_usec, 10 * USEC_PER_SEC);
        assert_int_equal(p->terms.start_limit_burst, 5);
        assert_int_equal(p->terms.runtime_max_usec, USEC_INFINITY);
        assert_int_equal(p->terms.kill_signal, SIGTERM);
        assert_int_equal(p->terms.success_statuses[0], 1);
        assert_int_equal(p->terms.success_signals, 0);
        assert_int_equal(p->log_level_max, LOG_DEBUG);
        assert_int_equal(p->syslog_level, LOG_INFO);
        assert_false(p->syslog_level_prefix);
}

static void bad_profile_names_are_refused(void **state) {
        static const char *const bad[] = { "", "../x", "a/b", "A", "a b", "a\n", "9" };
        Profile *p = (Profile *) 1;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(profile_new(&p, bad[i]), -EINVAL);
        assert_ptr_equal(p, (Profile *) 1);
}

static void references_are_counted(void **state) {
        Profile *p = profile(), *q;

        q = profile_ref(p);
        assert_null(profile_unref(p));
        assert_string_equal(q->name, "editor");
        assert_null(profile_unref(q));
        assert_null(profile_unref(NULL));
}

static void every_row_is_whole(void **state) {
        for (size_t i = 0; i < n_profile_keys; i++) {
                const ProfileKey *key = &profile_keys[i];

                assert_ptr_equal(profile_key_find(key->section, key->name), key); /* names are unique */
                assert_true(profile_section_exists(key->section));
                assert_non_null(key->default_text);
                assert_true(*key->syntax && *key->help);
                assert_int_not_equal(key->help[strlen(key->help) - 1], '.');
        }
        assert_null(profile_key_find("Exec", "MemoryMax"));
        assert_null(profile_key_find("exec", "ExecStart"));
        assert_false(profile_section_exists("Nothing"));
}

static void every_default_reads_as_it_is_written(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        for (size_t i = 0; i < n_profile_keys; i++)
                if (profile_keys[i].parse && *profile_keys[i].default_text)
                        assert_int_equal(set(p,
                                             profile_keys[i].section,
                                             profile_keys[i].name,
                                             profile_keys[i].default_text),
                                         0);
}

/* Garbage must be refused by each parser, and change nothing: compared through the bytes of the struct. */
static void every_parser_leaves_its_field_alone_when_it_refuses(void **state) {
        static const char *const garbage[] = { "\x01", "“", "-1%x", "a\\", "'open", ": :", "%Q", "/%Q" };

        for (size_t i = 0; i < n_profile_keys; i++) {
                const ProfileKey *key = &profile_keys[i];

                if (!key->parse || streq(key->name, "Description") || streq(key->name, "Documentation"))
                        continue;
                for (size_t k = 0; k < ELEMENTSOF(garbage); k++) {
                        _cleanup_(profile_unrefp) Profile *p = profile();
                        const char *why = NULL;
                        Profile before;

                        memcpy(&before, p, sizeof(before));
                        if (key->parse(key, garbage[k], p, &why) >= 0)
                                continue;
                        /* An array that grew and shrank again may lie elsewhere, but holds as much as before. */
                        before.binds = p->binds;
                        before.tmpfs = p->tmpfs;
                        before.inaccessible.items = p->inaccessible.items;
                        before.read_only.items = p->read_only.items;
                        before.read_write.items = p->read_write.items;
                        before.no_exec.items = p->no_exec.items;
                        before.exec.items = p->exec.items;
                        before.devices.items = p->devices.items;
                        before.syscalls = p->syscalls;
                        before.syscall_arguments = p->syscall_arguments;
                        assert_memory_equal(&before, p, sizeof(before));
                }
        }
}

typedef struct ValueCase {
        const char *section, *name, *text;
        int error;
} ValueCase;

/* clang-format off */
static const ValueCase values[] = {
        { "Profile", "Enabled", "maybe", -EINVAL },
        { "Profile", "Inherits", "base other", 0 },
        { "Profile", "Inherits", "../base", -EINVAL },
        { "Access", "AllowUsers", "alice 1000 _svc", 0 },
        { "Access", "AllowUsers", "alice;bob", -EINVAL },
        { "Access", "AllowUsers", "65535", -EINVAL },
        { "Access", "AllowUsers", "%u", -EINVAL },
        { "Access", "MaxInstances", "0", -ERANGE },
        { "Access", "MaxInstances", "4097", -ERANGE },
        { "Access", "MaxInstances", "-1", -EINVAL },
        { "Access", "Authentication", "admin", 0 },
        { "Access", "Authentication", "polkit", -EINVAL },
        { "Access", "ArgumentPattern", "[a-z]+", 0 },
        { "Access", "ArgumentPattern", "[a-z", -EINVAL },
        { "Access", "ArgumentPattern", "a)|(b", -EINVAL },
        { "Access", "PassEnvironment", "A=b", -EINVAL },
        { "Access", "UserSettable", "MemoryMax SystemCallFilter", 0 },
        { "Access", "UserSettable", "ExecStart", -EINVAL },
        { "Access", "UserSettable", "MemoryMaximum", -EINVAL },
        { "Access", "AllowExec", "no", 0 },
        { "Access", "AllowExec", "", 0 },
        { "Access", "AllowExec", "owner", -EOPNOTSUPP },
        { "Access", "AllowExec", "manage", -EOPNOTSUPP },
        { "Access", "AllowLearn", "yes", -EOPNOTSUPP },
        { "Access", "AllowLearn", "no", 0 },
        { "Exec", "ExecStart", "/usr/bin/ed %h/x '%u y'", 0 },
        { "Exec", "ExecStart", "%h/bin/ed", 0 },
        { "Exec", "ExecStart", "ed", -EINVAL },
        { "Exec", "ExecStart", "-/usr/bin/ed", -EINVAL },
        { "Exec", "ExecStart", "%u/ed", -EINVAL },
        { "Exec", "ExecStart", "%hx", -EINVAL },
        { "Exec", "ExecStart", "/usr/../ed", -EINVAL },
        { "Exec", "ExecStart", "/usr/bin/ed %z", -EINVAL },
        { "Exec", "ExecStart", "/usr/bin/ed 100%", -EINVAL },
        { "Exec", "ExecStart", "/usr/bin/ed 100%%", 0 },
        { "Exec", "ExecStart", "/usr/bin/ed ; /usr/bin/vi", -EINVAL },
        { "Exec", "ExecStart", "/usr/bin/ed 'open", -EINVAL },
        { "Exec", "WorkingDirectory", "%h/src", 0 },
        { "Exec", "WorkingDirectory", "src", -EINVAL },
        { "Exec", "WorkingDirectory", "~/src", -EINVAL },
        { "Exec", "Environment", "A=b 'C=d e' E=", 0 },
        { "Exec", "Environment", "A", -EINVAL },
        { "Exec", "Environment", "9=x", -EINVAL },
        { "Exec", "Environment", "A=%z", -EINVAL },
        { "Exec", "StandardInput", "client", 0 },
        { "Exec", "StandardInput", "journal", -EINVAL },
        { "Exec", "StandardInput", "tty", -EOPNOTSUPP },
        { "Exec", "StandardOutput", "tty", -EOPNOTSUPP },
        { "Exec", "UMask", "0177", 0 },
        { "Exec", "UMask", "01000", -ERANGE },
        { "Exec", "UMask", "9", -EINVAL },
        { "Exec", "Nice", "-21", -ERANGE },
        { "Exec", "OOMScoreAdjust", "1001", -ERANGE },
        { "Exec", "LimitNOFILE", "1024:4096", 0 },
        { "Exec", "LimitNOFILE", "4096:1024", -EINVAL },
        { "Exec", "LimitNOFILE", "infinity:1024", -EINVAL },
        { "Exec", "LimitNOFILE", "1024:", -EINVAL },
        { "Exec", "LimitNOFILE", "4K", -EINVAL },
        { "Exec", "LimitAS", "4G", 0 },
        { "Exec", "LimitNICE", "41", -ERANGE },
        { "Exec", "SupplementaryGroups", "staff 20", 0 },
        { "Namespaces", "PrivateUsers", "no", -EINVAL },
        { "Namespaces", "Hostname", "web-%N", 0 },
        { "Namespaces", "Hostname", "-web", -EINVAL },
        { "Namespaces", "Hostname", "%z", -EINVAL },
        { "Network", "Mode", "private", -EOPNOTSUPP },
        { "Network", "Mode", "host", -EOPNOTSUPP },
        { "Network", "RestrictAddressFamilies", "AF_UNIX", 0 },
        { "Network", "RestrictAddressFamilies", "none", 0 },
        { "Network", "RestrictAddressFamilies", "~AF_UNIX", -EINVAL },
        { "Network", "RestrictAddressFamilies", "UNIX", -EINVAL },
        { "Resources", "MemoryMax", "1G", 0 },
        { "Resources", "MemoryMax", "infinity", 0 },
        { "Resources", "MemoryMax", "1", -ERANGE },
        { "Resources", "MemoryMax", "50%", -EINVAL },
        { "Resources", "MemoryMax", "1G ; x", -EINVAL },
        { "Resources", "MemoryMin", "infinity", -ERANGE },
        { "Resources", "CPUWeight", "0", -ERANGE },
        { "Resources", "CPUWeight", "10001", -ERANGE },
        { "Resources", "CPUWeight", "infinity", -ERANGE },
        { "Resources", "CPUQuota", "150%", 0 },
        { "Resources", "CPUQuota", "0%", -ERANGE },
        { "Resources", "CPUQuota", "150", -EINVAL },
        { "Resources", "AllowedCPUs", "0-3 5,7", 0 },
        { "Resources", "AllowedCPUs", "3-1", -EINVAL },
        { "Resources", "AllowedCPUs", "9999", -ERANGE },
        { "Resources", "AllowedCPUs", "1-2-3", -EINVAL },
        { "Resources", "AllowedCPUs", ",", -EINVAL },
        { "Resources", "IOReadBandwidthMax", "/dev/sda 5M", 0 },
        { "Resources", "IOReadBandwidthMax", "/dev/sda", -EINVAL },
        { "Resources", "IOReadBandwidthMax", "sda 5M", -EINVAL },
        { "Resources", "IOReadBandwidthMax", "/dev/sda 0", -ERANGE },
        { "Resources", "IOReadIOPSMax", "/dev/sda 5K", -EINVAL },
        { "Resources", "TasksMax", "0", -ERANGE },
        { "Resources", "TasksMax", "infinity", 0 },
        { "Security", "CapabilityBoundingSet", "CAP_NET_BIND_SERVICE", 0 },
        { "Security", "CapabilityBoundingSet", "~CAP_SYS_ADMIN", -EINVAL },
        { "Security", "CapabilityBoundingSet", "cap_kill", -EINVAL },
        { "Security", "CapabilityBoundingSet", "CAP_ALL", -EINVAL },
        { "Security", "SystemCallFilter", "@system-service ptrace", 0 },
        { "Security", "SystemCallFilter", "~ptrace:EACCES @mount", 0 },
        { "Security", "SystemCallFilter", "ptrace:EACCES", -EINVAL },
        { "Security", "SystemCallFilter", "~ptrace:ENOSUCH", -EINVAL },
        { "Security", "SystemCallFilter", "~ptrace:0", -EINVAL },
        { "Security", "SystemCallFilter", "~ptrace:4096", -EINVAL },
        { "Security", "SystemCallFilter", "~", -EINVAL },
        { "Security", "SystemCallFilter", "~ptrace ~mount", -EINVAL },
        { "Security", "SystemCallFilter", "@", -EINVAL },
        { "Security", "SystemCallFilter", "Ptrace", -EINVAL },
        { "Security", "SystemCallErrorNumber", "ENOSYS", 0 },
        { "Security", "SystemCallErrorNumber", "0", -ERANGE },
        { "Security", "SystemCallArchitectures", "native", 0 },
        { "Security", "SystemCallArchitectures", "x86", -EOPNOTSUPP },
        { "Security", "Landlock", "no", 0 },
        { "Security", "Landlock", "auto", 0 },
        { "Security", "Landlock", "yes", -EINVAL },
        { "Security", "Degrade", "memory pids", 0 },
        { "Security", "Degrade", "everything", -EINVAL },
        { "Service", "Type", "notify", 0 },
        { "Service", "NotifyAccess", "main", 0 },
        { "Service", "NotifyAccess", "all", 0 },
        { "Service", "NotifyAccess", "exec", -EINVAL },
        { "Service", "WatchdogSec", "30s", 0 },
        { "Service", "WatchdogSec", "infinity", 0 },
        { "Service", "WatchdogSec", "0", -ERANGE },
        { "Service", "Type", "forking", -EINVAL },
        { "Service", "Restart", "no", 0 },
        { "Service", "Restart", "always", 0 },
        { "Service", "Restart", "on-watchdog", -EINVAL },
        { "Service", "RestartSec", "100ms", 0 },
        { "Service", "RestartSec", "0", 0 },
        { "Service", "RestartSec", "infinity", -ERANGE },
        { "Service", "RestartSteps", "1001", -ERANGE },
        { "Service", "RestartMaxDelaySec", "5min", 0 },
        { "Service", "StartLimitIntervalSec", "infinity", 0 },
        { "Service", "StartLimitBurst", "0", 0 },
        { "Service", "StartLimitBurst", "-1", -EINVAL },
        { "Service", "TimeoutStartSec", "1min 30s", 0 },
        { "Service", "TimeoutStartSec", "0", -ERANGE },
        { "Service", "TimeoutStopSec", "0", 0 },
        { "Service", "KillSignal", "SIGINT", 0 },
        { "Service", "KillSignal", "SIGFOO", -EINVAL },
        { "Service", "SuccessExitStatus", "1 SIGTERM 255", 0 },
        { "Service", "SuccessExitStatus", "256", -ERANGE },
        { "Service", "SuccessExitStatus", "TEMPFAIL CONFIG 3", 0 },
        { "Service", "SuccessExitStatus", "TEMPFAILED", -EINVAL },
        { "Service", "SuccessExitStatus", "tempfail", -EINVAL },
        { "Log", "SyslogIdentifier", "my-%N", 0 },
        { "Log", "SyslogIdentifier", "a b", -EINVAL },
        { "Log", "SyslogIdentifier", "a%z", -EINVAL },
        { "Log", "LogLevelMax", "notice", 0 },
        { "Log", "LogLevelMax", "8", -ERANGE },
        { "Log", "SyslogLevel", "emerg", 0 },
        { "Log", "SyslogLevel", "5", 0 },
        { "Log", "SyslogLevel", "8", -ERANGE },
        { "Log", "SyslogLevel", "error", -EINVAL },
        { "Log", "SyslogLevelPrefix", "yes", 0 },
        { "Log", "SyslogLevelPrefix", "perhaps", -EINVAL },
};
/* clang-format on */

static void values_are_checked(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(profile_unrefp) Profile *p = profile();
                int r = set(p, values[i].section, values[i].name, values[i].text);

                if (r != values[i].error)
                        fail_msg("%s=%s: %d, not %d", values[i].name, values[i].text, r, values[i].error);
        }
}

static void lists_append_and_empty(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(set(p, "Access", "AllowUsers", "alice bob"), 0);
        assert_int_equal(set(p, "Access", "AllowUsers", "carol"), 0);
        assert_int_equal(strv_length(p->allow_users), 3);
        assert_int_equal(set(p, "Access", "AllowUsers", "dave no!"), -EINVAL);
        assert_int_equal(strv_length(p->allow_users), 3);
        assert_int_equal(set(p, "Access", "AllowUsers", ""), 0);
        assert_int_equal(strv_length(p->allow_users), 0);
}

static void scalars_go_back_to_their_default(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(set(p, "Resources", "TasksMax", "7"), 0);
        assert_int_equal(p->tasks_max, 7);
        assert_int_equal(set(p, "Resources", "TasksMax", ""), 0);
        assert_int_equal(p->tasks_max, 512);
        assert_int_equal(set(p, "Exec", "Nice", "5"), 0);
        assert_true(p->nice_set);
        assert_int_equal(set(p, "Exec", "Nice", ""), 0);
        assert_false(p->nice_set);
        assert_int_equal(p->nice, 0);
        assert_int_equal(set(p, "Exec", "LimitCPU", "1500ms"), 0);
        assert_int_equal(p->rlimits[RLIMIT_CPU].soft, 2);
        assert_int_equal(set(p, "Exec", "LimitCPU", ""), 0);
        assert_false(p->rlimits[RLIMIT_CPU].set);
        assert_int_equal(set(p, "Service", "SuccessExitStatus", "33 SIGINT DATAERR"), 0);
        assert_int_equal(p->terms.success_statuses[1], 2);
        assert_int_equal(p->terms.success_statuses[2], 2);
        assert_int_equal(p->terms.success_signals, 1 << SIGINT);
        assert_int_equal(set(p, "Service", "SuccessExitStatus", ""), 0);
        assert_int_equal(p->terms.success_statuses[1], 0);
        assert_int_equal(p->terms.success_statuses[0], 1);
        assert_int_equal(p->terms.success_signals, 0);
}

static void binds(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(set(p, "Files", "BindPaths", "%h//src/:/src/:norbind -/opt::noidmap"), -EINVAL);
        assert_int_equal(p->n_binds, 0);
        assert_int_equal(set(p, "Files", "BindPaths", "%h//src/:/src/:norbind,noidmap -/opt"), 0);
        assert_int_equal(set(p, "Files", "BindReadOnlyPaths", "/srv"), 0);
        assert_int_equal(p->n_binds, 3);
        assert_string_equal(p->binds[0].source, "%h/src");
        assert_string_equal(p->binds[0].destination, "/src");
        assert_false(p->binds[0].recursive || p->binds[0].idmap || p->binds[0].optional ||
                     p->binds[0].read_only);
        assert_string_equal(p->binds[1].destination, "/opt");
        assert_true(p->binds[1].recursive && p->binds[1].idmap && p->binds[1].optional);
        assert_true(p->binds[2].read_only);

        /* Emptying one kind leaves the other. */
        assert_int_equal(set(p, "Files", "BindPaths", ""), 0);
        assert_int_equal(p->n_binds, 1);
        assert_string_equal(p->binds[0].source, "/srv");
}

static void io_limits_of_a_device_share_a_row(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(set(p, "Resources", "IOReadBandwidthMax", "/dev/sda 5M"), 0);
        assert_int_equal(set(p, "Resources", "IOWriteIOPSMax", "/dev//sda 10"), 0);
        assert_int_equal(set(p, "Resources", "IOReadBandwidthMax", "/dev/sdb infinity"), 0);
        assert_int_equal(p->n_io_limits, 2);
        assert_int_equal(p->io_limits[0].rbps, 5 << 20);
        assert_int_equal(p->io_limits[0].wbps, UINT64_MAX);
        assert_int_equal(p->io_limits[0].wiops, 10);
        assert_int_equal(set(p, "Resources", "IOReadBandwidthMax", ""), 0);
        assert_int_equal(p->io_limits[0].rbps, UINT64_MAX);
        assert_int_equal(p->io_limits[0].wiops, 10);
}

static void filters_keep_their_order(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(set(p, "Security", "SystemCallFilter", ""), 0);
        assert_int_equal(set(p, "Security", "SystemCallFilter", "~@mount:EACCES ptrace"), 0);
        assert_int_equal(set(p, "Security", "SystemCallFilter", "mount"), 0);
        assert_int_equal(p->n_syscalls, 4);
        /* What begins with a removal removes from the default. */
        assert_string_equal(p->syscalls[0].name, "@system-service");
        assert_false(p->syscalls[0].deny);
        assert_string_equal(p->syscalls[1].name, "@mount");
        assert_true(p->syscalls[1].deny);
        assert_int_equal(p->syscalls[1].error, EACCES);
        assert_int_equal(p->syscalls[2].error, -1);
        assert_string_equal(p->syscalls[3].name, "mount");
        assert_false(p->syscalls[3].deny);
        assert_int_equal(set(p, "Security", "SystemCallFilter", "a b C"), -EINVAL);
        assert_int_equal(p->n_syscalls, 4);
}

static void cpu_sets_are_written_for_the_kernel(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        assert_int_equal(set(p, "Resources", "AllowedCPUs", "0-3 5, 7-7"), 0);
        assert_string_equal(p->allowed_cpus, "0-3,5,7");
        assert_int_equal(set(p, "Resources", "AllowedCPUs", ""), 0);
        assert_null(p->allowed_cpus);
}

static void long_lists_are_refused(void **state) {
        _cleanup_(profile_unrefp) Profile *p = profile();

        for (size_t i = 0; i < 1024; i++)
                assert_int_equal(set(p, "Access", "AllowUsers", "a"), 0);
        assert_int_equal(set(p, "Access", "AllowUsers", "a"), -EINVAL);
        assert_int_equal(strv_length(p->allow_users), 1024);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(defaults_confine),
                cmocka_unit_test(bad_profile_names_are_refused),
                cmocka_unit_test(references_are_counted),
                cmocka_unit_test(every_row_is_whole),
                cmocka_unit_test(every_default_reads_as_it_is_written),
                cmocka_unit_test(every_parser_leaves_its_field_alone_when_it_refuses),
                cmocka_unit_test(values_are_checked),
                cmocka_unit_test(lists_append_and_empty),
                cmocka_unit_test(scalars_go_back_to_their_default),
                cmocka_unit_test(binds),
                cmocka_unit_test(io_limits_of_a_device_share_a_row),
                cmocka_unit_test(filters_keep_their_order),
                cmocka_unit_test(cpu_sets_are_written_for_the_kernel),
                cmocka_unit_test(long_lists_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
