/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls every number of the system call tables with arguments that mean nothing (all bits set: no pointer, no
 * descriptor, no process), each in a child of its own, and tells what came of it: "TABLE NUMBER RESULT", where RESULT
 * is 0 or more, a negative errno, "exited", or "killed" with a signal. With bits all set kill(2) has no valid signal
 * and reboot(2) no valid magic, so that nothing comes to harm even where a filter has a hole.
 *
 * Static and without libc's wrappers on the way, to need as few calls itself as can be.
 */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_RETURNED INT64_MIN
#define X32_BIT 0x40000000U

static volatile int64_t *result;

static int64_t call_native(uint32_t number) {
        register int64_t r10 __asm__("r10") = -1, r8 __asm__("r8") = -1, r9 __asm__("r9") = -1;
        int64_t r = number;

        __asm__ volatile("syscall"
                         : "+a"(r)
                         : "D"(-1L), "S"(-1L), "d"(-1L), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return r;
}

static int64_t call_i386(uint32_t number) {
        int32_t r = (int32_t) number;

        __asm__ volatile("int $0x80" : "+a"(r) : "b"(-1), "c"(-1), "d"(-1), "S"(-1), "D"(-1) : "memory");
        return r;
}

static int64_t call_x32(uint32_t number) { return call_native(number | X32_BIT); }

static const struct {
        const char *name;
        int64_t (*call)(uint32_t number);
        uint32_t n_numbers, fork, vfork;
} tables[] = {
        { "native", call_native, 600, SYS_fork, SYS_vfork },
        { "i386", call_i386, 600, 2, 190 },
        { "x32", call_x32, 600, SYS_fork, SYS_vfork },
};

/* In the child: makes the call. A child of that child ends at once, and before it touches what it shares. */
static void make_call(size_t table, uint32_t number) {
        struct itimerval patience = { .it_value.tv_sec = 1 };
        int64_t r;

        (void) setitimer(ITIMER_REAL, &patience, NULL);
        r = tables[table].call(number);
        if (r == 0 && (number == tables[table].fork || number == tables[table].vfork))
                (void) syscall(SYS_exit_group, 0);
        *result = r;
        (void) syscall(SYS_exit_group, 0);
}

static void take_census(size_t table, uint32_t number) {
        int status = 0;
        pid_t pid;

        *result = NOT_RETURNED;
        pid = (pid_t) syscall(SYS_fork);
        if (pid == 0)
                make_call(table, number);
        while (pid > 0 && wait4(pid, &status, 0, NULL) != pid)
                ;

        if (pid < 0)
                printf("%s %u lost\n", tables[table].name, number);
        else if (*result != NOT_RETURNED)
                printf("%s %u %lld\n", tables[table].name, number, (long long) *result);
        else if (WIFSIGNALED(status))
                printf("%s %u killed %d\n", tables[table].name, number, WTERMSIG(status));
        else
                printf("%s %u exited\n", tables[table].name, number);
}

int main(int argc, char **argv) {
        static char buffer[1U << 17];

        setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
        result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (result == MAP_FAILED)
                return EXIT_FAILURE;

        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
                if (argc > 1 && strcmp(argv[1], tables[i].name) != 0)
                        continue;
                for (uint32_t number = 0; number < tables[i].n_numbers; number++)
                        take_census(i, number);
        }

        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
