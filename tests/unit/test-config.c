/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/config.h"

#include "base/strv.h"
#include "base/text.h"
#include "files-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static int load(const Files *f, Config *c, Findings *findings) {
        _cleanup_free_ char *path = files_path(f, "immured.conf");

        return config_load(c, path, getuid(), findings);
}

static void without_files_defaults_are_in_force(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_findings_ Findings findings = {};
        _cleanup_config_ Config c = {}, d = {};

        assert_int_equal(load(&f, &c, &findings), 0);
        assert_int_equal(c.max_sandboxes, 4096);
        assert_int_equal(c.idle_timeout_usec, USEC_INFINITY);
        assert_int_equal(strv_length(c.degrade), 0);
        assert_int_equal(c.max_sandboxes_per_user, 32);
        assert_int_equal(c.max_requests_in_flight, 8);
        assert_int_equal(c.launch_rate_burst, 20);
        assert_int_equal(c.launch_rate_interval_usec, 60 * USEC_PER_SEC);
        assert_true(c.expired_refused);
        assert_true(c.log_launches);
        assert_int_equal(config_load(&d, "/nonexistent/immured.conf", getuid(), &findings), 0);
        assert_int_equal(d.max_sandboxes, 4096);
}

static void files_and_dropins_are_read_in_order(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_findings_ Findings findings = {};
        _cleanup_config_ Config c = {};

        files_write(
                &f,
                "immured.conf",
                "[Broker]\nMaxSandboxes=10\nDegrade=memory pids\nIdleTimeoutSec=infinity\n[Users]\nLaunchRateBurst=1\n"
                "LaunchRateIntervalSec=1s\nExpired=allow\n[Audit]\nLogLaunches=no\n");
        files_write(&f, "immured.conf.d/20.conf", "[Broker]\nMaxSandboxes=30\nDegrade=\nDegrade=cpu\n");
        files_write(&f, "immured.conf.d/10.conf", "[Broker]\nMaxSandboxes=20\n[Users]\nLaunchRateBurst=\n");
        files_write(&f, "immured.conf.d/30.conf.old", "broken");
        assert_int_equal(load(&f, &c, &findings), 0);
        assert_int_equal(c.max_sandboxes, 30);
        assert_int_equal(strv_length(c.degrade), 1);
        assert_string_equal(c.degrade[0], "cpu");
        assert_int_equal(c.idle_timeout_usec, USEC_INFINITY);
        assert_int_equal(c.launch_rate_burst, 20);
        assert_int_equal(c.launch_rate_interval_usec, USEC_PER_SEC);
        assert_false(c.expired_refused);
        assert_false(c.log_launches);
}

static void half_a_configuration_is_none(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_findings_ Findings findings = {};
        Config c = { .max_sandboxes = 7 };

        files_write(&f,
                    "immured.conf",
                    "[Broker]\nMaxSandboxes=10\nMaxSandboxes=11\nMaxSandbox=1\nDegrade=all\n"
                    "[Users]\nLaunchRateBurst=0\n[Network]\nPool4=10.0.0.0/8\n junk\n");
        files_write(&f, "immured.conf.d/x.conf", "[Broker]\nIdleTimeoutSec=soon\n");
        assert_int_equal(load(&f, &c, &findings), -EBADMSG);
        assert_int_equal(c.max_sandboxes, 7);
        assert_int_equal(findings.n_items, 7);
}

static void each_fault_is_named(void **state) {
        static const struct {
                const char *text;
                unsigned line;
                const char *finding;
        } cases[] = {
                { "[Broker]\nFoo=1\n", 2, "unknown key" },
                { "[Profile]\nEnabled=no\n", 2, "unknown key" },
                { "[Broker]\nMaxSandboxes=0\n", 2, "out of range" },
                { "[Broker]\nMaxSandboxes=many\n", 2, "not valid" },
                { "[Broker]\nMaxSandboxes=1 ; one\n", 2, "not valid" },
                { "[Broker]\nDegrade=walls\n", 2, "not valid" },
                { "[Broker]\n\nMaxSandboxes=1\nMaxSandboxes=1\n",
                  4,
                  "given twice in this file, first in line 3" },
                { "[Broker]\nIdleTimeoutSec=5min\n", 2, "not supported" },
                { "[Users]\nLaunchRateIntervalSec=infinity\n", 2, "out of range" },
                { "[Network]\nPool6=fd00::/8\n", 2, "not supported" },
                { "[Audit]\nLogLaunches=perhaps\n", 2, "not valid" },
                { "[Users]\nExpired=no\n", 2, "not valid" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_findings_ Findings findings = {};
                _cleanup_config_ Config c = {};

                files_write(&f, "immured.conf", cases[i].text);
                assert_int_equal(load(&f, &c, &findings), -EBADMSG);
                assert_int_equal(findings.n_items, 1);
                assert_int_equal(findings.items[0].line, cases[i].line);
                assert_non_null(strstr(findings.items[0].text, cases[i].finding));
        }
}

static void masks_and_permissions_count_here_too(void **state) {
        _cleanup_files_ Files f = files_new();
        _cleanup_free_ char *path = files_path(&f, "immured.conf");
        _cleanup_findings_ Findings findings = {};
        _cleanup_config_ Config c = {};

        files_make_directory(&f, "immured.conf.d");
        files_link(&f, "/dev/null", "immured.conf.d/masked.conf");
        files_write(&f, "immured.conf", "[Broker]\n");
        assert_int_equal(load(&f, &c, &findings), 0);
        config_done(&c);

        assert_int_equal(chmod(path, 0666), 0);
        assert_int_equal(load(&f, &c, &findings), -EBADMSG);
        assert_non_null(strstr(findings.items[0].text, "mode 0666"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_files_defaults_are_in_force),
                cmocka_unit_test(files_and_dropins_are_read_in_order),
                cmocka_unit_test(half_a_configuration_is_none),
                cmocka_unit_test(each_fault_is_named),
                cmocka_unit_test(masks_and_permissions_count_here_too),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
