/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fd — file descriptors and small files
 *
 * Every descriptor made here is CLOEXEC. Functions return 0, a descriptor or a length; or negative errno, which is
 * that of the system call unless something else is said.
 *
 * Runs in: everything. Privilege: the caller's.
 */

#include "base/util.h"

#include <sys/types.h>

/*
 * Reads a whole small file or descriptor and adds a NUL. -EFBIG: it holds more than max bytes. Caller frees *ret;
 * ret_size may be NULL.
 */
int fd_read_full(int fd, size_t max, char **ret, size_t *ret_size);
int file_read_full(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size);

/* The first line of a kernel file, without its newline. Caller frees. */
int file_read_line(int dir_fd, const char *path, char **ret);

/*
 * All of data in a single write(2), as files of procfs, sysfs and cgroupfs want it: they take each write as one
 * value. The file must exist. -EIO: short write.
 */
int file_write_kernel(int dir_fd, const char *path, const char *data);

/* Calls write(2) until everything is written, across EINTR and short writes. */
int fd_write_full(int fd, const void *data, size_t size);

/*
 * An empty memfd that can be sealed (memfd_create(2)). Where the kernel can hold it to that (6.3), one that is not
 * executable never becomes so. Returns the fd.
 */
int memfd_new(const char *name, bool executable);

/* One that holds these bytes, cannot be executed, and can never be changed again (fcntl(2), F_ADD_SEALS). */
int memfd_new_sealed(const char *name, const void *data, size_t size);

/* Checks that an fd is a memfd which nobody can change. -EPERM: seals are missing; -EINVAL: not a memfd. */
int memfd_verify_sealed(int fd);

/* The same file under another number, above those of the standard streams. */
int fd_duplicate(int fd);
int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);

/* Closes all descriptors from first up with close_range(2), which Linux has had since 5.9. */
int fd_close_from(int first);

/*
 * Checks that a descriptor may become a standard stream of a sandboxed application: a pipe, a terminal or /dev/null.
 * -EPERM for everything that gives access to more than bytes. Sockets carry further descriptors, directories lead
 * on, files of the kernel act when they are written; and a regular file can be opened again through /proc/self/fd,
 * for writing or to be executed, with the mount flags of the place it came from. Another errno: it cannot be told.
 */
int fd_check_stream(int fd);

/* openat2(2), with O_CLOEXEC and again after EINTR. Returns the fd. */
int fd_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/*
 * Sends one packet with up to 10 fds over a socket, unix(7). Never raises SIGPIPE. -E2BIG: more fds; -EIO: a short
 * write.
 */
int fd_send_packet(int sock, const void *data, size_t size, const int *fds, size_t n_fds);

/*
 * Who sent a packet. The kernel fills this in as it is sent, and translates it to our namespaces (SO_PASSCRED,
 * unix(7)).
 */
typedef struct FdSender {
        pid_t pid; /* 0: not in our pid namespace */
        uid_t uid;
} FdSender;

/*
 * Receives one packet. Returns its size, or 0 at end of file. -EAGAIN; -EMSGSIZE: the data or the fds did not fit,
 * and the fds were closed; or another errno.
 *
 * *n_fds is the room in fds before the call and the number received after it. They are CLOEXEC and belong to the
 * caller. With n_fds NULL any fd that arrives is closed.
 *
 * ret_sender may be NULL, and wants a socket with SO_PASSCRED. -EBADMSG: the packet came without its sender.
 */
ssize_t fd_receive_packet(int sock, void *data, size_t size, int *fds, size_t *n_fds, FdSender *ret_sender);

/* pidfd_open(2), which returns an fd, and pidfd_send_signal(2); thin wrappers. */
int pidfd_open_pid(pid_t pid);
int pidfd_signal(int pidfd, int signo);

/*
 * The process behind a pidfd, taken from its fdinfo (pidfd_open(2)): -1 once it was reaped, 0 where it has no number
 * in our pid namespace. -EBADF: not a pidfd.
 */
int pidfd_pid(int pidfd, pid_t *ret);
