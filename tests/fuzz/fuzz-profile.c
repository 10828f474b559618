/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The reader of profiles, as files: app.profile, and behind lines "%%%" base.profile and a drop-in of app. What it
 * takes must then make a plan, or a refusal in words.
 */

#include "fuzz-plan.h"
#include "profile/profile-load.h"

#define SEPARATOR "\n%%%\n"

static const char *const names[] = { "app.profile", "base.profile", "app.profile.d/10-more.conf" };

static void write_files(const uint8_t *data, size_t size) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const uint8_t *end = NULL;

                if (!data) {
                        fuzz_write(names[i], NULL, -1);
                        continue;
                }

                if (i + 1 < ELEMENTSOF(names) && size > 0)
                        end = memmem(data, size, SEPARATOR, strlen(SEPARATOR));
                fuzz_write(names[i], data, end ? end + 1 - data : (ssize_t) size);
                size -= end ? (size_t) (end - data) + strlen(SEPARATOR) : size;
                data = end ? end + strlen(SEPARATOR) : NULL;
        }
}

static void check_findings(const Findings *findings) {
        for (size_t i = 0; i < findings->n_items; i++) {
                _cleanup_free_ char *text = finding_format(&findings->items[i]);

                fuzz_must_be_text(text);
                must(!strchr(text, '\n'));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const PlanRequest request = { .on_disconnect = -1 };
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        char *directories[] = { (char *) fuzz_directory(), NULL };

        write_files(data, size);
        must(profile_set_load(&set, directories, geteuid()) == 0);
        must(profile_set_find(set, "app"));

        for (size_t i = 0; i < set->n_entries; i++) {
                const ProfileEntry *entry = &set->entries[i];
                _cleanup_(plan_freep) Plan *plan = NULL;

                check_findings(&entry->findings);
                must(!entry->profile == (entry->findings.n_items > 0));
                if (!entry->profile || entry->profile->abstract || !entry->profile->exec_start)
                        continue;

                plan = fuzz_compile(entry->profile, &request);
        }

        return 0;
}
