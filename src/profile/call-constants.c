/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/call-constants.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define C(name) \
        { #name, (uint32_t) (name) }

/* clang-format off */
static const struct {
        const char *name;
        uint32_t value;
} constants[] = {
        /* ioctl(2): terminals, files */
        C(FICLONE), C(FICLONERANGE), C(FIOASYNC), C(FIOCLEX), C(FIONBIO), C(FIONCLEX), C(FIONREAD),
        C(FS_IOC_GETFLAGS), C(FS_IOC_SETFLAGS), C(SIOCGIFCONF), C(SIOCGIFFLAGS), C(TCGETS), C(TCSETS), C(TCSETSF),
        C(TCSETSW), C(TIOCCONS), C(TIOCEXCL), C(TIOCGPGRP), C(TIOCGPTN), C(TIOCGWINSZ), C(TIOCLINUX), C(TIOCNOTTY),
        C(TIOCSCTTY), C(TIOCSETD), C(TIOCSPGRP), C(TIOCSTI), C(TIOCSWINSZ),

        /* clone(2), unshare(2), setns(2) */
        C(CLONE_FILES), C(CLONE_FS), C(CLONE_IO), C(CLONE_NEWCGROUP), C(CLONE_NEWIPC), C(CLONE_NEWNET), C(CLONE_NEWNS),
        C(CLONE_NEWPID), C(CLONE_NEWUSER), C(CLONE_NEWUTS), C(CLONE_PARENT), C(CLONE_PTRACE), C(CLONE_SIGHAND),
        C(CLONE_SYSVSEM), C(CLONE_THREAD), C(CLONE_UNTRACED), C(CLONE_VFORK), C(CLONE_VM),

        /* socket(2), setsockopt(2) */
        C(AF_INET), C(AF_INET6), C(AF_NETLINK), C(AF_PACKET), C(AF_UNIX), C(AF_VSOCK), C(IPPROTO_ICMP),
        C(IPPROTO_ICMPV6), C(IPPROTO_IP), C(IPPROTO_IPV6), C(IPPROTO_RAW), C(IPPROTO_SCTP), C(IPPROTO_TCP),
        C(IPPROTO_UDP), C(NETLINK_AUDIT), C(NETLINK_GENERIC), C(NETLINK_KOBJECT_UEVENT), C(NETLINK_NETFILTER),
        C(NETLINK_ROUTE), C(SOCK_CLOEXEC), C(SOCK_DGRAM), C(SOCK_NONBLOCK), C(SOCK_RAW), C(SOCK_SEQPACKET),
        C(SOCK_STREAM), C(SOL_SOCKET), C(SO_ATTACH_FILTER), C(SO_BINDTODEVICE), C(SO_MARK), C(SO_PRIORITY),
        C(SO_RCVBUF), C(SO_REUSEADDR), C(SO_REUSEPORT), C(SO_SNDBUF),

        /* mmap(2), mprotect(2), madvise(2), mlockall(2), memfd_create(2) */
        C(MADV_DONTNEED), C(MADV_FREE), C(MADV_HUGEPAGE), C(MADV_MERGEABLE), C(MADV_REMOVE), C(MAP_ANONYMOUS),
        C(MAP_FIXED), C(MAP_GROWSDOWN), C(MAP_HUGETLB), C(MAP_LOCKED), C(MAP_POPULATE), C(MAP_PRIVATE), C(MAP_SHARED),
        C(MCL_CURRENT), C(MCL_FUTURE), C(MFD_ALLOW_SEALING), C(MFD_CLOEXEC), C(MFD_HUGETLB), C(PROT_EXEC),
        C(PROT_GROWSDOWN), C(PROT_GROWSUP), C(PROT_NONE), C(PROT_READ), C(PROT_WRITE),

        /* open(2), fcntl(2), chmod(2), mknod(2), fallocate(2) */
        C(F_ADD_SEALS), C(F_DUPFD), C(F_DUPFD_CLOEXEC), C(F_GETFD), C(F_GETFL), C(F_NOTIFY), C(F_SETFD), C(F_SETFL),
        C(F_SETLEASE), C(F_SETOWN), C(F_SETPIPE_SZ), C(O_APPEND), C(O_CREAT), C(O_DIRECT), C(O_DIRECTORY), C(O_EXCL),
        C(O_NOATIME), C(O_NOFOLLOW), C(O_NONBLOCK), C(O_PATH), C(O_RDONLY), C(O_RDWR), C(O_SYNC), C(O_TRUNC),
        C(O_WRONLY), C(S_IFBLK), C(S_IFCHR), C(S_IFDIR), C(S_IFIFO), C(S_IFREG), C(S_IFSOCK), C(S_ISGID), C(S_ISUID),
        C(S_ISVTX),

        /* prctl(2), personality(2), ptrace(2), setrlimit(2), sched_setscheduler(2) */
        C(ADDR_COMPAT_LAYOUT), C(ADDR_NO_RANDOMIZE), C(PER_LINUX), C(PER_LINUX32), C(PR_SET_DUMPABLE), C(PR_SET_MM),
        C(PR_SET_NAME), C(PR_SET_NO_NEW_PRIVS), C(PR_SET_PDEATHSIG), C(PR_SET_SECCOMP), C(PR_SET_TIMERSLACK),
        C(PTRACE_ATTACH), C(PTRACE_SEIZE), C(PTRACE_TRACEME), C(READ_IMPLIES_EXEC), C(RLIMIT_AS), C(RLIMIT_CORE),
        C(RLIMIT_CPU), C(RLIMIT_FSIZE), C(RLIMIT_MEMLOCK), C(RLIMIT_NOFILE), C(RLIMIT_NPROC), C(RLIMIT_STACK),
        C(SCHED_BATCH), C(SCHED_FIFO), C(SCHED_IDLE), C(SCHED_OTHER), C(SCHED_RR),

        /* kill(2) */
        C(SIGABRT), C(SIGALRM), C(SIGCHLD), C(SIGCONT), C(SIGHUP), C(SIGINT), C(SIGKILL), C(SIGPIPE), C(SIGQUIT),
        C(SIGSTOP), C(SIGTERM), C(SIGTSTP), C(SIGTTIN), C(SIGTTOU), C(SIGUSR1), C(SIGUSR2), C(SIGWINCH),

        /* bpf(2), keyctl(2), renameat2(2) */
        C(BPF_MAP_CREATE), C(BPF_PROG_LOAD), C(KEYCTL_JOIN_SESSION_KEYRING), C(KEYCTL_READ), C(KEYCTL_REVOKE),
        C(RENAME_EXCHANGE), C(RENAME_NOREPLACE), C(RENAME_WHITEOUT),
};
/* clang-format on */

/* address_families(7), by the names of <sys/socket.h>. */
/* clang-format off */
static const struct {
        const char *name;
        uint32_t value;
} families[] = {
        C(AF_ALG), C(AF_APPLETALK), C(AF_ATMPVC), C(AF_ATMSVC), C(AF_AX25), C(AF_BLUETOOTH),
        C(AF_BRIDGE), C(AF_CAIF), C(AF_CAN), C(AF_DECnet), C(AF_IB), C(AF_IEEE802154),
        C(AF_INET), C(AF_INET6), C(AF_IPX), C(AF_ISDN), C(AF_IUCV), C(AF_KCM),
        C(AF_KEY), C(AF_LLC), C(AF_LOCAL), C(AF_MPLS), C(AF_NETLINK), C(AF_NETROM),
        C(AF_NFC), C(AF_PACKET), C(AF_PHONET), C(AF_PPPOX), C(AF_QIPCRTR), C(AF_RDS),
        C(AF_ROSE), C(AF_RXRPC), C(AF_SMC), C(AF_TIPC), C(AF_UNIX), C(AF_VSOCK),
        C(AF_WANPIPE), C(AF_X25), C(AF_XDP),
};
/* clang-format on */

_Static_assert(ELEMENTSOF(families) <= ADDRESS_FAMILIES_MAX, "all of them fit into an array");

int address_family_by_name(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (streq(families[i].name, name))
                        return (int) families[i].value;

        return -EINVAL;
}

static int part_parse(const char *s, size_t n, uint64_t *ret) {
        uint64_t value;

        if (n == 0)
                return -EINVAL;
        if (s[0] >= '0' && s[0] <= '9') {
                char *end;

                /* As in C, a leading 0 means octal. Some versions of glibc know 0b as well. */
                errno = 0;
                value = strtoull(s, &end, 0);
                if (errno == ERANGE)
                        return -ERANGE;
                if (end != s + n || s[1] == 'b' || s[1] == 'B')
                        return -EINVAL;

                *ret = value;
                return 0;
        }

        for (size_t i = 0; i < ELEMENTSOF(constants); i++)
                if (strlen(constants[i].name) == n && strncmp(constants[i].name, s, n) == 0) {
                        *ret = constants[i].value;
                        return 0;
                }

        return -EINVAL;
}

int call_value_parse(const char *s, uint64_t *ret) {
        uint64_t value = 0;

        for (;;) {
                const size_t n = strcspn(s, "|");
                uint64_t part;
                int r;

                r = part_parse(s, n, &part);
                if (r < 0)
                        return r;

                value |= part;
                s += n;
                if (*s == '\0')
                        break;
                s++;
        }

        *ret = value;
        return 0;
}
