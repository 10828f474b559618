/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * probe-walls — tries what mounts allow and what only a second wall forbids; name=errno lines
 *
 *   probe-walls uses        what an ordinary application does with its files, one line each
 *   probe-walls leaves      what no mount is in the way of, and a second wall should be
 *   probe-walls label       what /proc says of this process' label
 *
 * Static, so that a tree may hold nothing but it. The home, /tmp and a directory /data must be there.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

static int error_of(long r) { return r < 0 ? errno : 0; }

static int try_open(const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC, 0700);

        return fd < 0 ? errno : close(fd);
}

/* Again by the name that /proc has for a descriptor. */
static int try_reopen(int fd, int flags) {
        char path[64];

        if (fd < 0)
                return errno;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return try_open(path, flags);
}

static int wait_for(pid_t pid) {
        int status;

        return pid < 0 || waitpid(pid, &status, 0) < 0 ? errno
               : WIFEXITED(status)                     ? WEXITSTATUS(status)
                                                       : 255;
}

static int try_execute(const char *path) {
        pid_t pid = fork();

        if (pid == 0) {
                char *const argv[] = { (char *) path, (char *) "nothing", NULL };

                execv(path, argv);
                _exit(errno);
        }
        return wait_for(pid);
}

static int copy_self(const char *path) {
        int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
            out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
        char buf[65536];
        ssize_t n = 0;

        if (in < 0 || out < 0)
                return errno;
        while ((n = read(in, buf, sizeof(buf))) > 0)
                if (write(out, buf, (size_t) n) != n)
                        return errno;
        close(in);
        close(out);
        return error_of(n);
}

static int try_execute_copy(const char *path) {
        int r = copy_self(path);

        return r != 0 ? r : try_execute(path);
}

static int try_device_ioctl(const char *path) {
        int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC), n, r;

        if (fd < 0)
                return errno;
        r = error_of(ioctl(fd, TIOCGPTN, &n));
        close(fd);
        return r;
}

static int try_socket(const char *path, bool abstract) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path) + abstract);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
            client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r;

        memcpy(address.sun_path + abstract, path, strlen(path));
        r = error_of(bind(listener, (struct sockaddr *) &address, size));
        if (r == 0)
                r = error_of(listen(listener, 1));
        if (r == 0)
                r = error_of(connect(client, (struct sockaddr *) &address, size));
        close(listener);
        close(client);
        return r;
}

/* A port of the sandbox's own loopback device. */
static int try_tcp(void) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof(address);
        int r;

        r = error_of(bind(listener, (struct sockaddr *) &address, sizeof(address)));
        if (r == 0)
                r = error_of(listen(listener, 1));
        if (r == 0)
                r = error_of(getsockname(listener, (struct sockaddr *) &address, &size));
        if (r == 0)
                r = error_of(connect(client, (struct sockaddr *) &address, sizeof(address)));
        close(listener);
        close(client);
        return r;
}

static int try_signal_child(void) {
        pid_t pid = fork();
        int r;

        if (pid == 0) {
                pause();
                _exit(0);
        }
        r = error_of(kill(pid, SIGKILL));
        waitpid(pid, NULL, 0);
        return r;
}

static void uses_in(const char *name, const char *directory) {
        char a[256], b[256], sub[256], moved[256], link_name[256];

        snprintf(a, sizeof(a), "%s/a", directory);
        snprintf(b, sizeof(b), "%s/b", directory);
        snprintf(sub, sizeof(sub), "%s/sub", directory);
        snprintf(moved, sizeof(moved), "%s/sub/a", directory);
        snprintf(link_name, sizeof(link_name), "%s/sub/link", directory);

        printf("%s-list=%d\n", name, try_open(directory, O_RDONLY | O_DIRECTORY));
        printf("%s-create=%d\n", name, try_open(a, O_RDWR | O_CREAT | O_EXCL));
        printf("%s-truncate=%d\n", name, try_open(a, O_WRONLY | O_TRUNC));
        printf("%s-truncate-path=%d\n", name, error_of(truncate(a, 10)));
        printf("%s-mkdir=%d\n", name, error_of(mkdir(sub, 0700)));
        printf("%s-rename=%d\n", name, error_of(rename(a, moved)));
        printf("%s-link=%d\n", name, error_of(link(moved, a)));
        printf("%s-symlink=%d\n", name, error_of(symlink("../a", link_name)));
        printf("%s-mkfifo=%d\n", name, error_of(mkfifo(b, 0600)));
        printf("%s-fifo=%d\n", name, try_open(b, O_RDWR));
        printf("%s-tmpfile=%d\n", name, try_open(directory, O_TMPFILE | O_RDWR));
        printf("%s-unlink=%d\n", name, error_of(unlink(b)));
        printf("%s-socket=%d\n", name, try_socket(b, false));
        printf("%s-execute=%d\n", name, try_execute_copy(moved));
        printf("%s-remove=%d\n",
               name,
               error_of(unlink(a) + unlink(b) + unlink(moved) + unlink(link_name) + rmdir(sub)));
}

static int uses(void) {
        int fds[2] = { -1, -1 }, memory = memfd_create("x", MFD_CLOEXEC);

        uses_in("home", "/home/alice");
        uses_in("tmp", "/tmp");
        uses_in("data", "/data");

        printf("root-list=%d\n", try_open("/", O_RDONLY | O_DIRECTORY));
        printf("root-write=%d\n", try_open("/x", O_WRONLY | O_CREAT));
        printf("usr-list=%d\n", try_open("/usr/bin", O_RDONLY | O_DIRECTORY));
        printf("usr-execute=%d\n", try_execute("/usr/bin/true"));
        printf("self-execute=%d\n", try_execute("/proc/self/exe"));
        printf("etc-read=%d\n", try_open("/etc/passwd", O_RDONLY));
        printf("ro-read=%d\n", try_open("/ro/plain", O_RDONLY));
        printf("ro-write=%d\n", try_open("/ro/plain", O_WRONLY));
        printf("null-write=%d\n", try_open("/dev/null", O_RDWR | O_TRUNC));
        printf("zero-read=%d\n", try_open("/dev/zero", O_RDONLY));
        printf("ptmx-ioctl=%d\n", try_device_ioctl("/dev/pts/ptmx"));
        printf("mqueue-create=%d\n", try_open("/dev/mqueue/x", O_RDWR | O_CREAT));
        printf("proc-read=%d\n", try_open("/proc/self/status", O_RDONLY));
        printf("proc-write=%d\n", try_open("/proc/self/comm", O_RDWR));
        printf("namespace-read=%d\n", try_open("/proc/self/ns/user", O_RDONLY));

        printf("pipe=%d\n", error_of(pipe2(fds, O_CLOEXEC)));
        printf("pipe-reopen=%d\n", try_reopen(fds[1], O_WRONLY));
        printf("memory-reopen=%d\n", try_reopen(memory, O_RDWR));
        printf("memory-truncate=%d\n", error_of(ftruncate(memory, 100)));
        printf("stdin-reopen=%d\n", try_reopen(0, O_RDONLY | O_NONBLOCK));
        printf("stdout-reopen=%d\n", try_reopen(1, O_WRONLY));
        printf("abstract=%d\n", try_socket("walls", true));
        printf("tcp=%d\n", try_tcp());

        printf("signal-init=%d\n", error_of(kill(1, 0)));
        printf("signal-child=%d\n", try_signal_child());
        return 0;
}

/* In a mount namespace of its own, which a sandbox may let an application make. */
static int leave_by_mounting(void) {
        pid_t pid = fork();

        if (pid == 0)
                _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0
                              ? 254
                              : error_of(mount("x", "/tmp", "tmpfs", 0, NULL)));
        return wait_for(pid);
}

static int leave_to_file_system_outside(void) {
        pid_t pid = fork();

        if (pid == 0) {
                int fs, fd;

                if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                        _exit(254);
                fs = fsopen("tmpfs", 0);
                if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                        _exit(253);
                fd = fsmount(fs, 0, 0);
                _exit(fd < 0 ? 252 : error_of(openat(fd, ".", O_RDONLY | O_DIRECTORY)));
        }
        return wait_for(pid);
}

static int leaves(void) {
        printf("mount=%d\n", leave_by_mounting());
        printf("outside=%d\n", leave_to_file_system_outside());
        printf("stdin-write=%d\n", try_reopen(0, O_WRONLY | O_NONBLOCK));
        printf("tcp=%d\n", try_tcp());
        printf("fifo-write=%d\n", try_open("/ro/fifo", O_WRONLY | O_NONBLOCK));
        return 0;
}

static int label(void) {
        char text[4096] = "";
        int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC);

        if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
                snprintf(text, sizeof(text), "errno %d", errno);
        printf("label=%s\n", text);
        printf("tmp=%d\n", try_open("/tmp/x", O_WRONLY | O_CREAT));
        printf("home=%d\n", try_open("/home/alice/x", O_WRONLY | O_CREAT));
        return 0;
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                int (*run)(void);
        } verbs[] = { { "uses", uses }, { "leaves", leaves }, { "label", label } };

        /* As the copy of itself that is only to be executed. */
        if (argc > 1 && strcmp(argv[1], "nothing") == 0)
                return 0;
        for (size_t i = 0; argc > 1 && i < ELEMENTSOF(verbs); i++)
                if (strcmp(argv[1], verbs[i].name) == 0)
                        return verbs[i].run();

        return 2;
}
