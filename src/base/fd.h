/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fd — file descriptors and small files
 *
 * Every descriptor made here is CLOEXEC. Functions return 0 (or the descriptor, or a length) and negative errno.
 *
 * Runs in: everything. Privilege: the caller's.
 */

#include "base/util.h"

#include <sys/types.h>

/* Reads all of a small file or descriptor, NUL added. -EFBIG: more than max bytes. Caller frees *ret. */
int fd_read_full(int fd, size_t max, char **ret, size_t *ret_size);
int file_read_full(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size);

/* One line of a kernel file without its newline. */
int file_read_line(int dir_fd, const char *path, char **ret);

/* All of data in one write(2) to a file that exists, as kernel files want it. -EIO: a short write. */
int file_write_kernel(int dir_fd, const char *path, const char *data);

/* write(2) until all is out, over EINTR and short writes. */
int fd_write_full(int fd, const void *data, size_t size);

/* A memfd with these bytes, sealed against every change (memfd_create(2), F_SEAL_SEAL). Returns the fd. */
int memfd_new_sealed(const char *name, const void *data, size_t size);

/* Whether an fd is a memfd that nobody can change any more: 0, -EPERM if seals are missing, -EINVAL if no memfd. */
int memfd_verify_sealed(int fd);

int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);

/* close_range(2) over all descriptors from first up; falls back to nothing: the call is in every supported kernel. */
int fd_close_from(int first);

/*
 * Whether a descriptor may be a sandboxed application's standard stream: a pipe, a terminal or /dev/null. 0; -EPERM
 * for anything through which more can be reached than bytes: sockets carry descriptors, directories lead on, files of
 * the kernel act, and a plain file can be opened again through /proc/self/fd, for writing or to be executed, with the
 * mount flags of wherever it came from. Another errno when it cannot be told.
 */
int fd_check_stream(int fd);

/* openat2(2). Returns the fd. */
int fd_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* One packet with up to 9 fds over a socket; send never raises SIGPIPE. */
int fd_send_packet(int sock, const void *data, size_t size, const int *fds, size_t n_fds);

/*
 * Receives one packet. Returns its size (0: end of file), -EAGAIN, -EMSGSIZE when data or fds did not fit (received
 * fds are closed), or another errno. *n_fds: room in fds before, number received after; all are CLOEXEC and the
 * caller's. n_fds NULL: any fd that comes along is closed.
 */
ssize_t fd_receive_packet(int sock, void *data, size_t size, int *fds, size_t *n_fds);

/* Who sent a packet, as the kernel saw it at that time, in our namespaces (SO_PASSCRED, unix(7)). */
typedef struct FdSender {
        pid_t pid; /* 0: not in our pid namespace */
        uid_t uid;
} FdSender;

/* The same from a socket that has SO_PASSCRED. -EBADMSG: the packet came without its sender. */
ssize_t
fd_receive_packet_from(int sock, void *data, size_t size, int *fds, size_t *n_fds, FdSender *ret_sender);

/* pidfd_open(2), pidfd_send_signal(2): thin wrappers that return negative errno. */
int pidfd_open_pid(pid_t pid);
int pidfd_signal(int pidfd, int signo);

/*
 * The process behind a pidfd, as its fdinfo tells (pidfd_open(2)): -1 once it is reaped, 0 where it has no number in
 * our pid namespace. -EBADF: no pidfd.
 */
int pidfd_pid(int pidfd, pid_t *ret);
