/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/label.h"
#include "confine/landlock.h"
#include "confine/layers.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *nothing[] = { NULL };
static char *all[] = { (char *) "landlock", (char *) "apparmor", (char *) "selinux", NULL };

/* What this kernel has, asked another way. */
typedef struct Here {
        bool landlock, apparmor, selinux;
} Here;

static Here look(void) {
        _cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        return (Here){
                .landlock = landlock_version() >= LANDLOCK_VERSION_LEAST,
                .apparmor = label_is_enforced(LABEL_APPARMOR, root_fd),
                .selinux = label_is_enforced(LABEL_SELINUX, root_fd),
        };
}

static void what_is_not_asked_for_is_not_built(void **state) {
        const Plan plan = { .degrade = nothing };
        Layers l = { 99, true, true };
        Problem problem = {};

        assert_int_equal(layers_settle(&plan, &l, &problem), 0);
        assert_int_equal(l.landlock, 0);
        assert_false(l.apparmor);
        assert_false(l.selinux);
}

static void what_is_asked_for_is_built_or_refused(void **state) {
        const Here here = look();
        const struct {
                Plan plan;
                bool available;
                const char *text;
        } cases[] = {
                { { .landlock = true, .degrade = nothing }, here.landlock, "landlock: " },
                { { .apparmor_profile = (char *) "web", .degrade = nothing }, here.apparmor, "apparmor: " },
                { { .selinux_context = (char *) "a:b:c", .degrade = nothing }, here.selinux, "selinux: " },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Layers l = { 99, true, true };
                Problem problem = {};
                int r = layers_settle(&cases[i].plan, &l, &problem);

                if (cases[i].available) {
                        assert_int_equal(r, 0);
                        assert_true((l.landlock > 0) + l.apparmor + l.selinux == 1);
                        continue;
                }
                assert_true(r < 0);
                assert_int_equal(problem.failure, LAUNCH_FAILURE_LAYER);
                assert_non_null(startswith(problem.text, cases[i].text));
                /* Failure leaves the output alone. */
                assert_int_equal(l.landlock, 99);
        }
}

static void what_may_be_missing_is_done_without(void **state) {
        const Plan plan = {
                .landlock = true,
                .apparmor_profile = (char *) "web",
                .selinux_context = (char *) "a:b:c",
                .degrade = all,
        };
        const Here here = look();
        Problem problem = {};
        Layers l = {};

        assert_int_equal(layers_settle(&plan, &l, &problem), 0);
        assert_int_equal(l.landlock > 0, here.landlock);
        assert_int_equal(l.apparmor, here.apparmor);
        assert_int_equal(l.selinux, here.selinux);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_not_asked_for_is_not_built),
                cmocka_unit_test(what_is_asked_for_is_built_or_refused),
                cmocka_unit_test(what_may_be_missing_is_done_without),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
