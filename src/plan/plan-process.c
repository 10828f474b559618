/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/capability.h"
#include "plan/client-streams.h"
#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "plan/plan-text.h"
#include "profile/names.h"
#include "profile/pattern.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/resource.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

static int check_argument(PlanBuild *b, size_t i, const char *argument) {
        if (strlen(argument) > PLAN_TEXT_MAX)
                return plan_refuse_as(
                        b, PLAN_REFUSAL_QUOTA, "argument %zu is longer than %d bytes", i + 1, PLAN_TEXT_MAX);
        if (!utf8_is_valid(argument))
                return plan_refuse_as(b, PLAN_REFUSAL_ARGUMENT, "argument %zu is not valid UTF-8", i + 1);

        return 0;
}

static int check_pattern(PlanBuild *b) {
        const char *pattern = b->profile->argument_pattern;
        size_t i = 0, size = 0;

        /* Matching takes a bounded time for each byte, but not a short one. */
        STRV_FOREACH (argument, b->request->arguments)
                size += strlen(*argument);
        if (size > PLAN_PATTERN_TEXT_MAX)
                return plan_refuse_as(
                        b,
                        PLAN_REFUSAL_QUOTA,
                        "arguments of %zu bytes; at most %d can be given with Arguments=pattern",
                        size,
                        PLAN_PATTERN_TEXT_MAX);

        STRV_FOREACH (argument, b->request->arguments) {
                int r = pattern ? pattern_matches(pattern, *argument) : -EINVAL;

                i++;
                if (r == -EINVAL)
                        return plan_refuse(b, "ArgumentPattern= is no extended regular expression");
                if (r < 0)
                        return r;
                if (r == 0)
                        return plan_refuse_as(b,
                                              PLAN_REFUSAL_ARGUMENT,
                                              "argument %zu does not match the profile's ArgumentPattern=%s",
                                              i,
                                              pattern);
        }

        return 0;
}

static int check_arguments(PlanBuild *b) {
        size_t n = strv_length(b->request->arguments);

        if (n == 0)
                return 0;
        if (b->profile->arguments == PROFILE_ARGUMENTS_FIXED)
                return plan_refuse_as(
                        b, PLAN_REFUSAL_ARGUMENT, "the profile takes no arguments (Arguments=fixed)");
        if (n > PLAN_ARGUMENTS_MAX)
                return plan_refuse_as(b,
                                      PLAN_REFUSAL_QUOTA,
                                      "%zu arguments; at most %d can be given",
                                      n,
                                      PLAN_ARGUMENTS_MAX);

        for (size_t i = 0; i < n; i++) {
                int r = check_argument(b, i, b->request->arguments[i]);

                if (r < 0)
                        return r;
        }

        return b->profile->arguments == PROFILE_ARGUMENTS_PATTERN ? check_pattern(b) : 0;
}

static int build_argv(PlanBuild *b) {
        int r;

        r = check_arguments(b);
        if (r < 0)
                return r;

        if (strv_length(b->profile->exec_start) == 0)
                return plan_refuse(b, "ExecStart= is empty");
        if (strv_length(b->profile->exec_start) > PLAN_ARGV_MAX - PLAN_ARGUMENTS_MAX)
                return plan_refuse(b, "ExecStart= has too many arguments");

        STRV_FOREACH (word, b->profile->exec_start) {
                char *expanded;

                r = word == b->profile->exec_start ? plan_expand_path(b, "ExecStart", *word, &expanded)
                                                   : plan_expand(b, "ExecStart", *word, &expanded);
                if (r < 0)
                        return r;
                if (strv_consume(&b->plan->argv, expanded) < 0)
                        return -ENOMEM;
        }

        /* What the user gives is not expanded: a "%" in it is a percent sign. */
        return strv_extend_strv(&b->plan->argv, b->request->arguments);
}

/* Adds NAME=value, or replaces the value that NAME has. */
static int environment_put(PlanBuild *b, const char *assignment) {
        size_t n = strcspn(assignment, "=") + 1;

        STRV_FOREACH (old, b->plan->environment)
                if (strncmp(*old, assignment, n) == 0) {
                        char *copy = strdup(assignment);

                        if (!copy)
                                return -ENOMEM;

                        size_t i = (size_t) (old - b->plan->environment);

                        free(b->plan->environment[i]);
                        b->plan->environment[i] = copy;
                        return 0;
                }

        return strv_extend(&b->plan->environment, assignment);
}

static int environment_set(PlanBuild *b, const char *name, const char *value) {
        _cleanup_free_ char *assignment = text_printf("%s=%s", name, value);

        if (!assignment)
                return -ENOMEM;

        return environment_put(b, assignment);
}

/* UnsetEnvironment=: NAME goes whatever its value, NAME=value only if it has that value. */
static void environment_unset(PlanBuild *b, const char *what) {
        char **to = b->plan->environment;
        size_t n = strlen(what);

        for (char **from = b->plan->environment; from && *from; from++) {
                bool goes = strchr(what, '=') ? streq(*from, what)
                                              : strncmp(*from, what, n) == 0 && (*from)[n] == '=';

                if (goes)
                        free(*from);
                else
                        *to++ = *from;
        }

        if (to)
                *to = NULL;
}

static int pass_environment(PlanBuild *b) {
        size_t n = strv_length(b->request->environment);

        if (n > PLAN_ARGUMENTS_MAX)
                return plan_refuse_as(b,
                                      PLAN_REFUSAL_QUOTA,
                                      "%zu variables; at most %d can be given",
                                      n,
                                      PLAN_ARGUMENTS_MAX);

        STRV_FOREACH (a, b->request->environment) {
                _cleanup_free_ char *name = NULL;
                int r;

                if (strlen(*a) > PLAN_TEXT_MAX)
                        return plan_refuse_as(
                                b, PLAN_REFUSAL_QUOTA, "a variable is longer than %d bytes", PLAN_TEXT_MAX);
                if (!env_assignment_is_valid(*a))
                        return plan_refuse_as(b,
                                              PLAN_REFUSAL_ARGUMENT,
                                              "Environment: each item must be NAME=value in valid UTF-8");

                name = strndup(*a, strcspn(*a, "="));
                if (!name)
                        return -ENOMEM;
                if (!strv_contains(b->profile->pass_environment, name))
                        return plan_refuse_as(
                                b,
                                PLAN_REFUSAL_NOT_PERMITTED,
                                "%s is not among the variables of the profile's PassEnvironment=",
                                name);

                r = environment_put(b, *a);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* STATE_DIRECTORY and the like, as in systemd.exec(5). */
static int name_state(PlanBuild *b) {
        const char *name;
        int r = 0;

        for (size_t i = 0; r >= 0; i++) {
                _cleanup_free_ char *value = NULL;

                r = plan_state_variable(b, i, &name, &value);
                if (r >= 0 && value)
                        r = environment_set(b, name, value);
        }

        return r == -ENOENT ? 0 : r;
}

/*
 * What sd_notify(3) and sd_watchdog_enabled(3) go by, so nobody else may set it. There is no WATCHDOG_PID, as
 * NotifyAccess=all lets any process of the application send the keep-alive.
 */
static int name_notify(PlanBuild *b) {
        _cleanup_free_ char *usec = text_printf("%" PRIu64, b->plan->terms.watchdog_usec);
        const struct {
                const char *name, *value;
        } variables[] = {
                { "NOTIFY_SOCKET",
                  b->plan->terms.notify_access == NOTIFY_ACCESS_NONE ? NULL : PLAN_NOTIFY_SOCKET },
                { "WATCHDOG_USEC", b->plan->terms.watchdog_usec == USEC_INFINITY ? NULL : usec },
                { "WATCHDOG_PID", NULL },
        };

        if (!usec)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                int r;

                environment_unset(b, variables[i].name);
                r = variables[i].value ? environment_set(b, variables[i].name, variables[i].value) : 0;
                if (r < 0)
                        return r;
        }

        return 0;
}

/*
 * Built from nothing, not filtered: our own variables first, then what the user may pass, then the admin's, whose
 * word is last.
 */
static int build_environment(PlanBuild *b) {
        const struct {
                const char *name, *value;
        } base[] = {
                { "PATH", DEFAULT_PATH },
                { "HOME", b->home },
                { "USER", b->account->name },
                { "LOGNAME", b->account->name },
                { "SHELL",
                  b->account->shell && plan_path_is_valid(b->account->shell) ? b->account->shell
                                                                             : "/bin/sh" },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(base); i++) {
                r = environment_set(b, base[i].name, base[i].value);
                if (r < 0)
                        return r;
        }

        r = name_state(b);
        if (r >= 0)
                r = pass_environment(b);
        if (r < 0)
                return r;

        STRV_FOREACH (a, b->profile->environment) {
                _cleanup_free_ char *expanded = NULL;

                r = plan_expand(b, "Environment", *a, &expanded);
                if (r < 0)
                        return r;
                if (!env_assignment_is_valid(expanded))
                        return plan_refuse(b, "Environment=%s: not NAME=value", *a);

                r = environment_put(b, expanded);
                if (r < 0)
                        return r;
        }

        STRV_FOREACH (what, b->profile->unset_environment)
                environment_unset(b, *what);

        r = name_notify(b);
        if (r < 0)
                return r;

        if (strv_length(b->plan->environment) > PLAN_ENVIRONMENT_MAX)
                return plan_refuse(b, "Environment=: more than %u variables", PLAN_ENVIRONMENT_MAX);

        return 0;
}

/* "~" is the home, or the root where ProtectHome=yes leaves no home. */
static int build_working_directory(PlanBuild *b) {
        const char *text = b->profile->working_directory ?: "~";

        if (streq(text, "~"))
                text = b->profile->protect_home == PROTECT_HOME_YES ? "/" : b->home;
        else
                return plan_expand_path(b, "WorkingDirectory", text, &b->plan->working_directory);

        b->plan->working_directory = strdup(text);
        return b->plan->working_directory ? 0 : -ENOMEM;
}

static int build_streams(PlanBuild *b) {
        const struct {
                const char *key;
                StreamKind kind;
                uint8_t *field;
        } streams[] = {
                { "StandardInput", b->profile->standard_input, &b->plan->standard_input },
                { "StandardOutput", b->profile->standard_output, &b->plan->standard_output },
                { "StandardError", b->profile->standard_error, &b->plan->standard_error },
        };

        for (size_t i = 0; i < ELEMENTSOF(streams); i++) {
                StreamKind kind = streams[i].kind;

                if (kind == STREAM_TTY || (i == 0 && kind == STREAM_JOURNAL))
                        return plan_refuse(b,
                                           "%s=%s is not supported by this version",
                                           streams[i].key,
                                           stream_names[kind]);
                if (b->request->streams & CLIENT_STREAM(i) && kind != STREAM_CLIENT)
                        return plan_refuse_as(b,
                                              PLAN_REFUSAL_NOT_PERMITTED,
                                              "%s: the profile takes no stream of the client's here",
                                              streams[i].key);

                /* Whether one comes is a matter of this run: the plan that is shown must be the plan that runs. */
                *streams[i].field = kind;
        }

        return 0;
}

/*
 * Limits where the profile sets none: no core dumps, as they would hold the user's data, and no way to a higher
 * priority. None of them is above what any process has, so they can be set in a container too.
 */
static const PlanRlimit default_rlimits[] = {
        { RLIMIT_CORE, 0, 0 },
        { RLIMIT_NICE, 0, 0 },
        { RLIMIT_RTPRIO, 0, 0 },
};

static int build_rlimits(PlanBuild *b) {
        Plan *p = b->plan;

        p->rlimits = calloc(PROFILE_N_RLIMITS, sizeof(*p->rlimits));
        if (!p->rlimits)
                return -ENOMEM;

        for (uint8_t i = 0; i < PROFILE_N_RLIMITS; i++) {
                const ProfileRlimit *l = &b->profile->rlimits[i];

                if (l->set && l->soft > l->hard)
                        return plan_refuse(b, "a Limit…= has its soft value above its hard one");
                if (l->set)
                        p->rlimits[p->n_rlimits++] = (PlanRlimit){ i, l->soft, l->hard };

                for (size_t k = 0; !l->set && k < ELEMENTSOF(default_rlimits); k++)
                        if (default_rlimits[k].resource == i)
                                p->rlimits[p->n_rlimits++] = default_rlimits[k];
        }

        return 0;
}

static int parse_capabilities(PlanBuild *b, const char *key, char *const *names, uint64_t *ret) {
        STRV_FOREACH (name, names) {
                int n = capability_from_name(*name);

                if (n < 0)
                        return plan_refuse(b, "%s=%s: there is no such capability", key, *name);
                *ret |= UINT64_C(1) << n;
        }

        return 0;
}

static int build_capabilities(PlanBuild *b) {
        Plan *p = b->plan;
        int r;

        r = parse_capabilities(
                b, "CapabilityBoundingSet", b->profile->capability_bounding_set, &p->bounding_set);
        if (r >= 0)
                r = parse_capabilities(
                        b, "AmbientCapabilities", b->profile->ambient_capabilities, &p->ambient_set);
        if (r < 0)
                return r;

        if (p->ambient_set & ~p->bounding_set)
                return plan_refuse(b, "AmbientCapabilities= names one that CapabilityBoundingSet= lacks");

        return 0;
}

int plan_build_process(PlanBuild *b) {
        static const PlanPart parts[] = { build_argv,    build_environment, build_working_directory,
                                          build_streams, build_rlimits,     build_capabilities,
                                          NULL };
        const Profile *from = b->profile;
        Plan *p = b->plan;

        p->umask = from->umask;
        p->nice_set = from->nice_set;
        p->nice = p->nice_set ? from->nice : 0;
        p->oom_score_adjust_set = from->oom_score_adjust_set;
        p->oom_score_adjust = p->oom_score_adjust_set ? from->oom_score_adjust : 0;
        p->init = from->process_two;
        return plan_build_parts(b, parts);
}
