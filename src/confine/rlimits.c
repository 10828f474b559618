/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/rlimits.h"

#include <sys/resource.h>

/* select(2) cannot handle higher numbers, so a program only gets more if it asks. */
#define NOFILE_SOFT_USUAL 1024

#define NAME_COLUMNS 26 /* of a line of /proc/PID/limits */

static const char *const names[] = {
        [RLIMIT_CPU] = "RLIMIT_CPU",           [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
        [RLIMIT_DATA] = "RLIMIT_DATA",         [RLIMIT_STACK] = "RLIMIT_STACK",
        [RLIMIT_CORE] = "RLIMIT_CORE",         [RLIMIT_RSS] = "RLIMIT_RSS",
        [RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
        [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
        [RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
        [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
        [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

const char *rlimit_name(unsigned resource) {
        return resource < ELEMENTSOF(names) ? names[resource] : "RLIMIT_?";
}

int rlimits_raise(const Plan *plan, Problem *problem) {
        for (size_t i = 0; i < plan->n_rlimits; i++) {
                const PlanRlimit *l = &plan->rlimits[i];
                struct rlimit current;

                if (getrlimit(l->resource, &current) < 0)
                        return problem_set(problem, -errno, "%s", rlimit_name(l->resource));
                if (l->hard <= current.rlim_max)
                        continue;

                current.rlim_max = l->hard;
                if (setrlimit(l->resource, &current) < 0)
                        return problem_set(problem,
                                           -errno,
                                           "%s above the keeper's own hard limit",
                                           rlimit_name(l->resource));
        }

        return 0;
}

static int descriptors_usual(Problem *problem) {
        struct rlimit l;

        if (getrlimit(RLIMIT_NOFILE, &l) < 0)
                return problem_set(problem, -errno, "RLIMIT_NOFILE");

        l.rlim_cur = MIN((rlim_t) NOFILE_SOFT_USUAL, l.rlim_max);
        if (setrlimit(RLIMIT_NOFILE, &l) < 0)
                return problem_set(problem, -errno, "RLIMIT_NOFILE");

        return 0;
}

int rlimits_apply(const Plan *plan, Problem *problem) {
        int r;

        r = descriptors_usual(problem);
        if (r < 0)
                return r;

        for (size_t i = 0; i < plan->n_rlimits; i++) {
                const PlanRlimit *l = &plan->rlimits[i];
                const struct rlimit limit = { .rlim_cur = l->soft, .rlim_max = l->hard };

                if (setrlimit(l->resource, &limit) < 0)
                        return problem_set(problem, -errno, "%s", rlimit_name(l->resource));
        }

        return 0;
}

/* One of the two values of a line of /proc/PID/limits. */
static int read_limit(const char **text, uint64_t *ret) {
        static const char unlimited[] = "unlimited";
        char *end;

        *text += strspn(*text, " ");
        if (strncmp(*text, unlimited, sizeof(unlimited) - 1) == 0) {
                *text += sizeof(unlimited) - 1;
                *ret = RLIM_INFINITY;
                return 0;
        }

        errno = 0;
        *ret = strtoull(*text, &end, 10);
        if (errno != 0 || end == *text)
                return -EBADMSG;
        *text = end;
        return 0;
}

int rlimits_compare(const Plan *plan, const char *limits, Problem *problem) {
        for (size_t i = 0; i < plan->n_rlimits; i++) {
                const PlanRlimit *l = &plan->rlimits[i];
                const char *name = rlimit_name(l->resource), *line = limits;
                uint64_t soft = 0, hard = 0;

                for (unsigned n = 0; line && n <= l->resource; n++) {
                        line = strchr(line, '\n');
                        line = line ? line + 1 : NULL;
                }
                if (!line || strnlen(line, NAME_COLUMNS) < NAME_COLUMNS)
                        return problem_set_difference(problem, "%s is not shown by this kernel", name);
                line += NAME_COLUMNS;
                if (read_limit(&line, &soft) < 0 || read_limit(&line, &hard) < 0)
                        return problem_set_difference(problem, "%s is shown as no number", name);
                if (soft != l->soft || hard != l->hard)
                        return problem_set_difference(problem, "%s differs from the plan", name);
        }

        return 0;
}
