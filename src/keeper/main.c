/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * immured-keeper — keeps the sandboxes of one user, or one application as the main process of its unit
 */

#include "base/log.h"
#include "base/text.h"
#include "keeper/app-end.h"
#include "keeper/keeper.h"
#include "keeper/link-answers.h"
#include "link/app-name.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int parse_arguments(int argc, char **argv, KeeperOptions *ret) {
        static const struct option options[] = {
                { "uid", required_argument, NULL, 'u' },
                { "app", required_argument, NULL, 'a' },
                { "cgroup", required_argument, NULL, 'c' },
                { "exec", required_argument, NULL, 'e' },
                {},
        };
        KeeperOptions o = { .exec = LIBEXECDIR "/immured-exec" };
        bool uid_set = false;
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                switch (c) {
                case 'u':
                        if (parse_id(optarg, &o.uid) < 0)
                                return -EINVAL;
                        uid_set = true;
                        break;
                case 'a':
                        o.app = optarg;
                        break;
                case 'c':
                        o.cgroup = optarg;
                        break;
                case 'e':
                        o.exec = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        }

        if (uid_set == (o.app != NULL) || optind != argc)
                return -EINVAL;

        *ret = o;
        return 0;
}

/* A keeper needs a handful of descriptors for each sandbox. */
static void raise_file_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * Every signal has its default disposition and is blocked where the loop reads it, whatever the parent did; but for
 * SIGPIPE, as a log that goes away must not end the keeper.
 */
static int set_up_process(void) {
        sigset_t handled;

        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return -errno;

        /* Every mode is said where something is made, and cgroups are there for all to read, as systemd's are. */
        (void) umask(0022);

        raise_file_limit();
        for (int signo = 1; signo < _NSIG; signo++)
                (void) signal(signo, signo == SIGPIPE ? SIG_IGN : SIG_DFL);

        (void) sigemptyset(&handled);
        (void) sigaddset(&handled, SIGCHLD);
        (void) sigaddset(&handled, SIGTERM);
        (void) sigaddset(&handled, SIGINT);
        return sigprocmask(SIG_SETMASK, &handled, NULL) < 0 ? -errno : 0;
}

/* The exit status; *ret_signo: the signal to end by instead, or 0. */
static int serve(const KeeperOptions *options, int *ret_signo) {
        _cleanup_(keeper_freep) Keeper *keeper = NULL;
        int r;

        r = set_up_process();
        if (r < 0) {
                (void) log_errno(r, "cannot set up this process");
                return EXIT_FAILURE;
        }

        if (keeper_new(&keeper, options, link_answers) < 0)
                return EXIT_FAILURE;

        r = keeper_run(keeper, ret_signo);
        return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv) {
        KeeperOptions options;
        AppName name;
        int status, signo = 0;

        log_open("immured-keeper", getenv("JOURNAL_STREAM") != NULL);
        if (parse_arguments(argc, argv, &options) < 0) {
                (void) fprintf(stderr,
                               "Usage: immured-keeper --uid=UID|--app=USER:PROFILE [--cgroup=DIRECTORY] "
                               "[--exec=PROGRAM]\n");
                return 2;
        }

        if (options.app && app_name_parse(options.app, &name) < 0) {
                log_error("\"%s\" is not USER:PROFILE", options.app);
                return APP_REFUSED_STATUS;
        }

        status = serve(&options, &signo);
        if (signo > 0)
                app_die(signo);
        return status;
}
