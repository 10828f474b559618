/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * names — how each enumerated value is written, wherever it is: in a profile, a plan, a request
 *
 * Runs in: all. Privilege: none. Input: hostile in form.
 */

#include "profile/profile.h"

extern const char *const authentication_names[_PROFILE_AUTHENTICATION_MAX];
extern const char *const arguments_names[_PROFILE_ARGUMENTS_MAX];
extern const char *const stream_names[_STREAM_KIND_MAX];
extern const char *const private_users_names[_PRIVATE_USERS_MAX];
extern const char *const protect_system_names[_PROTECT_SYSTEM_MAX];
extern const char *const protect_home_names[_PROTECT_HOME_MAX];
extern const char *const protect_proc_names[_PROTECT_PROC_MAX];
extern const char *const network_names[_NETWORK_MODE_MAX];
extern const char *const oom_policy_names[_OOM_POLICY_MAX];
extern const char *const service_type_names[_SERVICE_TYPE_MAX];
extern const char *const notify_access_names[_NOTIFY_ACCESS_MAX];
extern const char *const restart_names[_RESTART_POLICY_MAX];
extern const char *const on_disconnect_names[_ON_DISCONNECT_MAX];

/* The value of a name; -EINVAL: it is none of them. */
int name_value(const char *const *names, size_t n_names, const char *s);
