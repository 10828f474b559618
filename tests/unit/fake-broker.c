/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fake-broker.h"

#include "base/fd.h"
#include "ctl/verb.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-id128.h>

#include <cmocka.h>

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        FakeHandler handler = *(FakeHandler *) userdata;
        int r;

        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
                r = sd_bus_reply_method_return(m, "s", ":1.1");
        else if (sd_bus_message_is_method_call(m, NULL, NULL))
                r = handler(m);
        else
                return 0;

        if (r < 0)
                (void) sd_bus_reply_method_errno(m, r, NULL);
        return 1;
}

static void serve_connection(int fd, FakeHandler handler) {
        sd_bus *bus = NULL;
        sd_id128_t id;

        if (sd_id128_randomize(&id) < 0 || sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
            sd_bus_set_server(bus, true, id) < 0 || sd_bus_negotiate_fds(bus, true) < 0 ||
            sd_bus_add_filter(bus, NULL, on_message, &handler) < 0 || sd_bus_start(bus) < 0)
                _exit(1);

        for (;;) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        break;
        }
        sd_bus_close_unref(bus);
}

void fake_broker_start(FakeBroker *f, FakeHandler handler) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char variable[128];
        int fd;

        memcpy(f->directory, "/tmp/immured-ctl-XXXXXX", sizeof("/tmp/immured-ctl-XXXXXX"));
        assert_non_null(mkdtemp(f->directory));
        snprintf(f->socket, sizeof(f->socket), "%s/bus", f->directory);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 8), 0);

        f->pid = fork();
        assert_true(f->pid >= 0);
        if (f->pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

                        if (connection < 0)
                                _exit(1);
                        serve_connection(connection, handler);
                }
        }
        (void) close(fd);

        snprintf(variable, sizeof(variable), "unix:path=%s", f->socket);
        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", variable, 1), 0);
}

void fake_broker_stop(FakeBroker *f) {
        (void) kill(f->pid, SIGKILL);
        assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
        (void) unlink(f->socket);
        (void) rmdir(f->directory);
}

static void use_stream(int fd, int stream) {
        int null = -EBADF;

        if (fd < 0)
                fd = null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (dup2(fd, stream) < 0)
                _exit(99);
        (void) safe_close(null);
}

void ctl_start(CtlRun *run, const char *const *words) {
        char *argv[32] = { (char *) "immurectl" };
        int argc = 1;

        while (words[argc - 1]) {
                assert_true(argc < 31);
                argv[argc] = (char *) words[argc - 1];
                argc++;
        }

        fflush(stdout);
        run->pid = fork();
        assert_true(run->pid >= 0);
        if (run->pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                use_stream(run->in, STDIN_FILENO);
                use_stream(run->out, STDOUT_FILENO);
                use_stream(run->err, STDERR_FILENO);
                (void) fd_close_from(3);
                _exit(verb_dispatch(argc, argv));
        }
}

int ctl_wait(CtlRun *run) {
        int status;

        assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void take_back(int fd, char *ret) {
        ssize_t n = pread(fd, ret, CTL_TEXT_MAX - 1, 0);

        assert_true(n >= 0);
        ret[n] = '\0';
        (void) close(fd);
}

int ctl_run(const char *const *words, char *ret_out, char *ret_err) {
        CtlRun run = { -EBADF, memfd_create("out", MFD_CLOEXEC), memfd_create("err", MFD_CLOEXEC), 0 };
        int status;

        assert_true(run.out >= 0 && run.err >= 0);
        ctl_start(&run, words);
        status = ctl_wait(&run);
        take_back(run.out, ret_out);
        take_back(run.err, ret_err);
        return status;
}
