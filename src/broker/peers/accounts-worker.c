/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/accounts-worker.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "plan/account-groups.h"
#include "plan/account-lookup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Every text ends with a NUL. */
static void append_text(Buffer *b, const char *text) {
        buffer_append(b, text ?: "", strlen(text ?: "") + 1);
}

static void answer_append(Buffer *b, uint64_t number, int error, const Account *account) {
        AccountAnswer head = { .number = number, .error = error };

        if (account) {
                head.uid = account->uid;
                head.gid = account->gid;
                head.n_groups = account->n_groups;
                head.groups_partial = account->groups_partial;
                head.expires = account->expires;
        }
        buffer_append(b, &head, sizeof(head));
        if (!account)
                return;

        append_text(b, account->name);
        append_text(b, account->home);
        append_text(b, account->shell);
        for (size_t i = 0; i < account->n_groups; i++) {
                buffer_append(b, &account->groups[i].gid, sizeof(gid_t));
                append_text(b, account->groups[i].name);
        }
}

typedef struct Reader {
        const uint8_t *data;
        size_t size;
} Reader;

static int reader_take(Reader *r, void *ret, size_t size) {
        if (size > r->size)
                return -EBADMSG;

        memcpy(ret, r->data, size);
        r->data += size;
        r->size -= size;
        return 0;
}

/* An empty text becomes NULL where the field means it so. */
static int reader_take_text(Reader *r, bool null_if_empty, char **ret) {
        const uint8_t *end = memchr(r->data, '\0', r->size);
        size_t size;
        char *s = NULL;

        if (!end)
                return -EBADMSG;

        size = end - r->data + 1;
        if (size > 1 || !null_if_empty) {
                s = strdup((const char *) r->data);
                if (!s)
                        return -ENOMEM;
        }

        r->data += size;
        r->size -= size;
        *ret = s;
        return 0;
}

static int read_groups(Reader *r, Account *a, uint32_t n_groups) {
        int k;

        if (n_groups > ACCOUNT_GROUPS_MAX)
                return -EBADMSG;

        a->groups = calloc(MAX(n_groups, 1U), sizeof(*a->groups));
        if (!a->groups)
                return -ENOMEM;

        for (uint32_t i = 0; i < n_groups; i++) {
                AccountGroup *g = a->groups + i;

                k = reader_take(r, &g->gid, sizeof(g->gid));
                if (k < 0)
                        return k;

                a->n_groups++;
                k = reader_take_text(r, true, &g->name);
                if (k < 0)
                        return k;
        }

        return 0;
}

int account_answer_read(const void *data, size_t size, Account **ret) {
        _cleanup_(account_freep) Account *a = NULL;
        Reader r = { .data = data, .size = size };
        AccountAnswer head;
        int k;

        k = reader_take(&r, &head, sizeof(head));
        if (k < 0)
                return k;
        if (head.error != 0)
                return -EBADMSG;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->uid = head.uid;
        a->gid = head.gid;
        a->groups_partial = head.groups_partial != 0;
        a->expires = head.expires;

        k = reader_take_text(&r, false, &a->name);
        if (k >= 0)
                k = reader_take_text(&r, false, &a->home);
        if (k >= 0)
                k = reader_take_text(&r, false, &a->shell);
        if (k >= 0)
                k = read_groups(&r, a, head.n_groups);
        if (k < 0)
                return k;
        if (r.size != 0)
                return -EBADMSG;

        *ret = TAKE_PTR(a);
        return 0;
}

static void answer(int sock, const AccountQuestion *q) {
        _cleanup_(account_freep) Account *a = NULL;
        _cleanup_buffer_ Buffer b = { 0 };
        int k;

        k = account_look_up(q->name[0] != '\0' ? q->name : NULL, q->uid, &a);
        answer_append(&b, q->number, k, a);
        if (buffer_error(&b) < 0 || b.size > ACCOUNT_ANSWER_MAX) {
                buffer_done(&b);
                answer_append(&b, q->number, -E2BIG, NULL);
        }

        (void) send(sock, b.data, b.size, MSG_NOSIGNAL);
}

/*
 * When a second worker has to be started, the broker holds much that must not be open in a process that runs NSS
 * modules.
 */
static void drop_inheritance(int *sock) {
        sigset_t none;

        if (*sock != 3) {
                if (dup3(*sock, 3, O_CLOEXEC) < 0)
                        _exit(EXIT_FAILURE);
                *sock = 3;
        }
        if (fd_close_from(4) < 0)
                _exit(EXIT_FAILURE);

        for (int signo = 1; signo < NSIG; signo++)
                (void) signal(signo, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);

        (void) prctl(PR_SET_NAME, "immured-account");
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) unsetenv("NOTIFY_SOCKET");
        (void) unsetenv("WATCHDOG_USEC");
}

_noreturn_ static void worker_run(int sock) {
        AccountQuestion q;
        ssize_t n;

        drop_inheritance(&sock);

        for (;;) {
                n = recv(sock, &q, sizeof(q), 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n != (ssize_t) sizeof(q))
                        _exit(n == 0 ? EXIT_SUCCESS : EXIT_FAILURE);

                q.name[sizeof(q.name) - 1] = '\0';
                answer(sock, &q);
        }
}

/* A place for a pid that must be reaped, or NULL. */
static pid_t *reap(AccountsWorker *p) {
        pid_t *place = NULL;

        for (size_t i = 0; i < ACCOUNTS_DYING_MAX; i++) {
                if (p->dying[i] > 0 && waitpid(p->dying[i], NULL, WNOHANG) != 0)
                        p->dying[i] = 0;
                if (p->dying[i] == 0)
                        place = p->dying + i;
        }

        return place;
}

/* A child that hangs on a dead file server does not even die of SIGKILL, so it is never waited for. */
int accounts_worker_stop(AccountsWorker *p) {
        pid_t *place = reap(p);

        if (!place)
                return -EAGAIN;

        p->sock = safe_close(p->sock);
        if (p->pid > 0) {
                (void) kill(p->pid, SIGKILL);
                *place = p->pid;
                p->pid = 0;
                (void) reap(p);
        }

        return 0;
}

int accounts_worker_start(AccountsWorker *p) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int pair[2], r;
        pid_t pid;

        r = accounts_worker_stop(p);
        if (r < 0)
                return r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                worker_run(theirs);

        p->sock = TAKE_FD(ours);
        p->pid = pid;
        return 0;
}
