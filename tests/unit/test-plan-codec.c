/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fd.h"
#include "plan-fixture.h"

#include <endian.h>
#include <fcntl.h>
#include <sys/mman.h>

/* A plan that has something in every field. */
static void make_rich(Fixture *f) {
        Profile *p = f->profile;

        fixture_init(f);
        p = f->profile;
        set_words(&p->exec_start, "/usr/bin/printf %%s 'two words' ''");
        set_words(&p->supplementary_groups, "staff audio");
        set_words(&p->capability_bounding_set, "CAP_NET_RAW CAP_CHOWN");
        set_words(&p->ambient_capabilities, "CAP_NET_RAW");
        set_words(&p->degrade, "memory pids");
        add_bind(p, "/srv/data", "/srv/data", false);
        add_path(&p->inaccessible, "-/usr/share/doc");
        p->nice_set = true;
        p->nice = -5;
        p->oom_score_adjust_set = true;
        p->oom_score_adjust = 500;
        p->memory_max = 64 << 20;
        f->request.instance = "blue";
        fixture_must_compile(f);
}

static void encode(const Plan *p, uint8_t **ret, size_t *ret_size) {
        assert_int_equal(plan_encode(p, ret, ret_size), 0);
}

static void test_round_trip_keeps_every_byte(void **state) {
        _cleanup_fixture_ Fixture f = {};
        _cleanup_(plan_freep) Plan *again = NULL;
        _cleanup_free_ uint8_t *a = NULL, *b = NULL;
        _cleanup_free_ char *json_a = NULL, *json_b = NULL;
        size_t n_a, n_b;

        make_rich(&f);
        encode(f.plan, &a, &n_a);
        assert_int_equal(plan_decode(a, n_a, &again), 0);
        encode(again, &b, &n_b);

        assert_int_equal(n_a, n_b);
        assert_memory_equal(a, b, n_a);

        assert_int_equal(plan_to_json(f.plan, &json_a), 0);
        assert_int_equal(plan_to_json(again, &json_b), 0);
        assert_string_equal(json_a, json_b);
        assert_string_equal(again->argv[2], "two words");
        assert_string_equal(again->argv[3], "");
        assert_int_equal(again->nice, -5);
}

static void test_equal_requests_have_equal_bytes(void **state) {
        _cleanup_fixture_ Fixture f = {}, g = {};
        uint8_t a[SHA256_SIZE], b[SHA256_SIZE];
        _cleanup_close_ int fd_a = -EBADF, fd_b = -EBADF, fd_c = -EBADF;

        make_rich(&f);
        make_rich(&g);

        /* The order in which the account database lists groups is not the request's. */
        AccountGroup swapped = g.account->groups[1];
        g.account->groups[1] = g.account->groups[2];
        g.account->groups[2] = swapped;
        /* Descriptors belong to the run. */
        g.profile->standard_output = f.profile->standard_output = STREAM_CLIENT;
        g.request.streams = 1U << 1;
        fixture_must_compile(&f);
        fixture_must_compile(&g);

        fd_a = plan_to_memfd(PLAN_VERSION, f.plan, a, &(const char *){ NULL });
        fd_b = plan_to_memfd(PLAN_VERSION, g.plan, b, &(const char *){ NULL });
        assert_true(fd_a >= 0 && fd_b >= 0);
        assert_memory_equal(a, b, sizeof(a));

        g.request.instance = "green";
        fixture_must_compile(&g);
        fd_c = plan_to_memfd(PLAN_VERSION, g.plan, b, &(const char *){ NULL });
        assert_true(fd_c >= 0);
        assert_memory_not_equal(a, b, sizeof(a));
}

static void test_every_truncation_is_refused(void **state) {
        _cleanup_fixture_ Fixture f = {};
        _cleanup_free_ uint8_t *data = NULL;
        size_t size;

        make_rich(&f);
        encode(f.plan, &data, &size);

        for (size_t n = 0; n < size; n++) {
                /* A copy of exactly that size, so that a sanitizer sees the first byte read too far. */
                _cleanup_free_ uint8_t *cut = malloc(n > 0 ? n : 1);
                uint32_t total = htole32((uint32_t) n);
                Plan *p = NULL;

                assert_non_null(cut);
                memcpy(cut, data, n);
                assert_int_equal(plan_decode(cut, n, &p), -EBADMSG);

                /* With a header that agrees, the fields themselves have to notice. */
                if (n >= 16)
                        memcpy(cut + 12, &total, sizeof(total));
                assert_int_equal(plan_decode(cut, n, &p), -EBADMSG);
                assert_null(p);
        }
}

static void test_trailing_bytes_are_refused(void **state) {
        _cleanup_fixture_ Fixture f = {};
        _cleanup_free_ uint8_t *data = NULL, *longer = NULL;
        uint32_t total;
        Plan *p = NULL;
        size_t size;

        make_rich(&f);
        encode(f.plan, &data, &size);
        longer = calloc(1, size + 1);
        assert_non_null(longer);
        memcpy(longer, data, size);
        total = htole32((uint32_t) size + 1);
        memcpy(longer + 12, &total, sizeof(total));
        assert_int_equal(plan_decode(longer, size + 1, &p), -EBADMSG);
        assert_null(p);
}

/* Whatever one byte is turned into: refused, or another plan that holds together and has that very encoding. */
/* A set that lies in the plan itself is never longer or shorter than its place. */
static void test_bits_have_one_length(void **state) {
        static const uint32_t counts[] = { 0, 7, 9, UINT32_MAX };
        static const uint32_t words[8] = { 1, 2, 3, 4, 5, 6, 7, 0xcafebabe };
        _cleanup_fixture_ Fixture f = {};
        _cleanup_(plan_freep) Plan *again = NULL;
        _cleanup_free_ uint8_t *data = NULL;
        uint8_t *found;
        size_t size;

        fixture_init(&f);
        memcpy(f.profile->terms.success_statuses, words, sizeof(words));
        fixture_must_compile(&f);
        encode(f.plan, &data, &size);
        assert_int_equal(plan_decode(data, size, &again), 0);
        assert_memory_equal(again->terms.success_statuses, words, sizeof(words));
        again = plan_free(again);

        found = memmem(data, size, &(uint32_t){ htole32(words[7]) }, sizeof(*words));
        assert_non_null(found);
        for (size_t i = 0; i < ELEMENTSOF(counts); i++) {
                memcpy(found - sizeof(words), &(uint32_t){ htole32(counts[i]) }, sizeof(*counts));
                assert_int_equal(plan_decode(data, size, &again), -EBADMSG);
        }
}

static void check_corruption(uint8_t *data, size_t size) {
        _cleanup_(plan_freep) Plan *p = NULL;
        _cleanup_free_ uint8_t *again = NULL;
        const char *unsaid = NULL;
        uint32_t version;
        size_t n;
        int r;

        r = plan_decode(data, size, &p);
        if (r < 0) {
                assert_int_equal(r, -EBADMSG);
                assert_null(p);
                return;
        }

        /* It may have become the number of another version that can say the same. */
        memcpy(&version, data + 8, sizeof(version));
        assert_int_equal(plan_encode_for(le32toh(version), p, &again, &n, &unsaid), 0);
        assert_int_equal(n, size);
        assert_memory_equal(again, data, size);
}

static void test_every_corrupted_byte_is_survived(void **state) {
        static const uint8_t changes[] = { 0x01, 0x80, 0xff };
        _cleanup_fixture_ Fixture f = {};
        _cleanup_free_ uint8_t *data = NULL;
        size_t size;

        make_rich(&f);
        encode(f.plan, &data, &size);

        for (size_t i = 0; i < size; i++)
                for (size_t k = 0; k < ELEMENTSOF(changes); k++) {
                        data[i] ^= changes[k];
                        check_corruption(data, size);
                        data[i] ^= changes[k];
                }
}

static void test_header_is_checked(void **state) {
        static const size_t places[] = { 0, 7, 8, 11, 12, 15 };
        _cleanup_fixture_ Fixture f = {};
        _cleanup_free_ uint8_t *data = NULL;
        size_t size;
        Plan *p = NULL;

        make_rich(&f);
        encode(f.plan, &data, &size);

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                data[places[i]] ^= 0x40;
                assert_int_equal(plan_decode(data, size, &p), -EBADMSG);
                data[places[i]] ^= 0x40;
        }
        assert_int_equal(plan_decode(data, size, &p), 0);
        plan_free(p);
}

static void test_too_large_is_refused_on_both_sides(void **state) {
        _cleanup_fixture_ Fixture f = {};
        _cleanup_free_ uint8_t *large = NULL;
        uint8_t *data = NULL;
        char *long_text;
        Plan *p = NULL;
        size_t size = 7;

        large = calloc(1, PLAN_SIZE_MAX + 1);
        assert_non_null(large);
        assert_int_equal(plan_decode(large, PLAN_SIZE_MAX + 1, &p), -EBADMSG);

        make_rich(&f);
        long_text = malloc(PLAN_SIZE_MAX + 2);
        assert_non_null(long_text);
        memset(long_text, 'x', PLAN_SIZE_MAX + 1);
        long_text[PLAN_SIZE_MAX + 1] = '\0';
        assert_int_equal(strv_consume(&f.plan->argv, long_text), 0);
        assert_int_equal(plan_encode(f.plan, &data, &size), -E2BIG);
        assert_null(data);
        assert_int_equal(size, 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip_keeps_every_byte),
                cmocka_unit_test(test_equal_requests_have_equal_bytes),
                cmocka_unit_test(test_every_truncation_is_refused),
                cmocka_unit_test(test_trailing_bytes_are_refused),
                cmocka_unit_test(test_every_corrupted_byte_is_survived),
                cmocka_unit_test(test_bits_have_one_length),
                cmocka_unit_test(test_header_is_checked),
                cmocka_unit_test(test_too_large_is_refused_on_both_sides),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
