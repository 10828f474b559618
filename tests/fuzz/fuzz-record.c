/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The broker's reader of a keeper's records. libsystemd takes messages apart; here is what a well-formed message may
 * say: lines "NAME TYPE VALUE", each an entry of the a{sv}, with TYPE one of s u i t o and a (an array of texts).
 */

#include "base/strv.h"
#include "base/text.h"
#include "fuzz.h"
#include "link/link.h"

#include <stdlib.h>
#include <sys/socket.h>

static sd_bus *bus;

/* A connection that is never used, as messages belong to one. */
static void open_bus(void) {
        int pair[2];

        if (bus)
                return;
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        must(sd_bus_new(&bus) >= 0);
        must(sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        must(sd_bus_start(bus) >= 0);
}

static sd_bus_message *new_message(void) {
        sd_bus_message *m = NULL;

        open_bus();
        must(sd_bus_message_new_signal(bus, &m, LINK_KEEPER_PATH, LINK_KEEPER_INTERFACE, "Fuzz") >= 0);
        return m;
}

static int append_value(sd_bus_message *m, char type, char *value) {
        switch (type) {
        case 's':
                return sd_bus_message_append(m, "v", "s", value);
        case 'o':
                return sd_bus_message_append(m, "v", "o", value);
        case 'u':
                return sd_bus_message_append(m, "v", "u", (uint32_t) strtoul(value, NULL, 0));
        case 'i':
                return sd_bus_message_append(m, "v", "i", (int32_t) strtol(value, NULL, 0));
        case 't':
                return sd_bus_message_append(m, "v", "t", (uint64_t) strtoull(value, NULL, 0));
        default: {
                _cleanup_strv_ char **words = NULL;

                if (split_words(value, &words) < 0)
                        return -EINVAL;
                if (sd_bus_message_open_container(m, 'v', "as") < 0 ||
                    sd_bus_message_append_strv(m, words) < 0)
                        return -EINVAL;
                return sd_bus_message_close_container(m);
        }
        }
}

/* A message that sd-bus will not make cannot come out of it either. */
static int append_line(sd_bus_message *m, char *line) {
        char *name = strsep(&line, " "), *type = strsep(&line, " ");

        if (!type || !line)
                return 0;
        if (sd_bus_message_open_container(m, 'e', "sv") < 0 || sd_bus_message_append_basic(m, 's', name) < 0)
                return -EINVAL;
        if (append_value(m, type[0], line) < 0)
                return -EINVAL;
        return sd_bus_message_close_container(m) < 0 ? -EINVAL : 0;
}

static void seal(sd_bus_message *m) {
        must(sd_bus_message_seal(m, 1, 0) >= 0);
        must(sd_bus_message_rewind(m, true) >= 0);
}

static void check_again(const SandboxRecord *record) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_(sandbox_record_freep) SandboxRecord *again = NULL;
        uint32_t uid = 0;

        must(sandbox_id_parse(record->id, NULL, &uid, NULL) == 0);
        must(uid == record->uid);
        must(sandbox_record_append(m, record) >= 0);
        seal(m);
        must(sandbox_record_read(m, &again) == 0);
        must(streq(again->id, record->id) && again->state == record->state &&
             again->timestamp == record->timestamp);
        must(strv_length(again->enforced) == strv_length(record->enforced));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_(sandbox_record_freep) SandboxRecord *record = NULL;
        _cleanup_free_ char *line = NULL;
        size_t n;
        int r;

        must(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        while (fuzz_next(&data, &size, '\n', &line, &n))
                if (append_line(m, line) < 0)
                        return 0;
        must(sd_bus_message_close_container(m) >= 0);
        seal(m);

        r = sandbox_record_read(m, &record);
        must((r == 0) == (record != NULL));
        must(r == 0 || r == -EBADMSG);
        if (record)
                check_again(record);

        return 0;
}
