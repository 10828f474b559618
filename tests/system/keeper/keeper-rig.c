/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper-rig.h"

#include "base/buffer.h"
#include "base/cgroup2.h"
#include "base/fd.h"
#include "base/text.h"
#include "plan-fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static DEFINE_CLEANUP(DIR *, closedir);

static Rig *open_rig;

static char *find_hierarchy(void) {
        _cleanup_free_ char *mountinfo = NULL;
        char *directory = NULL;

        if (file_read_full(AT_FDCWD, "/proc/self/mountinfo", 4 * 1024 * 1024, &mountinfo, NULL) < 0 ||
            cgroup2_directory(mountinfo, "/", &directory) < 0)
                return NULL;

        return directory;
}

bool rig_possible(const char **reason) {
        _cleanup_free_ char *hierarchy = find_hierarchy();

        assert_non_null(getenv("KEEPER_TEST_KEEPER"));
        assert_non_null(getenv("KEEPER_TEST_EXEC"));
        *reason = geteuid() != 0 ? "not root" : !hierarchy ? "no cgroup v2 hierarchy" : NULL;
        return !*reason;
}

static void listen_for_keeper(Rig *rig) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = LINK_SOCKET };

        rig->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(rig->listen_fd >= 0);
        assert_int_equal(bind(rig->listen_fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(listen(rig->listen_fd, 8), 0);
}

void rig_open(Rig *rig) {
        _cleanup_free_ char *hierarchy = find_hierarchy();

        *rig = (Rig){ .log_fd = -EBADF };
        open_rig = rig;
        assert_non_null(hierarchy);
        (void) snprintf(rig->cgroup, sizeof(rig->cgroup), "%s/immured-test-%d", hierarchy, getpid());
        assert_int_equal(mkdir(rig->cgroup, 0755), 0);

        /* What a keeper that is killed leaves becomes the test's, to see how it ends. */
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
        assert_int_equal(mkdir("/run/immured", 0755), 0);
        listen_for_keeper(rig);
}

static void remove_below(const char *directory) {
        _cleanup_(closedirp) DIR *dir = opendir(directory);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
                        (void) unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
}

void rig_close(Rig *rig) {
        rig_hang_up(rig);
        if (rig->keeper > 0) {
                (void) kill(rig->keeper, SIGTERM);
                (void) rig_wait_keeper(rig);
        }

        (void) safe_close(rig->listen_fd);
        (void) safe_close(rig->log_fd);
        remove_below(rig->cgroup);
        assert_int_equal(rmdir(rig->cgroup), 0);
}

/* What a unit may set for its keeper, so that a test sees whether any of it reaches an application. */
static void spoil_process(void) {
        struct rlimit limit;
        sigset_t all;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGUSR1, SIG_IGN);
        (void) sigfillset(&all);
        (void) sigprocmask(SIG_BLOCK, &all, NULL);
        (void) umask(0);
        (void) nice(5);
        (void) chdir("/usr");
        /* Soft limits alone, as not every root may raise a hard one again. */
        (void) getrlimit(RLIMIT_STACK, &limit);
        limit.rlim_cur = 1024 * 1024;
        (void) setrlimit(RLIMIT_STACK, &limit);
        (void) file_write_kernel(AT_FDCWD, "/proc/self/oom_score_adj", "300");
        (void) fcntl(dup(0), F_SETFD, 0);
}

void rig_start_keeper(Rig *rig) {
        _cleanup_free_ char *cgroup = text_printf("--cgroup=%s", rig->cgroup),
                            *exec = text_printf("--exec=%s", getenv("KEEPER_TEST_EXEC"));
        char *const environment[] = { (char *) "LEAK=1", NULL };

        (void) safe_close(rig->log_fd);
        rig->log_fd = memfd_create("log", MFD_CLOEXEC);
        assert_true(rig->log_fd >= 0);

        rig->keeper = fork();
        assert_true(rig->keeper >= 0);
        if (rig->keeper == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                spoil_process();
                (void) dup2(rig->log_fd, 2);
                (void) execle(getenv("KEEPER_TEST_KEEPER"),
                              "immured-keeper",
                              "--uid=3001",
                              cgroup,
                              exec,
                              NULL,
                              environment);
                _exit(127);
        }
}

int rig_wait_keeper(Rig *rig) {
        int status;

        assert_int_equal(waitpid(rig->keeper, &status, 0), rig->keeper);
        while (rig->bus && sd_bus_process(rig->bus, NULL) > 0)
                ;
        rig->keeper = 0;
        return status;
}

static void add_event(Rig *rig, char *event) {
        assert_non_null(event);
        assert_true(rig->n_events < RIG_EVENTS_MAX);
        rig->events[rig->n_events++] = event;
}

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Rig *rig = userdata;

        if (sd_bus_message_is_signal(m, LINK_KEEPER_INTERFACE, "SandboxChanged") > 0) {
                _cleanup_(sandbox_record_freep) SandboxRecord *record = NULL;

                assert_int_equal(sandbox_record_read(m, &record), 0);
                add_event(rig, text_printf("changed %s %s", record->id, sandbox_state_name(record->state)));
        }

        if (sd_bus_message_is_signal(m, LINK_KEEPER_INTERFACE, "SandboxRemoved") > 0) {
                const char *id, *result;
                int32_t code, status;

                assert_true(sd_bus_message_read(m, "ssii", &id, &result, &code, &status) > 0);
                add_event(rig, text_printf("removed %s %s %d %d", id, result, code, status));
        }

        return 0;
}

static void forget_hello(Rig *rig) {
        while (rig->n_hello > 0)
                (void) sandbox_record_free(rig->hello[--rig->n_hello]);
}

static int on_hello(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Rig *rig = userdata;
        LinkHello hello;

        forget_hello(rig);
        assert_int_equal(link_hello_read(m, &hello), 0);
        assert_int_equal(hello.link_max, LINK_VERSION);
        assert_int_equal(hello.plan_max, PLAN_VERSION);
        assert_int_equal(hello.uid, RIG_UID);
        assert_string_equal(hello.app, "");
        assert_true(sd_bus_message_enter_container(m, 'a', "a{sv}") > 0);
        while (!sd_bus_message_at_end(m, false))
                assert_int_equal(sandbox_record_read(m, &rig->hello[rig->n_hello++]), 0);

        rig->n_hellos++;
        return sd_bus_reply_method_return(m, "a{sv}", 1, "Link", "u", LINK_VERSION);
}

static const sd_bus_vtable broker_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Hello", "a{sv}aa{sv}", "a{sv}", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* Handles what has come, or waits for something to come. */
static void pump(Rig *rig) {
        int r = sd_bus_process(rig->bus, NULL);

        assert_true(r >= 0);
        if (r == 0)
                assert_true(sd_bus_wait(rig->bus, UINT64_MAX) >= 0);
}

void rig_accept(Rig *rig) {
        size_t n_hellos = rig->n_hellos;
        sd_id128_t id;
        int fd;

        fd = accept4(rig->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        assert_true(fd >= 0);
        assert_true(sd_id128_randomize(&id) >= 0);
        assert_true(sd_bus_new(&rig->bus) >= 0);
        assert_true(sd_bus_set_fd(rig->bus, fd, fd) >= 0);
        assert_true(sd_bus_set_server(rig->bus, true, id) >= 0);
        assert_true(sd_bus_negotiate_fds(rig->bus, true) >= 0);
        assert_true(sd_bus_start(rig->bus) >= 0);
        assert_true(sd_bus_add_object_vtable(
                            rig->bus, NULL, LINK_BROKER_PATH, LINK_BROKER_INTERFACE, broker_vtable, rig) >=
                    0);
        assert_true(sd_bus_add_filter(rig->bus, NULL, on_signal, rig) >= 0);

        while (rig->n_hellos == n_hellos)
                pump(rig);
}

void rig_forget_events(Rig *rig) {
        while (rig->bus && sd_bus_process(rig->bus, NULL) > 0)
                ;
        while (rig->n_events > 0)
                free(rig->events[--rig->n_events]);
        rig->n_read = 0;
}

void rig_hang_up(Rig *rig) {
        rig->bus = sd_bus_close_unref(rig->bus);
        rig_forget_events(rig);
        forget_hello(rig);
}

void rig_answer_done(RigAnswer *a) {
        sd_bus_error_free(&a->error);
        a->record = sandbox_record_free(a->record);
        a->lease = safe_close(a->lease);
}

static int make_plan(const RigLaunch *launch, char ret_digest[static SHA256_HEX_SIZE]) {
        static char *const degrade[] = { (char *) "memory", (char *) "pids", (char *) "cpu",
                                         (char *) "cpuset", (char *) "io",   NULL };
        _cleanup_fixture_ Fixture f = {};
        _cleanup_free_ char *fake = NULL;
        uint8_t digest[SHA256_SIZE];
        int fd;

        fixture_init(&f);
        f.context.degrade = degrade;
        set_words(&f.profile->exec_start, "/bin/sh -c");
        assert_int_equal(strv_extend(&f.profile->exec_start, launch->script ?: "exit 0"), 0);
        if (launch->fake) {
                fake = text_printf("FAKE=%s", launch->fake);
                assert_int_equal(strv_extend(&f.profile->environment, fake), 0);
        }

        fixture_must_compile(&f);
        if (launch->change)
                launch->change(f.plan);
        fd = plan_to_memfd(PLAN_VERSION, f.plan, digest, &(const char *){ NULL });
        assert_true(fd >= 0);
        sha256_hex(digest, ret_digest);
        return fd;
}

static void append_launch(sd_bus_message *m, const RigLaunch *launch, int plan_fd, const char *digest) {
        const char *id = launch->id ?: "web.3001.1";
        char invocation_id[] = INVOCATION_ID;

        /* Of no two that run at a time. */
        invocation_id[sizeof(invocation_id) - 2] = id[strlen(id) - 1];
        assert_true(sd_bus_message_append(m,
                                          "sa{sv}h",
                                          id,
                                          4,
                                          "InvocationID",
                                          "s",
                                          invocation_id,
                                          "PlanHash",
                                          "s",
                                          digest,
                                          "PlanDigest",
                                          "s",
                                          launch->digest ?: digest,
                                          "Streams",
                                          "u",
                                          launch->streams,
                                          plan_fd) >= 0);
        if (launch->descriptor > 0)
                assert_true(sd_bus_message_append(m, "a(uh)", 1, 1, launch->descriptor) >= 0);
        else
                assert_true(sd_bus_message_append(m, "a(uh)", 0) >= 0);
        assert_true(sd_bus_message_append(m, "b", launch->lease) >= 0);
}

static void read_answer(sd_bus_message *reply, RigAnswer *a) {
        int fd;

        assert_int_equal(sandbox_record_read(reply, &a->record), 0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "h") > 0);
        while (sd_bus_message_read(reply, "h", &fd) > 0) {
                assert_true(a->lease < 0);
                a->lease = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        }
}

RigAnswer rig_launch(Rig *rig, const RigLaunch *launch) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        char digest[SHA256_HEX_SIZE];
        _cleanup_close_ int plan_fd = make_plan(launch, digest);
        RigAnswer a = { .lease = -EBADF };

        assert_true(sd_bus_message_new_method_call(
                            rig->bus, &m, NULL, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "Launch") >= 0);
        append_launch(m, launch, plan_fd, digest);
        a.r = sd_bus_call(rig->bus, m, UINT64_MAX, &a.error, &reply);
        if (a.r >= 0)
                read_answer(reply, &a);

        return a;
}

void rig_must_launch(Rig *rig, const RigLaunch *launch) {
        _cleanup_answer_ RigAnswer a = rig_launch(rig, launch);

        if (a.r < 0)
                fail_msg("Launch: %s: %s", a.error.name, a.error.message);
}

void rig_must_end(Rig *rig, const char *script, const char *event) {
        rig_must_launch(rig, &(RigLaunch){ .script = script });
        rig_expect(rig, event);
}

int rig_call(Rig *rig, const char *method, const char *id, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(
                            rig->bus, &m, NULL, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, method) >= 0);
        assert_true(sd_bus_message_append(m, "s", id) >= 0);
        return sd_bus_call(rig->bus, m, UINT64_MAX, error, NULL);
}

int rig_kill(Rig *rig, const char *id, const char *whom, int signo) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(
                            rig->bus, &m, NULL, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "Kill") >= 0);
        assert_true(sd_bus_message_append(m, "ssi", id, whom, signo) >= 0);
        return sd_bus_call(rig->bus, m, UINT64_MAX, NULL, NULL);
}

void rig_expect(Rig *rig, const char *event) {
        for (;;) {
                while (rig->n_read == rig->n_events)
                        pump(rig);

                const char *next = rig->events[rig->n_read++];
                if (streq(next, event))
                        return;
                if (startswith(next, "removed ") || rig->n_events == RIG_EVENTS_MAX)
                        fail_msg("\"%s\" came instead of \"%s\"", next, event);
        }
}

bool rig_saw(Rig *rig, const char *event) {
        for (size_t i = 0; i < rig->n_events; i++)
                if (streq(rig->events[i], event))
                        return true;

        return false;
}

void rig_expect_log(Rig *rig, const char *text) {
        for (;;) {
                char log[65536];
                ssize_t n = pread(rig->log_fd, log, sizeof(log) - 1, 0);

                assert_true(n >= 0);
                log[n] = '\0';
                if (strstr(log, text))
                        return;

                (void) poll(NULL, 0, 5);
        }
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *) a, *(char *const *) b); }

/* The entries of a directory, with where they point to if they are links, in order. */
static void append_directory(Buffer *b, const char *path) {
        _cleanup_(closedirp) DIR *dir = opendir(path);
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                char target[256] = "";

                if (entry->d_name[0] == '.')
                        continue;
                if (entry->d_type == DT_LNK)
                        assert_true(readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) >= 0);
                assert_int_equal(strv_consume(&names, text_printf("%s %s", entry->d_name, target)), 0);
        }

        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare);
        buffer_printf(b, "%s:\n", path);
        STRV_FOREACH (name, names) {
                buffer_printf(b, "  %s\n", *name);
        }
}

static void append_file(Buffer *b, const char *path) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(file_read_full(AT_FDCWD, path, 4 * 1024 * 1024, &text, NULL), 0);
        buffer_printf(b, "%s:\n%s\n", path, text);
}

/* An answer may be here before its call and the call's descriptors are released there. */
static void settle(Rig *rig) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(
                            rig->bus, &m, NULL, LINK_KEEPER_PATH, "org.freedesktop.DBus.Peer", "Ping") >= 0);
        assert_true(sd_bus_call(rig->bus, m, UINT64_MAX, NULL, NULL) >= 0);
}

char *rig_snapshot(Rig *rig) {
        _cleanup_buffer_ Buffer b = {};
        char path[64];

        settle(rig);

        append_directory(&b, rig->cgroup);
        append_directory(&b, "/run/immured/ids");
        append_file(&b, "/proc/self/mounts");
        append_file(&b, "/proc/sysvipc/shm");
        (void) snprintf(path, sizeof(path), "/proc/%d/fd", rig->keeper);
        append_directory(&b, path);
        (void) snprintf(path, sizeof(path), "/proc/%d/mounts", rig->keeper);
        append_file(&b, path);
        (void) snprintf(path, sizeof(path), "/proc/%d/task/%d/children", rig->keeper, rig->keeper);
        append_file(&b, path);
        return buffer_take_text(&b);
}

void rig_expect_same(Rig *rig, const char *before) {
        _cleanup_free_ char *after = rig_snapshot(rig);
        const char *a = before, *b = after;

        while (*a && *a == *b) {
                a++;
                b++;
        }
        if (!*a && !*b)
                return;

        while (a > before && a[-1] != '\n') {
                a--;
                b--;
        }
        fail_msg("before: %.*s\nafter: %.*s", (int) strcspn(a, "\n"), a, (int) strcspn(b, "\n"), b);
}

int rig_clean_slate(void **state) {
        if (open_rig->keeper > 0) {
                (void) rig_call(open_rig, "Stop", "web.3001.1", NULL);
                (void) rig_call(open_rig, "Stop", "web.3001.2", NULL);
        }

        rig_forget_events(open_rig);
        return 0;
}
