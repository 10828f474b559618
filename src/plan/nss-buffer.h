/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * nss-buffer — room for one entry of the name service, which says only that it was too small
 *
 * A group may have as many members as a directory has users.
 *
 * Life: zeroed at first, kept from entry to entry. Runs in: the broker's process for accounts, immurectl. Privilege:
 * none. Input: none.
 */

#include "base/util.h"

#define NSS_BUFFER_MIN (16U * 1024)
#define NSS_BUFFER_MAX (64U * 1024 * 1024)

typedef struct NssBuffer {
        char *data;
        size_t size;
} NssBuffer;

static inline void nss_buffer_done(NssBuffer *b) { free(b->data); }

static inline void nss_buffer_erase(NssBuffer *b) {
        if (b->data)
                explicit_bzero(b->data, b->size);
}

/* Twice the room, or the first. What it held is lost. -E2BIG; -ENOMEM. */
static inline int nss_buffer_grow(NssBuffer *b) {
        const size_t size = b->size == 0 ? NSS_BUFFER_MIN : b->size * 2;

        if (size > NSS_BUFFER_MAX)
                return -E2BIG;

        free(b->data);
        b->data = malloc(size);
        b->size = b->data ? size : 0;
        return b->data ? 0 : -ENOMEM;
}
