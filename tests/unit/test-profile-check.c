/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
        const char *text;
        unsigned line;
        const char *key, *finding;
} contradictions[] = {
        { "[Profile]\nDescription=x\n", 0, "ExecStart", "is missing" },
        { PROGRAM "[Access]\nArguments=pattern\n", 0, "ArgumentPattern", "is missing" },
        { PROGRAM "[Access]\nArgumentPattern=x\n", 4, "ArgumentPattern", "no effect" },
        { PROGRAM "[Access]\nArgumentPattern=x\nArguments=append\n", 4, "ArgumentPattern", "no effect" },
        { PROGRAM "[Resources]\nMemoryMax=1G\nMemoryHigh=2G\n", 4, "MemoryMax", "must hold" },
        { PROGRAM "[Resources]\nMemoryMin=2M\nMemoryLow=1M\n", 5, "MemoryLow", "must hold" },
        { PROGRAM "[Resources]\nMemoryLow=2G\nMemoryMax=1G\n", 5, "MemoryMax", "must hold" },
        { PROGRAM "[Security]\nAmbientCapabilities=CAP_KILL\n",
          4,
          "AmbientCapabilities",
          "names a capability" },
        { PROGRAM "[Service]\nType=oneshot\nRestart=always\n", 5, "Restart", "Type=oneshot" },
        { PROGRAM "[Service]\nType=oneshot\nRestart=on-success\n", 5, "Restart", "Type=oneshot" },
        { PROGRAM "[Service]\nType=notify\n[Network]\nRestrictAddressFamilies=none\n",
          4,
          "Type",
          "AF_UNIX" },
        { PROGRAM "[Service]\nWatchdogSec=9\n[Network]\nRestrictAddressFamilies=AF_INET\n",
          4,
          "WatchdogSec",
          "AF_UNIX" },
        { PROGRAM "[Service]\nNotifyAccess=all\n[Network]\nRestrictAddressFamilies=none\n",
          4,
          "NotifyAccess",
          "AF_UNIX" },
        { PROGRAM "[Service]\nRestartSteps=3\n", 4, "RestartSteps", "no effect" },
        { PROGRAM "[Service]\nRestartMaxDelaySec=9\n", 4, "RestartMaxDelaySec", "no effect" },
        { PROGRAM "[Service]\nRestartSteps=2\nRestartMaxDelaySec=9ms\n", 5, "RestartMaxDelaySec", "less" },
        { PROGRAM "[Files]\nBindPaths=/a:/x\nBindReadOnlyPaths=/b:/x/\n",
          5,
          "BindReadOnlyPaths",
          "already" },
        { PROGRAM "[Files]\nTemporaryFileSystem=/x\nBindPaths=/x\n", 4, "TemporaryFileSystem", "already" },
        { PROGRAM "[Files]\nPersistentHome=yes\nProtectHome=no\n",
          4,
          "PersistentHome",
          "ProtectHome=tmpfs" },
        { PROGRAM "[Files]\nRootEphemeral=yes\n", 4, "RootEphemeral", "needs RootDirectory" },
        { PROGRAM "[Files]\nProtectSystem=full\nRootDirectory=/srv/x\n",
          4,
          "ProtectSystem",
          "RootEphemeral" },
};

static void keys_must_hold_together(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(contradictions); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_(profile_set_freep) ProfileSet *set = NULL;

                files_write(&f, "lib/a.profile", contradictions[i].text);
                set = load_profiles(&f);
                assert_finding(assert_refused(set, "a"),
                               0,
                               "/a.profile",
                               contradictions[i].line,
                               contradictions[i].key,
                               contradictions[i].finding);
        }
}

static void keys_that_hold_together_are_taken(void **state) {
        static const char *const texts[] = {
                "[Profile]\nAbstract=yes\n",
                PROGRAM "[Access]\nArguments=pattern\nArgumentPattern=[a-z]+\n",
                PROGRAM "[Service]\nType=oneshot\nRestart=on-failure\n",
                PROGRAM "[Service]\nRestart=always\nRestartSec=1\nRestartMaxDelaySec=1\nRestartSteps=1\n",
                PROGRAM "[Resources]\nMemoryMin=1M\nMemoryLow=1M\nMemoryHigh=2M\nMemoryMax=infinity\n",
                PROGRAM
                "[Security]\nAmbientCapabilities=CAP_KILL\nCapabilityBoundingSet=CAP_CHOWN CAP_KILL\n",
                PROGRAM "[Files]\nPersistentHome=yes\nRootDirectory=/srv/x\nRootEphemeral=yes\n",
                PROGRAM "[Files]\nBindPaths=/x/a /x\nTemporaryFileSystem=/xa\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_files_ Files f = files_new();
                _cleanup_(profile_set_freep) ProfileSet *set = NULL;

                files_write(&f, "lib/a.profile", texts[i]);
                set = load_profiles(&f);
                assert_taken(set, "a");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_must_hold_together),
                cmocka_unit_test(keys_that_hold_together_are_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
