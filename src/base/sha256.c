/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

#include <endian.h>

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
// clang-format off
static const uint32_t round_constants[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
// clang-format on

static inline uint32_t rotate_right(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

/* Adds one block of 64 bytes: FIPS 180-4, 6.2.2. */
static void sha256_block(uint32_t state[static 8], const uint8_t *block) {
        uint32_t w[64], v[8];

        for (unsigned i = 0; i < 16; i++) {
                memcpy(&w[i], block + 4 * i, sizeof(w[i]));
                w[i] = be32toh(w[i]);
        }
        for (unsigned i = 16; i < 64; i++) {
                uint32_t a = w[i - 15], b = w[i - 2];
                uint32_t s0 = rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3;
                uint32_t s1 = rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10;

                w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }

        memcpy(v, state, sizeof(v));
        for (unsigned i = 0; i < 64; i++) {
                uint32_t a = v[0], e = v[4];
                uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
                uint32_t choice = (e & v[5]) ^ (~e & v[6]);
                uint32_t t1 = v[7] + s1 + choice + round_constants[i] + w[i];
                uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
                uint32_t majority = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);

                memmove(v + 1, v, 7 * sizeof(v[0]));
                v[4] += t1;
                v[0] = t1 + s0 + majority;
        }
        for (unsigned i = 0; i < 8; i++)
                state[i] += v[i];
}

void sha256(const void *data, size_t size, uint8_t ret[static SHA256_SIZE]) {
        /* FIPS 180-4, 5.3.3 */
        uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
        size_t n_whole = size / 64, n_rest = size % 64;
        size_t n_tail = n_rest < 56 ? 64 : 128;
        uint64_t n_bits = htobe64((uint64_t) size * 8);
        const uint8_t *p = data;
        uint8_t tail[128] = {};

        for (size_t i = 0; i < n_whole; i++)
                sha256_block(state, p + 64 * i);

        /* What is left, a one bit, zeros, and the length, which ends a block (5.1.1). */
        if (n_rest > 0)
                memcpy(tail, p + 64 * n_whole, n_rest);
        tail[n_rest] = 0x80;
        memcpy(tail + n_tail - sizeof(n_bits), &n_bits, sizeof(n_bits));
        for (size_t at = 0; at < n_tail; at += 64)
                sha256_block(state, tail + at);

        for (unsigned i = 0; i < 8; i++)
                state[i] = htobe32(state[i]);
        memcpy(ret, state, SHA256_SIZE);
}

void sha256_hex(const uint8_t digest[static SHA256_SIZE], char ret[static SHA256_HEX_SIZE]) {
        static const char digits[] = "0123456789abcdef";

        for (unsigned i = 0; i < SHA256_SIZE; i++) {
                ret[2 * i] = digits[digest[i] >> 4];
                ret[2 * i + 1] = digits[digest[i] & 15];
        }
        ret[2 * SHA256_SIZE] = '\0';
}
