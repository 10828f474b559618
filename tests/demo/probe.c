/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * probe — what a process can see and do, as lines "name<TAB>value"
 *
 * usage: probe REPORT GO PORT OTHER-PID
 *
 * Writes to REPORT, then stays until GO exists, so that it can be looked at from outside meanwhile. The demo has it
 * built inside a sandbox and runs it in others, and once without one.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static FILE *report;

static void say_result(const char *name, int result) {
        fprintf(report, "%s\t%s\n", name, result < 0 ? strerrorname_np(errno) : "works");
}

/* The entries of a directory that are no dots; all of them, or only numbers. */
static void say_directory(const char *name, const char *path, int numbers_only) {
        const char *separator = "";
        DIR *d = opendir(path);

        fprintf(report, "%s\t", name);
        if (!d)
                fprintf(report, "%s", strerrorname_np(errno));
        for (struct dirent *e; d && (e = readdir(d));) {
                if (e->d_name[0] == '.' || (numbers_only && !isdigit((unsigned char) e->d_name[0])))
                        continue;
                fprintf(report, "%s%s", separator, e->d_name);
                separator = " ";
        }
        fprintf(report, "\n");
        if (d)
                closedir(d);
}

static void say_status_line(const char *name, const char *key) {
        char line[1024];
        FILE *f = fopen("/proc/self/status", "re");

        while (f && fgets(line, sizeof(line), f))
                if (strncmp(line, key, strlen(key)) == 0)
                        fprintf(report,
                                "%s\t%s",
                                name,
                                line + strlen(key) + strspn(line + strlen(key), ":\t "));
        if (f)
                fclose(f);
}

static void say_ids(void) {
        char name[65] = "";
        gid_t groups[64];
        int n = getgroups(64, groups);

        fprintf(report, "uid\t%u\ngid\t%u\ngroups\t", getuid(), getgid());
        for (int i = 0; i < n; i++)
                fprintf(report, "%s%u", i ? " " : "", groups[i]);
        fprintf(report, "\n");
        say_result("setuid root", setuid(0));
        gethostname(name, sizeof(name) - 1);
        fprintf(report, "hostname\t%s\n", name);
}

static void say_processes(int other) {
        say_directory("processes", "/proc", 1);
        say_result("signal to a process outside", kill(other, 0));
}

static int try_open(const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC, 0600);

        return fd < 0 ? -1 : close(fd);
}

static void say_files(void) {
        const char *home = getenv("HOME");
        char path[4096];

        say_directory("homes", "/home", 0);
        snprintf(path, sizeof(path), "%s/data", home ? home : "");
        say_directory("own data", path, 0);
        snprintf(path, sizeof(path), "%s/letter.txt", home ? home : "");
        say_result("read own letter", try_open(path, O_RDONLY));
        say_result("read /var/log", try_open("/var/log", O_RDONLY | O_DIRECTORY));
        say_result("read /etc/machine-id", try_open("/etc/machine-id", O_RDONLY));
        say_result("connect to the bus",
                   access("/run/dbus/system_bus_socket", R_OK | W_OK)); /* its file is what lets one */
        say_result("write into /usr", access("/usr", W_OK));
        say_result("make a file in /", try_open("/probe", O_WRONLY | O_CREAT));
        say_result("write to a kernel setting", access("/proc/sys/kernel/hostname", W_OK));
        say_result("see devices", access("/sys/devices", R_OK));
}

static void say_devices(void) {
        FILE *f = fopen("/proc/self/net/dev", "re");
        char line[1024];

        fprintf(report, "network devices\t%s", f ? "" : strerrorname_np(errno));
        while (f && fgets(line, sizeof(line), f))
                if (strchr(line, ':'))
                        fprintf(report,
                                "%.*s ",
                                (int) strcspn(line + strspn(line, " "), ":"),
                                line + strspn(line, " "));
        fprintf(report, "\n");
        if (f)
                fclose(f);
}

static void say_network(int port) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        say_devices();
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        say_result("connect to a service of the host",
                   fd < 0 ? -1 : connect(fd, (struct sockaddr *) &a, sizeof(a)));
        if (fd >= 0)
                close(fd);
        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 12 /* netfilter */);
        say_result("netfilter socket", fd);
        if (fd >= 0)
                close(fd);
}

static void say_rights(void) {
        say_status_line("capabilities", "CapEff");
        say_status_line("capabilities to gain", "CapBnd");
        say_status_line("no new privileges", "NoNewPrivs");
        say_status_line("system call filter", "Seccomp:");
}

/* Attempts that would change nothing if they worked, the one that changes this process last. */
static void say_system_calls(void) {
        char name[65] = "";

        gethostname(name, sizeof(name) - 1);
        say_result("mount()", mount(NULL, "/", "no-such-type", 0, NULL));
        say_result("bpf()", (int) syscall(SYS_bpf, 0, NULL, 0));
        say_result("io_uring_setup()", (int) syscall(SYS_io_uring_setup, 1, NULL));
        say_result("keyctl()", (int) syscall(SYS_keyctl, 0, -3, 0, 0, 0));
        say_result("clone3()", (int) syscall(SYS_clone3, NULL, 0));
        say_result("sethostname()", sethostname(name, strlen(name)));
        say_result("new user namespace", unshare(CLONE_NEWUSER));
}

int main(int argc, char **argv) {
        if (argc != 5)
                return 2;
        /* What it attempts is for those who may not. */
        if (geteuid() == 0 || getuid() == 0)
                return 3;
        report = fopen(argv[1], "we");
        if (!report)
                return 1;

        say_ids();
        say_processes(atoi(argv[4]));
        say_files();
        say_network(atoi(argv[3]));
        say_rights();
        say_system_calls();
        fprintf(report, "end\tyes\n");
        if (fclose(report) != 0)
                return 1;

        /* A minute: should nobody come to say go. */
        for (int i = 0; i < 6000 && access(argv[2], F_OK) < 0; i++)
                usleep(10000);
        return 0;
}
