/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "broker/manager.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
        "immured [OPTIONS...]\n\n"
        "The broker of sandboxes: org.immured.Broker1 on the system bus.\n\n"
        "      --profiles=DIR     Read profiles from here instead (may be repeated; the first wins)\n"
        "      --seccomp=DIR      Read groups of system calls from here instead (may be repeated)\n"
        "      --config=FILE      Read settings from here instead of " CONFIG_PATH "\n"
        "      --cgroup-root=DIR  Run keepers below this cgroup rather than through systemd\n"
        "      --log-level=N      Log up to this syslog level (default: 6, info)\n"
        "      --version          Print the version\n"
        "  -h, --help             Print this text\n";

enum {
        OPTION_PROFILES = 256,
        OPTION_SECCOMP,
        OPTION_CONFIG,
        OPTION_CGROUP_ROOT,
        OPTION_LOG_LEVEL,
        OPTION_VERSION,
};

/* clang-format off */
static const struct option long_options[] = {
        { "profiles",    required_argument, NULL, OPTION_PROFILES },
        { "seccomp",     required_argument, NULL, OPTION_SECCOMP },
        { "config",      required_argument, NULL, OPTION_CONFIG },
        { "cgroup-root", required_argument, NULL, OPTION_CGROUP_ROOT },
        { "log-level",   required_argument, NULL, OPTION_LOG_LEVEL },
        { "version",     no_argument,       NULL, OPTION_VERSION },
        { "help",        no_argument,       NULL, 'h' },
        { NULL,          0,                 NULL, 0 },
};
/* clang-format on */

static int set_text(char **field, const char *text) {
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;

        free(*field);
        *field = copy;
        return 0;
}

static int set_log_level(const char *text) {
        uint32_t level;

        if (parse_u32(text, &level) < 0 || level > LOG_DEBUG)
                return -EINVAL;

        log_set_max_level((int) level);
        return 0;
}

/* 1: go on; 0: done; negative errno: said why. */
static int parse_options(int argc, char **argv, ManagerOptions *o) {
        int c, r = 0;

        while (r >= 0 && (c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0)
                switch (c) {
                case OPTION_PROFILES:
                        r = strv_extend(&o->sources.profiles, optarg);
                        break;
                case OPTION_SECCOMP:
                        r = strv_extend(&o->sources.seccomp, optarg);
                        break;
                case OPTION_CONFIG:
                        r = set_text(&o->sources.config, optarg);
                        break;
                case OPTION_CGROUP_ROOT:
                        r = path_normalize(optarg, &o->cgroup_root);
                        break;
                case OPTION_LOG_LEVEL:
                        r = set_log_level(optarg);
                        break;
                case OPTION_VERSION:
                        (void) puts("immured " IMMURED_VERSION);
                        return 0;
                case 'h':
                        (void) fputs(usage, stdout);
                        return 0;
                default:
                        return -EINVAL;
                }

        if (r < 0)
                return log_errno(r, "Option %s", argv[optind - 1]);
        if (optind < argc)
                return log_errno(-EINVAL, "Not an option: %s", argv[optind]);

        return 1;
}

int main(int argc, char **argv) {
        _cleanup_(manager_options_done) ManagerOptions options = { 0 };
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        log_open("immured", getenv("JOURNAL_STREAM") != NULL);

        r = parse_options(argc, argv, &options);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        if (manager_new(&m, &options) < 0)
                return EXIT_FAILURE;

        return manager_run(m) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
