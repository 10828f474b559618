/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/exit-status.h"

#include "base/text.h"
#include "link/lease.h"

#include <stdio.h>

static int take_text(char *field, size_t size, const char *value) {
        size_t n = strlen(value);

        if (n >= size)
                return -EBADMSG;

        memcpy(field, value, n + 1);
        return 0;
}

static int take_state(LeaseReport *report, const char *value) {
        report->executed = report->executed || streq(value, "starting") || streq(value, "running");
        return 0;
}

static int take_result(LeaseReport *report, const char *value) {
        if (sandbox_result_from_name(value) < 0)
                return -EBADMSG;

        report->ended = true;
        return take_text(report->result, sizeof(report->result), value);
}

static int take_code(LeaseReport *report, const char *value) {
        return take_text(report->code, sizeof(report->code), value);
}

static int take_status(LeaseReport *report, const char *value) {
        int32_t status;

        if (parse_i32(value, &status) < 0 || status < 0 || status > 255)
                return -EBADMSG;

        report->status = status;
        return 0;
}

static int take_message(LeaseReport *report, const char *value) {
        return take_text(report->text, sizeof(report->text), value);
}

static int take_error(LeaseReport *report, const char *value) {
        return take_text(report->error, sizeof(report->error), value);
}

static const struct {
        const char *name; /* with its "=" */
        int (*take)(LeaseReport *report, const char *value);
} lease_fields[] = {
        { "STATE=", take_state },   { "RESULT=", take_result }, { "CODE=", take_code },
        { "STATUS=", take_status }, { "ERROR=", take_error },   { "TEXT=", take_message },
};

static int read_line(LeaseReport *report, const char *line) {
        if (!strchr(line, '='))
                return -EBADMSG;

        for (size_t i = 0; i < ELEMENTSOF(lease_fields); i++) {
                const char *value = startswith(line, lease_fields[i].name);

                if (value)
                        return lease_fields[i].take(report, value);
        }

        return 0;
}

int lease_report_read(LeaseReport *report, const char *packet, size_t size) {
        char copy[LEASE_PACKET_MAX + 1];
        LeaseReport next = *report;
        char *p = copy, *line;
        int r;

        if (size > LEASE_PACKET_MAX || memchr(packet, '\0', size))
                return -EBADMSG;

        memcpy(copy, packet, size);
        copy[size] = '\0';

        while ((line = strsep(&p, "\n"))) {
                if (!*line)
                        continue;

                r = read_line(&next, line);
                if (r < 0)
                        return r;
        }

        *report = next;
        return 0;
}

int exit_status_from_report(const LeaseReport *report) {
        if (report->status < 0)
                return exit_status_from_error(report->error, report->text);
        if (streq(report->code, "exited"))
                return report->status;
        if (streq(report->code, "killed") || streq(report->code, "dumped"))
                return MIN(EXIT_STATUS_SIGNAL + report->status, 255);

        return EXIT_STATUS_OWN;
}

/* The last step of building a sandbox. If it fails, all is well but the program itself. */
#define STEP_EXEC "exec: "

int exit_status_from_error(const char *name, const char *message) {
        static const char not_found[] = "No such file or directory";
        size_t n = message ? strlen(message) : 0;

        if (!name || !message || !streq(name, ERROR_SETUP_FAILED) || !startswith(message, STEP_EXEC))
                return EXIT_STATUS_OWN;
        if (n >= strlen(not_found) && streq(message + n - strlen(not_found), not_found))
                return EXIT_STATUS_NOT_FOUND;

        return EXIT_STATUS_NOT_EXECUTABLE;
}
