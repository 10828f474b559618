/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan-fields — the one table of what a plan holds: order on the wire, bounds, and names for people
 *
 * Encoder, decoder, JSON writer and destructor all walk this table, so that none of them can forget a field. The order
 * of rows is the order of bytes. A new row comes with a new PLAN_VERSION and says so in its since=; one whose bounds
 * grow, in its grown=. Rows that versions in PLAN_VERSION_FIRST… know are never moved, nor is their kind changed.
 *
 * Runs in: broker, keeper, exec. Privilege: none.
 */

#include "plan/plan.h"

/* What a field is in memory and on the wire. Numbers are little-endian; counts and lengths are u32. */
typedef enum PlanFieldKind {
        PLAN_FIELD_BOOL, /* one byte, 0 or 1 */
        PLAN_FIELD_U8,   /* an enumeration */
        PLAN_FIELD_U32,
        PLAN_FIELD_I32,
        PLAN_FIELD_U64,
        PLAN_FIELD_TEXT,          /* length, bytes; min and max bound the length */
        PLAN_FIELD_OPTIONAL_TEXT, /* the same; length UINT32_MAX is NULL */
        PLAN_FIELD_TEXTS,         /* count, texts; min and max bound the count, text_max each length */
        PLAN_FIELD_WORDS,         /* count, uint32_t each */
        PLAN_FIELD_BITS,  /* the same as words; always PLAN_BITS_WORDS of them, in the object itself */
        PLAN_FIELD_BYTES, /* count, bytes */
        PLAN_FIELD_ROWS,  /* count, rows of another table, which has no rows of its own */
        _PLAN_FIELD_KIND_MAX,
} PlanFieldKind;

#define PLAN_BITS_WORDS 8
typedef uint32_t PlanBits[PLAN_BITS_WORDS];

/* How people see it; plain unless said otherwise. */
typedef enum PlanFormat {
        PLAN_FORMAT_PLAIN,
        PLAN_FORMAT_OCTAL,
        PLAN_FORMAT_LIMIT, /* UINT64_MAX is "infinity" */
        PLAN_FORMAT_SIGNAL,
        PLAN_FORMAT_SIGNALS,
        PLAN_FORMAT_CAPABILITIES,
        PLAN_FORMAT_NODE_FLAGS,
        PLAN_FORMAT_PROGRAM, /* bytes as their number of instructions and SHA-256 */
        _PLAN_FORMAT_MAX,
} PlanFormat;

typedef struct PlanTable PlanTable;

typedef struct PlanField {
        const char *name;
        PlanFieldKind kind;
        size_t offset;   /* in Plan, or in the row */
        size_t n_offset; /* of the size_t count, for words, bytes and rows */
        int64_t min;
        uint64_t max;
        uint32_t text_max;
        bool (*is_valid)(const char *text); /* each text */
        const char *const *names;           /* of an enumeration: max + 1 of them */
        const PlanTable *rows;
        PlanFormat format;
        uint32_t since;  /* the first version that has it; 0: all that are known */
        uint64_t before; /* the number that stands for what versions without it do; texts and lists: empty */
        uint32_t grown;  /* the version since which max is what it is; 0: always was */
        uint64_t max_before; /* that of the versions before */
} PlanField;

struct PlanTable {
        const PlanField *fields;
        size_t n_fields;
        size_t row_size;
};

extern const PlanTable plan_table;

/* The field of an object, by its kind's type. */
#define PLAN_FIELD_AT(type, object, where) ((type *) (void *) ((char *) (object) + (where)))
#define PLAN_FIELD_GET(type, object, where) \
        (*(type const *) (const void *) ((const char *) (object) + (where)))
