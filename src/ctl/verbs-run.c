/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * run: launches an application and stays with it, as if the caller's shell had started it
 *
 * Only the launch needs the bus. After it there is just the lease, whose other end is the keeper's, so a restart of
 * the broker or of the bus goes unnoticed here.
 */

#include "base/fd.h"
#include "base/text.h"
#include "ctl/agent.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/exit-status.h"
#include "ctl/relay.h"
#include "ctl/verb.h"
#include "link/bus-dict.h"
#include "link/lease.h"
#include "plan/client-streams.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

/* Signals that we pass on to the application. */
static const int forwarded_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH };

/* Of the profile: where each goes. */
static const char *const stream_properties[CLIENT_STREAMS_N] = { "StandardInput",
                                                                 "StandardOutput",
                                                                 "StandardError" };

typedef struct Run {
        const Options *options;
        sd_bus *bus; /* NULL once the launch is answered */
        int signals; /* signalfd */
        int lease;
        Relay streams[CLIENT_STREAMS_N];
        LeaseReport report;
        sd_bus_message *request; /* kept while it may have to be sent again */
        bool asked;              /* it was */
        Agent agent;
        bool launched;
        uint64_t early_signals; /* came before the lease; bit N: signal N */
        bool finished;          /* status is final; there may still be output to copy */
        int status;             /* to exit with, or negative errno after a message */
} Run;

static void run_done(Run *run) {
        for (size_t i = 0; i < CLIENT_STREAMS_N; i++)
                relay_done(&run->streams[i]);
        agent_close(&run->agent);
        (void) sd_bus_message_unref(run->request);
        sd_bus_close_unref(run->bus);
        (void) safe_close(run->lease);
        (void) safe_close(run->signals);
}

static void run_finish(Run *run, int status) {
        run->finished = true;
        run->status = status;
}

/*
 * The profile says which streams are the caller's, and no others may be sent. If there is no such profile we go on:
 * the error of the launch says so in better words.
 */
static int run_open_streams(Run *run, const char *profile) {
        _cleanup_json_ json_t *properties = NULL;
        int r;

        r = client_get_profile(run->bus, profile, &properties);
        if (r < 0)
                return r;

        for (int i = 0; i < CLIENT_STREAMS_N; i++) {
                const char *kind = json_string_value(json_object_get(properties, stream_properties[i]));

                if (!kind || !streq(kind, "client"))
                        continue;
                r = relay_open(&run->streams[i], i);
                if (r < 0)
                        return ctl_error(r,
                                         "Cannot use my %s for the application: %s",
                                         stream_properties[i],
                                         strerror(-r));
        }

        return 0;
}

static int run_forward(Run *run, int signo) {
        char packet[32];
        int r;

        /* The second time before there is an application to pass it on to: the caller wants out. */
        if (!run->report.executed) {
                if ((signo == SIGINT || signo == SIGTERM) && (run->early_signals & UINT64_C(1) << signo))
                        run_finish(run, EXIT_STATUS_SIGNAL + signo);
                run->early_signals |= UINT64_C(1) << signo;
        }
        if (run->lease < 0)
                return 0;

        snprintf(packet, sizeof(packet), "SIGNAL=%i", signo);
        r = fd_send_packet(run->lease, packet, strlen(packet), NULL, 0);

        /* The application may just have ended. Its result is in the socket and says more than this error. */
        return r == -EPIPE || r == -ECONNRESET || r == -EAGAIN ? 0 : r;
}

static int run_read_signal(Run *run) {
        struct signalfd_siginfo si;
        int r;

        if (read(run->signals, &si, sizeof(si)) != sizeof(si))
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;

        r = run_forward(run, (int) si.ssi_signo);
        return r < 0 ? ctl_error(r,
                                 "Cannot hand on signal %s: %s",
                                 signal_name((int) si.ssi_signo),
                                 strerror(-r))
                     : 0;
}

/* Says why an application ended, unless it exited by itself: then its exit status says enough. */
static void run_explain(const Run *run) {
        static const struct {
                const char *result;
                const char *text;
        } texts[] = {
                { "oom-kill", "The application was killed because its memory limit was reached" },
                { "timeout", "The application was stopped because its time was over" },
        };

        for (size_t i = 0; i < ELEMENTSOF(texts) && !run->options->quiet; i++)
                if (streq(run->report.result, texts[i].result))
                        ctl_note("%s", texts[i].text);
}

/* It never ran. The error is the one that the launch would have got, had it been answered as late. */
static void run_explain_failure(const Run *run) {
        const LeaseReport *report = &run->report;
        const sd_bus_error error = { .name = report->error,
                                     .message = *report->text ? report->text : report->result };

        (void) client_error(&error, -EIO);
}

static void run_read_lease(Run *run) {
        char packet[LEASE_PACKET_MAX];
        ssize_t n;
        int r;

        n = fd_receive_packet(run->lease, packet, sizeof(packet), NULL, NULL, NULL);
        /* ECONNRESET: the keeper closed with a packet of ours unread. What it sent before can still be received. */
        if (n == -EAGAIN || n == -EINTR || n == -ECONNRESET)
                return;

        if (n > 0) {
                r = lease_report_read(&run->report, packet, (size_t) n);
                if (r < 0)
                        run_finish(run, ctl_error(r, "The keeper says something that is not understood"));
                return;
        }

        run->lease = safe_close(run->lease);
        if (!run->report.ended) {
                run_finish(run,
                           ctl_error(-ECONNRESET,
                                     "The keeper is gone, and what became of the application is not known"));
                return;
        }

        if (run->report.status < 0)
                run_explain_failure(run);
        else
                run_explain(run);
        run_finish(run, exit_status_from_report(&run->report));
}

static uint32_t run_streams(const Run *run) {
        uint32_t streams = 0;

        for (int i = 0; i < CLIENT_STREAMS_N; i++)
                if (run->streams[i].handover >= 0)
                        streams |= CLIENT_STREAM(i);

        return streams;
}

/* The first packet on the lease: before it there is nothing that a signal could be for. */
static int run_send_streams(const Run *run) {
        char packet[CLIENT_STREAMS_PACKET_MAX];
        const size_t size = client_streams_write(run_streams(run), packet);
        int fds[CLIENT_STREAMS_N], r;
        size_t n = 0;

        for (size_t i = 0; i < CLIENT_STREAMS_N; i++)
                if (run->streams[i].handover >= 0)
                        fds[n++] = run->streams[i].handover;

        r = n > 0 ? fd_send_packet(run->lease, packet, size, fds, n) : 0;

        /* The keeper may have given up meanwhile, and says why. */
        return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

static int run_take_lease(Run *run, sd_bus_message *reply) {
        int fd, r;

        r = sd_bus_message_read(reply, "soh", NULL, NULL, &fd);
        if (r < 0)
                return client_message_error(r);

        run->lease = fd_duplicate(fd);
        if (run->lease < 0)
                return ctl_error(run->lease, "Cannot keep the lease: %s", strerror(-run->lease));
        r = fd_set_nonblock(run->lease, true);
        if (r < 0)
                return ctl_error(r, "Cannot use the lease: %s", strerror(-r));

        r = run_send_streams(run);
        if (r < 0)
                return ctl_error(r, "Cannot send my streams: %s", strerror(-r));

        for (int signo = 1; signo < 64 && r >= 0; signo++)
                if (run->early_signals & UINT64_C(1) << signo) {
                        run->early_signals &= ~(UINT64_C(1) << signo);
                        r = run_forward(run, signo);
                }

        return r < 0 ? ctl_error(r, "Cannot hand on a signal: %s", strerror(-r)) : 0;
}

static int on_launched(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error);

/* Authentication is needed: sends it again with interactive authorisation, and runs an agent until the answer. */
static int run_ask_again(Run *run) {
        _cleanup_message_ sd_bus_message *again = NULL;
        int r;

        run->asked = true;
        r = ask_again(run->bus, run->request, &again);
        if (r < 0)
                return r;

        (void) agent_open(&run->agent);
        return sd_bus_call_async(run->bus, NULL, again, on_launched, run, UINT64_MAX);
}

static int on_launched(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Run *run = userdata;
        int r;

        if (error && !run->asked && ask_may_help(error) && run_ask_again(run) >= 0)
                return 0;

        run->request = sd_bus_message_unref(run->request);
        agent_close(&run->agent);
        run->launched = true;

        if (error) {
                (void) client_error(error, -EIO);
                run_finish(run, exit_status_from_error(error->name, error->message));
        } else {
                r = run_take_lease(run, reply);
                if (r < 0)
                        run_finish(run, r);
        }

        /* Only the application may keep them open from here on. */
        for (size_t i = 0; i < CLIENT_STREAMS_N; i++)
                relay_handed_over(&run->streams[i]);
        return 0;
}

static int run_announce_streams(const Run *run, sd_bus_message *m) {
        const uint32_t streams = run_streams(run);
        int r;

        if (streams == 0)
                return 0;

        r = bus_dict_open_entry(m, "Streams", "as");
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "s");
        for (int i = 0; i < CLIENT_STREAMS_N && r >= 0; i++)
                if (streams & CLIENT_STREAM(i))
                        r = sd_bus_message_append_basic(m, SD_BUS_TYPE_STRING, client_stream_names[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(m);

        return r < 0 ? r : bus_dict_close_entry(m);
}

static int run_launch(Run *run, char **args) {
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        r = client_new_call(run->bus, "LaunchLeased", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", args[0]);
        if (r < 0)
                return client_message_error(r);

        r = client_open_options(m, run->options, args + 1);
        if (r < 0)
                return r;
        r = run_announce_streams(run, m);
        if (r < 0)
                return client_message_error(r);
        r = client_close_options(m);
        if (r < 0)
                return r;

        /* Asynchronous, because streams have to be copied and signals to be handled meanwhile. */
        run->request = sd_bus_message_ref(m);
        r = sd_bus_call_async(run->bus, NULL, m, on_launched, run, UINT64_MAX);
        return r < 0 ? client_message_error(r) : 0;
}

static int run_process_bus(Run *run) {
        int r;

        do
                r = sd_bus_process(run->bus, NULL);
        while (r > 0 && !run->launched);

        if (r < 0 && !run->launched)
                return ctl_error(r, "The bus went away before the broker answered");
        if (run->launched) {
                sd_bus_close_unref(run->bus);
                run->bus = NULL;
        }

        return 0;
}

/* Whether output may still come: the application's end of a pipe is open, or not all its bytes are written. */
static bool run_is_draining(const Run *run) {
        for (size_t i = 0; i < CLIENT_STREAMS_N; i++)
                if (run->streams[i].outward && !relay_is_done(&run->streams[i]))
                        return true;

        return false;
}

enum { POLL_SIGNALS, POLL_BUS, POLL_LEASE, POLL_STREAMS, _POLL_MAX = POLL_STREAMS + CLIENT_STREAMS_N };

static int run_wait(const Run *run, struct pollfd fds[static _POLL_MAX]) {
        fds[POLL_SIGNALS] = (struct pollfd){ .fd = run->signals, .events = POLLIN };
        fds[POLL_BUS] = (struct pollfd){ .fd = -1 };
        fds[POLL_LEASE] = (struct pollfd){ .fd = run->lease, .events = POLLIN };

        if (run->bus) {
                int events = sd_bus_get_events(run->bus);

                if (events < 0)
                        return events;
                fds[POLL_BUS] = (struct pollfd){ .fd = sd_bus_get_fd(run->bus), .events = (short) events };
        }
        for (size_t i = 0; i < CLIENT_STREAMS_N; i++)
                fds[POLL_STREAMS + i] = relay_poll(&run->streams[i]);

        return poll(fds, _POLL_MAX, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int run_loop(Run *run) {
        while (!run->finished || (run->launched && run->status >= 0 && run_is_draining(run))) {
                struct pollfd fds[_POLL_MAX];
                int r;

                if (run->bus) {
                        r = run_process_bus(run);
                        if (r < 0)
                                return r;
                        if (run->launched)
                                continue;
                }

                r = run_wait(run, fds);
                if (r < 0)
                        return ctl_error(r, "Cannot wait: %s", strerror(-r));

                if (fds[POLL_SIGNALS].revents) {
                        r = run_read_signal(run);
                        if (r < 0)
                                return r;
                }
                if (fds[POLL_LEASE].revents)
                        run_read_lease(run);
                for (size_t i = 0; i < CLIENT_STREAMS_N; i++)
                        if (fds[POLL_STREAMS + i].revents)
                                relay_step(&run->streams[i]);
        }

        return run->status;
}

/* From here on signals are read from a descriptor and passed on to the application. */
static int run_catch_signals(Run *run) {
        static const struct sigaction ignore = { .sa_handler = SIG_IGN };
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(forwarded_signals); i++)
                sigaddset(&set, forwarded_signals[i]);

        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (run->signals < 0)
                return -errno;

        /* EPIPE tells us that a reader is gone. We close our end then, so that the application gets it, too. */
        return sigaction(SIGPIPE, &ignore, NULL) < 0 ? -errno : 0;
}

int verb_run(const Options *o, int n, char **args) {
        _cleanup_(run_done) Run run = {
                .options = o,
                .signals = -EBADF,
                .lease = -EBADF,
                .streams = { RELAY_INIT, RELAY_INIT, RELAY_INIT },
                .report = LEASE_REPORT_INIT,
        };
        int r;

        r = client_open(&run.bus);
        if (r >= 0)
                r = run_open_streams(&run, args[0]);
        if (r < 0)
                return r;
        r = run_catch_signals(&run);
        if (r < 0)
                return ctl_error(r, "Cannot catch signals: %s", strerror(-r));
        r = run_launch(&run, args);
        return r < 0 ? r : run_loop(&run);
}
