/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* immurectl's reader of what a keeper says over a lease: several packets, with 0x1e between them. */

#include "ctl/exit-status.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        LeaseReport report = LEASE_REPORT_INIT;
        _cleanup_free_ char *packet = NULL;
        size_t n;

        while (fuzz_next(&data, &size, 0x1e, &packet, &n)) {
                LeaseReport before = report;
                int r, status;

                r = lease_report_read(&report, packet, n);
                must(r == 0 || r == -EBADMSG);
                if (r < 0)
                        must(memcmp(&before, &report, sizeof(report)) == 0);
                must(memchr(report.result, '\0', sizeof(report.result)));
                must(memchr(report.code, '\0', sizeof(report.code)));
                must(memchr(report.text, '\0', sizeof(report.text)));

                status = exit_status_from_report(&report);
                must(status >= 0 && status <= 255);
                status = exit_status_from_error(report.result, report.text);
                must(status >= 0 && status <= 255);
        }

        return 0;
}
