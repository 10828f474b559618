/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * journal-fixture — a socket that plays the journal
 *
 * Runs in: unit tests. Privilege: none.
 */

#include "base/util.h"

typedef struct FakeJournal {
        char directory[32];
        char path[64];
        int fd;
} FakeJournal;

/* From here on entries go there; asserts. */
void fake_journal_start(FakeJournal *j);
/* From here on there is no journal. */
void fake_journal_stop(FakeJournal *j);

typedef struct FakeEntry {
        char bytes[65536];
        size_t size; /* 0: there was none */
} FakeEntry;

/* The next entry, without waiting. False: there is none. */
bool fake_journal_receive(FakeJournal *j, FakeEntry *ret);

/* The value of a field as text, which must be there once and not hold a NUL; valid until the next call. */
const char *fake_entry_field(const FakeEntry *e, const char *name);
bool fake_entry_has(const FakeEntry *e, const char *name);
