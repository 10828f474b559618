/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "keeper/keeper.h"
#include "keeper/sandbox/sandbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static const char *const failure_errors[] = {
        [LAUNCH_FAILURE_SETUP] = ERROR_SETUP_FAILED,
        [LAUNCH_FAILURE_LAYER] = ERROR_LAYER_UNAVAILABLE,
        [LAUNCH_FAILURE_VERIFICATION] = ERROR_VERIFICATION_FAILED,
};

/* Steps that know a better word than the errno say it themselves. */
static bool says_errno(const LaunchStatus *status) {
        const char *word = strerror(status->error);
        size_t n = strlen(word), size = strlen(status->text);

        return status->error <= 0 || (size >= n && streq(status->text + size - n, word));
}

static void take_failed(Sandbox *s, const LaunchStatus *status) {
        const char *name = status->failure < ELEMENTSOF(failure_errors) ? failure_errors[status->failure]
                                                                        : ERROR_SETUP_FAILED;
        bool layer = status->failure == LAUNCH_FAILURE_LAYER;

        sandbox_abort(s,
                      name,
                      "%s%s%s%s%s",
                      layer ? "" : status->step,
                      !layer && status->text[0] ? ": " : "",
                      status->text,
                      says_errno(status) ? "" : ": ",
                      says_errno(status) ? "" : strerror(status->error));
}

static int add_enforced(Sandbox *s, const char *text) {
        _cleanup_strv_ char **words = NULL;
        int r;

        r = split_words(text, &words);
        if (r < 0)
                return r;

        return strv_extend_strv(&s->record->enforced, words);
}

/*
 * Only the outer half verifies; what will be the application holds the same socket until it is executed, and is
 * believed nothing but failures. The pids are believed only as far as the pidfds bear them out. The application may be
 * gone already, and reaped by its init: then its pidfd knows no pid any more.
 */
static int take_verified(
        Sandbox *s, const LaunchStatus *status, const FdSender *sender, int fds[static 2], size_t n_fds) {
        pid_t leader, main_pid;
        int r;

        if (s->outer <= 0 || sender->pid != s->outer || sender->uid != 0)
                return -EBADMSG;
        if (s->verified || n_fds != 2)
                return -EBADMSG;
        r = pidfd_pid(fds[0], &leader);
        if (r >= 0)
                r = pidfd_pid(fds[1], &main_pid);
        if (r < 0)
                return r == -EBADF ? -EBADMSG : r;
        if (leader <= 0 || leader != status->leader || status->main <= 0 ||
            (main_pid > 0 && main_pid != status->main))
                return -EBADMSG;

        if (s->notify && !notify_socket_is_bound(s->notify))
                sandbox_abort(s, ERROR_VERIFICATION_FAILED, "notify: the socket is not in its place");

        r = add_enforced(s, status->text);
        if (r < 0)
                return r;

        s->verified = true;
        s->leader = leader;
        s->main_fd = TAKE_FD(fds[1]);
        s->record->leader = (uint32_t) leader;
        s->record->main_pid = (uint32_t) status->main;
        log_streams_set_main_pid(s->streams, status->main);
        return 0;
}

static int
take_record(Sandbox *s, LaunchStatus *status, const FdSender *sender, int fds[static 2], size_t n_fds) {
        status->step[sizeof(status->step) - 1] = '\0';
        status->text[sizeof(status->text) - 1] = '\0';

        switch (status->kind) {
        case LAUNCH_STATUS_FAILED:
                take_failed(s, status);
                return 0;
        case LAUNCH_STATUS_VERIFIED:
                return take_verified(s, status, sender, fds, n_fds);
        default:
                return -EBADMSG;
        }
}

/* One record. 0: end of file. */
static ssize_t read_record(Sandbox *s) {
        LaunchStatus status;
        int fds[2] = { -EBADF, -EBADF }, r;
        size_t n_fds = ELEMENTSOF(fds);
        FdSender sender;
        ssize_t n;

        n = fd_receive_packet_from(s->status_fd, &status, sizeof(status), fds, &n_fds, &sender);
        if (n <= 0)
                return n;

        r = n == sizeof(status) ? take_record(s, &status, &sender, fds, n_fds) : -EBADMSG;
        for (size_t i = 0; i < n_fds; i++)
                (void) safe_close(fds[i]);

        return r < 0 ? r : n;
}

static void close_status(Sandbox *s) {
        s->status_event = sd_event_source_disable_unref(s->status_event);
        s->status_fd = safe_close(s->status_fd);
}

static void abort_unread(Sandbox *s, int error) {
        if (error == -EBADMSG || error == -EMSGSIZE)
                sandbox_abort(s, ERROR_SETUP_FAILED, "immured-exec reported nonsense");
        else
                sandbox_abort(s,
                              ERROR_SETUP_FAILED,
                              "what immured-exec reported cannot be checked: %s",
                              strerror(-error));
}

void sandbox_read_status(Sandbox *s) {
        ssize_t n = 1;

        while (s->status_fd >= 0 && n > 0)
                n = read_record(s);

        if (s->status_fd < 0 || n == -EAGAIN)
                return;

        if (n < 0)
                abort_unread(s, (int) n);
        else if (s->verified)
                s->executed = true;
        else
                sandbox_abort(s, ERROR_SETUP_FAILED, "immured-exec ended without saying why");

        close_status(s);
}

/*
 * What follows, the end of the records above all, stays for the event loop: the sandbox advances there, which it must
 * not while somebody goes through all of them.
 */
void sandbox_look_for_leader(Sandbox *s) {
        ssize_t n = 1;

        while (s->status_fd >= 0 && !s->verified && n > 0)
                n = read_record(s);
        if (n >= 0 || n == -EAGAIN)
                return;

        abort_unread(s, (int) n);
        (void) shutdown(s->status_fd, SHUT_RD); /* so that there is an end to be found */
}

static int on_status(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Sandbox *s = userdata;

        sandbox_read_status(s);
        sandbox_advance(s);
        return 0;
}

int sandbox_watch_status(Sandbox *s) {
        return sd_event_add_io(s->keeper->event, &s->status_event, s->status_fd, EPOLLIN, on_status, s);
}
