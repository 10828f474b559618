/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The keeper's reader of packets from whoever holds a lease. */

#include "fuzz.h"
#include "keeper/parts/lease-server.h"

#include <signal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        LeaseRequest request = { .stop = true, .signo = -7 };
        int r;

        r = lease_server_parse((const char *) data, size, &request);
        if (r < 0) {
                must(r == -EBADMSG);
                must(request.stop && request.signo == -7);
        } else
                must(request.signo >= 0 && request.signo < _NSIG);

        return 0;
}
