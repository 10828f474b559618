/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/client-streams.h"

#include "base/text.h"
#include "profile/names.h"

#include <stdio.h>

#define PREFIX "STREAMS="

const char *const client_stream_names[CLIENT_STREAMS_N] = { "stdin", "stdout", "stderr" };

static int read_names(char *names, int ret[static CLIENT_STREAMS_N]) {
        uint32_t seen = 0;
        int n = 0;

        for (char *name; (name = strsep(&names, " "));) {
                const int number = name_value(client_stream_names, CLIENT_STREAMS_N, name);

                if (number < 0 || seen & CLIENT_STREAM(number))
                        return -EBADMSG;

                seen |= CLIENT_STREAM(number);
                ret[n++] = number;
        }

        return n;
}

int client_streams_read(const char *packet, size_t size, int ret[static CLIENT_STREAMS_N]) {
        char copy[CLIENT_STREAMS_PACKET_MAX + 1], *rest = copy;
        int numbers[CLIENT_STREAMS_N], n = -EBADMSG;

        if (size > CLIENT_STREAMS_PACKET_MAX || memchr(packet, '\0', size))
                return -EBADMSG;

        memcpy(copy, packet, size);
        copy[size] = '\0';

        for (char *line; (line = strsep(&rest, "\n"));) {
                if (!startswith(line, PREFIX))
                        continue;
                if (n >= 0)
                        return -EBADMSG;

                n = read_names(line + strlen(PREFIX), numbers);
                if (n < 0)
                        return n;
        }

        for (int i = 0; i < n; i++)
                ret[i] = numbers[i];
        return n;
}

size_t client_streams_write(uint32_t streams, char ret[static CLIENT_STREAMS_PACKET_MAX]) {
        const char *before = PREFIX;
        size_t n = 0;

        for (int i = 0; i < CLIENT_STREAMS_N; i++) {
                if (!(streams & CLIENT_STREAM(i)))
                        continue;

                n += (size_t) snprintf(
                        ret + n, CLIENT_STREAMS_PACKET_MAX - n, "%s%s", before, client_stream_names[i]);
                before = " ";
        }

        return n;
}
