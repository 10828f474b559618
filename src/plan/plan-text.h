/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-text — what the texts and paths in a plan may say
 *
 * Runs in: broker, keeper, exec. Privilege: none. Input: hostile.
 */

#include "base/util.h"

bool plan_text_is_hex(const char *s);
bool plan_text_is_one_line(const char *s);
/* Normalized, and fit to be shown: UTF-8 without control characters. */
bool plan_path_is_valid(const char *s);
/* Looser than account_name_is_valid(), as directories hold such names: nothing that breaks passwd(5) or a path. */
bool plan_account_name_is_valid(const char *s);

/* place_refuse_source(), for the place where a source really lies once its links were followed. */
bool plan_source_is_forbidden(const char *path);

/* place_refuse_device(), for what is found where the sandbox runs. */
bool plan_device_is_forbidden(const char *path);
