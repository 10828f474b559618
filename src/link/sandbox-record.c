/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/sandbox-record.h"

#include "base/strv.h"
#include "base/text.h"
#include "link/bus-dict.h"
#include "link/sandbox-id.h"

/* How a field lies in SandboxRecord and travels in its variant. */
typedef enum FieldKind {
        FIELD_TEXT,
        FIELD_TEXTS,
        FIELD_U32,
        FIELD_I32,
        FIELD_U64,
        FIELD_STATE,
        FIELD_RESULT,
        _FIELD_KIND_MAX,
} FieldKind;

typedef struct Field {
        const char *name;
        FieldKind kind;
        size_t offset;
        bool required;
} Field;

#define REQUIRED true
#define OPTIONAL false
#define FIELD(name, kind, member, link, bus) { name, FIELD_##kind, offsetof(SandboxRecord, member), link },
static const Field fields[_RECORD_FIELD_MAX] = {
#include "link/sandbox-record.def"
};
#undef FIELD

_Static_assert(ELEMENTSOF(fields) <= 32, "the fields seen are a 32-bit set");

bool sandbox_record_is_hidden(const SandboxRecord *r) {
        return streq(r->sub_state ?: "", SUB_STATE_STREAMS);
}

SandboxRecord *sandbox_record_free(SandboxRecord *r) {
        if (!r)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                void *member = (uint8_t *) r + fields[i].offset;

                if (fields[i].kind == FIELD_TEXT)
                        free(*(char **) member);
                else if (fields[i].kind == FIELD_TEXTS)
                        (void) strv_free(*(char ***) member);
        }

        free(r);
        return NULL;
}

SandboxResult sandbox_result_of(const char *name) {
        int value = sandbox_result_from_name(name);

        return value >= 0 ? (SandboxResult) value : SANDBOX_RESOURCES;
}

typedef int FieldAppend(sd_bus_message *m, const void *member);
typedef int FieldRead(sd_bus_message *m, void *member);

typedef bool FieldEqual(const void *a, const void *b);

static int append_text(sd_bus_message *m, const void *member) {
        const char *s = *(char *const *) member;

        return sd_bus_message_append_basic(m, 's', s ?: "");
}

static int append_texts(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_strv(m, *(char **const *) member);
}

static int append_state(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_basic(m, 's', sandbox_state_name(*(const SandboxState *) member));
}

static int append_result(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_basic(m, 's', sandbox_result_name(*(const SandboxResult *) member));
}

static int read_text(sd_bus_message *m, void *member) { return bus_read_text(m, member); }

static int read_texts(sd_bus_message *m, void *member) { return sd_bus_message_read_strv(m, member); }

static int read_state(sd_bus_message *m, void *member) {
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;

        r = sandbox_state_from_name(s);
        if (r < 0)
                return -EBADMSG;

        *(SandboxState *) member = r;
        return 0;
}

static int read_result(sd_bus_message *m, void *member) {
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;

        *(SandboxResult *) member = sandbox_result_of(s);
        return 0;
}

static bool equal_text(const void *a, const void *b) {
        return streq(*(char *const *) a ?: "", *(char *const *) b ?: "");
}

static bool equal_texts(const void *a, const void *b) {
        return strv_equal(*(char **const *) a, *(char **const *) b);
}

/* Numbers have the same form in memory and on the bus, so they need no functions. */
/* clang-format off */
static const struct {
        const char *signature;
        size_t size;
        FieldAppend *append;
        FieldRead *read;
        FieldEqual *equal; /* NULL: byte by byte */
} kinds[_FIELD_KIND_MAX] = {
        [FIELD_TEXT]   = { RECORD_SIGNATURE_TEXT, sizeof(RECORD_TYPE_TEXT), append_text, read_text, equal_text },
        [FIELD_TEXTS]  = { RECORD_SIGNATURE_TEXTS, sizeof(RECORD_TYPE_TEXTS), append_texts, read_texts, equal_texts },
        [FIELD_U32]    = { RECORD_SIGNATURE_U32, sizeof(RECORD_TYPE_U32) },
        [FIELD_I32]    = { RECORD_SIGNATURE_I32, sizeof(RECORD_TYPE_I32) },
        [FIELD_U64]    = { RECORD_SIGNATURE_U64, sizeof(RECORD_TYPE_U64) },
        [FIELD_STATE]  = { RECORD_SIGNATURE_STATE, sizeof(RECORD_TYPE_STATE), append_state, read_state },
        [FIELD_RESULT] = { RECORD_SIGNATURE_RESULT, sizeof(RECORD_TYPE_RESULT), append_result, read_result },
};
/* clang-format on */

static const void *member_of(const SandboxRecord *record, RecordField field) {
        return (const uint8_t *) record + fields[field].offset;
}

int sandbox_record_append_field(sd_bus_message *m, const SandboxRecord *record, RecordField field) {
        FieldKind kind = fields[field].kind;
        const void *member = member_of(record, field);

        return kinds[kind].append ? kinds[kind].append(m, member)
                                  : sd_bus_message_append_basic(m, kinds[kind].signature[0], member);
}

bool sandbox_record_equal_field(const SandboxRecord *a, const SandboxRecord *b, RecordField field) {
        const void *x = member_of(a, field), *y = member_of(b, field);
        FieldKind kind = fields[field].kind;

        return kinds[kind].equal ? kinds[kind].equal(x, y) : memcmp(x, y, kinds[kind].size) == 0;
}

static int append_entry(sd_bus_message *m, const SandboxRecord *record, RecordField field) {
        int r;

        r = bus_dict_open_entry(m, fields[field].name, kinds[fields[field].kind].signature);
        if (r < 0)
                return r;

        r = sandbox_record_append_field(m, record, field);
        if (r < 0)
                return r;

        return bus_dict_close_entry(m);
}

int sandbox_record_append(sd_bus_message *m, const SandboxRecord *record) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        for (RecordField i = 0; i < _RECORD_FIELD_MAX; i++) {
                r = append_entry(m, record, i);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

/* The variant of one known field. A second value for the same name would leak the first: refused. */
static int read_field(sd_bus_message *m, SandboxRecord *record, size_t i, uint32_t *seen) {
        FieldKind kind = fields[i].kind;
        void *member = (uint8_t *) record + fields[i].offset;
        int r;

        if (*seen & UINT32_C(1) << i)
                return -EBADMSG;
        *seen |= UINT32_C(1) << i;

        r = sd_bus_message_enter_container(m, 'v', kinds[kind].signature);
        if (r == -ENXIO)
                return -EBADMSG;
        if (r < 0)
                return r;

        r = kinds[kind].read ? kinds[kind].read(m, member)
                             : sd_bus_message_read_basic(m, kinds[kind].signature[0], member);
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

typedef struct RecordReading {
        SandboxRecord *record;
        uint32_t seen;
} RecordReading;

static int read_entry(sd_bus_message *m, const char *name, void *userdata) {
        RecordReading *reading = userdata;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].name, name))
                        return read_field(m, reading->record, i, &reading->seen);

        return sd_bus_message_skip(m, "v");
}

/* What was not sent. */
static int set_default(SandboxRecord *record, const Field *f) {
        char **member = (void *) ((uint8_t *) record + f->offset);

        if (f->required)
                return -EBADMSG;
        if (f->kind != FIELD_TEXT)
                return 0; /* zero, or an empty list, from the beginning */

        *member = strdup("");
        return *member ? 0 : -ENOMEM;
}

static int set_defaults(SandboxRecord *record, uint32_t seen) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fields); i++)
                if (!(seen & UINT32_C(1) << i))
                        r = set_default(record, fields + i);

        return r;
}

/* What must hold between the fields, so that no later reader has to ask again. */
static bool record_is_coherent(const SandboxRecord *record) {
        char profile[33];
        uint32_t uid;

        return sandbox_id_parse(record->id, profile, &uid, NULL) >= 0 && streq(profile, record->profile) &&
               uid == record->uid && invocation_id_is_valid(record->invocation_id);
}

int sandbox_record_read(sd_bus_message *m, SandboxRecord **ret) {
        _cleanup_(sandbox_record_freep) SandboxRecord *record = NULL;
        RecordReading reading = { 0 };
        int r;

        record = calloc(1, sizeof(*record));
        if (!record)
                return -ENOMEM;

        reading.record = record;
        r = bus_dict_read(m, read_entry, &reading);
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;

        r = set_defaults(record, reading.seen);
        if (r < 0)
                return r;
        if (!record_is_coherent(record))
                return -EBADMSG;

        *ret = TAKE_PTR(record);
        return 0;
}
