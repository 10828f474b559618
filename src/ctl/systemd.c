/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/systemd.h"

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/output.h"

#include <stdarg.h>
#include <systemd/sd-daemon.h>

#define NAME "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define INTERFACE "org.freedesktop.systemd1.Manager"

#define ANSWER_TIMEOUT_USEC (15 * 60 * USEC_PER_SEC)

bool systemd_is_there(void) { return sd_booted() > 0; }

/* client_error() would blame the broker, which need not even run for this. */
static int fail(const char *what, const sd_bus_error *error, int r) {
        return ctl_error(
                r, "systemd: %s: %s", what, error && error->message ? error->message : strerror(-r));
}

/* As long as systemctl(1) waits: on a busy machine systemd is slow to read all units and to answer. */
int systemd_open(sd_bus **ret) {
        int r;

        r = client_open(ret);
        if (r >= 0)
                (void) sd_bus_set_method_call_timeout(*ret, ANSWER_TIMEOUT_USEC);
        return r;
}

int systemd_call(sd_bus *bus, const char *what, const char *method, const char *types, ...) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = sd_bus_call_methodv(bus, NAME, PATH, INTERFACE, method, &error, NULL, types, ap);
        va_end(ap);
        return r < 0 ? fail(what, &error, r) : 0;
}

typedef struct Job {
        char *path;
        char *result; /* NULL: not over yet */
} Job;

static void job_done(Job *j) {
        free(j->path);
        free(j->result);
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path, *unit, *result;
        Job *j = userdata;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 && j->path &&
            streq(path, j->path) && !j->result)
                j->result = strdup(result);

        return 0;
}

static int wait_for_job(sd_bus *bus, const Job *j) {
        while (!j->result) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        return fail("no word of the job", NULL, r);
        }

        return 0;
}

int systemd_run_job(sd_bus *bus, const char *method, const char *unit) {
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(job_done) Job j = {};
        const char *path;
        int r;

        r = sd_bus_match_signal(bus, &slot, NAME, PATH, INTERFACE, "JobRemoved", on_job_removed, &j);
        if (r >= 0)
                r = sd_bus_call_method(
                        bus, NAME, PATH, INTERFACE, method, &error, &reply, "ss", unit, "replace");
        if (r < 0)
                return fail(unit, &error, r);

        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return client_message_error(r);
        j.path = strdup(path);
        if (!j.path)
                return ctl_error(-ENOMEM, "Out of memory");

        r = wait_for_job(bus, &j);
        if (r < 0)
                return r;
        if (!streq(j.result, "done"))
                return ctl_error(-EIO, "%s: %s; see systemctl status '%s'", unit, j.result, unit);

        return 0;
}
