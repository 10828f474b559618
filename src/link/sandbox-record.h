/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * sandbox-record — everything the broker shows of a sandbox: the keeper's truth, sent as a{sv}
 *
 * What there is stands in sandbox-record.def, for link and bus alike.
 *
 * Life: made by the keeper, or read from its message; freed with all it holds. Runs in: keeper, broker.
 * Privilege: none. Input: the keeper's, trusted to be root, not to be right; ids are users' too.
 */

#include "base/util.h"
#include "plan/sandbox-state.h"

#include <systemd/sd-bus.h>

typedef struct SandboxRecord {
#define FIELD(name, kind, signature, type, member, link, bus) type member;
#include "link/sandbox-record.def"
#undef FIELD
} SandboxRecord;

/* The client's streams have not come yet: it counts, but nobody is told of it. */
#define SUB_STATE_STREAMS "streams"

typedef enum RecordField {
#define FIELD(name, kind, signature, type, member, link, bus) RECORD_FIELD_##member,
#include "link/sandbox-record.def"
#undef FIELD
        _RECORD_FIELD_MAX,
} RecordField;

bool sandbox_record_is_hidden(const SandboxRecord *r);

SandboxRecord *sandbox_record_free(SandboxRecord *r); /* takes NULL, returns NULL */
DECLARE_CLEANUP(SandboxRecord *, sandbox_record_free);

/* Appends the record as one a{sv}. Errors as sd_bus_message_append(). */
int sandbox_record_append(sd_bus_message *m, const SandboxRecord *r);
/*
 * Reads one a{sv}, of this version or another: unknown names are passed over, missing ones get their default (the
 * empty value). -EBADMSG: without what identifies a sandbox, or malformed. -ENOMEM.
 */
int sandbox_record_read(sd_bus_message *m, SandboxRecord **ret);

/* The bare value of one field. */
int sandbox_record_append_field(sd_bus_message *m, const SandboxRecord *r, RecordField field);
bool sandbox_record_equal_field(const SandboxRecord *a, const SandboxRecord *b, RecordField field);

/* The result of that name; one that only another version has a name for is SANDBOX_RESOURCES. */
SandboxResult sandbox_result_of(const char *name);

/* "PROFILE.UID.N" apart; outputs may be NULL. -EINVAL: no id. profile: at least 33 bytes. */
int sandbox_id_parse(const char *id, char *ret_profile, uint32_t *ret_uid, uint32_t *ret_n);

/* 32 hexadecimal digits, in lower case as sd_id128_to_string(3) writes them; false for NULL. */
bool invocation_id_is_valid(const char *s);
