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
#include "broker/state/plan-memo.h"

/*
 * 0; negative errno with the call's error set: ProfileDisabled, BadSetting, SettingNotPermitted, ArgumentRejected,
 * QuotaExceeded, InvalidArgs.
 */
int launch_plan_make(
        Call *c, const CatalogEntry *e, const LaunchOptions *o, const Account *target, ReadyPlan **ret);
