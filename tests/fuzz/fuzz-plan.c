/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz-plan.h"

static AccountGroup groups[] = { { 3001, (char *) "alice" }, { 50, (char *) "staff" } };

const Account fuzz_account = {
        .name = (char *) "alice",
        .uid = 3001,
        .gid = 3001,
        .home = (char *) "/home/alice",
        .shell = (char *) "/bin/bash",
        .groups = groups,
        .n_groups = ELEMENTSOF(groups),
};

/* return SECCOMP_RET_ALLOW */
static const uint8_t program[8] = { 0x06, 0, 0, 0, 0, 0, 0xff, 0x7f };

const PlanContext fuzz_context = {
        .seccomp = program,
        .n_seccomp = sizeof(program),
        .host_name = "server",
};

void fuzz_check_plan(const Plan *p) {
        _cleanup_free_ uint8_t *first = NULL, *second = NULL;
        _cleanup_(plan_freep) Plan *again = NULL;
        _cleanup_free_ char *json = NULL;
        size_t n_first = 0, n_second = 0;
        int r;

        r = plan_encode(p, &first, &n_first);
        must(r == 0 || r == -E2BIG);
        if (r < 0)
                return;

        must(plan_decode(first, n_first, &again) == 0);
        must(plan_encode(again, &second, &n_second) == 0);
        must(n_first == n_second && memcmp(first, second, n_first) == 0);

        must(plan_to_json(again, &json) == 0);
        fuzz_must_be_text(json);
}

Plan *fuzz_compile(const Profile *profile, const PlanRequest *request) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ uint8_t *bytes = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        PlanRefusal refusal = PLAN_REFUSAL_NONE;
        int r;

        r = plan_compile(
                &plan, &bytes, &size, profile, &fuzz_account, request, &fuzz_context, &refusal, &text);
        if (r < 0) {
                must(r == -EINVAL);
                must(!plan);
                must(refusal != PLAN_REFUSAL_NONE);
                fuzz_must_be_text(text);
                return NULL;
        }

        must(plan);
        must(!text);
        fuzz_check_plan(plan);
        return TAKE_PTR(plan);
}
