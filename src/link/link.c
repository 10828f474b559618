/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/link.h"

#include "base/strv.h"
#include "base/text.h"

#include <stdio.h>

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

#define FIELD(name, kind, member, ...) \
        { name, kind, offsetof(SandboxRecord, member), __VA_ARGS__ }
#define REQUIRED .required = true

/*
 * Required is what tells one sandbox from another, and what it takes to stop it or to wait for its end: no version may
 * leave that out, nor change its type. All else has a default, the empty value, for keepers that do not know it yet.
 */

/* clang-format off */
static const Field fields[] = {
        FIELD("Id",             FIELD_TEXT,   id, REQUIRED),
        FIELD("Profile",        FIELD_TEXT,   profile, REQUIRED),
        FIELD("ProfileHash",    FIELD_TEXT,   profile_hash),
        FIELD("User",           FIELD_TEXT,   user),
        FIELD("Instance",       FIELD_TEXT,   instance),
        FIELD("UID",            FIELD_U32,    uid, REQUIRED),
        FIELD("InvocationID",   FIELD_TEXT,   invocation_id, REQUIRED),
        FIELD("Timestamp",      FIELD_U64,    timestamp),
        FIELD("PlanHash",       FIELD_TEXT,   plan_hash),
        FIELD("ControlGroup",   FIELD_TEXT,   control_group, REQUIRED),
        FIELD("Enforced",       FIELD_TEXTS,  enforced),
        FIELD("State",          FIELD_STATE,  state, REQUIRED),
        FIELD("SubState",       FIELD_TEXT,   sub_state),
        FIELD("Result",         FIELD_RESULT, result),
        FIELD("StatusText",     FIELD_TEXT,   status_text),
        FIELD("Leader",         FIELD_U32,    leader, REQUIRED),
        FIELD("MainPID",        FIELD_U32,    main_pid),
        FIELD("ExecMainCode",   FIELD_I32,    exec_main_code),
        FIELD("ExecMainStatus", FIELD_I32,    exec_main_status),
        FIELD("NRestarts",      FIELD_U32,    n_restarts),
};
/* clang-format on */

_Static_assert(ELEMENTSOF(fields) <= 32, "the fields seen are a 32-bit set");

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

static int append_text(sd_bus_message *m, const void *member) {
        const char *s = *(char *const *) member;

        return sd_bus_message_append_basic(m, 's', s ?: "");
}

static int append_texts(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_strv(m, *(char **const *) member);
}

static int append_u32(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_basic(m, 'u', member);
}

static int append_i32(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_basic(m, 'i', member);
}

static int append_u64(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_basic(m, 't', member);
}

static int append_state(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_basic(m, 's', sandbox_state_name(*(const SandboxState *) member));
}

static int append_result(sd_bus_message *m, const void *member) {
        return sd_bus_message_append_basic(m, 's', sandbox_result_name(*(const SandboxResult *) member));
}

static int read_text(sd_bus_message *m, void *member) {
        const char *s;
        char *copy;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;

        copy = strdup(s);
        if (!copy)
                return -ENOMEM;

        *(char **) member = copy;
        return 0;
}

static int read_texts(sd_bus_message *m, void *member) { return sd_bus_message_read_strv(m, member); }

static int read_u32(sd_bus_message *m, void *member) { return sd_bus_message_read_basic(m, 'u', member); }

static int read_i32(sd_bus_message *m, void *member) { return sd_bus_message_read_basic(m, 'i', member); }

static int read_u64(sd_bus_message *m, void *member) { return sd_bus_message_read_basic(m, 't', member); }

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

/* clang-format off */
static const struct {
        const char *signature;
        FieldAppend *append;
        FieldRead *read;
} kinds[_FIELD_KIND_MAX] = {
        [FIELD_TEXT]   = { "s",  append_text,   read_text },
        [FIELD_TEXTS]  = { "as", append_texts,  read_texts },
        [FIELD_U32]    = { "u",  append_u32,    read_u32 },
        [FIELD_I32]    = { "i",  append_i32,    read_i32 },
        [FIELD_U64]    = { "t",  append_u64,    read_u64 },
        [FIELD_STATE]  = { "s",  append_state,  read_state },
        [FIELD_RESULT] = { "s",  append_result, read_result },
};
/* clang-format on */

static int append_field(sd_bus_message *m, const SandboxRecord *record, const Field *f) {
        const void *member = (const uint8_t *) record + f->offset;
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', f->name);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(m, 'v', kinds[f->kind].signature);
        if (r < 0)
                return r;

        r = kinds[f->kind].append(m, member);
        if (r < 0)
                return r;

        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(m);
}

int sandbox_record_append(sd_bus_message *m, const SandboxRecord *record) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                r = append_field(m, record, fields + i);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

/* The variant of one known field. A second value for the same name would leak the first: refused. */
static int read_field(sd_bus_message *m, SandboxRecord *record, size_t i, uint32_t *seen) {
        const Field *f = fields + i;
        int r;

        if (*seen & UINT32_C(1) << i)
                return -EBADMSG;
        *seen |= UINT32_C(1) << i;

        r = sd_bus_message_enter_container(m, 'v', kinds[f->kind].signature);
        if (r == -ENXIO)
                return -EBADMSG;
        if (r < 0)
                return r;

        r = kinds[f->kind].read(m, (uint8_t *) record + f->offset);
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static int read_entry(sd_bus_message *m, SandboxRecord *record, uint32_t *seen) {
        const char *name;
        int r;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].name, name))
                        return read_field(m, record, i, seen);

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

bool invocation_id_is_valid(const char *s) { return strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32; }

/* What must hold between the fields, so that no later reader has to ask again. */
static bool record_is_coherent(const SandboxRecord *record) {
        char profile[33];
        uint32_t uid;

        return sandbox_id_parse(record->id, profile, &uid, NULL) >= 0 && streq(profile, record->profile) &&
               uid == record->uid && invocation_id_is_valid(record->invocation_id);
}

int sandbox_record_read(sd_bus_message *m, SandboxRecord **ret) {
        _cleanup_(sandbox_record_freep) SandboxRecord *record = NULL;
        uint32_t seen = 0;
        int r;

        record = calloc(1, sizeof(*record));
        if (!record)
                return -ENOMEM;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_entry(m, record, &seen);
                if (r < 0)
                        return r;

                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;

        r = set_defaults(record, seen);
        if (r < 0)
                return r;
        if (!record_is_coherent(record))
                return -EBADMSG;

        *ret = TAKE_PTR(record);
        return 0;
}

int sandbox_id_parse(const char *id, char *ret_profile, uint32_t *ret_uid, uint32_t *ret_n) {
        char profile[33], number[16], canonical[33 + 2 * sizeof(number)];
        const char *first, *second;
        uint32_t uid, n;

        first = strchr(id, '.');
        second = first ? strchr(first + 1, '.') : NULL;
        if (!second || (size_t) (first - id) >= sizeof(profile) ||
            (size_t) (second - first - 1) >= sizeof(number))
                return -EINVAL;

        memcpy(profile, id, first - id);
        profile[first - id] = '\0';
        memcpy(number, first + 1, second - first - 1);
        number[second - first - 1] = '\0';

        if (!profile_name_is_valid(profile) || parse_id(number, &uid) < 0 || parse_u32(second + 1, &n) < 0 ||
            n == 0)
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
