/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/app-name.h"

#include "base/text.h"

int app_name_parse(const char *text, AppName *ret) {
        const char *colon = strchr(text, ':');
        AppName a = {};

        if (!colon || (size_t) (colon - text) >= sizeof(a.user) || strlen(colon + 1) >= sizeof(a.profile))
                return -EINVAL;

        memcpy(a.user, text, colon - text);
        memcpy(a.profile, colon + 1, strlen(colon + 1));
        if (!profile_name_is_valid(a.profile))
                return -EINVAL;

        if (parse_id(a.user, &a.uid) >= 0)
                a.user[0] = '\0';
        else if (!account_name_is_valid(a.user))
                return -EINVAL;

        *ret = a;
        return 0;
}

bool app_name_is_user(const AppName *a, const char *name, uid_t uid) {
        return a->user[0] ? streq(a->user, name) : a->uid == uid;
}
