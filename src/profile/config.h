/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * config — the broker's own settings: /etc/immured/immured.conf and immured.conf.d/
 *
 * Read by the same strict reader as profiles.
 *
 * Runs in: broker, immurectl lint. Privilege: none. Input: the admin's.
 */

#include "profile/finding.h"

typedef struct Config {
        /* [Broker] */
        uint32_t max_sandboxes;
        uint64_t idle_timeout_usec;
        char **degrade; /* layers that this machine may lack for every profile */
        /* [Users] */
        uint32_t max_sandboxes_per_user;
        uint32_t max_requests_in_flight;
        uint32_t launch_rate_burst;
        uint64_t launch_rate_interval_usec;
        bool expired_refused; /* who could not log in just now cannot launch */
        /* [Audit] */
        bool log_launches;
        uint32_t record_rate_burst;
        uint64_t record_rate_interval_usec;
} Config;

#define CONFIG_PATH "/etc/immured/immured.conf"

void config_done(Config *c);
#define _cleanup_config_ _cleanup_(config_done)

/*
 * Defaults where there is no file. 0; -EBADMSG with findings: the caller must not go on with half a configuration;
 * -ENOMEM. required_uid as in profile_set_load().
 */
int config_load(Config *ret, const char *path, uid_t required_uid, Findings *findings);
