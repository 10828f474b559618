/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/buffer.h"
#include "plan/plan-check.h"
#include "plan/plan-fields.h"

#include <endian.h>

/*
 * magic, version and total size, then the fields in the order of their table. Every plan has exactly one encoding,
 * so that hashes of bytes compare plans.
 */
static const char magic[8] = "immuplan";
#define PLAN_VERSION 4U
#define TEXT_IS_NULL UINT32_MAX

static void put_u32(Buffer *b, uint32_t value) {
        uint32_t v = htole32(value);

        buffer_append(b, &v, sizeof(v));
}

static void put_u64(Buffer *b, uint64_t value) {
        uint64_t v = htole64(value);

        buffer_append(b, &v, sizeof(v));
}

static void put_text(Buffer *b, const char *s) {
        if (!s) {
                put_u32(b, TEXT_IS_NULL);
                return;
        }

        /* A text this long makes the whole too big for sure; the length must not wrap before that is noticed. */
        size_t n = MIN(strlen(s), (size_t) PLAN_SIZE_MAX + 1);

        put_u32(b, (uint32_t) n);
        buffer_append(b, s, n);
}

static void encode_scalar(Buffer *b, const PlanField *f, const void *object) {
        switch (f->kind) {
        case PLAN_FIELD_BOOL: {
                uint8_t v = PLAN_FIELD_GET(bool, object, f->offset);

                buffer_append(b, &v, 1);
                break;
        }
        case PLAN_FIELD_U8:
                buffer_append(b, &PLAN_FIELD_GET(uint8_t, object, f->offset), 1);
                break;
        case PLAN_FIELD_U32:
                put_u32(b, PLAN_FIELD_GET(uint32_t, object, f->offset));
                break;
        case PLAN_FIELD_I32:
                put_u32(b, (uint32_t) PLAN_FIELD_GET(int32_t, object, f->offset));
                break;
        case PLAN_FIELD_U64:
                put_u64(b, PLAN_FIELD_GET(uint64_t, object, f->offset));
                break;
        default:
                put_text(b, PLAN_FIELD_GET(char *, object, f->offset));
                break;
        }
}

static void encode_texts(Buffer *b, const PlanField *f, const void *object) {
        char **texts = PLAN_FIELD_GET(char **, object, f->offset);

        put_u32(b, (uint32_t) strv_length(texts));
        STRV_FOREACH (s, texts)
                put_text(b, *s);
}

static void encode_words(Buffer *b, const PlanField *f, const void *object) {
        const uint32_t *words = PLAN_FIELD_GET(uint32_t *, object, f->offset);
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        put_u32(b, (uint32_t) n);
        for (size_t i = 0; i < n; i++)
                put_u32(b, words[i]);
}

static void encode_bits(Buffer *b, const PlanField *f, const void *object) {
        const uint32_t *words = PLAN_FIELD_GET(PlanBits, object, f->offset);

        put_u32(b, PLAN_BITS_WORDS);
        for (size_t i = 0; i < PLAN_BITS_WORDS; i++)
                put_u32(b, words[i]);
}

static void encode_bytes(Buffer *b, const PlanField *f, const void *object) {
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        put_u32(b, (uint32_t) n);
        if (n > 0)
                buffer_append(b, PLAN_FIELD_GET(uint8_t *, object, f->offset), n);
}

static void encode_rows(Buffer *b, const PlanField *f, const void *object) {
        const char *rows = PLAN_FIELD_GET(char *, object, f->offset);
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        put_u32(b, (uint32_t) n);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < f->rows->n_fields; k++)
                        encode_scalar(b, &f->rows->fields[k], rows + i * f->rows->row_size);
}

int plan_encode(const Plan *p, uint8_t **ret, size_t *ret_size) {
        static void (*const encoders[_PLAN_FIELD_KIND_MAX])(
                Buffer * b, const PlanField *f, const void *object) = {
                [PLAN_FIELD_TEXTS] = encode_texts, [PLAN_FIELD_WORDS] = encode_words,
                [PLAN_FIELD_BITS] = encode_bits,   [PLAN_FIELD_BYTES] = encode_bytes,
                [PLAN_FIELD_ROWS] = encode_rows,
        };
        _cleanup_buffer_ Buffer b = {};
        uint32_t size;

        buffer_append(&b, magic, sizeof(magic));
        put_u32(&b, PLAN_VERSION);
        put_u32(&b, 0); /* the size, known at the end */

        for (size_t i = 0; i < plan_table.n_fields && b.size <= PLAN_SIZE_MAX; i++) {
                const PlanField *f = &plan_table.fields[i];

                (encoders[f->kind] ?: encode_scalar)(&b, f, p);
        }

        if (buffer_error(&b) < 0)
                return buffer_error(&b);
        if (b.size > PLAN_SIZE_MAX)
                return -E2BIG;

        size = htole32((uint32_t) b.size);
        memcpy(b.data + sizeof(magic) + sizeof(uint32_t), &size, sizeof(size));

        *ret = TAKE_PTR(b.data);
        *ret_size = b.size;
        return 0;
}

typedef struct Reader {
        const uint8_t *at;
        size_t left;
} Reader;

static int get_bytes(Reader *r, void *ret, size_t size) {
        if (size > r->left)
                return -EBADMSG;
        if (size == 0)
                return 0;

        memcpy(ret, r->at, size);
        r->at += size;
        r->left -= size;
        return 0;
}

static int get_u32(Reader *r, uint32_t *ret) {
        uint32_t v;
        int e = get_bytes(r, &v, sizeof(v));

        if (e < 0)
                return e;

        *ret = le32toh(v);
        return 0;
}

static int get_u64(Reader *r, uint64_t *ret) {
        uint64_t v;
        int e = get_bytes(r, &v, sizeof(v));

        if (e < 0)
                return e;

        *ret = le64toh(v);
        return 0;
}

/* How many elements follow: within the field's bounds, and no more than the bytes left could hold. */
static int get_count(Reader *r, const PlanField *f, size_t element_size, size_t *ret) {
        uint32_t n;
        int e = get_u32(r, &n);

        if (e < 0)
                return e;
        if (n < (uint64_t) f->min || n > f->max || n > r->left / element_size)
                return -EBADMSG;

        *ret = n;
        return 0;
}

static int
get_text(Reader *r, uint64_t min, uint64_t max, bool (*is_valid)(const char *), bool optional, char **ret) {
        _cleanup_free_ char *s = NULL;
        uint32_t n;
        int e = get_u32(r, &n);

        if (e < 0)
                return e;
        if (optional && n == TEXT_IS_NULL)
                return 0;
        if (n < min || n > max || n > r->left)
                return -EBADMSG;

        s = malloc((size_t) n + 1);
        if (!s)
                return -ENOMEM;

        e = get_bytes(r, s, n);
        if (e < 0)
                return e;
        s[n] = '\0';

        if (memchr(s, '\0', n) || (is_valid && !is_valid(s)))
                return -EBADMSG;

        *ret = TAKE_PTR(s);
        return 0;
}

static int decode_number(Reader *r, const PlanField *f, void *object) {
        uint8_t byte = 0;
        uint32_t word = 0;
        uint64_t value = 0;
        int e;

        switch (f->kind) {
        case PLAN_FIELD_BOOL:
        case PLAN_FIELD_U8:
                e = get_bytes(r, &byte, 1);
                value = byte;
                break;
        case PLAN_FIELD_U64:
                e = get_u64(r, &value);
                break;
        default:
                e = get_u32(r, &word);
                value = word;
                break;
        }
        if (e < 0)
                return e;

        if (f->kind == PLAN_FIELD_I32) {
                int32_t number = (int32_t) word;

                if (number < f->min || number > (int64_t) f->max)
                        return -EBADMSG;
                *PLAN_FIELD_AT(int32_t, object, f->offset) = number;
                return 0;
        }

        if (value < (uint64_t) f->min || value > f->max)
                return -EBADMSG;

        if (f->kind == PLAN_FIELD_BOOL)
                *PLAN_FIELD_AT(bool, object, f->offset) = value != 0;
        else if (f->kind == PLAN_FIELD_U8)
                *PLAN_FIELD_AT(uint8_t, object, f->offset) = byte;
        else if (f->kind == PLAN_FIELD_U32)
                *PLAN_FIELD_AT(uint32_t, object, f->offset) = word;
        else
                *PLAN_FIELD_AT(uint64_t, object, f->offset) = value;
        return 0;
}

static int decode_scalar(Reader *r, const PlanField *f, void *object) {
        if (f->kind == PLAN_FIELD_TEXT || f->kind == PLAN_FIELD_OPTIONAL_TEXT)
                return get_text(r,
                                (uint64_t) f->min,
                                f->max,
                                f->is_valid,
                                f->kind == PLAN_FIELD_OPTIONAL_TEXT,
                                PLAN_FIELD_AT(char *, object, f->offset));

        return decode_number(r, f, object);
}

static int decode_texts(Reader *r, const PlanField *f, void *object) {
        _cleanup_strv_ char **texts = NULL;
        size_t n;
        int e = get_count(r, f, sizeof(uint32_t), &n);

        if (e < 0)
                return e;
        if (n == 0)
                return 0;

        texts = calloc(n + 1, sizeof(*texts));
        if (!texts)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                e = get_text(r, 0, f->text_max, f->is_valid, false, &texts[i]);
                if (e < 0)
                        return e;
        }

        *PLAN_FIELD_AT(char **, object, f->offset) = TAKE_PTR(texts);
        return 0;
}

static int decode_words(Reader *r, const PlanField *f, void *object) {
        _cleanup_free_ uint32_t *words = NULL;
        size_t n;
        int e = get_count(r, f, sizeof(*words), &n);

        if (e < 0)
                return e;
        if (n == 0)
                return 0;

        words = calloc(n, sizeof(*words));
        if (!words)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                e = get_u32(r, &words[i]);
                if (e < 0)
                        return e;
        }

        *PLAN_FIELD_AT(uint32_t *, object, f->offset) = TAKE_PTR(words);
        *PLAN_FIELD_AT(size_t, object, f->n_offset) = n;
        return 0;
}

static int decode_bits(Reader *r, const PlanField *f, void *object) {
        uint32_t *words = *PLAN_FIELD_AT(PlanBits, object, f->offset);
        size_t n;
        int e = get_count(r, f, sizeof(*words), &n);

        for (size_t i = 0; i < PLAN_BITS_WORDS && e >= 0; i++)
                e = get_u32(r, &words[i]);
        return e;
}

static int decode_bytes(Reader *r, const PlanField *f, void *object) {
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t n;
        int e = get_count(r, f, 1, &n);

        if (e < 0)
                return e;
        if (n == 0)
                return 0;

        bytes = malloc(n);
        if (!bytes)
                return -ENOMEM;

        e = get_bytes(r, bytes, n);
        if (e < 0)
                return e;

        *PLAN_FIELD_AT(uint8_t *, object, f->offset) = TAKE_PTR(bytes);
        *PLAN_FIELD_AT(size_t, object, f->n_offset) = n;
        return 0;
}

static int decode_rows(Reader *r, const PlanField *f, void *object) {
        size_t n;
        char *rows;
        int e = get_count(r, f, f->rows->n_fields, &n);

        if (e < 0)
                return e;
        if (n == 0)
                return 0;

        rows = calloc(n, f->rows->row_size);
        if (!rows)
                return -ENOMEM;

        /* The plan owns them from here on, zeroed, so that plan_free() also frees a half-read row. */
        *PLAN_FIELD_AT(char *, object, f->offset) = rows;
        *PLAN_FIELD_AT(size_t, object, f->n_offset) = n;

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < f->rows->n_fields; k++) {
                        e = decode_scalar(r, &f->rows->fields[k], rows + i * f->rows->row_size);
                        if (e < 0)
                                return e;
                }

        return 0;
}

static int decode_header(Reader *r, size_t size) {
        char m[sizeof(magic)];
        uint32_t version, total;

        if (get_bytes(r, m, sizeof(m)) < 0 || get_u32(r, &version) < 0 || get_u32(r, &total) < 0)
                return -EBADMSG;
        if (memcmp(m, magic, sizeof(m)) != 0 || version != PLAN_VERSION || total != size)
                return -EBADMSG;

        return 0;
}

int plan_decode(const void *data, size_t size, Plan **ret) {
        static int (*const decoders[_PLAN_FIELD_KIND_MAX])(Reader * r, const PlanField *f, void *object) = {
                [PLAN_FIELD_TEXTS] = decode_texts, [PLAN_FIELD_WORDS] = decode_words,
                [PLAN_FIELD_BITS] = decode_bits,   [PLAN_FIELD_BYTES] = decode_bytes,
                [PLAN_FIELD_ROWS] = decode_rows,
        };
        _cleanup_(plan_freep) Plan *p = NULL;
        Reader r = { data, size };
        int e;

        if (size > PLAN_SIZE_MAX)
                return -EBADMSG;
        e = decode_header(&r, size);
        if (e < 0)
                return e;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;

        for (size_t i = 0; i < plan_table.n_fields; i++) {
                const PlanField *f = &plan_table.fields[i];

                e = (decoders[f->kind] ?: decode_scalar)(&r, f, p);
                if (e < 0)
                        return e;
        }

        if (r.left > 0)
                return -EBADMSG;
        e = plan_check(p);
        if (e < 0)
                return e;

        *ret = TAKE_PTR(p);
        return 0;
}
