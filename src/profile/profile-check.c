/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-check.h"

typedef struct ProfileCheck {
        const Profile *profile;
        const KeyOrigin *origins;
        bool complete;
        Findings *findings;
} ProfileCheck;

static const KeyOrigin *check_origin(const ProfileCheck *c, const char *section, const char *name) {
        const ProfileKey *key = profile_key_find(section, name);

        return key ? &c->origins[key - profile_keys] : NULL;
}

/* A finding at the line of a key, or about the profile as a whole where no line has the key. */
static int check_refuse(const ProfileCheck *c, const char *section, const char *name, const char *text) {
        const KeyOrigin *origin = check_origin(c, section, name);
        bool written = origin && origin->file;

        if ((origin && origin->bad) || (!written && !c->complete))
                return 0;

        return findings_add(c->findings,
                            written ? origin->file : c->profile->source_path,
                            written ? origin->line : 0,
                            name,
                            "%s",
                            text);
}

/* An abstract profile may leave the value to those that inherit from it. */
static int check_user_settable(const ProfileCheck *c) {
        STRV_FOREACH (name, c->profile->user_settable) {
                const ProfileKey *key = profile_settable_key(*name);
                _cleanup_free_ char *text = NULL;

                if (c->profile->abstract || !key || key->at_most(key, c->profile, c->profile))
                        continue;

                text = text_printf("lists %s, which has no value here that could be the ceiling", *name);
                return text ? check_refuse(c, "Access", "UserSettable", text) : -ENOMEM;
        }

        return 0;
}

static int check_memory(const ProfileCheck *c) {
        const Profile *p = c->profile;
        const struct {
                const char *name;
                uint64_t value; /* UINT64_MAX: not set */
        } limits[] = {
                { "MemoryMin", p->memory_min },
                { "MemoryLow", p->memory_low },
                { "MemoryHigh", p->memory_high },
                { "MemoryMax", p->memory_max },
        };
        uint64_t previous = 0;

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                if (limits[i].value == UINT64_MAX)
                        continue;
                if (limits[i].value < previous)
                        return check_refuse(c,
                                            "Resources",
                                            limits[i].name,
                                            "must hold: MemoryMin ≤ MemoryLow ≤ MemoryHigh ≤ MemoryMax");
                previous = limits[i].value;
        }

        return 0;
}

static int check_capabilities(const ProfileCheck *c) {
        int r = 0;

        STRV_FOREACH (capability, c->profile->ambient_capabilities)
                if (r == 0 && !strv_contains(c->profile->capability_bounding_set, *capability))
                        r = check_refuse(c,
                                         "Security",
                                         "AmbientCapabilities",
                                         "names a capability that CapabilityBoundingSet= does not");

        return r;
}

/* The destination of mount i, counting binds first, and the key it came from. */
static const char *mount_target(const Profile *p, size_t i, const char **ret_key) {
        if (i >= p->n_binds) {
                *ret_key = "TemporaryFileSystem";
                return p->tmpfs[i - p->n_binds].path;
        }

        *ret_key = p->binds[i].read_only ? "BindReadOnlyPaths" : "BindPaths";
        return p->binds[i].destination;
}

static int check_mounts(const ProfileCheck *c) {
        size_t n = c->profile->n_binds + c->profile->n_tmpfs;
        const char *key, *ignored;

        for (size_t i = 1; i < n; i++) {
                const char *target = mount_target(c->profile, i, &key);

                for (size_t j = 0; j < i; j++)
                        if (streq(mount_target(c->profile, j, &ignored), target))
                                return check_refuse(
                                        c,
                                        "Files",
                                        key,
                                        "names a place where another line mounts something already");
        }

        return 0;
}

/* What contradicts what. Of the keys of one program, systemd.service(5) wants the same. */
static int check_rules(const ProfileCheck *c) {
        static const char needs_unix[] =
                "needs AF_UNIX in RestrictAddressFamilies=: notifications go through a "
                "socket of that kind";
        const Profile *p = c->profile;
        const Terms *t = &p->terms;
        const bool pattern = p->arguments == PROFILE_ARGUMENTS_PATTERN,
                   grows = t->restart_max_delay_usec != USEC_INFINITY,
                   unix_sockets = strv_contains(p->address_families, "AF_UNIX");
        /* clang-format off */
        const struct {
                bool broken;
                const char *section, *key, *text;
        } rules[] = {
                { !p->exec_start && !p->abstract,
                  "Exec", "ExecStart", "is missing: name the program, or write Abstract=yes in [Profile]" },
                { pattern && !p->argument_pattern,
                  "Access", "ArgumentPattern", "is missing: Arguments=pattern needs it" },
                { !pattern && p->argument_pattern,
                  "Access", "ArgumentPattern", "has no effect without Arguments=pattern" },
                { p->persistent_home && p->protect_home != PROTECT_HOME_TMPFS,
                  "Files", "PersistentHome", "keeps the empty home of ProtectHome=tmpfs, which is not given here" },
                { p->root_ephemeral && !p->root_directory,
                  "Files", "RootEphemeral", "needs RootDirectory=: there is no other root to write to" },
                { p->root_directory && p->protect_system == PROTECT_SYSTEM_FULL,
                  "Files", "ProtectSystem", "is strict with RootDirectory=; RootEphemeral= makes that writable" },
                { t->type == SERVICE_ONESHOT && (t->restart == RESTART_ALWAYS || t->restart == RESTART_ON_SUCCESS),
                  "Service", "Restart", "would never let Type=oneshot come to its end" },
                { t->restart_steps > 0 && !grows,
                  "Service", "RestartSteps", "has no effect without RestartMaxDelaySec=" },
                { grows && t->restart_steps == 0,
                  "Service", "RestartMaxDelaySec", "has no effect without RestartSteps=" },
                { grows && t->restart_steps > 0 && t->restart_max_delay_usec < t->restart_usec,
                  "Service", "RestartMaxDelaySec", "must not be less than RestartSec=" },
                /* A notification is a datagram to an AF_UNIX socket: what we wait for could never be sent. */
                { t->type == SERVICE_NOTIFY && !unix_sockets, "Service", "Type", needs_unix },
                { t->watchdog_usec != USEC_INFINITY && !unix_sockets, "Service", "WatchdogSec", needs_unix },
                { t->notify_access != NOTIFY_ACCESS_NONE && !unix_sockets, "Service", "NotifyAccess", needs_unix },
        };
        /* clang-format on */
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(rules) && r >= 0; i++)
                if (rules[i].broken)
                        r = check_refuse(c, rules[i].section, rules[i].key, rules[i].text);

        return r;
}

int profile_check(const Profile *p, const KeyOrigin *origins, bool complete, Findings *findings) {
        static int (*const checks[])(const ProfileCheck *c) = {
                check_rules, check_user_settable, check_memory, check_capabilities, check_mounts,
        };
        const ProfileCheck c = {
                .profile = p,
                .origins = origins,
                .complete = complete,
                .findings = findings,
        };

        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                int r = checks[i](&c);

                if (r < 0)
                        return r;
        }

        return 0;
}
