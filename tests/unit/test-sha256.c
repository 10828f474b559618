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
                uint8_t digest[SHA256_SIZE];
                char hex[SHA256_HEX_SIZE];
                Sha256 s;

                sha256_init(&s);
                for (size_t k = 0; k < cases[i].repeat; k++)
                        sha256_update(&s, cases[i].text, cases[i].size);
                sha256_finish(&s, digest);
                sha256_hex(digest, hex);
                assert_string_equal(hex, cases[i].digest);
        }
}

static void pieces_make_no_difference(void **state) {
        uint8_t data[300], whole[SHA256_SIZE], pieces[SHA256_SIZE];

        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t) (i * 7);

        /* Every length around one and two blocks, cut at every place. */
        for (size_t size = 0; size <= 130; size++) {
                sha256(data, size, whole);
                for (size_t cut = 0; cut <= size; cut++) {
                        Sha256 s;

                        sha256_init(&s);
                        sha256_update(&s, data, cut);
                        sha256_update(&s, data + cut, size - cut);
                        sha256_finish(&s, pieces);
                        assert_memory_equal(whole, pieces, SHA256_SIZE);
                }
        }
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
                cmocka_unit_test(pieces_make_no_difference),
                cmocka_unit_test(one_bit_matters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
