/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * check-access — whether somebody may do something with a profile or with a sandbox of it, without doing it
 *
 * Goes through the table of access.c and through the very code that makes plans, and so says what the call itself
 * would; only how many there are already, and how often somebody asks, is not looked at.
 *
 * Life: from the call to its reply, across the look-up of the accounts.
 *
 * Runs in: broker. Privilege: none. Input: hostile.
 */

#include "broker/call/call.h"

/* Handler. */
int call_check_access(Call *c);
