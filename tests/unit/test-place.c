/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/place.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct PlaceCase {
        const char *path;
        bool refused;
} PlaceCase;

static void check(const char *(*refuse)(const char *), const PlaceCase *cases, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!refuse(cases[i].path) == cases[i].refused)
                        fail_msg("%s", cases[i].path);
}

static void sources_that_lead_out_are_refused(void **state) {
        static const PlaceCase cases[] = {
                { "/", true },
                { "/run", true },
                { "/run/dbus", true },
                { "/run/dbus/x", true },
                { "/run/dbusx", false },
                { "/run/x", false },
                { "/run/user/1/bus", true },
                { "/var/run", true },
                { "/var", false },
                { "/proc/self", true },
                { "/process", false },
                { "/home", false },
                { "/dev/kvm", true },
        };

        check(place_refuse_source, cases, ELEMENTSOF(cases));
}

/* A text is refused where every expansion of it would be, and only there. */
static void texts_are_refused_by_their_fixed_part(void **state) {
        static const PlaceCase sources[] = {
                { "/run/user/%U/bus", true },
                { "%t/bus", true },
                { "%t", true },
                { "%h/x", false },
                { "/run/%N", false },
                { "/dev/%N", true },
                { "/%N", false },
                { "/proc%N", false },
                { "/run/dbus", true },
                { "/srv/%u/x", false },
                { "/sys/x/%u", true },
        };
        static const PlaceCase targets[] = {
                { "/dev/%u", true }, { "/%u", false }, { "%t/x", false }, { "%h", false }, { "/", true },
        };

        check(place_refuse_source_text, sources, ELEMENTSOF(sources));
        check(place_refuse_target_text, targets, ELEMENTSOF(targets));
}

static void own_places_are_changed_in_parts_only(void **state) {
        assert_non_null(place_refuse_change("/", false));
        assert_non_null(place_refuse_change("/proc", false));
        assert_null(place_refuse_change("/proc/cmdline", false));
        assert_non_null(place_refuse_change("/proc/cmdline", true));
        assert_null(place_refuse_change("/dev/tty", true));
        assert_null(place_refuse_change("/usr", true));
        assert_null(place_refuse_change_text("/proc/%u", false));
        assert_non_null(place_refuse_change_text("/proc/%u", true));
}

static void terminals_and_memory_are_no_devices(void **state) {
        static const PlaceCase cases[] = {
                { "/dev", true },          { "/dev/pts/0", true },
                { "/dev/ptmx", true },     { "/dev/mem", true },
                { "/dev/tty", true },      { "/dev/shm/x", true },
                { "/dev/console", true },  { "/home/x", true },
                { "/dev/kvm", false },     { "/dev/dri/card0", false },
                { "/dev/ttyUSB0", false },
        };

        check(place_refuse_device, cases, ELEMENTSOF(cases));
        assert_null(place_refuse_device_text("/dev/%N"));
        assert_non_null(place_refuse_device_text("/dev/pts/%N"));
        assert_non_null(place_refuse_device_text("/srv/%N/x"));
}

static void names_are_one_directory(void **state) {
        static const char *const good[] = { "a", "web-1", "A.b_c", "0" };
        static const char *const bad[] = { "", ".", "..", ".x", "-x", "a/b", "a b", "\xc3\xa4" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(place_name_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(place_name_is_valid(bad[i]));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sources_that_lead_out_are_refused),
                cmocka_unit_test(texts_are_refused_by_their_fixed_part),
                cmocka_unit_test(own_places_are_changed_in_parts_only),
                cmocka_unit_test(terminals_and_memory_are_no_devices),
                cmocka_unit_test(names_are_one_directory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
