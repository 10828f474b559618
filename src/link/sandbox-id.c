/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/sandbox-id.h"

#include "base/text.h"

#include <stdio.h>

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
