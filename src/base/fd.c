/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"

#include "base/text.h"

#include <fcntl.h>
#include <linux/major.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define PACKET_FDS_MAX 10
#define FDINFO_MAX (64U * 1024)

#ifndef MFD_EXEC
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif

int fd_read_full(int fd, size_t max, char **ret, size_t *ret_size) {
        size_t size = 0, allocated = 0;
        _cleanup_free_ char *data = NULL;

        for (;;) {
                ssize_t n;

                /*
                 * One byte more than max, so that a file that is too long can be told from one that just fits; and
                 * one for the NUL.
                 */
                if (size + 1 >= allocated) {
                        size_t wanted = allocated == 0 ? 4096 : allocated * 2;
                        char *grown;

                        wanted = MIN(wanted, max + 2);
                        grown = realloc(data, wanted);
                        if (!grown)
                                return -ENOMEM;
                        data = grown;
                        allocated = wanted;
                }

                n = read(fd, data + size, allocated - 1 - size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;

                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
        }

        data[size] = '\0';
        *ret = TAKE_PTR(data);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int file_read_full(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = -EBADF;

        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        return fd_read_full(fd, max, ret, ret_size);
}

int file_read_line(int dir_fd, const char *path, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = file_read_full(dir_fd, path, 64 * 1024, &text, &size);
        if (r < 0)
                return r;

        text[strcspn(text, "\n")] = '\0';
        *ret = TAKE_PTR(text);
        return 0;
}

int file_write_kernel(int dir_fd, const char *path, const char *data) {
        _cleanup_close_ int fd = -EBADF;
        size_t size = strlen(data);
        ssize_t n;

        fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        n = write(fd, data, size);
        if (n < 0)
                return -errno;

        return (size_t) n == size ? 0 : -EIO;
}

int fd_write_full(int fd, const void *data, size_t size) {
        const uint8_t *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;

                p += n;
                size -= (size_t) n;
        }

        return 0;
}

int memfd_new(const char *name, bool executable) {
        const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        int fd;

        /* Since 6.3 Linux complains in its log about one that does not say. Before, it knows neither flag. */
        fd = memfd_create(name, flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));
        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, flags);

        return fd < 0 ? -errno : fd;
}

int memfd_new_sealed(const char *name, const void *data, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = memfd_new(name, false);
        if (fd < 0)
                return fd;

        r = fd_write_full(fd, data, size);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;

        return TAKE_FD(fd);
}

int memfd_verify_sealed(int fd) {
        const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
        int seals;

        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0)
                return -errno;

        return (seals & wanted) == wanted ? 0 : -EPERM;
}

int fd_duplicate(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

        return copy < 0 ? -errno : copy;
}

/* Sets or clears one bit of the flags that F_GETFD or F_GETFL reads. */
static int fd_set_flag(int fd, int get, int set, int flag, bool on) {
        int old, new;

        old = fcntl(fd, get);
        if (old < 0)
                return -errno;

        new = on ? old | flag : old & ~flag;
        return new == old || fcntl(fd, set, new) >= 0 ? 0 : -errno;
}

int fd_set_cloexec(int fd, bool on) { return fd_set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on); }

int fd_set_nonblock(int fd, bool on) { return fd_set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on); }

int fd_close_from(int first) {
        if (first < 0)
                return -EINVAL;

        return syscall(SYS_close_range, (unsigned) first, ~0U, 0U) < 0 ? -errno : 0;
}

int fd_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
        struct open_how how = {
                .flags = flags | O_CLOEXEC,
                .mode = mode,
                .resolve = resolve,
        };
        long fd;

        do
                fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
        while (fd < 0 && errno == EINTR);

        return fd < 0 ? -errno : (int) fd;
}

int fd_send_packet(int sock, const void *data, size_t size, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
        } control = {};
        struct iovec iov = { (void *) data, size };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n;

        if (n_fds > PACKET_FDS_MAX)
                return -E2BIG;

        if (n_fds > 0) {
                m.msg_control = &control;
                m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                control.header = (struct cmsghdr){
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
                };
                memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
        }

        do
                n = sendmsg(sock, &m, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        return (size_t) n == size ? 0 : -EIO;
}

static void close_many(const int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                (void) safe_close(fds[i]);
}

/*
 * What came beside the data. Where no credentials came, their space lets in more than PACKET_FDS_MAX descriptors;
 * those are closed. Returns how many fds holds.
 */
static size_t read_control(struct msghdr *m, int fds[static PACKET_FDS_MAX], struct ucred *ret_sender) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
                size_t n_here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_CREDENTIALS)
                        memcpy(ret_sender, CMSG_DATA(c), sizeof(*ret_sender));

                for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < n_here; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        if (n < PACKET_FDS_MAX)
                                fds[n++] = fd;
                        else
                                (void) safe_close(fd);
                }
        }

        return n;
}

ssize_t fd_receive_packet(int sock, void *data, size_t size, int *fds, size_t *n_fds, FdSender *ret_sender) {
        union {
                struct cmsghdr header;
                /* The sender's credentials need room too: with SO_PASSCRED the kernel always adds them. */
                uint8_t space[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        } control = {};
        struct iovec iov = { data, size };
        struct msghdr m = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct ucred sender = { .uid = (uid_t) -1 }; /* nobody's: see chown(2) */
        int received[PACKET_FDS_MAX];
        size_t n_received;
        ssize_t n;

        do
                n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        n_received = read_control(&m, received, &sender);
        if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (n_fds && n_received > *n_fds)) {
                close_many(received, n_received);
                return -EMSGSIZE;
        }
        if (n > 0 && ret_sender && sender.uid == (uid_t) -1) {
                close_many(received, n_received);
                return -EBADMSG;
        }

        if (!n_fds || n == 0) {
                close_many(received, n_received);
                n_received = 0;
        }
        if (n_fds) {
                memcpy(fds, received, n_received * sizeof(int));
                *n_fds = n_received;
        }
        if (n > 0 && ret_sender)
                *ret_sender = (FdSender){ .pid = sender.pid, .uid = sender.uid };
        return n;
}

int pidfd_open_pid(pid_t pid) {
        long fd = syscall(SYS_pidfd_open, pid, 0U);

        return fd < 0 ? -errno : (int) fd;
}

int pidfd_signal(int pidfd, int signo) {
        return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0U) < 0 ? -errno : 0;
}

int pidfd_pid(int pidfd, pid_t *ret) {
        _cleanup_free_ char *info = NULL;
        char path[40];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
        r = file_read_full(AT_FDCWD, path, FDINFO_MAX, &info, NULL);
        if (r < 0)
                /* The fdinfo of other kinds of descriptors may be longer than that. */
                return r == -ENOENT || r == -EFBIG ? -EBADF : r;

        for (char *rest = info, *line; (line = strsep(&rest, "\n"));) {
                const char *value = startswith(line, "Pid:\t");

                if (value)
                        return parse_i32(value, ret) < 0 ? -EBADF : 0;
        }

        return -EBADF;
}

/* By number: an ioctl would be answered by whoever drives the device, which may be a program of a user's (CUSE). */
static bool device_is_stream(dev_t device) {
        unsigned major_number = major(device), minor_number = minor(device);

        switch (major_number) {
        case MEM_MAJOR:
                return minor_number == 3; /* /dev/null */
        case TTY_MAJOR:
                return true;
        case TTYAUX_MAJOR:
                return minor_number <= 1; /* /dev/tty, /dev/console; not /dev/ptmx, the other end */
        default:
                return major_number >= UNIX98_PTY_SLAVE_MAJOR &&
                       major_number < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
        }
}

int fd_check_stream(int fd) {
        struct stat st;
        int flags;

        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (flags & O_PATH)
                return -EPERM;

        if (S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && device_is_stream(st.st_rdev)))
                return 0;

        return -EPERM;
}
