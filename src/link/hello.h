/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * hello — what a keeper says of itself when it connects, and what can be said to it then
 *
 * One a{sv}, so that a later version may say more. What it must hold stands here and never changes: a broker of any
 * version has to find out what the two have in common.
 *
 * Runs in: keeper, broker. Privilege: none. Input: a keeper's, trusted to be root, not to be right.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

typedef struct LinkHello {
        uint32_t link_min, link_max; /* LinkMin, LinkMax: versions of the link that it speaks */
        uint32_t plan_min, plan_max; /* PlanMin, PlanMax: versions of plans that it reads */
        uint32_t uid;                /* UID; LINK_UID_UNKNOWN until what it is there for was launched */
        const char *app;             /* App: "", or the AppName of what it is there for */
        const char *program;         /* Program: its version, for people and to tell two builds apart */
} LinkHello;

/* Errors as sd_bus_message_append(). */
int link_hello_append(sd_bus_message *m, const LinkHello *hello);
/* Texts are borrowed from the message. -EBADMSG: something is missing, of another type, or a range is none. */
int link_hello_read(sd_bus_message *m, LinkHello *ret);

/* The highest version in both ranges; 0: there is none. */
uint32_t version_common(uint32_t min, uint32_t max, uint32_t other_min, uint32_t other_max);

/* The version of the link since which keepers have this member; 0: all have, whatever else they speak. */
uint32_t link_member_since(const char *member);
