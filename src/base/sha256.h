/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sha256 — FIPS 180-4 SHA-256, to name plans and profiles by their content
 *
 * Our own code, because nothing else here needs a cryptographic library, and the static immured-exec has to compute
 * the same hash.
 *
 * Runs in: everything. Privilege: none.
 */

#include "base/util.h"

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE (2 * SHA256_SIZE + 1)

void sha256(const void *data, size_t size, uint8_t ret[static SHA256_SIZE]);
/* Lower-case hexadecimal, NUL-terminated. */
void sha256_hex(const uint8_t digest[static SHA256_SIZE], char ret[static SHA256_HEX_SIZE]);
