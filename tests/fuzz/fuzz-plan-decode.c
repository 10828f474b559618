/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The decoder of plans. What begins with the magic is taken as it is; anything else is a list of changes to the bytes
 * of a plan that is right, three bytes each: where (little-endian), and what to put there. So the corpus stays useful
 * when the format moves on.
 */

#include "fuzz-plan.h"

#include <endian.h>

static uint8_t *base;
static size_t n_base;

static void make_base(void) {
        static char *argv[] = { (char *) "/usr/bin/printf", (char *) "two words", (char *) "", NULL };
        static const PlanRequest request = { .instance = "blue", .on_disconnect = -1 };
        _cleanup_(profile_unrefp) Profile *profile = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;

        if (base)
                return;

        must(profile_new(&profile, "web") == 0);
        memset(profile->hash, 'a', sizeof(profile->hash) - 1);
        profile->exec_start = argv;
        profile->nice_set = true;
        profile->nice = -5;
        profile->memory_max = 64U << 20;
        plan = fuzz_compile(profile, &request);
        profile->exec_start = NULL;
        must(plan);
        must(plan_encode(plan, &base, &n_base) == 0);
}

static void decode(const uint8_t *data, size_t size) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ uint8_t *again = NULL;
        const char *unsaid = NULL;
        uint32_t version;
        size_t n = 0;
        int r;

        r = plan_decode(data, size, &plan);
        must(r == 0 || r == -EBADMSG);
        must((r == 0) == (plan != NULL));
        if (r < 0)
                return;

        /* Every plan has one encoding only in each version. */
        memcpy(&version, data + 8, sizeof(version));
        must(plan_encode_for(le32toh(version), plan, &again, &n, &unsaid) == 0);
        must(n == size && memcmp(again, data, n) == 0);
        fuzz_check_plan(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ uint8_t *changed = NULL;

        make_base();
        if (size >= 8 && memcmp(data, base, 8) == 0) {
                decode(data, size);
                return 0;
        }

        changed = malloc(n_base);
        must(changed);
        memcpy(changed, base, n_base);
        for (; size >= 3; data += 3, size -= 3)
                changed[(data[0] | (size_t) data[1] << 8) % n_base] = data[2];
        decode(changed, n_base);
        return 0;
}
