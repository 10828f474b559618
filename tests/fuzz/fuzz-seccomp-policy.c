/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The reader of groups of system calls: files separated by 0x1e, named a, b, c, d; what it takes must then resolve to
 * sorted lists, and compile.
 */

#include "fuzz.h"
#include "profile/profile-keys.h"
#include "seccomp/seccomp-compile.h"

#define FILES 4
#define SEPARATOR 0x1e

static void write_files(const uint8_t *data, size_t size) {
        _cleanup_free_ char *part = NULL;
        size_t n;

        for (unsigned i = 0; i < FILES; i++) {
                char name[16];

                snprintf(name, sizeof(name), "%c.policy", 'a' + i);
                if (fuzz_next(&data, &size, SEPARATOR, &part, &n))
                        fuzz_write(name, part, (ssize_t) n);
                else
                        fuzz_write(name, NULL, -1);
        }
}

static void check_findings(const Findings *findings) {
        for (size_t i = 0; i < findings->n_items; i++) {
                _cleanup_free_ char *text = finding_format(&findings->items[i]);

                must(text && !strchr(text, '\n'));
        }
}

static void check_groups(const SeccompPolicy *policy) {
        for (char *const *group = seccomp_policy_groups(policy); group && *group; group++) {
                char *const *calls = seccomp_policy_group(policy, *group);

                must(calls);
                for (size_t i = 0; calls[i]; i++) {
                        must(calls[i][0] != '@');
                        must(i == 0 || strcmp(calls[i - 1], calls[i]) < 0);
                }
        }
}

static void check_filter(const SeccompPolicy *policy) {
        _cleanup_(profile_unrefp) Profile *profile = NULL;
        _cleanup_findings_ Findings findings = {};
        _cleanup_free_ uint8_t *program = NULL;
        const ProfileKey *key = profile_key_find("Security", "SystemCallFilter");
        const char *why = NULL;
        size_t size = 0;
        int r;

        must(profile_new(&profile, "fuzz") == 0);
        must(key->parse(key, "", profile, &why) == 0);
        must(key->parse(key, "@a", profile, &why) == 0);

        r = seccomp_compile(policy, profile, &program, &size, &findings);
        must(r == 0 || r == -EBADMSG);
        must((r == 0) == (findings.n_items == 0));
        must(r < 0 || (size > 0 && size % 8 == 0));
        check_findings(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *policy = NULL;
        _cleanup_findings_ Findings findings = {};
        char *directories[] = { (char *) fuzz_directory(), NULL };
        int r;

        write_files(data, size);
        r = seccomp_policy_load(&policy, directories, geteuid(), &findings);
        must(r == 0 || r == -EBADMSG);
        must((r == 0) == (findings.n_items == 0));
        must((r == 0) == (policy != NULL));
        check_findings(&findings);
        if (r < 0)
                return 0;

        check_groups(policy);
        if (seccomp_policy_group(policy, "@a"))
                check_filter(policy);
        return 0;
}
