/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* verbs-run: the exit status, the streams and the signals of an application reach the caller as they are */

#include "fake-broker.h"

#include "base/fd.h"
#include "link/lease.h"
#include "link/link.h"
#include "plan/client-streams.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A launch that ends at once: what the keeper says over the lease, or what the broker answers instead. */
typedef struct RunCase {
        const char *profile;
        const char *packets[3];
        const char *error_name, *error_text;
        int status;
        const char *said; /* a part of what must stand on standard error; NULL: nothing may */
} RunCase;

static const RunCase run_cases[] = {
        { "success", { "STATE=running", "RESULT=success\nCODE=exited\nSTATUS=0" }, NULL, NULL, 0, NULL },
        { "three", { "STATE=running", "RESULT=exit-code\nCODE=exited\nSTATUS=3\n" }, NULL, NULL, 3, NULL },
        { "killed", { "STATE=running", "RESULT=signal\nCODE=killed\nSTATUS=9" }, NULL, NULL, 137, NULL },
        { "dumped", { "STATE=running", "RESULT=core-dump\nCODE=dumped\nSTATUS=6" }, NULL, NULL, 134, NULL },
        { "memory", { "RESULT=oom-kill\nCODE=killed\nSTATUS=9" }, NULL, NULL, 137, "memory limit" },
        { "time", { "RESULT=timeout\nCODE=killed\nSTATUS=15" }, NULL, NULL, 143, "time was over" },
        { "setup",
          { "RESULT=setup\nTEXT=mounts: \033[31m/srv: Busy" },
          NULL,
          NULL,
          125,
          "mounts: \\x1b[31m/srv: Busy" },
        { "late-exec", { "RESULT=setup\nTEXT=exec: /x: Permission denied" }, NULL, NULL, 126, "exec: /x" },
        { "late-layer",
          { "RESULT=setup\nERROR=" ERROR_LAYER_UNAVAILABLE "\nTEXT=exec: x: No such file or directory" },
          NULL,
          NULL,
          125,
          "exec: x" },
        { "keeper-gone", { "STATE=running" }, NULL, NULL, 125, "keeper is gone" },
        { "nonsense", { "RESULT=pancake\nCODE=exited\nSTATUS=0" }, NULL, NULL, 125, "not understood" },
        { "no-number", { "RESULT=exit-code\nCODE=exited\nSTATUS=1e3" }, NULL, NULL, 125, "not understood" },
        { "denied", {}, SD_BUS_ERROR_ACCESS_DENIED, "Not for you\033", 125, "Not for you\\x1b" },
        { "not-found",
          {},
          ERROR_SETUP_FAILED,
          "exec: /usr/bin/x: No such file or directory",
          127,
          "/usr/bin/x" },
        { "not-executable",
          {},
          ERROR_SETUP_FAILED,
          "exec: /usr/bin/x: Exec format error",
          126,
          "/usr/bin/x" },
        { "no-source", {}, ERROR_SETUP_FAILED, "mounts: /srv: No such file or directory", 125, "/srv" },
        { "other-error", {}, ERROR_LAYER_UNAVAILABLE, "exec: x: No such file or directory", 125, "exec" },
};

typedef struct Launch {
        const char *profile;
        uint32_t streams; /* as announced */
        int fds[CLIENT_STREAMS_N];
        int arguments, dashes; /* how many, and how many of them begin with "-" */
} Launch;

static int read_arguments(sd_bus_message *m, Launch *launch) {
        const char *argument;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &argument)) > 0) {
                launch->arguments++;
                launch->dashes += *argument == '-';
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_streams(sd_bus_message *m, Launch *launch) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0)
                for (int i = 0; i < CLIENT_STREAMS_N; i++)
                        if (streq(name, client_stream_names[i]))
                                launch->streams |= CLIENT_STREAM(i);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_option(sd_bus_message *m, Launch *launch) {
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (streq(name, "Arguments"))
                return read_arguments(m, launch);

        if (streq(name, "Streams"))
                return read_streams(m, launch);

        return sd_bus_message_skip(m, "v");
}

static int read_launch(sd_bus_message *m, Launch *launch) {
        int r;

        r = sd_bus_message_read(m, "s", &launch->profile);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_option(m, launch);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static void send_packet(int lease, const char *text) {
        (void) fd_send_packet(lease, text, strlen(text), NULL, 0);
}

/* An application like cat(1). */
static void play_cat(const Launch *launch, int lease) {
        char buffer[4096];
        ssize_t n;

        while ((n = read(launch->fds[0], buffer, sizeof(buffer))) > 0)
                (void) fd_write_full(launch->fds[1], buffer, (size_t) n);
        send_packet(lease, "RESULT=success\nCODE=exited\nSTATUS=0");
}

/* One that says it is there, waits for a signal and dies of it. */
static void play_wait(const Launch *launch, int lease) {
        char packet[LEASE_PACKET_MAX + 1], answer[LEASE_PACKET_MAX + 64];
        ssize_t n;

        (void) fd_write_full(launch->fds[1], ".", 1);
        n = fd_receive_packet(lease, packet, LEASE_PACKET_MAX, NULL, NULL, NULL);
        packet[MAX(n, (ssize_t) 0)] = '\0';
        if (!startswith(packet, "SIGNAL="))
                return;
        snprintf(
                answer, sizeof(answer), "RESULT=signal\nCODE=killed\nSTATUS=%s", packet + strlen("SIGNAL="));
        send_packet(lease, answer);
}

/* One that ends while a signal is on its way to it, which is then never read. */
static void play_race(const Launch *launch, int lease) {
        struct pollfd waiting = { .fd = lease, .events = POLLIN };

        (void) fd_write_full(launch->fds[1], ".", 1);
        (void) poll(&waiting, 1, -1);
        send_packet(lease, "RESULT=exit-code\nCODE=exited\nSTATUS=7");
}

/* One whose exit status tells what arrived: ten times the arguments, plus those with a dash. */
static void play_count(const Launch *launch, int lease) {
        char answer[64];

        snprintf(answer,
                 sizeof(answer),
                 "RESULT=exit-code\nCODE=exited\nSTATUS=%i",
                 10 * launch->arguments + launch->dashes);
        send_packet(lease, answer);
}

/* One whose exit status tells which streams it was given. */
static void play_streams(const Launch *launch, int lease) {
        char answer[64];
        int set = 0;

        for (int i = 0; i < 3; i++)
                set |= (launch->fds[i] >= 0) << i;
        snprintf(answer, sizeof(answer), "RESULT=exit-code\nCODE=exited\nSTATUS=%i", set);
        send_packet(lease, answer);
}

static const struct {
        const char *profile;
        void (*play)(const Launch *launch, int lease);
} plays[] = {
        { "cat", play_cat },     { "wait", play_wait },       { "race", play_race },
        { "count", play_count }, { "streams", play_streams }, { "quiet-streams", play_streams },
};

static void play(const Launch *launch, int lease) {
        for (size_t i = 0; i < ELEMENTSOF(plays); i++)
                if (streq(launch->profile, plays[i].profile))
                        plays[i].play(launch, lease);

        for (size_t i = 0; i < ELEMENTSOF(run_cases); i++)
                if (streq(launch->profile, run_cases[i].profile))
                        for (size_t k = 0; k < 3 && run_cases[i].packets[k]; k++)
                                send_packet(lease, run_cases[i].packets[k]);
}

/* What was announced comes first on the lease. */
static void receive_streams(Launch *launch, int lease) {
        int fds[CLIENT_STREAMS_N], numbers[CLIENT_STREAMS_N], n;
        char packet[CLIENT_STREAMS_PACKET_MAX];
        size_t n_fds = ELEMENTSOF(fds);
        ssize_t size;

        size = launch->streams != 0 ? fd_receive_packet(lease, packet, sizeof(packet), fds, &n_fds, NULL)
                                    : 0;
        n = size > 0 ? client_streams_read(packet, (size_t) size, numbers) : 0;
        if (size < 0 || n < 0 || (launch->streams != 0 && (size_t) n != n_fds))
                _exit(1);

        for (int i = 0; i < n; i++)
                launch->fds[numbers[i]] = fds[i];
}

static int answer_launch(sd_bus_message *m) {
        Launch launch = { .fds = { -EBADF, -EBADF, -EBADF } };
        int pair[2], r;

        r = read_launch(m, &launch);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(run_cases); i++)
                if (streq(launch.profile, run_cases[i].profile) && run_cases[i].error_name)
                        return sd_bus_reply_method_errorf(
                                m, run_cases[i].error_name, "%s", run_cases[i].error_text);

        if (streq(launch.profile, "unknown"))
                return sd_bus_reply_method_errorf(
                        m, ERROR_NO_SUCH_PROFILE, "There is no profile '%s'", launch.profile);

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        r = sd_bus_reply_method_return(m, "soh", "x.1.1", "/org/immured/Broker1/sandbox/x", pair[1]);
        (void) close(pair[1]);
        if (r >= 0)
                r = sd_bus_flush(sd_bus_message_get_bus(m));
        if (r >= 0) {
                receive_streams(&launch, pair[0]);
                play(&launch, pair[0]);
        }
        for (int i = 0; i < CLIENT_STREAMS_N; i++)
                (void) safe_close(launch.fds[i]);
        (void) close(pair[0]);
        return r;
}

/* Everything to the caller, but for "quiet-streams", which has its output in the journal. */
static int answer_properties(sd_bus_message *m) {
        const char *path = sd_bus_message_get_path(m);
        const char *kind = strstr(path, "quiet") ? "journal" : "client";

        if (strstr(path, "/unknown"))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT, "No object %s", path);

        return sd_bus_reply_method_return(m,
                                          "a{sv}",
                                          4,
                                          "Name",
                                          "s",
                                          "x",
                                          "StandardInput",
                                          "s",
                                          "client",
                                          "StandardOutput",
                                          "s",
                                          kind,
                                          "StandardError",
                                          "s",
                                          kind);
}

static int answer(sd_bus_message *m) {
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "GetAll"))
                return answer_properties(m);
        if (sd_bus_message_is_method_call(m, NULL, "LaunchLeased"))
                return answer_launch(m);

        return -EBADRQC;
}

static FakeBroker fake;

static int set_up(void **state) {
        fake_broker_start(&fake, answer);
        return 0;
}

static int tear_down(void **state) {
        fake_broker_stop(&fake);
        return 0;
}

static void exit_status_is_the_applications(void **state) {
        static char out[CTL_TEXT_MAX], err[CTL_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(run_cases); i++) {
                const RunCase *c = &run_cases[i];
                const char *words[] = { "run", c->profile, NULL };

                int status = ctl_run(words, out, err);

                if (status != c->status || (c->said ? !strstr(err, c->said) : *err))
                        fail_msg("%s: exit status %i, said: %s", c->profile, status, err);
                assert_string_equal(out, "");
        }
}

static void unknown_profile_is_a_failure_of_our_own(void **state) {
        static char out[CTL_TEXT_MAX], err[CTL_TEXT_MAX];
        const char *words[] = { "run", "unknown", NULL };

        assert_int_equal(ctl_run(words, out, err), 125);
        assert_string_equal(err, "immurectl: There is no profile 'unknown'\n");
}

static void words_behind_the_profile_are_the_applications(void **state) {
        static char out[CTL_TEXT_MAX], err[CTL_TEXT_MAX];
        const char *words[] = { "run", "-q", "count", "--json=short", "-q", "--", "x", "--help", NULL };
        const char *more[] = { "run", "--arg=--first", "count", "second", NULL };

        assert_int_equal(ctl_run(words, out, err), 54);
        assert_int_equal(ctl_run(more, out, err), 21);
}

static void only_streams_of_the_client_are_handed_over(void **state) {
        static char out[CTL_TEXT_MAX], err[CTL_TEXT_MAX];
        const char *all[] = { "run", "streams", NULL }, *one[] = { "run", "quiet-streams", NULL };

        assert_int_equal(ctl_run(all, out, err), 7);
        assert_int_equal(ctl_run(one, out, err), 1);
}

#define CAT_SIZE (1U << 20)

/* Bytes of every value, no two blocks alike, so that a loss, a doubling or a translation shows. */
static uint8_t cat_byte(size_t i) { return (uint8_t) (i * 2654435761U >> 24 ^ i); }

static pid_t feed(int fd, int other) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid > 0)
                return pid;

        (void) close(other);
        for (size_t i = 0; i < CAT_SIZE;) {
                uint8_t block[777];
                size_t n = MIN(sizeof(block), CAT_SIZE - i);

                for (size_t k = 0; k < n; k++)
                        block[k] = cat_byte(i + k);
                if (fd_write_full(fd, block, n) < 0)
                        _exit(1);
                i += n;
        }
        _exit(0);
}

static void check_output(int fd) {
        uint8_t block[4096];
        size_t i = 0;
        ssize_t n;

        while ((n = read(fd, block, sizeof(block))) > 0)
                for (ssize_t k = 0; k < n; k++, i++)
                        if (block[k] != cat_byte(i))
                                fail_msg("byte %zu is wrong", i);
        assert_int_equal(i, CAT_SIZE);
}

static void make_ends(bool sockets, int ends[2]) {
        assert_int_equal(sockets ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
                                 : pipe2(ends, O_CLOEXEC),
                         0);
}

static void bytes_pass_exactly(bool sockets) {
        const char *words[] = { "run", "cat", NULL };
        CtlRun run = { .err = -EBADF };
        int in[2], out[2], status;
        pid_t feeder;

        make_ends(sockets, in);
        make_ends(sockets, out);
        run.in = in[0];
        run.out = out[1];

        feeder = feed(in[1], in[0]);
        (void) close(in[1]);
        ctl_start(&run, words);
        (void) close(in[0]);
        (void) close(out[1]);

        check_output(out[0]);
        (void) close(out[0]);
        assert_int_equal(ctl_wait(&run), 0);
        assert_int_equal(waitpid(feeder, &status, 0), feeder);
        assert_int_equal(status, 0);
}

static void bytes_pass_exactly_through_pipes(void **state) { bytes_pass_exactly(false); }

static void bytes_pass_exactly_through_sockets(void **state) { bytes_pass_exactly(true); }

/* Sends a signal once the application says that it is there; what immurectl exits with. */
static int signal_and_wait(const char *profile, int signo) {
        const char *words[] = { "run", profile, NULL };
        CtlRun run = { .in = -EBADF, .err = -EBADF };
        int out[2], status;
        char dot;

        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        run.out = out[1];
        ctl_start(&run, words);
        (void) close(out[1]);

        assert_int_equal(read(out[0], &dot, 1), 1);
        assert_int_equal(kill(run.pid, signo), 0);
        status = ctl_wait(&run);
        (void) close(out[0]);
        return status;
}

static void signals_reach_the_application(void **state) {
        static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                assert_int_equal(signal_and_wait("wait", signals[i]), 128 + signals[i]);
}

static void a_signal_that_comes_too_late_does_not_hide_the_result(void **state) {
        assert_int_equal(signal_and_wait("race", SIGTERM), 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(exit_status_is_the_applications),
                cmocka_unit_test(unknown_profile_is_a_failure_of_our_own),
                cmocka_unit_test(words_behind_the_profile_are_the_applications),
                cmocka_unit_test(only_streams_of_the_client_are_handed_over),
                cmocka_unit_test(bytes_pass_exactly_through_pipes),
                cmocka_unit_test(bytes_pass_exactly_through_sockets),
                cmocka_unit_test(signals_reach_the_application),
                cmocka_unit_test(a_signal_that_comes_too_late_does_not_hide_the_result),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
