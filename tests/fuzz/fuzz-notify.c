/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The keeper's reader of what an application says of itself. */

#include "fuzz.h"
#include "keeper/parts/notify-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        NotifyMessage message = { .extend_usec = 77 };
        int r;

        r = notify_message_parse((const char *) data, size, &message);
        if (r < 0) {
                must(r == -EBADMSG);
                must(size > NOTIFY_PACKET_MAX || memchr(data, '\0', size));
                must(message.extend_usec == 77 && !message.has_status);
                return 0;
        }

        must(memchr(message.status, '\0', sizeof(message.status)));
        must(message.has_status || !*message.status);
        fuzz_must_be_text(message.status);
        return 0;
}
