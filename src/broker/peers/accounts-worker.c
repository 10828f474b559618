/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/peers/accounts-worker.h"

#include "base/fd.h"
#include "plan/account-groups.h"
#include "plan/account-lookup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

typedef struct Writer {
        uint8_t *data;
        size_t size;
        bool overflow;
} Writer;

static void writer_append(Writer *w, const void *data, size_t size) {
        if (w->overflow || size > ACCOUNT_ANSWER_MAX - w->size) {
                w->overflow = true;
                return;
        }

        memcpy(w->data + w->size, data, size);
        w->size += size;
}

static void writer_append_text(Writer *w, const char *s) { writer_append(w, s ?: "", strlen(s ?: "") + 1); }

/* The size of the packet, at most ACCOUNT_ANSWER_MAX; -E2BIG. No account: an error. */
static ssize_t answer_write(void *buf, uint64_t number, int error, const Account *account) {
        AccountAnswer head = { .number = number, .error = error };
        Writer w = { .data = buf };

        if (account) {
                head.uid = account->uid;
                head.gid = account->gid;
                head.n_groups = account->n_groups;
                head.groups_partial = account->groups_partial;
                head.expires = account->expires;
        }

        writer_append(&w, &head, sizeof(head));
        if (account) {
                writer_append_text(&w, account->name);
                writer_append_text(&w, account->home);
                writer_append_text(&w, account->shell);
                for (size_t i = 0; i < account->n_groups; i++) {
                        writer_append(&w, &account->groups[i].gid, sizeof(gid_t));
                        writer_append_text(&w, account->groups[i].name);
                }
        }

        return w.overflow ? -E2BIG : (ssize_t) w.size;
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
        static uint8_t buf[ACCOUNT_ANSWER_MAX];
        _cleanup_(account_freep) Account *a = NULL;
        ssize_t size;
        int k;

        k = account_look_up(q->name[0] != '\0' ? q->name : NULL, q->uid, &a);
        size = answer_write(buf, q->number, k, a);
        if (size < 0)
                size = answer_write(buf, q->number, (int) size, NULL);

        (void) send(sock, buf, size, MSG_NOSIGNAL);
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

void accounts_worker_run(int sock) {
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
