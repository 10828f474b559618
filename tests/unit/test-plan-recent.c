/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-recent.h"

#include "base/fd.h"
#include "base/text.h"
#include "plan-fixture.h"
#include "plan/plan-check.h"

#include <fcntl.h>
#include <sys/mman.h>

#define _cleanup_recent_ _cleanup_(plan_recent_done)

/* A sealed plan that differs from others by its instance; filler: bytes in a variable of the environment. */
static int new_plan(const char *instance, size_t filler, uint8_t ret_digest[SHA256_SIZE]) {
        _cleanup_fixture_ Fixture f = {};
        int fd;

        fixture_init(&f);
        f.request.instance = instance;
        fixture_must_compile(&f);
        for (size_t i = 0; i < filler; i += PLAN_STRING_MAX / 2) {
                char *variable = text_printf("V%zu=%0*d", i, (int) PLAN_STRING_MAX / 2, 0);

                assert_non_null(variable);
                assert_int_equal(strv_consume(&f.plan->environment, variable), 0);
        }

        fd = plan_to_memfd(PLAN_VERSION, f.plan, ret_digest, &(const char *){ NULL });
        assert_true(fd >= 0);
        return fd;
}

static const Plan *must_read(PlanRecent *r, int fd) {
        const Plan *plan = NULL;

        assert_int_equal(plan_recent_read(r, fd, &plan, NULL), 0);
        assert_non_null(plan);
        return plan;
}

static void it_is_read_with_the_digest_of_its_bytes(void **state) {
        _cleanup_recent_ PlanRecent r = { .max = 1 };
        uint8_t digests[2][SHA256_SIZE];
        _cleanup_close_ int blue = new_plan("blue", 0, digests[0]), bluf = new_plan("bluf", 0, digests[1]);

        for (int i = 0; i < 4; i++) {
                const char *received = NULL;
                char sent[SHA256_HEX_SIZE];

                sha256_hex(digests[i / 2], sent);
                assert_int_equal(plan_recent_read(&r, i / 2 == 0 ? blue : bluf, NULL, &received), 0);
                assert_string_equal(received, sent);
        }
}

static void equal_bytes_are_decoded_once(void **state) {
        _cleanup_recent_ PlanRecent r = { .max = PLAN_RECENT_MAX };
        uint8_t digest[SHA256_SIZE], other_digest[SHA256_SIZE];
        _cleanup_close_ int fd = new_plan("blue", 0, digest), same = new_plan("blue", 0, digest);
        _cleanup_close_ int other = new_plan("bluf", 0, other_digest);
        const Plan *blue = must_read(&r, fd), *bluf = must_read(&r, other);

        /* Of the same length, and different only in one byte. */
        assert_int_equal(lseek(fd, 0, SEEK_END), lseek(other, 0, SEEK_END));
        assert_ptr_not_equal(blue, bluf);
        assert_string_equal(bluf->instance, "bluf");
        assert_ptr_equal(must_read(&r, same), blue);
        assert_ptr_equal(must_read(&r, other), bluf);
        assert_string_equal(blue->instance, "blue");
        assert_int_equal(r.n, 2);
}

static void the_one_read_longest_ago_makes_room(void **state) {
        static const char *const instances[] = { "a", "b", "c" };
        _cleanup_recent_ PlanRecent r = { .max = 2 };
        uint8_t digest[SHA256_SIZE];
        int fds[3];
        const Plan *a;

        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = new_plan(instances[i], 0, digest);

        a = must_read(&r, fds[0]);
        (void) must_read(&r, fds[1]);
        assert_ptr_equal(must_read(&r, fds[0]), a);
        (void) must_read(&r, fds[2]);
        assert_int_equal(r.n, 2);
        assert_string_equal(r.plans[0].plan->instance, "a");
        assert_string_equal(r.plans[1].plan->instance, "c");
        assert_ptr_equal(must_read(&r, fds[0]), a);
        assert_string_equal(must_read(&r, fds[1])->instance, "b");
        assert_int_equal(r.n, 2);

        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                (void) close(fds[i]);
}

static void all_together_are_no_larger_than_the_largest_alone(void **state) {
        _cleanup_recent_ PlanRecent r = { .max = PLAN_RECENT_MAX };
        uint8_t digest[SHA256_SIZE];

        for (int i = 0; i < 5; i++) {
                char instance[] = { (char) ('a' + i), '\0' };
                _cleanup_close_ int fd = new_plan(instance, PLAN_SIZE_MAX * 3 / 8, digest);
                size_t sum = 0;

                assert_string_equal(must_read(&r, fd)->instance, instance);
                for (size_t k = 0; k < r.n; k++)
                        sum += r.plans[k].size;
                assert_true(sum <= PLAN_SIZE_MAX);
        }
        assert_int_equal(r.n, 2);
}

static void what_is_refused_leaves_nothing(void **state) {
        _cleanup_recent_ PlanRecent r = { .max = 1 };
        uint8_t digest[SHA256_SIZE];
        const char *untouched = "untouched";
        _cleanup_close_ int good = new_plan("blue", 0, digest), broken = -EBADF, unsealed = -EBADF;
        _cleanup_close_ int empty = memfd_new_sealed("plan", "", 0), null = -EBADF;
        _cleanup_free_ char *data = NULL;
        const Plan *plan, *p = NULL;
        size_t size;

        assert_int_equal(fd_read_full(good, PLAN_SIZE_MAX, &data, &size), 0);
        unsealed = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        assert_int_equal(fd_write_full(unsealed, data, size), 0);
        data[size - 1] ^= 0x7f;
        broken = memfd_new_sealed("plan", data, size - 1);
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(broken >= 0 && empty >= 0 && null >= 0);

        plan = must_read(&r, good);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(plan_recent_read(&r, broken, &p, &untouched), -EBADMSG);
                assert_int_equal(plan_recent_read(&r, empty, &p, &untouched), -EBADMSG);
                /* Bytes that are known, but could change yet. */
                assert_int_equal(plan_recent_read(&r, unsealed, &p, &untouched), -EPERM);
                assert_true(plan_recent_read(&r, null, &p, &untouched) < 0);
                assert_int_equal(plan_recent_read(&r, -EBADF, &p, &untouched), -EBADF);
        }
        assert_null(p);
        assert_string_equal(untouched, "untouched");
        assert_int_equal(r.n, 1);
        assert_ptr_equal(must_read(&r, good), plan);
}

static void one_that_is_taken_is_known_no_more(void **state) {
        _cleanup_recent_ PlanRecent r = { .max = 2 };
        _cleanup_(plan_freep) Plan *taken = NULL;
        uint8_t digest[SHA256_SIZE];
        _cleanup_close_ int a = new_plan("a", 0, digest), b = new_plan("b", 0, digest);

        (void) must_read(&r, a);
        (void) must_read(&r, b);
        taken = plan_recent_take(&r);
        assert_string_equal(taken->instance, "b");
        assert_int_equal(r.n, 0);

        /* Whatever is done with it, the next one is what its bytes say. */
        free(taken->instance);
        taken->instance = NULL;
        assert_string_equal(must_read(&r, b)->instance, "b");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_read_with_the_digest_of_its_bytes),
                cmocka_unit_test(equal_bytes_are_decoded_once),
                cmocka_unit_test(the_one_read_longest_ago_makes_room),
                cmocka_unit_test(all_together_are_no_larger_than_the_largest_alone),
                cmocka_unit_test(what_is_refused_leaves_nothing),
                cmocka_unit_test(one_that_is_taken_is_known_no_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
