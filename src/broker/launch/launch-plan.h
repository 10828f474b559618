/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * launch-plan — from a profile, what its user asks for and their account to the plan of one launch
 *
 * Whether the caller may is another question, and not asked here.
 *
 * Runs in: broker. Privilege: none. Input: options are a hostile user's.
 */

#include "broker/call/call.h"
#include "broker/launch/launch-options.h"

/*
 * 0; negative errno with the call's error set: ProfileDisabled, BadSetting, SettingNotPermitted, ArgumentRejected,
 * QuotaExceeded, InvalidArgs. *ret is untouched then.
 */
int launch_plan_make(
        Call *c, const CatalogEntry *e, const LaunchOptions *options, const Account *target, Plan **ret);
