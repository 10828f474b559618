/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * audit — one record in the journal for each request that was carried out, failed or was denied
 *
 * Written where a call is answered, so that no handler has to think of it, and just before: whoever has the answer
 * finds the record. A verb is recorded unless the table in audit.c says that it only looks. Denials are recorded of
 * all verbs. Users get so many records in a time (RecordRateBurst=, RecordRateIntervalSec=), and one that counts the
 * rest; what root does and what an administrator changes is never left out. Calls that are refused before anybody
 * looks at them, as their user asks too much at once, are not recorded.
 *
 * Life: the note is part of its call. Runs in: broker. Privilege: none. Input: hostile; escaped in the record.
 */

#include "base/util.h"
#include "plan/plan.h"

#include <sys/types.h>

#define AUDIT_ARGUMENTS_MAX 1024U

struct Call;
struct Manager;

/* What a record says beside the call itself, kept as the object may be gone by then. */
typedef struct AuditNote {
        bool noted;
        bool hidden; /* the object exists, and the caller was told that it does not */
        char *id, *profile, *profile_hash, *user, *invocation_id;
        uid_t owner; /* UID_NOBODY: of nobody */
} AuditNote;

void audit_note_done(AuditNote *n);

/* Notes what the call is about, once its object was found. Again, if it was found anew. */
void audit_note(struct Call *c);
/* A call that is about a profile, and was found on no road of the dispatcher's. */
void audit_note_profile(struct Call *c, const char *name);
/* Notes the sandbox that a launch becomes, or would have become. */
void audit_note_launch(struct Call *c, const Plan *plan, const char *id, const char *invocation_id);

/* Writes the record of a call that is about to be answered, unless it has one: it was carried out, or c->error says
 * why not. */
void audit_call(struct Call *c, bool done);
