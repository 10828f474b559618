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

static int check_exec_start(const ProfileCheck *c) {
        if (c->profile->exec_start || c->profile->abstract)
                return 0;

        return check_refuse(
                c, "Exec", "ExecStart", "is missing: name the program, or write Abstract=yes in [Profile]");
}

static int check_arguments(const ProfileCheck *c) {
        const Profile *p = c->profile;

        if (p->arguments == PROFILE_ARGUMENTS_PATTERN && !p->argument_pattern)
                return check_refuse(
                        c, "Access", "ArgumentPattern", "is missing: Arguments=pattern needs it");
        if (p->arguments != PROFILE_ARGUMENTS_PATTERN && p->argument_pattern)
                return check_refuse(
                        c, "Access", "ArgumentPattern", "has no effect without Arguments=pattern");

        return 0;
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

static int check_files(const ProfileCheck *c) {
        const Profile *p = c->profile;
        const struct {
                bool bad;
                const char *key, *text;
        } rules[] = {
                { p->persistent_home && p->protect_home != PROTECT_HOME_TMPFS,
                  "PersistentHome",
                  "keeps the empty home of ProtectHome=tmpfs, which is not given here" },
                { p->root_ephemeral && !p->root_directory,
                  "RootEphemeral",
                  "needs RootDirectory=: there is no other root to write to" },
                { p->root_directory && p->protect_system == PROTECT_SYSTEM_FULL,
                  "ProtectSystem",
                  "is strict with RootDirectory=; RootEphemeral= makes that writable" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (rules[i].bad) {
                        int r = check_refuse(c, "Files", rules[i].key, rules[i].text);

                        if (r < 0)
                                return r;
                }

        return 0;
}

/* As systemd.service(5) wants these keys to go together. */
static int check_restart(const ProfileCheck *c) {
        const Profile *p = c->profile;
        bool grows = p->terms.restart_max_delay_usec != USEC_INFINITY;

        if (p->terms.type == SERVICE_ONESHOT &&
            (p->terms.restart == RESTART_ALWAYS || p->terms.restart == RESTART_ON_SUCCESS))
                return check_refuse(c, "Service", "Restart", "would never let Type=oneshot come to its end");
        if (p->terms.restart_steps > 0 && !grows)
                return check_refuse(
                        c, "Service", "RestartSteps", "has no effect without RestartMaxDelaySec=");
        if (grows && p->terms.restart_steps == 0)
                return check_refuse(
                        c, "Service", "RestartMaxDelaySec", "has no effect without RestartSteps=");
        if (p->terms.restart_max_delay_usec < p->terms.restart_usec)
                return check_refuse(c, "Service", "RestartMaxDelaySec", "must not be less than RestartSec=");

        return 0;
}

/*
 * A notification is a datagram to an AF_UNIX socket: without that family an application could never send what we wait
 * for.
 */
static int check_notify(const ProfileCheck *c) {
        const Profile *p = c->profile;
        const struct {
                bool needs;
                const char *key;
        } rules[] = {
                { p->terms.type == SERVICE_NOTIFY, "Type" },
                { p->terms.watchdog_usec != USEC_INFINITY, "WatchdogSec" },
                { p->terms.notify_access != NOTIFY_ACCESS_NONE, "NotifyAccess" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (rules[i].needs && !strv_contains(p->address_families, "AF_UNIX"))
                        return check_refuse(c,
                                            "Service",
                                            rules[i].key,
                                            "needs AF_UNIX in RestrictAddressFamilies=: notifications go "
                                            "through a socket of that kind");

        return 0;
}

int profile_check(const Profile *p, const KeyOrigin *origins, bool complete, Findings *findings) {
        static int (*const checks[])(const ProfileCheck *c) = {
                check_exec_start, check_arguments, check_user_settable, check_memory, check_capabilities,
                check_mounts,     check_files,     check_restart,       check_notify,
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
