/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* FIPS 180 examples and the byte-oriented messages of the NIST CAVP SHA-256 short message test. */
static const struct {
        const char *text;
        size_t size, repeat;
        const char *digest;
} cases[] = {
        { "", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", 3, 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          56,
          1,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
          "mnopqrstnopqrstu",
          112,
          1,
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
        { "a", 1, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
        { "\xd3", 1, 1, "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1" },
        { "\x11\xaf", 2, 1, "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98" },
};

static void known_digests(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *text = malloc(cases[i].size * cases[i].repeat + 1), hex[SHA256_HEX_SIZE];
                uint8_t digest[SHA256_SIZE];

                assert_non_null(text);
                for (size_t k = 0; k < cases[i].repeat; k++)
                        memcpy(text + k * cases[i].size, cases[i].text, cases[i].size);
                sha256(text, cases[i].size * cases[i].repeat, digest);
                sha256_hex(digest, hex);
                assert_string_equal(hex, cases[i].digest);
                free(text);
        }
}

/* The digests of the first 0, 1, … 300 bytes, one after the other, have this digest; from Python's hashlib. */
static void every_length_around_some_blocks(void **state) {
        uint8_t data[300], digests[(ELEMENTSOF(data) + 1) * SHA256_SIZE], digest[SHA256_SIZE];
        char hex[SHA256_HEX_SIZE];

        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t) (i * 7);
        for (size_t size = 0; size <= sizeof(data); size++)
                sha256(data, size, digests + size * SHA256_SIZE);

        sha256(digests, sizeof(digests), digest);
        sha256_hex(digest, hex);
        assert_string_equal(hex, "3b05b530351f50663ba5ac734c246d169eafec6b57c70dc6dc94cad39d04aad8");
}

static void one_bit_matters(void **state) {
        uint8_t data[64] = {}, a[SHA256_SIZE], b[SHA256_SIZE];

        sha256(data, sizeof(data), a);
        data[63] = 1;
        sha256(data, sizeof(data), b);
        assert_memory_not_equal(a, b, SHA256_SIZE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_digests),
                cmocka_unit_test(every_length_around_some_blocks),
                cmocka_unit_test(one_bit_matters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
