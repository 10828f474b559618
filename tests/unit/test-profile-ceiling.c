/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-keys.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Values of one key, each with what the profile says beside it where that matters. */
typedef struct CeilingCase {
        const char *section, *name;
        const char *ceiling; /* NULL: the profile says nothing */
        const char *tighter; /* at most as loose; and the ceiling is not at most as loose as it */
        const char *looser;  /* neither at most as loose, nor the same */
} CeilingCase;

/* clang-format off */
static const CeilingCase cases[] = {
        { "Exec",       "UMask",                    "0027",          "0077",           "0026" },
        { "Exec",       "Nice",                     "5",             "19",             "4" },
        { "Exec",       "Nice",                     "-5",            "0",              "" },
        { "Exec",       "OOMScoreAdjust",           "0",             "1000",           "-1" },
        { "Exec",       "LimitCPU",                 "1h",            "1min",           "infinity" },
        { "Exec",       "LimitFSIZE",               "1M",            "1K",             "2M" },
        { "Exec",       "LimitDATA",                "infinity",      "1M",             "" },
        { "Exec",       "LimitSTACK",               "1M:8M",         "1M:4M",          "2M:8M" },
        { "Exec",       "LimitSTACK",               "1M:8M",         "1K:8M",          "1K:9M" },
        { "Exec",       "LimitCORE",                "1",             "0",              "2" },
        { "Exec",       "LimitRSS",                 "1M",            "1K",             "2M" },
        { "Exec",       "LimitNOFILE",              "64:128",        "64:64",          "64:129" },
        { "Exec",       "LimitAS",                  "1G",            "1M",             "2G" },
        { "Exec",       "LimitNPROC",               "10",            "1",              "11" },
        { "Exec",       "LimitMEMLOCK",             "1M",            "0",              "2M" },
        { "Exec",       "LimitLOCKS",               "10",            "1",              "11" },
        { "Exec",       "LimitSIGPENDING",          "10",            "1",              "11" },
        { "Exec",       "LimitMSGQUEUE",            "10",            "1",              "11" },
        { "Exec",       "LimitNICE",                "10",            "1",              "11" },
        { "Exec",       "LimitRTPRIO",              "10",            "0",              "11" },
        { "Exec",       "LimitRTTIME",              "10",            "1",              "11" },
        { "Namespaces", "PrivateUsers",             "self",          "pick",           "identity" },
        { "Namespaces", "PrivateUsers",             "identity",      "self",           NULL },
        { "Namespaces", "RestrictNamespaces",       "no",            "yes",            NULL },
        { "Namespaces", "RestrictNamespaces",       "yes",           NULL,             "no" },
        { "Files",      "ProtectSystem",            "full",          "strict",         NULL },
        { "Files",      "ProtectSystem",            NULL,            NULL,             "full" },
        { "Files",      "ProtectHome",              "no",            "read-only",      NULL },
        { "Files",      "ProtectHome",              "no",            "tmpfs",          NULL },
        { "Files",      "ProtectHome",              "tmpfs",         "yes",            "read-only" },
        { "Files",      "ProtectHome",              "read-only",     "yes",            "tmpfs" },
        { "Files",      "ProtectHome",              "yes",           NULL,             "tmpfs" },
        { "Files",      "PersistentHome",           "yes",           "no",             NULL },
        { "Files",      "PersistentHome",           "no",            NULL,             "yes" },
        { "Files",      "RootEphemeral",            "yes",           "no",             NULL },
        { "Files",      "InaccessiblePaths",        "/srv",          "/srv /opt",      "/opt /srv" },
        { "Files",      "InaccessiblePaths",        "/srv",          "/srv -/srv",     "-/srv" },
        { "Files",      "ReadOnlyPaths",            "/srv",          "/srv /opt",      "" },
        { "Files",      "ReadWritePaths",           "/srv /opt",     "/opt",           "/opt /mnt" },
        { "Files",      "NoExecPaths",              "/srv",          "/srv /",         "/" },
        { "Files",      "ExecPaths",                "/usr /opt",     "",               "/bin" },
        { "Files",      "ProtectProc",              "default",       "ptraceable",     NULL },
        { "Files",      "ProtectProc",              "noaccess",      "invisible",      "ptraceable" },
        { "Files",      "ProtectProc",              "invisible",     NULL,             "noaccess" },
        { "Files",      "ProcSubset",               "all",           "pid",            NULL },
        { "Files",      "PrivateTmpSize",           "1M",            "64K",            "" },
        { "Files",      "PrivateDevices",           "no",            "yes",            NULL },
        { "Files",      "DeviceAllow",              "/dev/fuse",     "",               "/dev/kvm" },
        { "Network",    "RestrictAddressFamilies",  NULL,            "AF_INET AF_UNIX", "AF_INET AF_PACKET" },
        { "Network",    "RestrictAddressFamilies",  "AF_UNIX",       "none",           "AF_INET" },
        { "Resources",  "MemoryMin",                "1M",            "",               "2M" },
        { "Resources",  "MemoryMin",                NULL,            NULL,             "1" },
        { "Resources",  "MemoryLow",                "1M",            "0",              "2M" },
        { "Resources",  "MemoryHigh",               "1M",            "4K",             "" },
        { "Resources",  "MemoryMax",                "1M",            "4K",             "infinity" },
        { "Resources",  "MemoryMax",                NULL,            "1T",             NULL },
        { "Resources",  "MemorySwapMax",            "1M",            "0",              "2M" },
        { "Resources",  "MemoryZSwapMax",           "1M",            "0",              "" },
        { "Resources",  "CPUWeight",                NULL,            "99",             "101" },
        { "Resources",  "CPUWeight",                "10",            "1",              "" },
        { "Resources",  "CPUQuota",                 "50%",           "49.99%",         "" },
        { "Resources",  "CPUQuota",                 NULL,            "1000%",          NULL },
        { "Resources",  "IOWeight",                 "200",           "",               "201" },
        { "Resources",  "IOReadBandwidthMax",       "/srv 1M",       "/srv 1K",        "/srv 2M" },
        { "Resources",  "IOWriteBandwidthMax",      "/srv 1M",       "/srv 1K",        "/opt 1K" },
        { "Resources",  "IOReadIOPSMax",            "/srv 10",       "/srv 1",         "" },
        { "Resources",  "IOWriteIOPSMax",           "/srv 10",       "/srv 1",         "/srv infinity" },
        { "Resources",  "TasksMax",                 NULL,            "511",            "513" },
        { "Resources",  "TasksMax",                 "infinity",      "4096",           NULL },
        { "Resources",  "OOMPolicy",                "stop",          "kill",           "continue" },
        { "Security",   "CapabilityBoundingSet",    "CAP_CHOWN",     "",               "CAP_SYS_ADMIN" },
        { "Security",   "AmbientCapabilities",      "CAP_CHOWN CAP_KILL", "CAP_KILL",  "CAP_SYS_ADMIN" },
        { "Security",   "SystemCallFilter",         NULL,            "~ptrace",        "@system-service ptrace" },
        { "Security",   "SystemCallFilter",         "~dup dup2",     NULL,             "~dup" },
        { "Security",   "SystemCallFilter",         "@basic-io",     NULL,             "@basic-io @file-system" },
        { "Security",   "SystemCallFilter",         "~dup",          NULL,             "" },
        { "Security",   "SystemCallArgumentFilter", "ioctl:1==TIOCSTI", "ioctl:1==TIOCSTI socket:0!=AF_UNIX",
          "socket:0!=AF_UNIX" },
        { "Security",   "LockPersonality",          "no",            "yes",            NULL },
        { "Security",   "RestrictRealtime",         "no",            "yes",            NULL },
        { "Security",   "RestrictSUIDSGID",         "no",            "yes",            NULL },
        { "Security",   "RestrictSUIDSGID",         NULL,            NULL,             "no" },
        { "Security",   "MemoryDenyWriteExecute",   NULL,            "yes",            NULL },
        { "Security",   "Landlock",                 "no",            "auto",           NULL },
        { "Security",   "Landlock",                 "auto",          NULL,             "no" },
        { "Security",   "Degrade",                  "memory pids",   "pids",           "pids cpu" },
        { "Service",    "Restart",                  "always",        "on-success",     NULL },
        { "Service",    "Restart",                  "on-failure",    "on-abnormal",    "on-success" },
        { "Service",    "Restart",                  "no",            NULL,             "on-abnormal" },
        { "Service",    "RestartSec",               "1s",            "1min",           "999ms" },
        { "Service",    "StartLimitIntervalSec",    "10s",           "infinity",       "0" },
        { "Service",    "StartLimitBurst",          "5",             "1",              "0" },
        { "Service",    "StartLimitBurst",          "0",             "1000",           NULL },
        { "Service",    "TimeoutStartSec",          "10s",           "1s",             "" },
        { "Service",    "TimeoutStopSec",           "10s",           "0",              "infinity" },
        { "Service",    "RuntimeMaxSec",            NULL,            "1h",             NULL },
        { "Service",    "RuntimeMaxSec",            "1h",            "59min",          "" },
        { "Service",    "OnDisconnect",             "keep",          "stop",           NULL },
        { "Service",    "OnDisconnect",             "keep",          "kill",           NULL },
        { "Service",    "OnDisconnect",             "stop",          "kill",           "keep" },
        { "Service",    "OnDisconnect",             "kill",          NULL,             "stop" },
};

/* Where the profile says nothing, there is nothing to compare with. */
static const char *const without_default[] = {
        "Nice", "OOMScoreAdjust", "LimitCPU", "LimitNOFILE", "IOReadBandwidthMax",
};
/* clang-format on */

static Profile *profile_with(const CeilingCase *c, const char *text) {
        const ProfileKey *key = profile_key_find(c->section, c->name);
        const char *why = NULL;
        Profile *p = NULL;

        assert_int_equal(profile_new(&p, "app"), 0);
        assert_non_null(key);
        if (text && key->list)
                assert_int_equal(key->parse(key, "", p, &why), 0);
        if (text && key->parse(key, text, p, &why) < 0)
                fail_msg("%s=%s: %s", c->name, text, why ?: "refused");
        return p;
}

static void check_case(const CeilingCase *c) {
        _cleanup_(profile_unrefp) Profile *ceiling = profile_with(c, c->ceiling);
        const ProfileKey *key = profile_settable_key(c->name);

        assert_non_null(key);
        assert_ptr_equal(key, profile_key_find(c->section, c->name));
        if (!key->at_most(key, ceiling, ceiling))
                fail_msg("%s=%s is not as loose as itself", c->name, c->ceiling ?: "(nothing)");

        if (c->tighter) {
                _cleanup_(profile_unrefp) Profile *tighter = profile_with(c, c->tighter);

                if (!key->at_most(key, tighter, ceiling))
                        fail_msg("%s=%s is not tighter", c->name, c->tighter);
                if (key->at_most(key, ceiling, tighter))
                        fail_msg("%s=%s is not looser", c->name, c->ceiling ?: "(nothing)");
        }
        if (c->looser) {
                _cleanup_(profile_unrefp) Profile *looser = profile_with(c, c->looser);

                if (key->at_most(key, looser, ceiling))
                        fail_msg("%s=%s passes", c->name, c->looser);
        }
}

static void what_is_tighter_passes_and_what_is_looser_does_not(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check_case(&cases[i]);
}

static void every_settable_key_has_a_case_of_both_kinds(void **state) {
        for (size_t i = 0; i < n_profile_keys; i++) {
                const ProfileKey *key = &profile_keys[i];
                bool tighter = false, looser = false;

                if (!profile_settable_key(key->name))
                        continue;
                assert_ptr_equal(profile_settable_key(key->name), key); /* the name is in one section */
                for (size_t k = 0; k < ELEMENTSOF(cases); k++)
                        if (streq(cases[k].name, key->name)) {
                                tighter = tighter || cases[k].tighter;
                                looser = looser || cases[k].looser;
                        }
                /* Those that know only two values. */
                looser = looser || streq(key->syntax, "yes|no") || streq(key->syntax, "strict|full") ||
                         streq(key->syntax, "pid|all");
                if (!tighter || !looser)
                        fail_msg("%s= has no case", key->name);
        }
}

static void without_a_ceiling_nothing_passes(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(without_default); i++) {
                const ProfileKey *key = profile_settable_key(without_default[i]);
                _cleanup_(profile_unrefp) Profile *p = NULL;

                assert_non_null(key);
                assert_int_equal(profile_new(&p, "app"), 0);
                assert_false(key->at_most(key, p, p));
        }
}

/* The image's own directory would come into sight there. */
static void no_home_is_not_tighter_on_another_root(void **state) {
        const ProfileKey *key = profile_settable_key("ProtectHome");
        const CeilingCase c = { "Files", "ProtectHome", "tmpfs", NULL, NULL };
        const CeilingCase root = { "Files", "RootDirectory", NULL, NULL, NULL };
        _cleanup_(profile_unrefp) Profile *ceiling = profile_with(&root, "/srv/image"),
                                          *asked = profile_with(&c, "yes");

        assert_true(key->at_most(key, ceiling, ceiling));
        assert_false(key->at_most(key, asked, ceiling));
}

static void keys_without_an_order_are_nobodys_to_set(void **state) {
        static const char *const names[] = { "ExecStart",          "AllowUsers", "UserSettable", "BindPaths",
                                             "MaxInstances",       "Type",       "Nothing",      "",
                                             "SupplementaryGroups" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_null(profile_settable_key(names[i]));
        for (size_t i = 0; i < n_profile_keys; i++)
                if (streq(profile_keys[i].section, "Access") || streq(profile_keys[i].section, "Profile"))
                        assert_null(profile_settable_key(profile_keys[i].name));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_tighter_passes_and_what_is_looser_does_not),
                cmocka_unit_test(every_settable_key_has_a_case_of_both_kinds),
                cmocka_unit_test(without_a_ceiling_nothing_passes),
                cmocka_unit_test(no_home_is_not_tighter_on_another_root),
                cmocka_unit_test(keys_without_an_order_are_nobodys_to_set),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
