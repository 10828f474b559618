/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * bench — how long launches take, beside bwrap and the bare system calls, by turns in one run
 *
 * usage: bench [--rounds N] [--json FILE]
 *
 * Runs as root in the rig with the profiles of this directory; the launches are those of an ordinary user.
 */

#include "floor.h"

#include <err.h>
#include <getopt.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#define BENCH_DIRECTORY "/var/lib/bench"
#define BENCH_UID 3001
#define ROUNDS_MAX 100000

#define BUS_NAME "org.immured.Broker1"
#define BUS_PATH "/org/immured/Broker1"

static sd_bus *bus;
static int floor_socket = -1;

/* The bus takes the uid from the socket, at the moment it is connected. */
static void connect_as_user(void) {
        int r;

        if (setegid(BENCH_UID) < 0 || seteuid(BENCH_UID) < 0)
                err(EXIT_FAILURE, "seteuid");
        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_flush(bus);
        if (r >= 0)
                r = sd_bus_get_unique_name(bus, &(const char *){ NULL });
        if (r < 0)
                errx(EXIT_FAILURE, "bus: %s", strerror(-r));
        if (seteuid(0) < 0 || setegid(0) < 0)
                err(EXIT_FAILURE, "seteuid");
}

/* The result comes before the end of file; what it says is the tests' business but for success. */
static void wait_for_lease(int lease) {
        char packet[1024];
        bool success = false;
        ssize_t n;

        while ((n = recv(lease, packet, sizeof(packet) - 1, 0)) > 0) {
                packet[n] = '\0';
                if (strstr(packet, "RESULT="))
                        success = strstr(packet, "RESULT=success") != NULL;
        }
        if (!success)
                errx(EXIT_FAILURE, "the sandbox did not end well");
}

static Sample launch_immured(void) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        Sample sample = {};
        double start = now_usec();
        int lease, r;

        r = sd_bus_call_method(bus,
                               BUS_NAME,
                               BUS_PATH,
                               BUS_NAME ".Manager",
                               "LaunchLeased",
                               &error,
                               &reply,
                               "sa{sv}",
                               "noop",
                               0);
        if (r < 0)
                errx(EXIT_FAILURE, "LaunchLeased: %s", error.message ? error.message : strerror(-r));
        sample.ready = now_usec() - start;
        r = sd_bus_message_read(reply, "soh", NULL, NULL, &lease);
        if (r < 0)
                errx(EXIT_FAILURE, "LaunchLeased: %s", strerror(-r));
        wait_for_lease(lease);
        sample.end = now_usec() - start;
        sd_bus_message_unref(reply);
        return sample;
}

/* As the user, from a fork of this small process: the same for all. */
static Sample launch_command(char *const argv[]) {
        Sample sample = {};
        double start = now_usec();
        pid_t pid = fork();
        int status;

        if (pid < 0)
                err(EXIT_FAILURE, "fork");
        if (pid == 0) {
                if (setgroups(0, NULL) < 0 || setresgid(BENCH_UID, BENCH_UID, BENCH_UID) < 0 ||
                    setresuid(BENCH_UID, BENCH_UID, BENCH_UID) < 0)
                        err(EXIT_FAILURE, "setresuid");
                execvp(argv[0], argv);
                err(EXIT_FAILURE, "%s", argv[0]);
        }
        if (waitpid(pid, &status, 0) < 0 || status != 0)
                errx(EXIT_FAILURE, "%s: status %x", argv[0], (unsigned) status);
        sample.end = now_usec() - start;
        return sample;
}

static Sample launch_bwrap(void) {
        /* clang-format off */
        static char *const argv[] = {
                (char *) "bwrap", (char *) "--unshare-all",
                (char *) "--ro-bind", (char *) "/usr", (char *) "/usr",
                (char *) "--symlink", (char *) "usr/bin", (char *) "/bin",
                (char *) "--symlink", (char *) "usr/lib", (char *) "/lib",
                (char *) "--symlink", (char *) "usr/lib64", (char *) "/lib64",
                (char *) "--proc", (char *) "/proc", (char *) "--dev", (char *) "/dev",
                (char *) "--tmpfs", (char *) "/tmp",
                (char *) "--ro-bind", (char *) BENCH_DIRECTORY, (char *) "/opt",
                (char *) "/opt/noop", NULL,
        };
        /* clang-format on */

        return launch_command(argv);
}

static Sample launch_immurectl(void) {
        static char *const argv[] = { (char *) "immurectl", (char *) "run", (char *) "noop", NULL };

        return launch_command(argv);
}

/* The floor has mounts of its own, which the others shall not have to copy: a process beside this one. */
static void start_floor(void) {
        int pair[2];
        pid_t pid;
        char c;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                err(EXIT_FAILURE, "socketpair");
        pid = fork();
        if (pid < 0)
                err(EXIT_FAILURE, "fork");
        if (pid > 0) {
                close(pair[1]);
                floor_socket = pair[0];
                return;
        }

        close(pair[0]);
        floor_prepare(BENCH_DIRECTORY);
        while (recv(pair[1], &c, 1, 0) == 1) {
                Sample sample = floor_launch();

                if (send(pair[1], &sample, sizeof(sample), MSG_NOSIGNAL) < 0)
                        break;
        }
        _exit(EXIT_SUCCESS);
}

static Sample launch_floor(void) {
        Sample sample;

        if (send(floor_socket, "x", 1, MSG_NOSIGNAL) != 1 ||
            recv(floor_socket, &sample, sizeof(sample), 0) != (ssize_t) sizeof(sample))
                errx(EXIT_FAILURE, "the floor has ended");
        return sample;
}

typedef struct Contestant {
        const char *name;
        Sample (*launch)(void);
        double *ready, *end;
} Contestant;

/* The first one is what the others are compared with. */
static Contestant contestants[] = {
        { .name = "floor", .launch = launch_floor },
        { .name = "immured, over the bus", .launch = launch_immured },
        { .name = "immurectl run", .launch = launch_immurectl },
        { .name = "bwrap --unshare-all", .launch = launch_bwrap },
};
#define N_CONTESTANTS (sizeof(contestants) / sizeof(contestants[0]))

static int compare(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, size_t percent) {
        return sorted[(n - 1) * percent / 100];
}

static void measure(size_t rounds) {
        for (size_t k = 0; k < N_CONTESTANTS; k++) {
                contestants[k].ready = calloc(rounds, sizeof(double));
                contestants[k].end = calloc(rounds, sizeof(double));
                if (!contestants[k].ready || !contestants[k].end)
                        errx(EXIT_FAILURE, "out of memory");
                contestants[k].launch(); /* warm */
        }
        for (size_t i = 0; i < rounds; i++)
                for (size_t k = 0; k < N_CONTESTANTS; k++) {
                        Sample sample = contestants[k].launch();

                        contestants[k].ready[i] = sample.ready;
                        contestants[k].end[i] = sample.end;
                }
        for (size_t k = 0; k < N_CONTESTANTS; k++) {
                qsort(contestants[k].ready, rounds, sizeof(double), compare);
                qsort(contestants[k].end, rounds, sizeof(double), compare);
        }
}

static void print_table(size_t rounds) {
        const Contestant *base = contestants;

        printf("%-24s %12s %8s %12s %8s %12s\n",
               "medians in us",
               "to ready",
               "ratio",
               "to end",
               "ratio",
               "95 % to end");
        for (size_t k = 0; k < N_CONTESTANTS; k++) {
                const Contestant *c = contestants + k;
                double ready = quantile(c->ready, rounds, 50), end = quantile(c->end, rounds, 50);

                printf("%-24s ", c->name);
                if (ready > 0)
                        printf("%12.0f %8.2f ", ready, ready / quantile(base->ready, rounds, 50));
                else
                        printf("%12s %8s ", "-", "-");
                printf("%12.0f %8.2f %12.0f\n",
                       end,
                       end / quantile(base->end, rounds, 50),
                       quantile(c->end, rounds, 95));
        }
}

static void write_json(const char *path, size_t rounds) {
        FILE *f = fopen(path, "we");

        if (!f)
                err(EXIT_FAILURE, "%s", path);
        fprintf(f, "{ \"rounds\": %zu, \"unit\": \"us\", \"results\": [\n", rounds);
        for (size_t k = 0; k < N_CONTESTANTS; k++) {
                const Contestant *c = contestants + k;

                fprintf(f,
                        "  { \"name\": \"%s\", \"ready_median\": %.1f, \"ready_p95\": %.1f, \"end_median\": %.1f, "
                        "\"end_p95\": %.1f }%s\n",
                        c->name,
                        quantile(c->ready, rounds, 50),
                        quantile(c->ready, rounds, 95),
                        quantile(c->end, rounds, 50),
                        quantile(c->end, rounds, 95),
                        k + 1 < N_CONTESTANTS ? "," : "");
        }
        fprintf(f, "] }\n");
        if (fclose(f) != 0)
                err(EXIT_FAILURE, "%s", path);
}

int main(int argc, char **argv) {
        static const struct option options[] = { { "rounds", required_argument, NULL, 'r' },
                                                 { "json", required_argument, NULL, 'j' },
                                                 {} };
        const char *json = NULL;
        size_t rounds = 200;
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case 'r':
                        rounds = strtoul(optarg, NULL, 10);
                        break;
                case 'j':
                        json = optarg;
                        break;
                default:
                        return 2;
                }
        if (optind != argc || rounds == 0 || rounds > ROUNDS_MAX)
                errx(2, "usage: bench [--rounds N] [--json FILE]");

        start_floor();
        connect_as_user();
        measure(rounds);
        print_table(rounds);
        if (json)
                write_json(json, rounds);
        return EXIT_SUCCESS;
}
