/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/buffer.h"
#include "base/fd.h"
#include "plan/plan-check.h"
#include "plan/plan-fields.h"

#include <endian.h>

/*
 * magic, version and total size, then the fields in the order of their table. Every plan has exactly one encoding in
 * each version, so that hashes of bytes compare plans.
 */
static const char magic[8] = "immuplan";
#define TEXT_IS_NULL UINT32_MAX

/* How many bytes a number takes on the wire; 0: not a number. */
static const uint8_t widths[_PLAN_FIELD_KIND_MAX] = {
        [PLAN_FIELD_BOOL] = 1, [PLAN_FIELD_U8] = 1,  [PLAN_FIELD_U32] = 4,
        [PLAN_FIELD_I32] = 4,  [PLAN_FIELD_U64] = 8,
};

/* A negative number as the large one that has the same lower bytes. */
static uint64_t number_get(const PlanField *f, const void *object) {
        switch (f->kind) {
        case PLAN_FIELD_BOOL:
                return PLAN_FIELD_GET(bool, object, f->offset);
        case PLAN_FIELD_U8:
                return PLAN_FIELD_GET(uint8_t, object, f->offset);
        case PLAN_FIELD_U32:
                return PLAN_FIELD_GET(uint32_t, object, f->offset);
        case PLAN_FIELD_I32:
                return (uint64_t) PLAN_FIELD_GET(int32_t, object, f->offset);
        default:
                return PLAN_FIELD_GET(uint64_t, object, f->offset);
        }
}

static void number_set(const PlanField *f, void *object, uint64_t value) {
        switch (f->kind) {
        case PLAN_FIELD_BOOL:
                *PLAN_FIELD_AT(bool, object, f->offset) = value != 0;
                break;
        case PLAN_FIELD_U8:
                *PLAN_FIELD_AT(uint8_t, object, f->offset) = (uint8_t) value;
                break;
        case PLAN_FIELD_U32:
                *PLAN_FIELD_AT(uint32_t, object, f->offset) = (uint32_t) value;
                break;
        case PLAN_FIELD_I32:
                *PLAN_FIELD_AT(int32_t, object, f->offset) = (int32_t) value;
                break;
        default:
                *PLAN_FIELD_AT(uint64_t, object, f->offset) = value;
                break;
        }
}

typedef struct Writer {
        Buffer bytes;
        uint32_t version;
        const char *unsaid; /* the first field that this version cannot say */
} Writer;

static void put_u32(Writer *w, uint32_t value) {
        uint32_t v = htole32(value);

        buffer_append(&w->bytes, &v, sizeof(v));
}

static void put_text(Writer *w, const char *s) {
        if (!s) {
                put_u32(w, TEXT_IS_NULL);
                return;
        }

        /* A text this long makes the whole too big for sure; the length must not wrap before that is noticed. */
        size_t n = MIN(strlen(s), (size_t) PLAN_SIZE_MAX + 1);

        put_u32(w, (uint32_t) n);
        buffer_append(&w->bytes, s, n);
}

static void encode_scalar(Writer *w, const PlanField *f, const void *object) {
        uint64_t number;

        if (widths[f->kind] == 0) {
                put_text(w, PLAN_FIELD_GET(char *, object, f->offset));
                return;
        }

        number = htole64(number_get(f, object));
        buffer_append(&w->bytes, &number, widths[f->kind]);
}

static void encode_texts(Writer *w, const PlanField *f, const void *object) {
        char **texts = PLAN_FIELD_GET(char **, object, f->offset);

        put_u32(w, (uint32_t) strv_length(texts));
        STRV_FOREACH (s, texts)
                put_text(w, *s);
}

static void encode_words(Writer *w, const PlanField *f, const void *object) {
        const uint32_t *words = PLAN_FIELD_GET(uint32_t *, object, f->offset);
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        put_u32(w, (uint32_t) n);
        for (size_t i = 0; i < n; i++)
                put_u32(w, words[i]);
}

static void encode_bits(Writer *w, const PlanField *f, const void *object) {
        const uint32_t *words = PLAN_FIELD_GET(PlanBits, object, f->offset);

        put_u32(w, PLAN_BITS_WORDS);
        for (size_t i = 0; i < PLAN_BITS_WORDS; i++)
                put_u32(w, words[i]);
}

static void encode_bytes(Writer *w, const PlanField *f, const void *object) {
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        put_u32(w, (uint32_t) n);
        if (n > 0)
                buffer_append(&w->bytes, PLAN_FIELD_GET(uint8_t *, object, f->offset), n);
}

/* Whether the field says what a version without it does anyway: the number before=, or nothing. */
static bool is_default(const PlanField *f, const void *object) {
        if (widths[f->kind] > 0)
                return number_get(f, object) == f->before;
        if (f->kind == PLAN_FIELD_TEXT || f->kind == PLAN_FIELD_OPTIONAL_TEXT)
                return streq(PLAN_FIELD_GET(char *, object, f->offset) ?: "", "");
        if (f->kind == PLAN_FIELD_TEXTS)
                return strv_length(PLAN_FIELD_GET(char **, object, f->offset)) == 0;

        return f->kind != PLAN_FIELD_BITS && PLAN_FIELD_GET(size_t, object, f->n_offset) == 0;
}

static bool can_say(const PlanField *f, const void *object, uint32_t version) {
        if (version < f->since)
                return is_default(f, object);

        return version >= f->grown || number_get(f, object) <= f->max_before;
}

/* Whether the field is written; one that the version cannot say is remembered. */
static bool admit(Writer *w, const PlanField *f, const void *object) {
        if (!w->unsaid && !can_say(f, object, w->version))
                w->unsaid = f->name;

        return w->version >= f->since;
}

static void encode_rows(Writer *w, const PlanField *f, const void *object) {
        const char *rows = PLAN_FIELD_GET(char *, object, f->offset);
        size_t n = PLAN_FIELD_GET(size_t, object, f->n_offset);

        put_u32(w, (uint32_t) n);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < f->rows->n_fields; k++) {
                        const void *row = rows + i * f->rows->row_size;

                        if (admit(w, &f->rows->fields[k], row))
                                encode_scalar(w, &f->rows->fields[k], row);
                }
}

static void writer_done(Writer *w) { buffer_done(&w->bytes); }

static void encode_fields(Writer *w, const Plan *p) {
        static void (*const encoders[_PLAN_FIELD_KIND_MAX])(
                Writer * w, const PlanField *f, const void *object) = {
                [PLAN_FIELD_TEXTS] = encode_texts, [PLAN_FIELD_WORDS] = encode_words,
                [PLAN_FIELD_BITS] = encode_bits,   [PLAN_FIELD_BYTES] = encode_bytes,
                [PLAN_FIELD_ROWS] = encode_rows,
        };

        for (size_t i = 0; i < plan_table.n_fields && w->bytes.size <= PLAN_SIZE_MAX; i++) {
                const PlanField *f = &plan_table.fields[i];

                if (admit(w, f, p))
                        (encoders[f->kind] ?: encode_scalar)(w, f, p);
        }
}

int plan_encode_for(
        uint32_t version, const Plan *p, uint8_t **ret, size_t *ret_size, const char **ret_unsaid) {
        _cleanup_(writer_done) Writer w = { .version = version };
        uint32_t size;

        if (version < PLAN_VERSION_FIRST || version > PLAN_VERSION) {
                *ret_unsaid = "anything";
                return -EPROTONOSUPPORT;
        }

        buffer_append(&w.bytes, magic, sizeof(magic));
        put_u32(&w, version);
        put_u32(&w, 0); /* the size, known at the end */
        encode_fields(&w, p);

        if (buffer_error(&w.bytes) < 0)
                return buffer_error(&w.bytes);
        if (w.bytes.size > PLAN_SIZE_MAX)
                return -E2BIG;
        if (w.unsaid) {
                *ret_unsaid = w.unsaid;
                return -EPROTONOSUPPORT;
        }

        size = htole32((uint32_t) w.bytes.size);
        memcpy(w.bytes.data + sizeof(magic) + sizeof(uint32_t), &size, sizeof(size));

        *ret = TAKE_PTR(w.bytes.data);
        *ret_size = w.bytes.size;
        return 0;
}

int plan_encode(const Plan *p, uint8_t **ret, size_t *ret_size) {
        return plan_encode_for(PLAN_VERSION, p, ret, ret_size, &(const char *){ NULL });
}

typedef struct Reader {
        const uint8_t *at;
        size_t left;
        uint32_t version;
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
        uint64_t max = r->version < f->grown ? f->max_before : f->max, value = 0;
        int e = get_bytes(r, &value, widths[f->kind]);

        if (e < 0)
                return e;

        value = le64toh(value);
        if (f->kind == PLAN_FIELD_I32) {
                int32_t number = (int32_t) (uint32_t) value;

                if (number < f->min || number > (int64_t) max)
                        return -EBADMSG;
        } else if (value < (uint64_t) f->min || value > max)
                return -EBADMSG;

        number_set(f, object, value);
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

/* What the version of these bytes has no field for is as it was then. */
static int decode_part(Reader *r, const PlanField *f, void *object) {
        if (r->version >= f->since)
                return decode_scalar(r, f, object);

        if (widths[f->kind] > 0)
                number_set(f, object, f->before);
        return 0;
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
        int e = get_count(r, f, 1, &n); /* each is at least a byte */

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
                        e = decode_part(r, &f->rows->fields[k], rows + i * f->rows->row_size);
                        if (e < 0)
                                return e;
                }

        return 0;
}

static int decode_header(Reader *r, size_t size) {
        char m[sizeof(magic)];
        uint32_t total;

        if (get_bytes(r, m, sizeof(m)) < 0 || get_u32(r, &r->version) < 0 || get_u32(r, &total) < 0)
                return -EBADMSG;
        if (memcmp(m, magic, sizeof(m)) != 0 || r->version < PLAN_VERSION_FIRST ||
            r->version > PLAN_VERSION || total != size)
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
        Reader r = { data, size, 0 };
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

                e = r.version < f->since ? decode_part(&r, f, p)
                                         : (decoders[f->kind] ?: decode_scalar)(&r, f, p);
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

int plan_to_memfd(uint32_t version,
                  const Plan *p,
                  uint8_t ret_digest[SHA256_SIZE],
                  const char **ret_unsaid) {
        _cleanup_free_ uint8_t *data = NULL;
        size_t size;
        int fd, r;

        r = plan_encode_for(version, p, &data, &size, ret_unsaid);
        if (r < 0)
                return r;

        fd = memfd_new_sealed("immured-plan", data, size);
        if (fd >= 0 && ret_digest)
                sha256(data, size, ret_digest);

        return fd;
}
