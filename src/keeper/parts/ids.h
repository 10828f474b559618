/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * ids — blocks of host ids that nobody else has: the owner of each sandbox's user namespace, and with
 * PrivateUsers=pick what it maps
 *
 * Blocks lie in the range that systemd keeps for containers, aligned as systemd-nspawn(1) aligns its own. One is
 * claimed for the machine by a lock on IDS_DIRECTORY/BASE and, where systemd runs, by the lock that systemd-nspawn
 * takes on the same ids; if the keeper dies, the kernel lets go of both. A claimed block serves one sandbox at a time
 * and is kept for the next; the last one stays as long as the keeper lives. Ids that /etc/subuid, /etc/subgid or the
 * account database know are left alone: somebody may have files under them.
 *
 * Life: one pool per keeper. Runs in: keeper. Privilege: root. Input: /etc/subuid, /etc/subgid, name service.
 */

#include "base/util.h"
#include "plan/launch.h"

#include <sys/types.h>

#define IDS_DIRECTORY "/run/immured/ids"
#define IDS_FIRST UINT32_C(0x00080000)
#define IDS_BLOCK_SIZE LAUNCH_ID_BLOCK_SIZE
#define IDS_N_BLOCKS UINT32_C(0x6ff8) /* the last starts at 0x6fff0000 */

typedef struct IdPool IdPool;

/*
 * A pool with a first block claimed, so that a launch need not search. The number decides where the search begins, so
 * that keepers with different numbers seldom compete.
 */
int id_pool_new(IdPool **ret, uint32_t number);
/* Gives all blocks back; takes NULL, returns NULL. */
IdPool *id_pool_free(IdPool *p);
DEFINE_CLEANUP(IdPool *, id_pool_free);

/* A free block; *ret_base stays the sandbox's until released. -EUSERS: none left; -ETIMEDOUT: name service hangs. */
int id_pool_acquire(IdPool *p, uint32_t *ret_base);
/* Frees it. Once all are free, the pool gives back all but one. */
void id_pool_release(IdPool *p, uint32_t base);

/*
 * Whether text in the form of subuid(5) gives away any of these ids. A line that does not parse is passed over. Public
 * for its test: everybody's tools write that file.
 */
bool subids_overlap(const char *text, uint32_t first, uint32_t count);
