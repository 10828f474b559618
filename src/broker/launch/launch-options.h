/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * launch-options — the a{sv} of Launch and Plan, read by one table and checked before anything is done
 *
 * Runs in: broker. Privilege: none. Input: hostile.
 */

#include "profile/profile-tighten.h"

#include <systemd/sd-bus.h>

typedef struct LaunchOptions {
        char **arguments;
        char **environment;
        ProfileSetting *settings;
        size_t n_settings;
        char *user;        /* NULL: the caller */
        char *instance;    /* NULL: none */
        uint32_t streams;  /* that come on the lease (client-streams.h) */
        int on_disconnect; /* OnDisconnect, or -1: the profile's */
        bool wait_set, wait;
} LaunchOptions;

#define LAUNCH_ENVIRONMENT_MAX 128U
#define LAUNCH_ENVIRONMENT_SIZE_MAX (16U * 1024)
#define LAUNCH_SETTINGS_MAX 64U

/* What is meant where nothing is said. */
#define LAUNCH_OPTIONS_NONE \
        (LaunchOptions) { .on_disconnect = -1 }

void launch_options_done(LaunchOptions *o);
#define _cleanup_launch_options_ _cleanup_(launch_options_done)

/*
 * Reads the dictionary at the message's place. 0; negative errno with the bus error set: InvalidArgs,
 * QuotaExceeded, ArgumentRejected, SettingNotPermitted. *ret is filled also then, to be cleaned up.
 */
int launch_options_read(sd_bus_message *m, LaunchOptions *ret, sd_bus_error *error);
