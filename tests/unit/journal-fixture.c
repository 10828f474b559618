/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-fixture.h"

#include "base/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

void fake_journal_start(FakeJournal *j) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *j = (FakeJournal){ .directory = "/tmp/test-journal-XXXXXX" };
        assert_non_null(mkdtemp(j->directory));
        (void) snprintf(j->path, sizeof(j->path), "%s/socket", j->directory);
        memcpy(address.sun_path, j->path, strlen(j->path));
        j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(j->fd >= 0);
        assert_int_equal(bind(j->fd, (struct sockaddr *) &address, sizeof(address)), 0);
        journal_use(j->path);
}

void fake_journal_stop(FakeJournal *j) {
        (void) close(j->fd);
        assert_int_equal(unlink(j->path), 0);
        assert_int_equal(rmdir(j->directory), 0);
        journal_use("/nonexistent/journal");
}

bool fake_journal_receive(FakeJournal *j, FakeEntry *ret) {
        ssize_t n = recv(j->fd, ret->bytes, sizeof(ret->bytes), 0);

        ret->size = n > 0 ? (size_t) n : 0;
        return n > 0;
}

/* One field from its beginning; returns the beginning of the next. */
static const char *
next_field(const char *at, const char *end, size_t *ret_name, const char **ret_value, size_t *ret_size) {
        size_t name = strcspn(at, "=\n");

        assert_true(at + name < end);
        *ret_name = name;
        if (at[name] == '=') {
                const char *newline = memchr(at, '\n', (size_t) (end - at));

                assert_non_null(newline);
                *ret_value = at + name + 1;
                *ret_size = (size_t) (newline - *ret_value);
                return newline + 1;
        }

        *ret_size = 0;
        for (size_t i = 0; i < 8; i++)
                *ret_size |= (size_t) (uint8_t) at[name + 1 + i] << 8 * i;
        *ret_value = at + name + 9;
        assert_true(*ret_value + *ret_size < end);
        assert_int_equal((*ret_value)[*ret_size], '\n');
        return *ret_value + *ret_size + 1;
}

static size_t find(const FakeEntry *e, const char *wanted, const char **ret_value, size_t *ret_size) {
        const char *at = e->bytes, *end = e->bytes + e->size;
        size_t found = 0;

        while (at < end) {
                const char *begin = at, *value;
                size_t name, size;

                at = next_field(at, end, &name, &value, &size);
                if (name == strlen(wanted) && strncmp(begin, wanted, name) == 0) {
                        *ret_value = value;
                        *ret_size = size;
                        found++;
                }
        }

        return found;
}

bool fake_entry_has(const FakeEntry *e, const char *name) {
        const char *value;
        size_t size;

        return find(e, name, &value, &size) > 0;
}

const char *fake_entry_field(const FakeEntry *e, const char *name) {
        static char text[65536];
        const char *value = NULL;
        size_t size = 0;

        assert_int_equal(find(e, name, &value, &size), 1);
        memcpy(text, value, size);
        text[size] = '\0';
        return text;
}
