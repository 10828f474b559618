/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lint: reads the broker's files with the broker's code and reports the same findings */

#include "ctl/lint.h"

#include "base/text.h"
#include "ctl/output.h"
#include "ctl/verb.h"
#include "plan/client-streams.h"
#include "plan/plan-compile.h"
#include "profile/config.h"
#include "profile/profile-keys.h"
#include "profile/profile-load.h"
#include "seccomp/seccomp-compile.h"

#include <stdio.h>

/* The group that every profile starts with. If it is missing, the groups are not installed. */
#define SYSTEM_CALLS_DEFAULT "@system-service"

typedef struct Lint {
        const Options *options;
        SeccompPolicy *policy; /* NULL: it cannot be read, which is a finding, too */
        json_t *rows;
} Lint;

static void lint_done(Lint *l) {
        seccomp_policy_free(l->policy);
        json_decref(l->rows);
}

/* Escaped unless it is UTF-8, as a finding may quote a file that is not. */
static json_t *lint_text(const char *text) {
        _cleanup_free_ char *escaped = NULL;
        json_t *value = json_string(text);

        if (value)
                return value;

        escaped = text_escape(text);
        return escaped ? json_string(escaped) : NULL;
}

static int lint_add(Lint *l, const Finding *f) {
        json_t *row = json_pack("{s:o, s:i, s:o, s:o}",
                                "file",
                                lint_text(f->file),
                                "line",
                                (int) f->line,
                                "key",
                                f->key ? lint_text(f->key) : json_null(),
                                "text",
                                lint_text(f->text));

        if (!row || json_array_append_new(l->rows, row) < 0)
                return ctl_error(-ENOMEM, "Out of memory");

        return 0;
}

static int lint_print(const Finding *f) {
        _cleanup_free_ char *text = finding_format(f), *escaped = text ? text_escape(text) : NULL;

        if (!escaped)
                return ctl_error(-ENOMEM, "Out of memory");

        puts(escaped);
        return 0;
}

static int lint_take(Lint *l, const Findings *findings) {
        int r = 0;

        for (size_t i = 0; i < findings->n_items && r >= 0; i++) {
                r = lint_add(l, &findings->items[i]);
                if (r >= 0 && l->options->output == OUTPUT_TEXT && !l->options->quiet)
                        r = lint_print(&findings->items[i]);
        }
        if (r >= 0 && findings->n_dropped > 0)
                ctl_note("%zu more findings are not shown", findings->n_dropped);

        return r;
}

/* The key that a refusal begins with, "BindPaths=: …"; NULL: with none. Caller frees. */
static char *refused_key(const char *text) {
        size_t n = strcspn(text, "= ");
        _cleanup_free_ char *name = n > 0 && text[n] == '=' ? strndup(text, n) : NULL;

        for (size_t i = 0; name && i < n_profile_keys; i++)
                if (streq(profile_keys[i].name, name))
                        return TAKE_PTR(name);

        return NULL;
}

/* The plan of this profile for a user with that home; *ret is why there can be none, or NULL. */
static int
try_plan(const Profile *profile, const uint8_t *program, size_t size, const char *home, char **ret) {
        const Account account = {
                .name = (char *) "user",
                .uid = 1000,
                .gid = 1000,
                .home = (char *) home,
                .shell = (char *) "/bin/sh",
        };
        const PlanRequest request = { .instance = "instance",
                                      .streams = CLIENT_STREAMS_ALL,
                                      .on_disconnect = -1 };
        const PlanContext context = { .seccomp = program, .n_seccomp = size, .host_name = "host" };
        _cleanup_(plan_freep) Plan *plan = NULL;
        PlanRefusal refusal = PLAN_REFUSAL_NONE;
        _cleanup_free_ uint8_t *bytes = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n_bytes = 0;
        int r;

        r = plan_compile(&plan, &bytes, &n_bytes, profile, &account, &request, &context, &refusal, &text);
        if (r < 0 && r != -EINVAL)
                return ctl_error(r, "Cannot make a plan of %s: %s", profile->name, strerror(-r));

        *ret = r < 0 && refusal == PLAN_REFUSAL_BAD_SETTING ? TAKE_PTR(text) : NULL;
        return 0;
}

/*
 * What does not go together, whoever the user is: refused for the user of a person, and for one of a service, whose
 * homes are in different places.
 */
static int lint_plan(Lint *l, const Profile *profile, const uint8_t *program, size_t size) {
        static const char *const homes[] = { "/home/user", "/var/lib/user" };
        _cleanup_findings_ Findings findings = {};
        _cleanup_free_ char *text = NULL, *key = NULL;
        const char *file;
        unsigned line;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(homes); i++) {
                free(text);
                text = NULL;
                r = try_plan(profile, program, size, homes[i], &text);
                if (r < 0 || !text)
                        return r;
        }

        key = refused_key(text);
        file = profile_origin(profile, key ?: "", &line);
        r = findings_add(&findings,
                         file,
                         line,
                         key,
                         "%s",
                         key ? text + strlen(key) + strspn(text + strlen(key), "=: ") : text);
        return r < 0 ? ctl_error(r, "Out of memory") : lint_take(l, &findings);
}

/* A profile without errors may still name system calls that do not exist. */
static int lint_filter(Lint *l, const Profile *profile) {
        _cleanup_findings_ Findings findings = {};
        _cleanup_free_ uint8_t *program = NULL;
        size_t size;
        int r;

        if (!l->policy)
                return 0;

        r = seccomp_compile(l->policy, profile, &program, &size, &findings);
        if (r < 0 && r != -EBADMSG)
                return ctl_error(
                        r, "Cannot compile the system call filter of %s: %s", profile->name, strerror(-r));

        r = lint_take(l, &findings);
        return r < 0 || !program || profile->abstract ? r : lint_plan(l, profile, program, size);
}

static int lint_policy(Lint *l) {
        _cleanup_findings_ Findings findings = {};
        int r;

        r = seccomp_policy_load(&l->policy, NULL, 0, &findings);
        if (r < 0 && r != -EBADMSG)
                return ctl_error(r, "Cannot read the groups of system calls: %s", strerror(-r));

        /* One finding. Every profile uses a group, so that there would be one for each. */
        if (l->policy && !seccomp_policy_group(l->policy, SYSTEM_CALLS_DEFAULT)) {
                l->policy = seccomp_policy_free(l->policy);
                r = findings_add_file(&findings,
                                      seccomp_policy_path[1],
                                      "there is no group " SYSTEM_CALLS_DEFAULT ": filters are not checked");
                if (r < 0)
                        return ctl_error(r, "Out of memory");
        }

        return lint_take(l, &findings);
}

static int lint_file(Lint *l, const char *path) {
        _cleanup_findings_ Findings findings = {};
        _cleanup_(profile_unrefp) Profile *profile = NULL;
        int r;

        /* A file in a working copy need not be owned by root before it is installed. */
        r = profile_load_file(&profile, path, NULL, geteuid(), &findings);
        if (r < 0 && r != -EBADMSG)
                return ctl_error(r, "%s: %s", path, strerror(-r));

        r = lint_take(l, &findings);
        return r < 0 || !profile ? r : lint_filter(l, profile);
}

static int lint_machine(Lint *l) {
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        _cleanup_findings_ Findings findings = {};
        _cleanup_config_ Config config = {};
        int r;

        r = config_load(&config, CONFIG_PATH, 0, &findings);
        if (r < 0 && r != -EBADMSG)
                return ctl_error(r, "%s: %s", CONFIG_PATH, strerror(-r));
        r = lint_take(l, &findings);
        if (r < 0)
                return r;

        r = profile_set_load(&set, NULL, 0);
        if (r < 0)
                return ctl_error(r, "Cannot read the profiles: %s", strerror(-r));

        for (size_t i = 0; i < set->n_entries; i++) {
                r = lint_take(l, &set->entries[i].findings);
                if (r >= 0 && set->entries[i].profile)
                        r = lint_filter(l, set->entries[i].profile);
                if (r < 0)
                        return r;
        }

        return 0;
}

int lint_profile(const char *name, Profile **ret) {
        static const Options options = {};
        _cleanup_(lint_done) Lint l = { .options = &options, .rows = json_array() };
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const ProfileEntry *entry;
        int r;

        r = profile_set_load(&set, NULL, 0);
        if (r < 0)
                return ctl_error(r, "Cannot read the profiles: %s", strerror(-r));

        entry = profile_set_find(set, name);
        if (!entry)
                return ctl_error(-ENOENT, "There is no profile '%s'; see immurectl profiles", name);

        r = lint_policy(&l);
        if (r >= 0)
                r = lint_take(&l, &entry->findings);
        if (r >= 0 && entry->profile)
                r = lint_filter(&l, entry->profile);
        if (r < 0)
                return r;
        if (json_array_size(l.rows) > 0 || !entry->profile)
                return ctl_error(-EBADMSG, "The broker refuses profile %s", name);

        *ret = profile_ref(entry->profile);
        return 0;
}

int verb_lint(const Options *o, int n, char **args) {
        _cleanup_(lint_done) Lint l = { .options = o, .rows = json_array() };
        int r;

        r = lint_policy(&l);
        for (int i = 0; i < n && r >= 0; i++)
                r = lint_file(&l, args[i]);
        if (n == 0 && r >= 0)
                r = lint_machine(&l);
        if (r >= 0 && o->output != OUTPUT_TEXT)
                r = output_json(o->output, l.rows);
        if (r >= 0)
                r = output_flush();

        return r < 0 ? r : json_array_size(l.rows) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
