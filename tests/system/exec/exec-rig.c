/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec-rig.h"

#include "inject.h"

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define BIND_FLAGS (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)
#define TMPFS_FLAGS (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)

static Run *running; /* what a test that fails half-way leaves */
static char scratch[] = "/tmp/test-exec.XXXXXX";

static const char *needed_env(const char *name) {
        const char *value = getenv(name);

        if (!value)
                fail_msg("%s is not set", name);
        return value;
}

static char *copy(const char *s) {
        char *c = strdup(s);

        assert_non_null(c);
        return c;
}

static bool modifies(PlanNodeKind kind) { return kind == PLAN_NODE_MASK || kind == PLAN_NODE_REMOUNT; }

/* What modifies the tree comes last in a plan. */
PlanNode *rig_add_node(Plan *p, PlanNodeKind kind, uint32_t flags, const char *source, const char *target) {
        size_t i = p->n_nodes;

        p->nodes = reallocarray(p->nodes, p->n_nodes + 1, sizeof(*p->nodes));
        assert_non_null(p->nodes);
        while (!modifies(kind) && i > 0 && modifies(p->nodes[i - 1].kind))
                i--;
        memmove(&p->nodes[i + 1], &p->nodes[i], (p->n_nodes - i) * sizeof(*p->nodes));
        p->n_nodes++;
        p->nodes[i] = (PlanNode){
                .kind = (uint8_t) kind,
                .flags = flags,
                .source = source ? copy(source) : NULL,
                .target = copy(target),
        };
        return &p->nodes[i];
}

void rig_add_rlimit(Plan *p, uint8_t resource, uint64_t soft, uint64_t hard) {
        p->rlimits = reallocarray(p->rlimits, p->n_rlimits + 1, sizeof(*p->rlimits));
        assert_non_null(p->rlimits);
        p->rlimits[p->n_rlimits++] = (PlanRlimit){ .resource = resource, .soft = soft, .hard = hard };
}

void rig_set_argv(Plan *p, const char *words) {
        p->argv = strv_free(p->argv);
        assert_int_equal(split_words(words, &p->argv), 0);
}

static void set_map(PlanIdMap **map, size_t *n, uint32_t inside, uint32_t outside, uint32_t count) {
        *map = reallocarray(*map, 1, sizeof(**map));
        assert_non_null(*map);
        **map = (PlanIdMap){ inside, outside, count };
        *n = 1;
}

void rig_use_ids(Plan *p, PrivateUsers private_users) {
        const bool all = private_users == PRIVATE_USERS_IDENTITY;
        const bool pick = private_users == PRIVATE_USERS_PICK;

        p->private_users = (uint8_t) private_users;
        set_map(&p->uid_map, &p->n_uid_map, all ? 0 : RIG_UID, pick || all ? 0 : RIG_UID, all ? 65536 : 1);
        set_map(&p->gid_map, &p->n_gid_map, all ? 0 : RIG_GID, pick || all ? 0 : RIG_GID, all ? 65536 : 1);
}

/* Everything is allowed but personality(2), which shows whether a filter is there: EDOM. */
static void add_filter(Plan *p) {
        const struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_times, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };

        p->seccomp = malloc(sizeof(filter));
        assert_non_null(p->seccomp);
        memcpy(p->seccomp, filter, sizeof(filter));
        p->n_seccomp = sizeof(filter);
}

static void add_tree(Plan *p) {
        static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };
        PlanNode *n;

        rig_add_node(
                p, PLAN_NODE_BIND, BIND_FLAGS | PLAN_NODE_READ_ONLY | PLAN_NODE_RECURSIVE, "/usr", "/usr");
        rig_add_node(p, PLAN_NODE_SYMLINK, 0, "usr/bin", "/bin");
        n = rig_add_node(p, PLAN_NODE_FILE, 0, NULL, "/etc/passwd");
        n->data = copy("alice:x:3001:3001::/home/alice:/bin/sh\n");
        n->mode = 0644;
        rig_add_node(
                p, PLAN_NODE_BIND, BIND_FLAGS | PLAN_NODE_READ_ONLY, needed_env("IMMURED_PROBE"), "/probe");
        rig_add_node(p,
                     PLAN_NODE_PROC,
                     BIND_FLAGS | PLAN_NODE_NO_EXEC | PLAN_NODE_HIDE_PIDS | PLAN_NODE_PID_ONLY,
                     NULL,
                     "/proc");

        n = rig_add_node(p,
                         PLAN_NODE_TMPFS,
                         PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC | PLAN_NODE_READ_ONLY,
                         NULL,
                         "/dev");
        n->mode = 0755;
        for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
                char path[32];

                (void) snprintf(path, sizeof(path), "/dev/%s", devices[i]);
                rig_add_node(p, PLAN_NODE_DEVICE, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC, path, path);
        }
        rig_add_node(p, PLAN_NODE_SYMLINK, 0, "/proc/self/fd", "/dev/fd");
        n = rig_add_node(p, PLAN_NODE_DEVPTS, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC, NULL, "/dev/pts");
        n->mode = 0600;
        rig_add_node(p, PLAN_NODE_MQUEUE, TMPFS_FLAGS, NULL, "/dev/mqueue");

        n = rig_add_node(p, PLAN_NODE_TMPFS, TMPFS_FLAGS, NULL, "/tmp");
        n->size = 1 << 20;
        n->mode = 01777;
        n = rig_add_node(p, PLAN_NODE_TMPFS, TMPFS_FLAGS | PLAN_NODE_OWNED, NULL, "/home/alice");
        n->size = 1 << 20;
        n->mode = 0700;

        rig_add_node(p,
                     PLAN_NODE_BIND,
                     BIND_FLAGS | PLAN_NODE_READ_ONLY | PLAN_NODE_AS_USER | PLAN_NODE_IDMAP,
                     rig_path("ro"),
                     "/ro");
        rig_add_node(p, PLAN_NODE_MASK, 0, NULL, "/ro/masked");
        rig_add_node(p, PLAN_NODE_MASK, 0, NULL, "/ro/masked-file");
        rig_add_node(p, PLAN_NODE_MASK, PLAN_NODE_OPTIONAL, NULL, "/ro/not-there");
}

Plan *rig_plan_new(const char *words) {
        Plan *p = calloc(1, sizeof(*p));

        assert_non_null(p);
        p->profile = copy("web");
        p->profile_hash = copy("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        p->user = copy("alice");
        p->uid = RIG_UID;
        p->gid = RIG_GID;
        assert_int_equal(split_words(words, &p->argv), 0);
        assert_int_equal(strv_extend(&p->environment, "HOME=/home/alice"), 0);
        p->working_directory = copy("/home/alice");
        p->standard_input = STREAM_NULL;
        p->standard_output = p->standard_error = STREAM_CLIENT;
        p->umask = 027;
        p->init = true;
        rig_use_ids(p, PRIVATE_USERS_PICK);
        p->hostname = copy("web");
        p->network = NETWORK_NONE;
        p->terms.kill_signal = SIGTERM;
        p->terms.watchdog_usec = USEC_INFINITY;
        p->syslog_identifier = copy("web");
        p->log_level_max = -1;
        rig_add_rlimit(p, 7 /* RLIMIT_NOFILE */, 100, 200);
        add_filter(p);
        add_tree(p);

        return p;
}

const char *rig_path(const char *below) {
        static char paths[8][PATH_MAX];
        static size_t next;
        char *path = paths[next++ % ELEMENTSOF(paths)];

        (void) snprintf(path, sizeof(paths[0]), "%s/%s", scratch, below);
        return path;
}

void rig_make_file(const char *below, const char *text) {
        _cleanup_close_ int fd = open(rig_path(below), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
        assert_int_equal(fchown(fd, RIG_UID, RIG_GID), 0);
}

void rig_make_directory(const char *below) {
        assert_int_equal(mkdir(rig_path(below), 0700), 0);
        assert_int_equal(chown(rig_path(below), RIG_UID, RIG_GID), 0);
}

void rig_setup(void) {
        /* What others mount meanwhile is none of ours. Shared again, so that what a launch lets out is seen here. */
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);

        assert_non_null(mkdtemp(scratch));
        assert_int_equal(chmod(scratch, 0755), 0);
        rig_make_directory("ro");
        rig_make_directory("ro/masked");
        rig_make_file("ro/masked/secret", "secret\n");
        rig_make_file("ro/masked-file", "secret\n");
        rig_make_file("ro/plain", "plain\n");
        /* Whatever loses its parent comes to us, so that nothing that is left behind stays unseen. */
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

void rig_kill(Run *r) {
        running = NULL;

        (void) kill(r->outer, SIGKILL);
        for (pid_t pid; (pid = waitpid(-1, NULL, __WALL | WNOHANG)) >= 0;) {
                pid_t left[16];
                const size_t n = rig_processes(left, ELEMENTSOF(left));

                /* The first process of the sandbox takes the others along. */
                for (size_t i = 0; pid == 0 && i < n; i++)
                        (void) kill(left[i], SIGKILL);
        }

        (void) close(r->status_fd);
        (void) close(r->result_fd);
        (void) close(r->output_fd);
        (void) safe_close(r->pidfds[0]);
        (void) safe_close(r->pidfds[1]);
}

void rig_teardown(void) {
        if (running)
                rig_kill(running);

        (void) nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A keeper has what its unit leaves it. Whoever makes another one needed fails these tests. */
static void keep_the_keepers_capabilities(void) {
        static const int keep[] = {
                CAP_CHOWN,     CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_KILL,
                CAP_NET_ADMIN, CAP_SETFCAP,      CAP_SETGID,          CAP_SETPCAP,
                CAP_SETUID,    CAP_SYS_ADMIN,    CAP_SYS_PTRACE,      CAP_SYS_RESOURCE,
        };

        for (int c = 0; prctl(PR_CAPBSET_READ, c) >= 0; c++) {
                bool kept = false;

                for (size_t i = 0; i < ELEMENTSOF(keep); i++)
                        kept = kept || keep[i] == c;
                if (!kept && prctl(PR_CAPBSET_DROP, c) < 0)
                        _exit(74);
        }
}

/* The keeper's side of plan/launch.h, in the child. */
static _noreturn_ void
execute(const int fds[static _LAUNCH_FD_END], const char *program, const char *fault) {
        static const gid_t groups[] = { 0, 4242 };
        char *const argv[] = {
                (char *) "immured-exec", (char *) "web.3001.1", (char *) RIG_ID_BASE_TEXT, NULL
        };
        char variable[512];
        char *const environment[] = { variable, NULL };
        int high[_LAUNCH_FD_END];

        (void) snprintf(variable, sizeof(variable), "FAULT=%s", fault ?: "");

        /* Away from the numbers first, or one would overwrite another. One more stays open, as a keeper's mistake. */
        for (int i = 0; i < _LAUNCH_FD_END; i++)
                high[i] = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD, 20) : -1;
        for (int i = 0; i < _LAUNCH_FD_END; i++) {
                if (high[i] < 0)
                        (void) close(i);
                else if (dup2(high[i], i) < 0)
                        _exit(71);
        }
        if (setgroups(fault && startswith(fault, "skip:groups") ? 2 : 0, groups) < 0)
                _exit(72);
        keep_the_keepers_capabilities();
        (void) syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "immured-exec-rig");
        (void) signal(SIGUSR1, SIG_IGN);
        (void) umask(0777);

        (void) execve(program, argv, environment);
        _exit(73);
}

void rig_start(Run *r, const Plan *p, const char *program, const char *fault) {
        _cleanup_close_ int plan_fd = -EBADF, null_fd = -EBADF;
        int status[2], result[2], output[2], netns_fd = r->netns_fd > 0 ? r->netns_fd : -1;
        const int notify_fd = r->notify_fd > 0 ? r->notify_fd : -1;
        const int input_fd = r->input_fd;
        const Tracer *tracer = r->tracer;

        *r = (Run){ .pidfds = { -EBADF, -EBADF }, .tracer = tracer };
        running = r;

        plan_fd = plan_to_memfd(PLAN_VERSION, p, NULL, &(const char *){ NULL });
        if (plan_fd < 0)
                fail_msg("The test's plan: %s", strerror(-plan_fd));
        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        assert_true(null_fd >= 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, status), 0);
        assert_int_equal(pipe2(result, O_CLOEXEC), 0);
        assert_int_equal(pipe2(output, O_CLOEXEC), 0);

        r->outer = fork();
        assert_true(r->outer >= 0);
        if (r->outer == 0) {
                const int fds[_LAUNCH_FD_END] = { input_fd > 0 ? input_fd : null_fd,
                                                  output[1],
                                                  output[1],
                                                  plan_fd,
                                                  status[1],
                                                  result[1],
                                                  netns_fd,
                                                  notify_fd,
                                                  -EBADF };

                if (tracer)
                        (void) raise(SIGSTOP);
                execute(fds, program ?: needed_env("IMMURED_EXEC"), fault);
        }

        if (tracer)
                inject_attach(tracer, r->outer);
        (void) close(status[1]);
        (void) close(result[1]);
        (void) close(output[1]);
        r->status_fd = status[0];
        r->result_fd = result[0];
        r->output_fd = output[0];
}

void rig_wait_executed(Run *r) {
        for (;;) {
                LaunchStatus s;
                int fds[8];
                size_t n_fds = ELEMENTSOF(fds);
                ssize_t n;

                n = fd_receive_packet(r->status_fd, &s, sizeof(s), fds, &n_fds, NULL);
                if (n == 0)
                        return;
                assert_int_equal(n, sizeof(s));

                if (s.kind == LAUNCH_STATUS_VERIFIED) {
                        assert_false(r->verified);
                        assert_int_equal(n_fds, 2);
                        r->verified = true;
                        r->verification = s;
                        r->pidfds[0] = fds[0];
                        r->pidfds[1] = fds[1];
                } else {
                        assert_int_equal(s.kind, LAUNCH_STATUS_FAILED);
                        assert_int_equal(n_fds, 0);
                        if (r->failed)
                                fail_msg("Two failures: %s: %s; %s: %s",
                                         r->failure.step,
                                         r->failure.text,
                                         s.step,
                                         s.text);
                        r->failed = true;
                        r->failure = s;
                }
        }
}

static bool read_output(Run *r) {
        size_t n = strlen(r->output);
        ssize_t k;

        k = read(r->output_fd, r->output + n, sizeof(r->output) - 1 - n);
        assert_true(k >= 0);
        return k > 0;
}

void rig_wait_output(Run *r, const char *text) {
        while (!strstr(r->output, text))
                if (!read_output(r))
                        fail_msg("The output ended before \"%s\": %s", text, r->output);
}

void rig_finish(Run *r) {
        int status;
        ssize_t n;
        pid_t pid;

        while (read_output(r))
                ;
        rig_wait_executed(r);
        n = read(r->result_fd, &r->result, sizeof(r->result));
        r->has_result = n == sizeof(r->result);

        running = NULL;

        /* The outer half and the leader; a third would be one that came loose. */
        for (unsigned i = 0; (pid = waitpid(-1, &status, __WALL)) > 0;) {
                if (r->tracer && pid == r->tracer->pid)
                        continue;
                if (i++ > 1 && r->tracer)
                        r->n_loose++;
                else if (i > 2)
                        fail_msg("Process %d came loose", pid);
                if (pid == r->outer)
                        r->outer_status = status;
                else
                        r->leader_status = status;
        }

        (void) close(r->status_fd);
        (void) close(r->result_fd);
        (void) close(r->output_fd);
        (void) safe_close(r->pidfds[0]);
        (void) safe_close(r->pidfds[1]);
}

void rig_run(Run *r, const Plan *p) {
        rig_start(r, p, NULL, NULL);
        rig_wait_executed(r);
        if (r->failed)
                print_message("%s: %s\n", r->failure.step, r->failure.text);
        rig_finish(r);
        assert_false(r->failed);
        assert_true(r->verified);
}

void rig_must_fail(Run *r,
                   const Plan *p,
                   const char *fault,
                   const char *step,
                   LaunchFailure failure,
                   const char *text) {
        rig_start(r, p, fault ? needed_env("IMMURED_EXEC_FAULTY") : NULL, fault);
        rig_wait_executed(r);
        rig_finish(r);

        if (!r->failed)
                fail_msg("%s: went well, and should not have", fault ?: step);
        if (!streq(r->failure.step, step) || r->failure.failure != failure || !strstr(r->failure.text, text))
                fail_msg("%s: %s (%u), and not %s: …%s… (%u)",
                         r->failure.step,
                         r->failure.text,
                         r->failure.failure,
                         step,
                         text,
                         failure);
}

bool rig_has_line(const Run *r, const char *line) {
        const size_t n = strlen(line);

        for (const char *p = r->output; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
                if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == '\0'))
                        return true;

        return false;
}

const char *rig_value(const Run *r, const char *name) {
        static char value[4096];
        const size_t n = strlen(name);

        for (const char *p = r->output; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
                if (strncmp(p, name, n) == 0 && p[n] == '=') {
                        (void) snprintf(
                                value, sizeof(value), "%.*s", (int) strcspn(p + n + 1, "\n"), p + n + 1);
                        return value;
                }

        return "(not said)";
}
