/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/seed-process.h"

#include "base/fd.h"
#include "keeper/parts/cgroup.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

/* A fork takes no second, whatever the machine is busy with; a seed that is stopped must not stop the keeper. */
#define ANSWER_SEC 2

struct SeedProcess {
        int exec_fd, null_fd; /* the keeper's */
        int socket;           /* -EBADF: there is none */
        pid_t pid;            /* 0: there is none to be reaped */
        bool works;           /* it has answered once, so another is started when it ends */
};

/* Killing by number is safe: it cannot be given to another process before it is reaped. */
static void seed_process_reap(SeedProcess *s) {
        s->socket = safe_close(s->socket);
        if (s->pid > 0)
                (void) kill(s->pid, SIGKILL);
        while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        s->pid = 0;
}

SeedProcess *seed_process_free(SeedProcess *s) {
        if (!s)
                return NULL;

        seed_process_reap(s); /* our cgroup is to be empty when we are gone */
        free(s);
        return NULL;
}

static int receive_answer(const SeedProcess *s, pid_t *ret_pid) {
        int32_t answer;
        ssize_t n;

        do
                n = fd_receive_packet(s->socket, &answer, sizeof(answer), NULL, NULL);
        while (n == -EINTR);
        if (n < 0)
                return (int) n;
        if (n != sizeof(answer) || answer == 0)
                return -EBADMSG;
        if (answer < 0)
                return answer;

        *ret_pid = answer;
        return 0;
}

static int seed_process_start(SeedProcess *s) {
        static const struct timeval timeout = { .tv_sec = ANSWER_SEC };
        char name[] = "immured-exec", option[] = "--seed", title[LAUNCH_TITLE_SIZE];
        char *argv[] = { name, option, title, NULL };
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        SpawnRequest request = { .cgroup_fd = -EBADF };
        pid_t pid = 0;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        if (setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
            setsockopt(ours, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;

        /* Blanks: for people who look at it before it has another title. */
        memset(title, ' ', sizeof(title) - 1);
        title[sizeof(title) - 1] = '\0';
        for (int i = 0; i < _LAUNCH_FD_END; i++)
                request.fds[i] = i <= STDERR_FILENO ? s->null_fd : -EBADF;
        request.fds[LAUNCH_FD_SEED] = theirs;

        r = spawn_with(s->exec_fd, &request, argv, &s->pid);
        if (r < 0)
                return r;

        theirs = safe_close(theirs);
        s->socket = TAKE_FD(ours);

        /* Its first word; a program that is not made for this ends instead. */
        r = receive_answer(s, &pid);
        s->works = r >= 0 && pid == s->pid;
        if (!s->works)
                seed_process_reap(s);

        return s->works ? 0 : -ENOTCONN;
}

int seed_process_new(SeedProcess **ret, int exec_fd, int null_fd) {
        SeedProcess *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;

        *s = (SeedProcess){ .exec_fd = exec_fd, .null_fd = null_fd, .socket = -EBADF };
        (void) seed_process_start(s);
        *ret = s;
        return 0;
}

int seed_process_spawn(SeedProcess *s, const SpawnRequest *request, pid_t *ret_pid) {
        int fds[1 + _LAUNCH_FD_END] = { request->cgroup_fd }, r;
        LaunchOrder order = { .id_block = request->id_block };
        size_t n = 1, size = strlen(request->title) + 1;

        if (s->socket < 0 && s->pid == 0 && s->works)
                (void) seed_process_start(s);
        if (s->socket < 0 || size > sizeof(order.title))
                return -ENOTCONN;

        memcpy(order.title, request->title, size);
        for (int i = 0; i < _LAUNCH_FD_END; i++)
                if (request->fds[i] >= 0) {
                        order.fds |= UINT32_C(1) << i;
                        fds[n++] = request->fds[i];
                }

        r = fd_send_packet(s->socket, &order, sizeof(order), fds, n);
        if (r < 0) {
                seed_process_reap(s);
                return -ENOTCONN;
        }

        r = receive_answer(s, ret_pid);
        if (r == -ECONNRESET) {
                /* unix(7): it ended with the order unread. */
                seed_process_reap(s);
                return -ENOTCONN;
        }
        if (r < 0) {
                /* It may have forked and not said so: nothing may run whose pid the keeper does not know. */
                seed_process_reap(s);
                (void) cgroup_kill(request->cgroup_fd);
        }

        return r;
}

bool seed_process_ended(SeedProcess *s, pid_t pid) {
        if (pid != s->pid)
                return false;

        s->socket = safe_close(s->socket);
        s->pid = 0;
        return true;
}
