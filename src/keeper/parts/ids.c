/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/ids.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Where systemd-nspawn locks the ids that it picks; its parent is systemd's. */
#define IDS_NSPAWN_DIRECTORY "/run/systemd/nspawn-uid"

#define SUBID_FILE_MAX (4U * 1024 * 1024)
#define NAME_SERVICE_TIMEOUT_MSEC 3000

typedef struct IdBlock {
        uint32_t base;
        int lock_fd;
        int nspawn_lock_fd; /* -EBADF: no systemd here */
        bool used;
} IdBlock;

struct IdPool {
        uint32_t start; /* where the search begins */
        int directory_fd;
        int nspawn_directory_fd; /* -EBADF: no systemd here */
        IdBlock *blocks;
        size_t n_blocks;
};

bool subids_overlap(const char *text, uint32_t first, uint32_t count) {
        while (*text) {
                char line[256];
                size_t length = strcspn(text, "\n");

                if (length < sizeof(line)) {
                        char *rest = line, *start, *size;
                        uint32_t a, n;

                        memcpy(line, text, length);
                        line[length] = '\0';
                        (void) strsep(&rest, ":");
                        start = strsep(&rest, ":");
                        size = strsep(&rest, ":");
                        if (start && size && !rest && parse_u32(start, &a) >= 0 &&
                            parse_u32(size, &n) >= 0 && (uint64_t) a < (uint64_t) first + count &&
                            (uint64_t) first < (uint64_t) a + n)
                                return true;
                }

                text += length + (text[length] == '\n');
        }

        return false;
}

/* 1: in use, 0: not; a file that is missing gives nothing away. */
static int subid_file_overlaps(const char *path, uint32_t first) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = file_read_full(AT_FDCWD, path, SUBID_FILE_MAX, &text, NULL);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;

        return subids_overlap(text, first, IDS_BLOCK_SIZE);
}

/* 0: nobody there; 1: somebody; 2: the name service failed, so nothing is known. */
static int ask_name_service(uint32_t id) {
        errno = 0;
        if (getpwuid(id))
                return 1;
        if (errno != 0 && errno != ENOENT && errno != ESRCH)
                return 2;

        errno = 0;
        if (getgrgid(id))
                return 1;
        if (errno != 0 && errno != ENOENT && errno != ESRCH)
                return 2;

        return 0;
}

static _noreturn_ void name_service_worker(uint32_t base) {
        int r;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) fd_close_from(3);
        r = ask_name_service(base);
        if (r == 0)
                r = ask_name_service(base + IDS_BLOCK_SIZE - 1);
        _exit(r);
}

/*
 * Whether the account database knows the block's first or last id: 1 or 0. Asked in a process of its own: modules of
 * the name service bring their own descriptors and threads, and may hang on a network.
 */
static int name_service_knows(uint32_t base) {
        _cleanup_close_ int pidfd = -EBADF;
        struct pollfd pfd;
        siginfo_t info = {};
        pid_t pid;
        int n;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                name_service_worker(base);

        pidfd = pidfd_open_pid(pid);
        pfd = (struct pollfd){ .fd = pidfd, .events = POLLIN };
        n = pidfd < 0 ? -1 : poll(&pfd, 1, NAME_SERVICE_TIMEOUT_MSEC);
        if (n <= 0)
                (void) kill(pid, SIGKILL);
        if (waitid(P_PID, (id_t) pid, &info, WEXITED) < 0)
                return -errno;
        if (n == 0)
                return -ETIMEDOUT;
        if (n < 0 || info.si_code != CLD_EXITED || info.si_status > 1)
                return -EIO;

        return info.si_status;
}

/* 1: the block is somebody's. */
static int block_is_taken(uint32_t base) {
        int r;

        r = subid_file_overlaps("/etc/subuid", base);
        if (r == 0)
                r = subid_file_overlaps("/etc/subgid", base);
        if (r == 0)
                r = name_service_knows(base);

        return r;
}

/*
 * Locks a block in a directory the way its other users do: keepers with flock(2), systemd-nspawn with fcntl(2)
 * F_OFD_SETLK; neither sees the other's kind. -EWOULDBLOCK: somebody else has it.
 */
static int lock_file(int directory_fd, uint32_t base, bool as_nspawn) {
        const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        char name[16];

        (void) snprintf(name, sizeof(name), "%u", base);
        fd = openat(directory_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        if ((as_nspawn ? fcntl(fd, F_OFD_SETLK, &whole) : flock(fd, LOCK_EX | LOCK_NB)) < 0)
                return errno == EACCES ? -EWOULDBLOCK : -errno;

        /* Its last owner removes the file before letting go of the lock: then this one is nobody's lock. */
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_nlink == 0)
                return -EWOULDBLOCK;

        return TAKE_FD(fd);
}

static int unlock_file(int directory_fd, uint32_t base, int lock_fd) {
        char name[16];

        if (lock_fd < 0)
                return lock_fd;

        (void) snprintf(name, sizeof(name), "%u", base);
        (void) unlinkat(directory_fd, name, 0);
        return safe_close(lock_fd);
}

static void unlock_block(const IdPool *p, IdBlock *b) {
        b->nspawn_lock_fd = unlock_file(p->nspawn_directory_fd, b->base, b->nspawn_lock_fd);
        b->lock_fd = unlock_file(p->directory_fd, b->base, b->lock_fd);
}

/* Takes the machine's locks on a block. -EWOULDBLOCK: somebody has it. */
static int lock_block(const IdPool *p, IdBlock *b) {
        b->lock_fd = lock_file(p->directory_fd, b->base, false);
        if (b->lock_fd < 0)
                return b->lock_fd;

        if (p->nspawn_directory_fd >= 0) {
                int r;

                r = lock_file(p->nspawn_directory_fd, b->base, true);
                if (r < 0) {
                        unlock_block(p, b);
                        return r;
                }
                b->nspawn_lock_fd = r;
        }

        return 0;
}

/* Adds one block to the pool. */
static int pool_claim(IdPool *p) {
        IdBlock *grown;

        grown = reallocarray(p->blocks, p->n_blocks + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        p->blocks = grown;

        for (uint32_t i = 0; i < IDS_N_BLOCKS; i++) {
                IdBlock b = {
                        .base = IDS_FIRST + (p->start + i) % IDS_N_BLOCKS * IDS_BLOCK_SIZE,
                        .lock_fd = -EBADF,
                        .nspawn_lock_fd = -EBADF,
                };
                int r;

                r = lock_block(p, &b);
                if (r == -EWOULDBLOCK)
                        continue;
                if (r < 0)
                        return r;

                r = block_is_taken(b.base);
                if (r == 0) {
                        p->blocks[p->n_blocks++] = b;
                        return 0;
                }

                unlock_block(p, &b);
                if (r < 0)
                        return r;
        }

        return -EUSERS;
}

static int open_ids_directory(void) {
        int fd;

        if (mkdir("/run/immured", 0755) < 0 && errno != EEXIST)
                return -errno;
        if (mkdir(IDS_DIRECTORY, 0700) < 0 && errno != EEXIST)
                return -errno;

        fd = open(IDS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* -EBADF: no systemd here, so no systemd-nspawn that could want the same ids. */
static int open_nspawn_directory(void) {
        int fd;

        if (mkdir(IDS_NSPAWN_DIRECTORY, 0755) < 0 && errno != EEXIST)
                return errno == ENOENT ? -EBADF : -errno;

        fd = open(IDS_NSPAWN_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int id_pool_new(IdPool **ret, uint32_t number) {
        _cleanup_(id_pool_freep) IdPool *p = NULL;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;

        /* Knuth's multiplicative hash spreads neighbouring uids over the whole range. */
        p->start = number * UINT32_C(2654435761) % IDS_N_BLOCKS;
        p->nspawn_directory_fd = -EBADF;
        p->directory_fd = open_ids_directory();
        if (p->directory_fd < 0)
                return p->directory_fd;
        p->nspawn_directory_fd = open_nspawn_directory();
        if (p->nspawn_directory_fd < 0 && p->nspawn_directory_fd != -EBADF)
                return p->nspawn_directory_fd;

        /* Only a head start: if it fails, the launch that needs a block tries again and says why there is none. */
        (void) pool_claim(p);

        *ret = TAKE_PTR(p);
        return 0;
}

IdPool *id_pool_free(IdPool *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_blocks; i++)
                unlock_block(p, p->blocks + i);

        (void) safe_close(p->directory_fd);
        (void) safe_close(p->nspawn_directory_fd);
        free(p->blocks);
        free(p);
        return NULL;
}

int id_pool_acquire(IdPool *p, uint32_t *ret_base) {
        size_t i = 0;
        int r;

        while (i < p->n_blocks && p->blocks[i].used)
                i++;

        if (i == p->n_blocks) {
                r = pool_claim(p);
                if (r < 0)
                        return r;
        }

        p->blocks[i].used = true;
        *ret_base = p->blocks[i].base;
        return 0;
}

/* All but one block, once nobody uses any: what a busy hour took, a quiet one gives back. */
static void pool_trim(IdPool *p) {
        for (size_t i = 0; i < p->n_blocks; i++)
                if (p->blocks[i].used)
                        return;

        while (p->n_blocks > 1)
                unlock_block(p, &p->blocks[--p->n_blocks]);
}

void id_pool_release(IdPool *p, uint32_t base) {
        for (size_t i = 0; i < p->n_blocks; i++)
                if (p->blocks[i].base == base)
                        p->blocks[i].used = false;

        pool_trim(p);
}
