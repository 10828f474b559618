/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fake-broker — something for immurectl to talk to: a child process that speaks D-Bus on a socket of its own
 *
 * It is found through DBUS_SYSTEM_BUS_ADDRESS, plays the bus as far as Hello goes, and hands every other call to the
 * test's handler. It serves one connection after the other.
 */

#include "base/util.h"

#include <sys/types.h>
#include <systemd/sd-bus.h>

/* Answers a call: replies itself, or returns a negative errno (an error reply). */
typedef int (*FakeHandler)(sd_bus_message *m);

typedef struct FakeBroker {
        char directory[32];
        char socket[64];
        pid_t pid;
} FakeBroker;

/* Both assert: without them there is nothing to test. */
void fake_broker_start(FakeBroker *f, FakeHandler handler);
void fake_broker_stop(FakeBroker *f);

typedef struct CtlRun {
        int in, out, err; /* for its standard streams; -EBADF: /dev/null */
        pid_t pid;
} CtlRun;

/* Runs immurectl's command line in a child: words behind the program's name, NULL at the end. */
void ctl_start(CtlRun *run, const char *const *words);
/* Waits for it: exit status, or 1000 + signal. */
int ctl_wait(CtlRun *run);

/* Runs it to its end; what it wrote, up to a fixed size, NUL added. ret_out and ret_err: CTL_TEXT_MAX bytes. */
#define CTL_TEXT_MAX 16384
int ctl_run(const char *const *words, char *ret_out, char *ret_err);
