/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a user asks for in a launch: arguments, environment, instance. The input is texts with NUL between them: the
 * first byte of the first chooses Arguments=, its rest is ArgumentPattern=; of the others the first byte says what
 * they are: i an instance, e a variable, anything else an argument.
 */

#include "base/strv.h"
#include "base/text.h"
#include "fuzz-plan.h"
#include "profile/profile-keys.h"

#include <regex.h>

/* Variables that the profile itself gives, beside what PassEnvironment= lets through. */
static const char *const own_variables[] = { "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG" };

typedef struct Input {
        char **arguments, **environment;
        char *instance;
} Input;

static void input_done(Input *i) {
        strv_free(i->arguments);
        strv_free(i->environment);
        free(i->instance);
}

static void input_read(Input *input, const uint8_t *data, size_t size) {
        _cleanup_free_ char *part = NULL;
        size_t n;

        while (fuzz_next(&data, &size, '\0', &part, &n)) {
                if (n > 0 && part[0] == 'i') {
                        free(input->instance);
                        input->instance = strdup(part + 1);
                        must(input->instance);
                } else
                        must(strv_extend(n > 0 && part[0] == 'e' ? &input->environment : &input->arguments,
                                         n > 0 ? part + 1 : part) == 0);
        }
}

static Profile *make_profile(const char *first) {
        _cleanup_(profile_unrefp) Profile *p = NULL;
        const ProfileKey *key = profile_key_find("Access", "ArgumentPattern");
        const char *why = NULL;

        must(profile_new(&p, "web") == 0);
        memset(p->hash, 'a', sizeof(p->hash) - 1);
        must(strv_extend(&p->exec_start, "/usr/bin/printf") == 0);
        p->arguments = (ProfileArguments) ((unsigned char) first[0] % (PROFILE_ARGUMENTS_PATTERN + 1));
        /* As the reader of profiles would: it refuses what is no pattern. */
        if (p->arguments == PROFILE_ARGUMENTS_PATTERN &&
            (!first[0] || !first[1] || !utf8_is_valid(first + 1) || key->parse(key, first + 1, p, &why) < 0))
                p->arguments = PROFILE_ARGUMENTS_APPEND;

        return TAKE_PTR(p);
}

static bool is_own_variable(const char *assignment) {
        for (size_t i = 0; i < ELEMENTSOF(own_variables); i++) {
                const char *rest = startswith(assignment, own_variables[i]);

                if (rest && *rest == '=')
                        return true;
        }

        return false;
}

static void check(const Plan *plan, const Profile *profile, const Input *input) {
        must(streq(plan->argv[0], "/usr/bin/printf"));
        must(strv_length(plan->argv) == 1 + strv_length(input->arguments));
        must(profile->arguments != PROFILE_ARGUMENTS_FIXED || !plan->argv[1]);
        STRV_FOREACH (argument, plan->argv)
                fuzz_must_be_text(*argument);

        /* No name but those that are let through, none twice, and a user's PATH never. */
        STRV_FOREACH (variable, plan->environment) {
                must(strchr(*variable, '='));
                must(is_own_variable(*variable));
        }
        must(streq(strv_env_get(plan->environment, "HOME"), "/home/alice"));
        must(!strv_contains(input->environment, "PATH=x") ||
             !streq(strv_env_get(plan->environment, "PATH"), "x"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(profile_unrefp) Profile *profile = NULL;
        _cleanup_(input_done) Input input = {};
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ char *first = NULL;
        PlanRequest request;
        size_t n;

        if (!fuzz_next(&data, &size, '\0', &first, &n))
                return 0;
        profile = make_profile(first);
        input_read(&input, data, size);

        request = (PlanRequest){
                .instance = input.instance,
                .arguments = input.arguments,
                .environment = input.environment,
                .on_disconnect = -1,
        };
        plan = fuzz_compile(profile, &request);
        if (plan)
                check(plan, profile, &input);

        return 0;
}
