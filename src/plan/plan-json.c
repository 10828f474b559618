/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/buffer.h"
#include "plan/capability.h"
#include "plan/plan-check.h"
#include "plan/plan-fields.h"

#include <inttypes.h>

static const char *const node_flags[] = {
        "read-only", "nosuid", "nodev",     "noexec",   "recursive", "optional",    "as-user",
        "idmap",     "owned",  "hide-pids", "pid-only", "lock-pids", "traced-pids", "state",
};

_Static_assert((1U << ELEMENTSOF(node_flags)) - 1 == _PLAN_NODE_FLAGS_ALL,
               "every flag of a node has a name");

static const char *capability_text(unsigned n) { return capability_name(n); }

static const char *signal_text(unsigned n) { return signal_name((int) n); }

static const char *node_flag_text(unsigned n) { return n < ELEMENTSOF(node_flags) ? node_flags[n] : NULL; }

/* The names of the bits that are set, as a list; a bit without a name as its number. */
static void write_set(Buffer *b, uint64_t set, const char *(*name)(unsigned n)) {
        const char *separator = "";

        buffer_append_text(b, "[");
        for (unsigned i = 0; i < 64; i++) {
                const char *text;

                if (!(set & UINT64_C(1) << i))
                        continue;

                buffer_append_text(b, separator);
                separator = ",";
                text = name(i);
                if (text)
                        buffer_append_json_string(b, text);
                else
                        buffer_printf(b, "%u", i);
        }
        buffer_append_text(b, "]");
}

/* Beyond 2^53 a number is a text: other readers of JSON would lose its last digits. */
static void write_number(Buffer *b, uint64_t value) {
        buffer_printf(b, value >> 53 ? "\"%" PRIu64 "\"" : "%" PRIu64, value);
}

static void write_formatted(Buffer *b, PlanFormat format, uint64_t value) {
        switch (format) {
        case PLAN_FORMAT_OCTAL:
                buffer_printf(b, "\"%04" PRIo64 "\"", value);
                break;
        case PLAN_FORMAT_LIMIT:
                if (value == UINT64_MAX)
                        buffer_append_json_string(b, "infinity");
                else
                        write_number(b, value);
                break;
        case PLAN_FORMAT_SIGNAL:
                buffer_append_json_string(b, signal_text((unsigned) value));
                break;
        case PLAN_FORMAT_SIGNALS:
                write_set(b, value, signal_text);
                break;
        case PLAN_FORMAT_CAPABILITIES:
                write_set(b, value, capability_text);
                break;
        case PLAN_FORMAT_NODE_FLAGS:
                write_set(b, value, node_flag_text);
                break;
        default:
                write_number(b, value);
                break;
        }
}

static void write_scalar(Buffer *b, const PlanField *f, const void *object) {
        switch (f->kind) {
        case PLAN_FIELD_BOOL:
                buffer_append_text(b, PLAN_FIELD_GET(bool, object, f->offset) ? "true" : "false");
                break;
        case PLAN_FIELD_U8: {
                uint8_t value = PLAN_FIELD_GET(uint8_t, object, f->offset);

                if (value <= f->max)
                        buffer_append_json_string(b, f->names[value]);
                else
                        buffer_printf(b, "%u", value);
                break;
        }
        case PLAN_FIELD_U32:
                write_formatted(b, f->format, PLAN_FIELD_GET(uint32_t, object, f->offset));
                break;
        case PLAN_FIELD_I32:
                if (f->format == PLAN_FORMAT_PLAIN)
                        buffer_printf(b, "%" PRIi32, PLAN_FIELD_GET(int32_t, object, f->offset));
                else
                        write_formatted(b, f->format, (uint64_t) PLAN_FIELD_GET(int32_t, object, f->offset));
                break;
        case PLAN_FIELD_U64:
                write_formatted(b, f->format, PLAN_FIELD_GET(uint64_t, object, f->offset));
                break;
        default:
                buffer_append_json_string(b, PLAN_FIELD_GET(char *, object, f->offset));
                break;
        }
}

static void write_texts(Buffer *b, const PlanField *f, const void *object) {
        char *const *texts = PLAN_FIELD_GET(char **, object, f->offset);

        buffer_append_text(b, "[");
        STRV_FOREACH (s, texts) {
                if (s != texts)
                        buffer_append_text(b, ",");
                buffer_append_json_string(b, *s);
        }
        buffer_append_text(b, "]");
}

static void write_words(Buffer *b, const PlanField *f, const void *object) {
        const uint32_t *words = PLAN_FIELD_GET(uint32_t *, object, f->offset);
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        buffer_append_text(b, "[");
        for (size_t i = 0; i < n; i++)
                buffer_printf(b, "%s%" PRIu32, i > 0 ? "," : "", words[i]);
        buffer_append_text(b, "]");
}

/* The members of the set. */
static void write_bits(Buffer *b, const PlanField *f, const void *object) {
        const uint32_t *words = PLAN_FIELD_GET(PlanBits, object, f->offset);
        const char *separator = "";

        buffer_append_text(b, "[");
        for (unsigned bit = 0; bit < PLAN_BITS_WORDS * 32; bit++)
                if (words[bit / 32] & 1U << bit % 32) {
                        buffer_printf(b, "%s%u", separator, bit);
                        separator = ",";
                }
        buffer_append_text(b, "]");
}

static void write_program(Buffer *b, const PlanField *f, const void *object) {
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);
        char hex[SHA256_HEX_SIZE];
        uint8_t digest[SHA256_SIZE];

        sha256(PLAN_FIELD_GET(uint8_t *, object, f->offset), n, digest);
        sha256_hex(digest, hex);
        buffer_printf(b, "{\"Instructions\":%zu,\"SHA256\":\"%s\"}", n / PLAN_INSTRUCTION_SIZE, hex);
}

static void write_rows(Buffer *b, const PlanField *f, const void *object) {
        const char *rows = PLAN_FIELD_GET(char *, object, f->offset);
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        buffer_append_text(b, "[");
        for (size_t i = 0; i < n; i++) {
                buffer_append_text(b, i > 0 ? ",{" : "{");
                for (size_t k = 0; k < f->rows->n_fields; k++) {
                        buffer_printf(b, "%s\"%s\":", k > 0 ? "," : "", f->rows->fields[k].name);
                        write_scalar(b, &f->rows->fields[k], rows + i * f->rows->row_size);
                }
                buffer_append_text(b, "}");
        }
        buffer_append_text(b, "]");
}

int plan_to_json(const Plan *p, char **ret) {
        static void (*const writers[_PLAN_FIELD_KIND_MAX])(
                Buffer * b, const PlanField *f, const void *object) = {
                [PLAN_FIELD_TEXTS] = write_texts, [PLAN_FIELD_WORDS] = write_words,
                [PLAN_FIELD_BITS] = write_bits,   [PLAN_FIELD_BYTES] = write_program,
                [PLAN_FIELD_ROWS] = write_rows,
        };
        _cleanup_buffer_ Buffer b = {};
        char *text;

        buffer_append_text(&b, "{");
        for (size_t i = 0; i < plan_table.n_fields; i++) {
                const PlanField *f = &plan_table.fields[i];

                buffer_printf(&b, "%s\"%s\":", i > 0 ? "," : "", f->name);
                (writers[f->kind] ?: write_scalar)(&b, f, p);
        }
        buffer_append_text(&b, "}");

        if (buffer_error(&b) < 0)
                return buffer_error(&b);

        text = buffer_take_text(&b);
        if (!text)
                return -ENOMEM;

        *ret = text;
        return 0;
}
