/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#ifndef MFD_EXEC
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif

static size_t count_fds(void) {
        size_t n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static void assert_cloexec(int fd) { assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC); }

static void files_are_read_up_to_a_limit(void **state) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *data = NULL;
        char *untouched = (char *) 1;
        size_t size;

        fd = memfd_create("test", MFD_CLOEXEC);
        assert_int_equal(fd_write_full(fd, "0123456789", 10), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_full(fd, 9, &untouched, NULL), -EFBIG);
        assert_ptr_equal(untouched, (char *) 1);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_full(fd, 10, &data, &size), 0);
        assert_int_equal(size, 10);
        assert_string_equal(data, "0123456789");
        assert_int_equal(fd_read_full(-EBADF, 10, &untouched, NULL), -EBADF);
}

static void long_files_are_read_whole(void **state) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *in = NULL, *out = NULL;
        size_t size = 100000, n;

        in = malloc(size);
        memset(in, 'x', size);
        fd = memfd_create("test", MFD_CLOEXEC);
        assert_int_equal(fd_write_full(fd, in, size), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_full(fd, size, &out, &n), 0);
        assert_int_equal(n, size);
        assert_memory_equal(in, out, size);
        assert_int_equal(out[n], '\0');
}

static void kernel_files(void **state) {
        _cleanup_free_ char *line = NULL, *name = NULL;

        assert_int_equal(file_read_line(AT_FDCWD, "/proc/self/comm", &line), 0);
        assert_null(strchr(line, '\n'));
        assert_int_equal(file_write_kernel(AT_FDCWD, "/proc/self/comm", "renamed"), 0);
        assert_int_equal(file_read_line(AT_FDCWD, "/proc/self/comm", &name), 0);
        assert_string_equal(name, "renamed");
        assert_int_equal(file_write_kernel(AT_FDCWD, "/proc/self/comm", line), 0);
        assert_int_equal(file_write_kernel(AT_FDCWD, "/nonexistent/file", "x"), -ENOENT);
}

static void sealed_memfds_cannot_change(void **state) {
        _cleanup_close_ int fd = -EBADF, open_fd = -EBADF, file = -EBADF;
        _cleanup_free_ char *data = NULL;
        size_t size;

        fd = memfd_new_sealed("test", "abc", 3);
        assert_true(fd >= 0);
        assert_cloexec(fd);
        assert_int_equal(memfd_verify_sealed(fd), 0);
        assert_int_equal(fd_read_full(fd, 100, &data, &size), 0);
        assert_string_equal(data, "abc");
        assert_int_equal(pwrite(fd, "x", 1, 0), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_ptr_equal(mmap(NULL, 3, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);

        open_fd = memfd_new("test", false);
        assert_cloexec(open_fd);
        assert_int_equal(memfd_verify_sealed(open_fd), -EPERM);
        /* Everything but the seal on seals. */
        assert_int_equal(fcntl(open_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 0);
        assert_int_equal(memfd_verify_sealed(open_fd), -EPERM);
        /* Of a file system that knows no seals; this program may lie on a tmpfs, which does. */
        file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        assert_int_equal(memfd_verify_sealed(file), -EINVAL);
        assert_int_equal(memfd_verify_sealed(-EBADF), -EBADF);
}

/* What executing this memfd, which holds no program, comes to: EACCES where it may not be executed at all. */
static int execution_error(int fd) {
        static char *const nothing[] = { NULL };

        (void) syscall(SYS_execveat, fd, "", nothing, nothing, AT_EMPTY_PATH);
        return errno;
}

static void memfds_are_executable_only_if_asked_for(void **state) {
        _cleanup_close_ int probe = memfd_create("test", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
        _cleanup_close_ int data = memfd_new_sealed("test", "abc", 3), program = memfd_new("test", true);
        const bool said = probe >= 0; /* Linux 6.3 */

        assert_true(data >= 0 && program >= 0);
        assert_int_equal(execution_error(data), said ? EACCES : ENOEXEC);
        assert_int_equal(fchmod(data, 0700) < 0 ? errno : 0, said ? EPERM : 0);
        assert_int_equal(execution_error(program), ENOEXEC);
        assert_int_equal(fchmod(program, 0500), 0);
}

/* As Linux 6.1 does. */
static void refuse_new_flags(void) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MFD_NOEXEC_SEAL | MFD_EXEC, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { ELEMENTSOF(code), code };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                _exit(EXIT_FAILURE);
}

static void memfds_are_made_where_the_kernel_knows_no_flag_for_it(void **state) {
        int status;
        pid_t pid;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                refuse_new_flags();
                _exit(memfd_create("test", MFD_CLOEXEC | MFD_EXEC) < 0 && errno == EINVAL &&
                                      memfd_verify_sealed(memfd_new_sealed("test", "abc", 3)) == 0 &&
                                      memfd_new("test", true) >= 0
                              ? EXIT_SUCCESS
                              : EXIT_FAILURE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void flags_are_set_and_cleared(void **state) {
        _cleanup_close_ int fd = -EBADF;

        fd = memfd_create("test", MFD_CLOEXEC);
        assert_int_equal(fd_set_cloexec(fd, false), 0);
        assert_int_equal(fcntl(fd, F_GETFD), 0);
        assert_int_equal(fd_set_cloexec(fd, true), 0);
        assert_cloexec(fd);
        assert_int_equal(fd_set_nonblock(fd, true), 0);
        assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        assert_int_equal(fd_set_nonblock(fd, false), 0);
        assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        assert_int_equal(fd_set_cloexec(-EBADF, true), -EBADF);
        assert_int_equal(fd_close_from(-1), -EINVAL);
}

static void duplicates_are_no_standard_streams(void **state) {
        _cleanup_close_ int fd = memfd_create("test", 0), copy = -EBADF;

        copy = fd_duplicate(fd);
        assert_true(copy > STDERR_FILENO && copy != fd);
        assert_cloexec(copy);
        assert_int_equal(fd_duplicate(-EBADF), -EBADF);
}

static void openat2_keeps_below(void **state) {
        _cleanup_close_ int dir = -EBADF, fd = -EBADF;

        dir = fd_openat2(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY, 0, 0);
        assert_true(dir >= 0);
        assert_cloexec(dir);
        fd = fd_openat2(dir, "status", O_RDONLY, 0, RESOLVE_BENEATH);
        assert_true(fd >= 0);
        assert_int_equal(fd_openat2(dir, "../version", O_RDONLY, 0, RESOLVE_BENEATH), -EXDEV);
        assert_int_equal(fd_openat2(dir, "exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), -ELOOP);
}

static int sockets(int fds[static 2]) {
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

static void packets_carry_descriptors(void **state) {
        size_t before = count_fds(), n = 3;
        int pair[2], out[3], in[3];
        char data[8];

        assert_int_equal(sockets(pair), 0);
        for (size_t i = 0; i < 3; i++)
                out[i] = memfd_create("test", MFD_CLOEXEC);
        assert_int_equal(fd_send_packet(pair[0], "hello", 5, out, 3), 0);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), in, &n, NULL), 5);
        assert_memory_equal(data, "hello", 5);
        assert_int_equal(n, 3);
        for (size_t i = 0; i < 3; i++) {
                assert_cloexec(in[i]);
                (void) close(in[i]);
                (void) close(out[i]);
        }
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), NULL, NULL, NULL), -EAGAIN);
        (void) close(pair[0]);
        n = 3;
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), in, &n, NULL), 0);
        assert_int_equal(n, 0);
        assert_int_equal(fd_send_packet(pair[1], "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
        (void) close(pair[1]);
        assert_int_equal(count_fds(), before);
}

static void unwanted_descriptors_are_closed(void **state) {
        size_t before = count_fds(), n = 1;
        int pair[2], out[11], in[1] = { -7 };
        char data[4];

        assert_int_equal(sockets(pair), 0);
        for (size_t i = 0; i < ELEMENTSOF(out); i++)
                out[i] = pair[0];

        assert_int_equal(fd_send_packet(pair[0], "ab", 2, out, 2), 0);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), in, &n, NULL), -EMSGSIZE);
        assert_int_equal(fd_send_packet(pair[0], "too long", 8, out, 1), 0);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), in, &n, NULL), -EMSGSIZE);
        assert_int_equal(fd_send_packet(pair[0], "ab", 2, out, 10), 0);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), NULL, NULL, NULL), 2);
        assert_int_equal(fd_send_packet(pair[0], "ab", 2, out, 11), -E2BIG);
        assert_int_equal(in[0], -7);

        (void) close(pair[0]);
        (void) close(pair[1]);
        assert_int_equal(count_fds(), before);
}

/* More descriptors in one message than fd_send_packet() would send. */
static void a_flood_of_descriptors_is_refused(void **state) {
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(100 * sizeof(int))];
        } control = {};
        struct iovec iov = { (void *) "x", 1 };
        struct msghdr m = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        size_t before = count_fds(), n = 8;
        int pair[2], in[8];
        char data[4];

        assert_int_equal(sockets(pair), 0);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(100 * sizeof(int));
        for (size_t i = 0; i < 100; i++)
                memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &pair[0], sizeof(int));
        assert_int_equal(sendmsg(pair[0], &m, 0), 1);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), in, &n, NULL), -EMSGSIZE);
        (void) close(pair[0]);
        (void) close(pair[1]);
        assert_int_equal(count_fds(), before);
}

static void credentials_beside_descriptors_do_no_harm(void **state) {
        int pair[2], in[8], out[8], one = 1;
        size_t n = 8;
        char data[4];

        assert_int_equal(sockets(pair), 0);
        assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)), 0);
        for (size_t i = 0; i < ELEMENTSOF(out); i++)
                out[i] = pair[0];
        assert_int_equal(fd_send_packet(pair[0], "ab", 2, out, 8), 0);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), in, &n, NULL), 2);
        assert_int_equal(n, 8);
        for (size_t i = 0; i < n; i++)
                (void) close(in[i]);
        (void) close(pair[0]);
        (void) close(pair[1]);
}

static void packets_tell_their_sender(void **state) {
        FdSender sender = { .pid = -7 };
        size_t before = count_fds(), n = 1;
        int pair[2], fds[1], one = 1;
        char data[4];

        assert_int_equal(sockets(pair), 0);
        assert_int_equal(fd_send_packet(pair[0], "ab", 2, pair, 1), 0);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), fds, &n, &sender), -EBADMSG);
        assert_int_equal(sender.pid, -7);

        assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)), 0);
        assert_int_equal(fd_send_packet(pair[0], "ab", 2, pair, 1), 0);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), fds, &n, &sender), 2);
        assert_int_equal(n, 1);
        assert_int_equal(sender.pid, getpid());
        assert_int_equal(sender.uid, getuid());
        (void) close(fds[0]);

        (void) close(pair[0]);
        assert_int_equal(fd_receive_packet(pair[1], data, sizeof(data), fds, &n, &sender), 0);
        (void) close(pair[1]);
        assert_int_equal(count_fds(), before);
}

static void pidfds_signal(void **state) {
        _cleanup_close_ int pidfd = -EBADF;
        pid_t pid, found = -7;
        int status;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                for (;;)
                        (void) pause();
        }
        pidfd = pidfd_open_pid(pid);
        assert_true(pidfd >= 0);
        assert_cloexec(pidfd);
        assert_int_equal(pidfd_pid(pidfd, &found), 0);
        assert_int_equal(found, pid);
        assert_int_equal(pidfd_signal(pidfd, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(pidfd_signal(pidfd, SIGKILL), -ESRCH);
        assert_int_equal(pidfd_pid(pidfd, &found), 0);
        assert_int_equal(found, -1);
        assert_int_equal(pidfd_pid(STDIN_FILENO, &found), -EBADF);
        assert_int_equal(pidfd_pid(-1, &found), -EBADF);
}

static void only_streams_of_bytes_are_streams(void **state) {
        static const struct {
                const char *path;
                int flags, r;
        } cases[] = {
                { "/dev/null", O_RDWR, 0 },
                { "/dev/zero", O_RDONLY, -EPERM },
                { "/dev/null", O_PATH, -EPERM },
                { "/proc/self/status", O_RDONLY, -EPERM },
                { "/proc/self/ns/mnt", O_RDONLY, -EPERM },
                { "/sys/kernel/notes", O_RDONLY, -EPERM },
                { "/", O_RDONLY, -EPERM },
        };
        _cleanup_close_ int file = memfd_create("file", MFD_CLOEXEC);
        int pair[2];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_close_ int fd = open(cases[i].path, cases[i].flags | O_CLOEXEC);

                if (fd >= 0 && fd_check_stream(fd) != cases[i].r)
                        fail_msg("%s: %i", cases[i].path, fd_check_stream(fd));
        }
        assert_int_equal(fd_check_stream(file), -EPERM);
        assert_int_equal(fd_check_stream(-1), -EBADF);

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        assert_int_equal(fd_check_stream(pair[0]), 0);
        assert_int_equal(fd_check_stream(pair[1]), 0);
        (void) close(pair[0]);
        (void) close(pair[1]);

        assert_int_equal(sockets(pair), 0);
        assert_int_equal(fd_check_stream(pair[0]), -EPERM);
        (void) close(pair[0]);
        (void) close(pair[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files_are_read_up_to_a_limit),
                cmocka_unit_test(long_files_are_read_whole),
                cmocka_unit_test(kernel_files),
                cmocka_unit_test(sealed_memfds_cannot_change),
                cmocka_unit_test(memfds_are_executable_only_if_asked_for),
                cmocka_unit_test(memfds_are_made_where_the_kernel_knows_no_flag_for_it),
                cmocka_unit_test(flags_are_set_and_cleared),
                cmocka_unit_test(duplicates_are_no_standard_streams),
                cmocka_unit_test(openat2_keeps_below),
                cmocka_unit_test(packets_carry_descriptors),
                cmocka_unit_test(unwanted_descriptors_are_closed),
                cmocka_unit_test(a_flood_of_descriptors_is_refused),
                cmocka_unit_test(credentials_beside_descriptors_do_no_harm),
                cmocka_unit_test(packets_tell_their_sender),
                cmocka_unit_test(pidfds_signal),
                cmocka_unit_test(only_streams_of_bytes_are_streams),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
