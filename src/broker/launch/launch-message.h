/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * launch-message — the keeper's Launch as link.h has it: the request written, the answer read
 *
 * Runs in: broker. Privilege: none. Input: the keeper's answer.
 */

#include "broker/launch/launch-options.h"
#include "broker/state/keepers.h"

/* The descriptors are copied into the message. -ENOTCONN: the keeper has no link. */
int launch_message_new(sd_bus_message **ret,
                       Keeper *keeper,
                       const char *id,
                       const char *invocation_id,
                       int plan_fd,
                       const LaunchOptions *options,
                       bool lease);

/* *ret_lease stays the message's; negative: there is none. -EBADMSG: not the answer to this request. */
int launch_reply_read(sd_bus_message *reply, const char *id, bool lease, int *ret_lease);
