/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/run/process.h"

#include "base/fd.h"
#include "base/text.h"
#include "keeper/parts/terms.h"
#include "link/link.h"
#include "plan/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

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

static void fail(Process *p, const char *text) {
        p->handlers->failed(p->userdata, ERROR_SETUP_FAILED, text);
}

/* "STEP: text: errno"; a missing layer has been named in the text already. */
static void take_failed(Process *p, const LaunchStatus *status) {
        const char *name = status->failure < ELEMENTSOF(failure_errors) ? failure_errors[status->failure]
                                                                        : ERROR_SETUP_FAILED;
        bool layer = status->failure == LAUNCH_FAILURE_LAYER;
        char text[sizeof(status->step) + sizeof(status->text) + 128];

        (void) snprintf(text,
                        sizeof(text),
                        "%s%s%s%s%s",
                        layer ? "" : status->step,
                        !layer && status->text[0] ? ": " : "",
                        status->text,
                        says_errno(status) ? "" : ": ",
                        says_errno(status) ? "" : strerror(status->error));
        p->handlers->failed(p->userdata, name, text);
}

/*
 * Only the outer half verifies; what will be the application holds the same socket until it is executed, and is
 * believed nothing but failures. The pids are believed only as far as the pidfds bear them out. The application may be
 * gone already, and reaped by its init: then its pidfd knows no pid any more.
 */
static int take_verified(
        Process *p, const LaunchStatus *status, const FdSender *sender, int fds[static 2], size_t n_fds) {
        pid_t leader, main_pid;
        int r;

        if (p->outer <= 0 || sender->pid != p->outer || sender->uid != 0)
                return -EBADMSG;
        if (p->verified || n_fds != 2)
                return -EBADMSG;
        r = pidfd_pid(fds[0], &leader);
        if (r >= 0)
                r = pidfd_pid(fds[1], &main_pid);
        if (r < 0)
                return r == -EBADF ? -EBADMSG : r;
        if (leader <= 0 || leader != status->leader || status->main <= 0 ||
            (main_pid > 0 && main_pid != status->main))
                return -EBADMSG;

        p->leader = leader;
        p->main = status->main;
        p->main_fd = TAKE_FD(fds[1]);
        r = p->handlers->verified(p->userdata, p, status->text);
        if (r < 0)
                return r;

        p->verified = true;
        log_streams_set_main_pid(p->streams, status->main);
        return 0;
}

/* Again only from the outer half, and before all else. */
static int take_streams(Process *p, const FdSender *sender, size_t n_fds) {
        if (p->outer <= 0 || sender->pid != p->outer || sender->uid != 0 || p->verified || n_fds > 0)
                return -EBADMSG;

        p->handlers->streams(p->userdata);
        return 0;
}

static int
take_record(Process *p, LaunchStatus *status, const FdSender *sender, int fds[static 2], size_t n_fds) {
        status->step[sizeof(status->step) - 1] = '\0';
        status->text[sizeof(status->text) - 1] = '\0';

        if (status->kind == LAUNCH_STATUS_STREAMS)
                return take_streams(p, sender, n_fds);
        if (status->kind == LAUNCH_STATUS_VERIFIED)
                return take_verified(p, status, sender, fds, n_fds);
        if (status->kind != LAUNCH_STATUS_FAILED)
                return -EBADMSG;

        take_failed(p, status);
        return 0;
}

/* One record. 0: end of file. */
static ssize_t read_record(Process *p) {
        LaunchStatus status;
        int fds[2] = { -EBADF, -EBADF }, r;
        size_t n_fds = ELEMENTSOF(fds);
        FdSender sender;
        ssize_t n;

        n = fd_receive_packet(p->status_fd, &status, sizeof(status), fds, &n_fds, &sender);
        if (n <= 0)
                return n;

        r = n == sizeof(status) ? take_record(p, &status, &sender, fds, n_fds) : -EBADMSG;
        for (size_t i = 0; i < n_fds; i++)
                (void) safe_close(fds[i]);

        return r < 0 ? r : n;
}

static void fail_unread(Process *p, int error) {
        char text[160];

        if (error == -EBADMSG || error == -EMSGSIZE) {
                fail(p, "immured-exec reported nonsense");
                return;
        }

        (void) snprintf(
                text, sizeof(text), "what immured-exec reported cannot be checked: %s", strerror(-error));
        fail(p, text);
}

/* Up to the end of the records. */
static void read_status(Process *p) {
        ssize_t n = 1;

        while (p->status_fd >= 0 && n > 0)
                n = read_record(p);

        if (p->status_fd < 0 || n == -EAGAIN)
                return;

        if (n < 0)
                fail_unread(p, (int) n);
        else if (p->verified)
                p->executed = true;
        else
                fail(p, "immured-exec ended without saying why");

        p->status_event = sd_event_source_disable_unref(p->status_event);
        p->status_fd = safe_close(p->status_fd);
}

/*
 * Up to the record that names pid 1. What follows, the end of the records above all, is left to the event loop: the
 * owner advances there, which must not happen while somebody goes through all owners.
 */
static void look_for_leader(Process *p) {
        ssize_t n = 1;

        while (p->status_fd >= 0 && !p->verified && n > 0)
                n = read_record(p);
        if (n >= 0 || n == -EAGAIN)
                return;

        fail_unread(p, (int) n);
        (void) shutdown(p->status_fd, SHUT_RD); /* so that there is an end to be found */
}

static int on_status(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Process *p = userdata;

        read_status(p);
        p->handlers->advanced(p->userdata);
        return 0;
}

bool process_owns(Process *p, pid_t pid) {
        if (pid == p->outer || pid == p->leader)
                return true;

        /* Its pid 1 may end before the record that names it was read. */
        look_for_leader(p);
        return pid == p->leader;
}

void process_reaped(Process *p, pid_t pid, int wait_status) {
        read_status(p);

        if (pid == p->outer) {
                p->outer = 0;
                /* The status socket ends also when the program is killed early; the outer half knows better. */
                if (wait_status != 0)
                        fail(p, "immured-exec ended early");
        } else {
                p->leader = 0;
                p->leader_status = wait_status;
        }

        p->handlers->advanced(p->userdata);
}

bool process_is_over(const Process *p) { return p->outer == 0 && p->leader == 0 && p->status_fd < 0; }

/*
 * Our pid 1 writes the program's wait status into the pipe. As it runs with the program's ids, it is trusted no more
 * than the program. If it wrote nothing sane, or the program is pid 1 itself, the end of pid 1 counts.
 */
void process_read_ending(const Process *p, int *ret_code, int *ret_status) {
        int32_t wait_status;

        if (read(p->result_fd, &wait_status, sizeof(wait_status)) == sizeof(wait_status) &&
            wait_status_split(wait_status, ret_code, ret_status))
                return;

        if (!wait_status_split(p->leader_status, ret_code, ret_status)) {
                *ret_code = CLD_KILLED;
                *ret_status = SIGKILL;
        }
}

static int open_status(Process *p, sd_event *event, int *ret_other) {
        static const int on = 1;
        _cleanup_close_ int other = -EBADF;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        p->status_fd = pair[0];
        other = pair[1];
        /* Before anybody can write: credentials are attached when a record is sent. */
        if (setsockopt(p->status_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return -errno;

        r = fd_set_nonblock(p->status_fd, true);
        if (r >= 0)
                r = sd_event_add_io(event, &p->status_event, p->status_fd, EPOLLIN, on_status, p);
        if (r < 0)
                return r;

        *ret_other = TAKE_FD(other);
        return 0;
}

int process_new(Process **ret,
                sd_event *event,
                LogStreams *streams,
                const ProcessHandlers *handlers,
                void *userdata,
                int *ret_status,
                int *ret_result) {
        _cleanup_(process_freep) Process *p = NULL;
        _cleanup_close_ int status = -EBADF, result = -EBADF;
        int pair[2], r;

        p = malloc(sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (Process){
                .handlers = handlers,
                .userdata = userdata,
                .streams = streams,
                .main_fd = -EBADF,
                .status_fd = -EBADF,
                .result_fd = -EBADF,
        };

        r = open_status(p, event, &status);
        if (r < 0)
                return r;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        p->result_fd = pair[0];
        result = pair[1];

        /* Pid 1 holds the writing end; the keeper must never wait for it. */
        r = fd_set_nonblock(p->result_fd, true);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(p);
        *ret_status = TAKE_FD(status);
        *ret_result = TAKE_FD(result);
        return 0;
}

Process *process_free(Process *p) {
        if (!p)
                return NULL;

        (void) sd_event_source_disable_unref(p->status_event);
        (void) safe_close(p->status_fd);
        (void) safe_close(p->result_fd);
        (void) safe_close(p->main_fd);
        free(p);
        return NULL;
}

DEFINE_CLEANUP(Process *, process_free);
