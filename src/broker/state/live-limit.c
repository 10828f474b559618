/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/live-limit.h"

#include "base/text.h"
#include "profile/profile-keys.h"

#include <inttypes.h>
#include <stdio.h>

static const uint64_t *amount(const Profile *p, const ProfileKey *key) {
        return (const uint64_t *) (const void *) ((const uint8_t *) p + key->offset);
}

static void write_amount(const Profile *p, const ProfileKey *key, char *value, size_t size) {
        if (*amount(p, key) == UINT64_MAX)
                (void) snprintf(value, size, "max");
        else
                (void) snprintf(value, size, "%" PRIu64, *amount(p, key));
}

static void write_weight(const Profile *p, const ProfileKey *key, char *value, size_t size) {
        (void) snprintf(value, size, "default %" PRIu64, *amount(p, key));
}

/* As a plan says it: the kernel takes quotas from 1 ms and periods to 1 s. */
static void write_quota(const Profile *p, const ProfileKey *key, char *value, size_t size) {
        uint32_t period_usec = p->cpu_quota < 100 ? 1000000 : 100000;

        (void) snprintf(value,
                        size,
                        "%" PRIu64 " %" PRIu32,
                        (uint64_t) p->cpu_quota * period_usec / 10000,
                        period_usec);
}

/* clang-format off */
static const struct {
        const char *key, *file, *layer;
        void (*write)(const Profile *p, const ProfileKey *key, char *value, size_t size);
} limits[LIVE_LIMITS_MAX] = {
        { "MemoryMin",      "memory.min",       "memory", write_amount },
        { "MemoryLow",      "memory.low",       "memory", write_amount },
        { "MemoryHigh",     "memory.high",      "memory", write_amount },
        { "MemoryMax",      "memory.max",       "memory", write_amount },
        { "MemorySwapMax",  "memory.swap.max",  "memory", write_amount },
        { "MemoryZSwapMax", "memory.zswap.max", "memory", write_amount },
        { "TasksMax",       "pids.max",         "pids",   write_amount },
        { "CPUWeight",      "cpu.weight",       "cpu",    write_amount },
        { "CPUQuota",       "cpu.max",          "cpu",    write_quota },
        { "IOWeight",       "io.weight",        "io",     write_weight },
};
/* clang-format on */

int live_limit_parse(const char *name, const char *text, LiveLimit *ret) {
        _cleanup_(profile_unrefp) Profile *p = NULL;
        const ProfileKey *key = profile_key_find("Resources", name);
        const char *why = NULL;
        size_t i = 0;
        int r;

        while (i < ELEMENTSOF(limits) && !streq(limits[i].key, name))
                i++;
        if (i >= ELEMENTSOF(limits) || !key || !key->parse)
                return -ENOENT;
        if (!*text)
                return -EINVAL;

        r = profile_new(&p, "limits");
        if (r < 0)
                return r;

        r = key->parse(key, text, p, &why);
        if (r < 0)
                return r;
        if (limits[i].write == write_quota && p->cpu_quota < 10)
                return -ERANGE;

        ret->file = limits[i].file;
        ret->layer = limits[i].layer;
        limits[i].write(p, key, ret->value, sizeof(ret->value));
        return 0;
}
