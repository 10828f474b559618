/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/sandbox-record.h"

#include "base/strv.h"
#include "base/text.h"
#include "link/bus-dict.h"

#include <stdio.h>

/* How a field lies in SandboxRecord. State and result travel as their names, numbers as they are. */
typedef enum FieldKind {
        FIELD_TEXT,
        FIELD_TEXTS,
        FIELD_NUMBER,
        FIELD_STATE,
        FIELD_RESULT,
} FieldKind;

typedef struct Field {
        const char *name;
        FieldKind kind;
        const char *signature;
        size_t offset, size;
        bool required;
} Field;

#define REQUIRED true
#define OPTIONAL false
#define FIELD(name, kind, signature, type, member, link, bus) \
        { name, FIELD_##kind, signature, offsetof(SandboxRecord, member), sizeof(type), link },
static const Field fields[_RECORD_FIELD_MAX] = {
#include "link/sandbox-record.def"
};
#undef FIELD

_Static_assert(ELEMENTSOF(fields) <= 32, "the fields seen are a 32-bit set");

bool sandbox_record_is_hidden(const SandboxRecord *r) {
        return streq(r->sub_state ?: "", SUB_STATE_STREAMS);
}

static void *member_of(const SandboxRecord *record, RecordField field) {
        return (uint8_t *) record + fields[field].offset;
}

SandboxRecord *sandbox_record_free(SandboxRecord *r) {
        if (!r)
                return NULL;

        for (RecordField i = 0; i < _RECORD_FIELD_MAX; i++)
                if (fields[i].kind == FIELD_TEXT)
                        free(*(char **) member_of(r, i));
                else if (fields[i].kind == FIELD_TEXTS)
                        (void) strv_free(*(char ***) member_of(r, i));

        free(r);
        return NULL;
}

DEFINE_CLEANUP(SandboxRecord *, sandbox_record_free);

SandboxResult sandbox_result_of(const char *name) {
        int value = sandbox_result_from_name(name);

        return value >= 0 ? (SandboxResult) value : SANDBOX_RESOURCES;
}

int sandbox_record_append_field(sd_bus_message *m, const SandboxRecord *record, RecordField field) {
        const void *member = member_of(record, field);

        switch (fields[field].kind) {
        case FIELD_TEXT:
                return sd_bus_message_append_basic(m, 's', *(char *const *) member ?: "");
        case FIELD_TEXTS:
                return sd_bus_message_append_strv(m, *(char **const *) member);
        case FIELD_STATE:
                return sd_bus_message_append_basic(
                        m, 's', sandbox_state_name(*(const SandboxState *) member));
        case FIELD_RESULT:
                return sd_bus_message_append_basic(
                        m, 's', sandbox_result_name(*(const SandboxResult *) member));
        default:
                return sd_bus_message_append_basic(m, fields[field].signature[0], member);
        }
}

bool sandbox_record_equal_field(const SandboxRecord *a, const SandboxRecord *b, RecordField field) {
        const void *x = member_of(a, field), *y = member_of(b, field);

        switch (fields[field].kind) {
        case FIELD_TEXT:
                return streq(*(char *const *) x ?: "", *(char *const *) y ?: "");
        case FIELD_TEXTS:
                return strv_equal(*(char **const *) x, *(char **const *) y);
        default:
                return memcmp(x, y, fields[field].size) == 0;
        }
}

int sandbox_record_append(sd_bus_message *m, const SandboxRecord *record) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (RecordField i = 0; r >= 0 && i < _RECORD_FIELD_MAX; i++) {
                r = bus_dict_open_entry(m, fields[i].name, fields[i].signature);
                if (r >= 0)
                        r = sandbox_record_append_field(m, record, i);
                if (r >= 0)
                        r = bus_dict_close_entry(m);
        }

        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* A result that only another version has a name for is an end all the same; a state that is not known is none. */
static int read_value(sd_bus_message *m, RecordField field, void *member) {
        const char *name = NULL;
        int value, r;

        switch (fields[field].kind) {
        case FIELD_TEXT:
                return bus_read_text(m, member);
        case FIELD_TEXTS:
                return sd_bus_message_read_strv(m, member);
        case FIELD_STATE:
                r = sd_bus_message_read_basic(m, 's', &name);
                value = sandbox_state_from_name(name);
                if (value >= 0)
                        *(SandboxState *) member = (SandboxState) value;
                return r >= 0 && value < 0 ? -EBADMSG : r;
        case FIELD_RESULT:
                r = sd_bus_message_read_basic(m, 's', &name);
                *(SandboxResult *) member = sandbox_result_of(name);
                return r;
        default:
                return sd_bus_message_read_basic(m, fields[field].signature[0], member);
        }
}

typedef struct RecordReading {
        SandboxRecord *record;
        uint32_t seen;
} RecordReading;

/* A second value for the same name would leak the first: refused. */
static int read_entry(sd_bus_message *m, const char *name, void *userdata) {
        RecordReading *reading = userdata;
        RecordField i = 0;
        int r;

        while (i < _RECORD_FIELD_MAX && !streq(fields[i].name, name))
                i++;
        if (i == _RECORD_FIELD_MAX)
                return sd_bus_message_skip(m, "v");

        if (reading->seen & UINT32_C(1) << i)
                return -EBADMSG;
        reading->seen |= UINT32_C(1) << i;

        r = sd_bus_message_enter_container(m, 'v', fields[i].signature);
        if (r >= 0)
                r = read_value(m, i, member_of(reading->record, i));

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Numbers that were not sent are 0 and lists are empty from the beginning. */
static int set_defaults(SandboxRecord *record, uint32_t seen) {
        for (RecordField i = 0; i < _RECORD_FIELD_MAX; i++) {
                char **text = member_of(record, i);

                if (seen & UINT32_C(1) << i)
                        continue;
                if (fields[i].required)
                        return -EBADMSG;
                if (fields[i].kind != FIELD_TEXT)
                        continue;

                *text = strdup("");
                if (!*text)
                        return -ENOMEM;
        }

        return 0;
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

bool invocation_id_is_valid(const char *s) {
        return s && strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

int sandbox_id_parse(const char *id, char *ret_profile, uint32_t *ret_uid, uint32_t *ret_n) {
        char copy[33 + 2 * sizeof("4294967295")], canonical[sizeof(copy)], *rest = copy, *profile, *number;
        uint32_t uid, n;

        if ((size_t) snprintf(copy, sizeof(copy), "%s", id) >= sizeof(copy))
                return -EINVAL;

        profile = strsep(&rest, ".");
        number = strsep(&rest, ".");
        if (!rest || !profile_name_is_valid(profile) || parse_id(number, &uid) < 0 ||
            parse_u32(rest, &n) < 0 || n == 0)
                return -EINVAL;

        /* One sandbox, one name: no leading zeros. */
        (void) snprintf(canonical, sizeof(canonical), "%s.%u.%u", profile, uid, n);
        if (!streq(canonical, id))
                return -EINVAL;

        if (ret_profile)
                memcpy(ret_profile, profile, strlen(profile) + 1);
        if (ret_uid)
                *ret_uid = uid;
        if (ret_n)
                *ret_n = n;
        return 0;
}
