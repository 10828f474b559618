/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link-answers — the methods of LINK_KEEPER_INTERFACE: what the broker asks for, read and checked
 *
 * Launch, Stop, Restart, Freeze and Thaw are answered later, by the sandbox that they are about. The broker's half of
 * link_answer_x() is link_x().
 *
 * Runs in: keeper. Privilege: root. Input: the broker, trusted to be root, not to be right.
 */

#include "keeper/keeper.h"

#include <systemd/sd-bus.h>

/* Its userdata is the Keeper. */
extern const sd_bus_vtable link_answers[];
