/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * probe — a program that says what it sees, from its first instruction, and tries what it must not be able to do
 *
 *   probe facts             name=value lines on stdout
 *   probe attack            name=errno lines: what an application with every capability inside gets for trying
 *   probe touch PATH        errno of creating a file there
 *   probe read PATH         the first line, or errno
 *   probe exit N            exit status N
 *   probe raise N           dies by signal N
 *   probe wait              says "ready", then the number of the first signal that arrives
 *   probe orphans           leaves children behind, says how many of them pid 1 has reaped
 *
 * Static, without any file of the host, so that a tree may hold nothing but it.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

static int wanted_errno(long r) { return r < 0 ? errno : 0; }

static void copy_lines(const char *path, const char *prefix) {
        char line[8192];
        FILE *f;

        f = fopen(path, "re");
        if (!f) {
                printf("%s=errno %d\n", prefix, errno);
                return;
        }
        while (fgets(line, sizeof(line), f))
                printf("%s=%s", prefix, line);
        fclose(f);
}

static void facts_descriptors(void) {
        printf("fds=");
        for (int fd = 0; fd < 4096; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        printf(" %d", fd);
        printf("\n");
}

static void facts_signals(void) {
        sigset_t blocked;
        int n_blocked = 0, n_changed = 0;

        sigprocmask(SIG_SETMASK, NULL, &blocked);
        for (int s = 1; s < 65; s++) {
                struct sigaction a;

                n_blocked += sigismember(&blocked, s) == 1;
                n_changed += sigaction(s, NULL, &a) == 0 && a.sa_handler != SIG_DFL;
        }
        printf("signals-blocked=%d\nsignals-changed=%d\n", n_blocked, n_changed);
}

static void facts_limits(void) {
        for (int i = 0; i < RLIM_NLIMITS; i++) {
                struct rlimit l;

                if (getrlimit(i, &l) == 0)
                        printf("rlimit%d=%llu:%llu\n",
                               i,
                               (unsigned long long) l.rlim_cur,
                               (unsigned long long) l.rlim_max);
        }
}

static void facts_network(void) {
        struct if_nameindex *all = if_nameindex();
        struct ifreq request = { .ifr_name = "lo" };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        printf("interfaces=");
        for (struct if_nameindex *i = all; i && i->if_name; i++)
                printf(" %s", i->if_name);
        printf("\nlo-up=%d\n",
               fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP);
        if (fd >= 0)
                close(fd);
}

static void facts_process(char **argv, char **environment) {
        struct utsname u;
        gid_t groups[64];
        uid_t r, e, s;
        char cwd[4096];
        mode_t mask;
        int n;

        getresuid(&r, &e, &s);
        printf("uids=%u %u %u\n", r, e, s);
        getresgid(&r, &e, &s);
        printf("gids=%u %u %u\n", r, e, s);
        n = getgroups(ELEMENTSOF(groups), groups);
        printf("groups=");
        for (int i = 0; i < n; i++)
                printf(" %u", groups[i]);
        printf("\npid=%d\nppid=%d\nsid=%d\npgid=%d\n", getpid(), getppid(), getsid(0), getpgid(0));
        uname(&u);
        printf("hostname=%s\ndomain=%s\n", u.nodename, u.domainname);
        printf("cwd=%s\n", getcwd(cwd, sizeof(cwd)) ?: "none");
        mask = umask(0);
        printf("umask=%04o\n", mask);
        printf("nice=%d\npersonality=%d\n", getpriority(PRIO_PROCESS, 0), personality(0xffffffff));
        /* "keyring;UID;GID;RIGHTS;NAME" */
        n = (int) syscall(SYS_keyctl, KEYCTL_DESCRIBE, -3 /* KEY_SPEC_SESSION_KEYRING */, cwd, sizeof(cwd));
        printf("session-keyring-name=%s\n", n > 0 ? strrchr(cwd, ';') + 1 : "none");
        printf("securebits=%d\n", prctl(PR_GET_SECUREBITS));
        for (int i = 0; argv[i]; i++)
                printf("argv%d=%s\n", i, argv[i]);
        for (int i = 0; environment[i]; i++)
                printf("env=%s\n", environment[i]);
        printf("env-end=\n");
}

static void facts_namespaces(void) {
        static const char *const names[] = { "user", "pid", "mnt", "net", "ipc", "uts", "cgroup" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char path[32], target[64];
                ssize_t n;

                snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
                n = readlink(path, target, sizeof(target));
                printf("ns/%s=%.*s\n", names[i], n < 0 ? 0 : (int) n, target);
        }
}

static int facts(char **argv, char **environment) {
        facts_descriptors();
        facts_process(argv, environment);
        facts_signals();
        facts_limits();
        facts_network();
        facts_namespaces();
        copy_lines("/proc/self/status", "status");
        copy_lines("/proc/self/oom_score_adj", "oom");
        copy_lines("/proc/self/uid_map", "uid_map");
        copy_lines("/proc/self/setgroups", "setgroups");
        copy_lines("/proc/self/mountinfo", "mount");
        printf("proc-sys=%d\n", access("/proc/sys", F_OK));
        printf("proc-1=%d\n", access("/proc/1", F_OK));
        return 0;
}

static int clear_read_only(const char *path, unsigned flags) {
        struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

        return wanted_errno(mount_setattr(AT_FDCWD, path, flags, &attr, sizeof(attr)));
}

static int remount_writable(const char *path) {
        return wanted_errno(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int attack_remount_root(void) { return remount_writable("/"); }
static int attack_remount_usr(void) { return remount_writable("/ro"); }
static int attack_setattr_root(void) { return clear_read_only("/", 0); }
static int attack_setattr_usr(void) { return clear_read_only("/ro", AT_RECURSIVE); }
static int attack_umount_ro(void) { return wanted_errno(umount2("/ro", MNT_DETACH)); }
static int attack_umount_mask(void) { return wanted_errno(umount2("/ro/masked", MNT_DETACH)); }
static int attack_umount_file_mask(void) { return wanted_errno(umount2("/ro/masked-file", MNT_DETACH)); }
static int attack_umount_proc(void) { return wanted_errno(umount2("/proc", MNT_DETACH)); }
static int attack_umount_null(void) { return wanted_errno(umount2("/dev/null", MNT_DETACH)); }
static int attack_mount_proc(void) { return wanted_errno(mount("proc", "/tmp", "proc", 0, NULL)); }
static int attack_mount_sysfs(void) { return wanted_errno(mount("sysfs", "/tmp", "sysfs", 0, NULL)); }
static int attack_sethostname(void) { return wanted_errno(sethostname("x", 1)); }
static int attack_setgroups(void) {
        static const gid_t none[1];

        return wanted_errno(syscall(SYS_setgroups, 0, none));
}
static int attack_setuid_root(void) { return wanted_errno(setuid(0)); }
static int attack_mknod(void) { return wanted_errno(mknod("/tmp/device", S_IFBLK | 0600, 0x800)); }
static int attack_ptrace_init(void) { return wanted_errno(ptrace(PTRACE_ATTACH, 1, NULL, NULL)); }
static int attack_write_root(void) { return wanted_errno(mkdir("/new", 0700)); }
static int attack_reconfigure_root(void) {
        int fd = (int) syscall(SYS_fspick, AT_FDCWD, "/", 0);

        if (fd < 0 || fsconfig(fd, FSCONFIG_SET_FLAG, "rw", NULL, 0) < 0)
                return errno;
        return wanted_errno(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
}

/* A copy without its children would show what lies below a mask. */
static int attack_open_tree_below_mask(void) {
        return wanted_errno(open_tree(AT_FDCWD, "/ro", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

static int attack_bind_writable(void) {
        mkdir("/tmp/copy", 0700);
        if (mount("/ro", "/tmp/copy", NULL, MS_BIND | MS_REC, NULL) < 0)
                return errno;
        return remount_writable("/tmp/copy");
}

static int attack_move_mount(void) {
        mkdir("/tmp/moved", 0700);
        return wanted_errno(mount("/ro", "/tmp/moved", NULL, MS_MOVE, NULL));
}

static int attack_join_init(void) {
        int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

        return fd < 0 ? errno : wanted_errno(setns(fd, CLONE_NEWNS));
}

static int attack_init_root(void) {
        return wanted_errno(open("/proc/1/root/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Once more from a user namespace below. */
static int in_child_namespace(int (*attack)(void)) {
        int status;
        pid_t pid;

        pid = fork();
        if (pid == 0) {
                if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                        _exit(errno);
                _exit(attack());
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int attack_nested_umount_mask(void) { return in_child_namespace(attack_umount_mask); }
static int attack_nested_remount(void) { return in_child_namespace(attack_remount_usr); }

#define ATTACK(name) \
        { #name, attack_##name }
static int attack(void) {
        static const struct {
                const char *name;
                int (*run)(void);
        } attacks[] = {
                ATTACK(remount_root),     ATTACK(remount_usr),
                ATTACK(setattr_root),     ATTACK(setattr_usr),
                ATTACK(reconfigure_root), ATTACK(umount_ro),
                ATTACK(umount_mask),      ATTACK(umount_file_mask),
                ATTACK(umount_proc),      ATTACK(umount_null),
                ATTACK(mount_proc),       ATTACK(mount_sysfs),
                ATTACK(sethostname),      ATTACK(setgroups),
                ATTACK(setuid_root),      ATTACK(mknod),
                ATTACK(ptrace_init),      ATTACK(join_init),
                ATTACK(init_root),        ATTACK(open_tree_below_mask),
                ATTACK(move_mount),       ATTACK(nested_umount_mask),
                ATTACK(nested_remount),   ATTACK(bind_writable),
                ATTACK(write_root),
        };

        for (size_t i = 0; i < ELEMENTSOF(attacks); i++)
                printf("%s=%d\n", attacks[i].name, attacks[i].run());

        /* The capability is really there: this much a user namespace's owner may do. */
        printf("control=%d\n", wanted_errno(mount("tmpfs", "/tmp", "tmpfs", 0, NULL)));
        return 0;
}

static int touch(const char *path) {
        printf("touch=%d\n", wanted_errno(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
        return 0;
}

static int read_line(const char *path) {
        copy_lines(path, "read");
        return 0;
}

static int wait_signal(void) {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        printf("ready\n");
        fflush(stdout);
        printf("signal=%d\n", sigwaitinfo(&all, NULL));
        return 0;
}

/* Grandchildren whose parent is gone: pid 1 must reap them, else kill() would still find them. */
static int orphans(void) {
        pid_t pids[8];
        int fds[2], n_left = 0;

        if (pipe(fds) < 0)
                return 1;
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                pid_t child = fork();

                if (child == 0) {
                        pid_t grandchild = fork();

                        if (grandchild == 0)
                                _exit(0);
                        _exit(write(fds[1], &grandchild, sizeof(grandchild)) < 0);
                }
                waitpid(child, NULL, 0);
                if (read(fds[0], &pids[i], sizeof(pids[i])) < 0)
                        return 1;
        }

        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                int tries = 0;

                while (kill(pids[i], 0) == 0 && tries++ < 1000)
                        usleep(1000);
                n_left += kill(pids[i], 0) == 0;
        }
        printf("left=%d\n", n_left);
        return 0;
}

/* What sd_notify(3) does. */
static int notify(const char *text) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        struct stat st;

        if (!path || fd < 0 || stat(path, &st) < 0)
                return 1;

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (sendto(fd, text, strlen(text), 0, (struct sockaddr *) &address, sizeof(address)) < 0)
                return 1;

        printf("mode=%o %u\n", st.st_mode, st.st_uid);
        return 0;
}

int main(int argc, char **argv, char **environment) {
        const char *verb = argc > 1 ? argv[1] : "facts";
        const char *argument = argc > 2 ? argv[2] : "";

        if (strcmp(verb, "facts") == 0)
                return facts(argv, environment);
        if (strcmp(verb, "attack") == 0)
                return attack();
        if (strcmp(verb, "touch") == 0)
                return touch(argument);
        if (strcmp(verb, "read") == 0)
                return read_line(argument);
        if (strcmp(verb, "exit") == 0)
                return atoi(argument);
        if (strcmp(verb, "raise") == 0)
                return raise(atoi(argument));
        if (strcmp(verb, "wait") == 0)
                return wait_signal();
        if (strcmp(verb, "orphans") == 0)
                return orphans();
        if (strcmp(verb, "notify") == 0)
                return notify(argument);

        return 2;
}
