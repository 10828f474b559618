/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Random profiles with random settings of a user's on top: what is accepted makes a plan that is nowhere weaker than
 * the profile's own. Compared are the plans, by what their fields mean to the kernel, and not the keys: a field that
 * nothing is said about here has to be the same.
 */

#include "profile-fixture.h"
#include "profile/profile-keys.h"
#include "profile/profile-tighten.h"
#include "variant-fixture.h"

#define ROUNDS 500U
#define SETTINGS_MAX 4U

/* clang-format off */
static const struct {
        const char *key;
        const char *values[8];
} pools[] = {
        { "UMask", { "0000", "0027", "0077", "0777" } },
        { "Nice", { "-5", "0", "5", "19" } },
        { "OOMScoreAdjust", { "-500", "0", "500", "1000" } },
        { "LimitCPU", { "1min", "1h", "infinity", "1s:2min" } },
        { "LimitFSIZE", { "1M", "1G", "infinity", "1M:1G" } },
        { "LimitDATA", { "1M", "1G", "infinity" } },
        { "LimitSTACK", { "8M", "1M:8M", "infinity" } },
        { "LimitCORE", { "0", "1M", "infinity" } },
        { "LimitRSS", { "1M", "1G" } },
        { "LimitNOFILE", { "64", "64:128", "1024", "infinity" } },
        { "LimitAS", { "1G", "2G", "infinity" } },
        { "LimitNPROC", { "1", "100", "infinity" } },
        { "LimitMEMLOCK", { "0", "1M" } },
        { "LimitLOCKS", { "1", "2" } },
        { "LimitSIGPENDING", { "1", "100" } },
        { "LimitMSGQUEUE", { "1", "100" } },
        { "LimitNICE", { "0", "20" } },
        { "LimitRTPRIO", { "0", "50" } },
        { "LimitRTTIME", { "1", "100" } },
        { "PrivateUsers", { "pick", "self", "identity" } },
        { "RestrictNamespaces", { "yes", "no" } },
        { "ProtectSystem", { "strict", "full" } },
        { "ProtectHome", { "tmpfs", "read-only", "yes", "no" } },
        { "PersistentHome", { "no", "no", "yes" } },
        { "RootEphemeral", { "no", "no", "yes" } },
        { "InaccessiblePaths", { "/usr/share/doc", "-/usr/share/man /data", "/data/sub", "" } },
        { "ReadOnlyPaths", { "/data", "/data/sub", "-/scratch", "" } },
        { "ReadWritePaths", { "/data/sub", "/data", "/data/sub/x /data/other", "" } },
        { "NoExecPaths", { "/", "/data", "/tmp /scratch", "" } },
        { "ExecPaths", { "/usr", "/data/sub", "/usr /data", "" } },
        { "ProtectProc", { "invisible", "noaccess", "ptraceable", "default" } },
        { "ProcSubset", { "pid", "all" } },
        { "PrivateTmpSize", { "64K", "64M", "1G" } },
        { "PrivateDevices", { "yes", "no" } },
        { "DeviceAllow", { "/dev/fuse", "/dev/kvm rw", "-/dev/dri/card0", "" } },
        { "RestrictAddressFamilies", { "AF_UNIX", "AF_INET AF_INET6", "AF_UNIX AF_NETLINK", "none" } },
        { "MemoryMin", { "0", "1M", "16M" } },
        { "MemoryLow", { "16M", "32M", "" } },
        { "MemoryHigh", { "64M", "128M", "infinity" } },
        { "MemoryMax", { "128M", "1G", "infinity" } },
        { "MemorySwapMax", { "0", "1M", "infinity" } },
        { "MemoryZSwapMax", { "0", "1M", "infinity" } },
        { "CPUWeight", { "1", "100", "1000", "" } },
        { "CPUQuota", { "0.5%", "20%", "150%", "" } },
        { "IOWeight", { "1", "100", "1000", "" } },
        { "IOReadBandwidthMax", { "/srv 1M", "/srv 2M", "/var 1M" } },
        { "IOWriteBandwidthMax", { "/srv 1M", "/srv 2M", "/srv infinity" } },
        { "IOReadIOPSMax", { "/srv 10", "/srv 20" } },
        { "IOWriteIOPSMax", { "/srv 10", "/srv 20", "/var 20" } },
        { "TasksMax", { "1", "512", "1000", "infinity" } },
        { "OOMPolicy", { "kill", "stop", "continue" } },
        { "CapabilityBoundingSet", { "CAP_NET_RAW", "CAP_CHOWN CAP_NET_RAW", "CAP_SYS_ADMIN", "" } },
        { "AmbientCapabilities", { "", "", "CAP_NET_RAW", "CAP_CHOWN" } },
        { "SystemCallFilter", { "~ptrace", "~@network-io", "@system-service", "ptrace", "~ptrace:EACCES" } },
        { "SystemCallArgumentFilter", { "ioctl:1==TIOCSETD", "socket:0!=AF_UNIX", "" } },
        { "LockPersonality", { "yes", "no" } },
        { "RestrictRealtime", { "yes", "no" } },
        { "RestrictSUIDSGID", { "yes", "no" } },
        { "MemoryDenyWriteExecute", { "yes", "no" } },
        { "Landlock", { "auto", "no" } },
        { "Degrade", { "memory", "memory pids", "landlock", "" } },
        { "Restart", { "no", "on-success", "on-failure", "on-abnormal", "always" } },
        { "RestartSec", { "0", "1s", "1min" } },
        { "StartLimitIntervalSec", { "0", "10s", "infinity" } },
        { "StartLimitBurst", { "0", "1", "100" } },
        { "TimeoutStartSec", { "1s", "30s", "infinity" } },
        { "TimeoutStopSec", { "0", "10s", "infinity" } },
        { "RuntimeMaxSec", { "1min", "1h", "infinity" } },
        { "OnDisconnect", { "keep", "stop", "kill" } },
};
/* clang-format on */

static SeccompPolicy *policy;

/* Always the same numbers, so that what failed once fails again. */
static uint32_t draw(uint32_t n) {
        static uint64_t seed = 20;

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t) (seed >> 33) % n;
}

static const char *draw_value(size_t pool) {
        uint32_t n = 0;

        while (n < ELEMENTSOF(pools[pool].values) && pools[pool].values[n])
                n++;
        return pools[pool].values[draw(n)];
}

static bool needs_ceiling(const char *key) {
        return streq(key, "Nice") || streq(key, "OOMScoreAdjust") || startswith(key, "Limit") ||
               (startswith(key, "IO") && !streq(key, "IOWeight"));
}

static char *make_profile(void) {
        _cleanup_free_ char *text =
                text_printf("[Files]\nBindPaths=-/srv/data:/data\n"
                            "TemporaryFileSystem=/scratch\n%s[Exec]\nExecStart=/usr/bin/true\n",
                            draw(4) ? "" : "RootDirectory=/srv/image\n");
        _cleanup_free_ char *settable = text_printf("[Access]\nUserSettable=");

        for (size_t i = 0; i < ELEMENTSOF(pools); i++) {
                const ProfileKey *key = profile_settable_key(pools[i].key);
                bool written = draw(needs_ceiling(key->name) ? 2 : 8) == 0 ||
                               (streq(key->section, "Resources") && draw(3) == 0);
                char *more;

                if (written) {
                        more = text_printf("%s[%s]\n%s=%s\n", text, key->section, key->name, draw_value(i));
                        free(text);
                        text = more;
                }
                if (written || !needs_ceiling(key->name)) {
                        more = text_printf("%s %s", settable, key->name);
                        free(settable);
                        settable = more;
                }
        }

        return text_printf("%s%s\n", text, settable);
}

typedef struct Counts {
        unsigned n_refused, n_accepted;
        unsigned by_pool[ELEMENTSOF(pools)]; /* accepted, and another plan than the profile's */
} Counts;

/* A few settings on one profile. */
static void try_settings(const Variant *whole, const char *profile_text, Counts *counts) {
        _cleanup_free_ char *text = strdup(profile_text), *why = NULL;
        _cleanup_(profile_unrefp) Profile *tightened = NULL;
        _cleanup_variant_ Variant asked = {};
        ProfileSetting settings[SETTINGS_MAX];
        size_t chosen[SETTINGS_MAX], n = 1 + draw(SETTINGS_MAX);
        int r;

        for (size_t i = 0; i < n; i++) {
                char *more;

                chosen[i] = draw(ELEMENTSOF(pools));
                settings[i] =
                        (ProfileSetting){ (char *) pools[chosen[i]].key, (char *) draw_value(chosen[i]) };
                more = text_printf("%s-p %s=%s\n", text, settings[i].key, settings[i].value);
                free(text);
                text = more;
        }

        r = profile_tighten(&tightened, whole->fixture.profile, settings, n, &why);
        if (r < 0) {
                assert_true(r == -EPERM || r == -EBADMSG);
                assert_non_null(why);
                assert_null(tightened);
                counts->n_refused++;
                return;
        }
        if (!variant_of_profile(&asked, policy, tightened))
                return;

        variant_must_not_be_weaker(&asked, whole, text);
        counts->n_accepted++;
        for (size_t i = 0; i < n; i++)
                counts->by_pool[chosen[i]] += !json_equal(asked.plan, whole->plan);
}

static void random_settings_never_weaken_a_profile(void **state) {
        Counts counts = {};

        for (unsigned round = 0; round < ROUNDS; round++) {
                _cleanup_free_ char *text = make_profile();
                _cleanup_variant_ Variant whole = {};

                if (!variant_make(&whole, policy, text))
                        continue;
                for (unsigned i = 0; i < 6; i++)
                        try_settings(&whole, text, &counts);
        }

        print_message("%u accepted, %u refused\n", counts.n_accepted, counts.n_refused);
        assert_true(counts.n_accepted > 500 && counts.n_refused > 500);
        for (size_t i = 0; i < ELEMENTSOF(pools); i++)
                if (counts.by_pool[i] == 0)
                        fail_msg("%s was never tightened", pools[i].key);
}

static void every_settable_key_is_drawn_from(void **state) {
        for (size_t i = 0; i < n_profile_keys; i++) {
                bool found = false;

                for (size_t k = 0; k < ELEMENTSOF(pools); k++)
                        found = found || streq(pools[k].key, profile_keys[i].name);
                if (found != (profile_settable_key(profile_keys[i].name) != NULL))
                        fail_msg("%s=", profile_keys[i].name);
        }
}

static int load_policy(void **state) {
        policy = test_policy_load();
        return 0;
}

static int free_policy(void **state) {
        policy = seccomp_policy_free(policy);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_settable_key_is_drawn_from),
                cmocka_unit_test(random_settings_never_weaken_a_profile),
        };

        return cmocka_run_group_tests(tests, load_policy, free_policy);
}
