/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/account.h"

#include "base/strv.h"
#include "base/text.h"

Account *account_free(Account *a) {
        if (!a)
                return NULL;

        for (size_t i = 0; i < a->n_groups; i++)
                free(a->groups[i].name);
        free(a->groups);
        free(a->name);
        free(a->home);
        free(a->shell);
        free(a);
        return NULL;
}

/* Digits are always an id, never a name, so that nobody gains rights through an account called "0". */
static bool is_id(const char *text) { return *text != '\0' && text[strspn(text, "0123456789")] == '\0'; }

static bool is_meant(const char *text, const char *name, uid_t id) {
        uid_t meant;

        if (is_id(text))
                return parse_id(text, &meant) >= 0 && meant == id;

        return name && streq(text, name);
}

static bool is_in_group(const Account *a, const char *text) {
        for (size_t i = 0; i < a->n_groups; i++)
                if (is_meant(text, a->groups[i].name, a->groups[i].gid))
                        return true;

        return false;
}

bool account_is_listed(const Account *a, char *const *users, char *const *groups) {
        STRV_FOREACH (user, users)
                if (is_meant(*user, a->name, a->uid))
                        return true;

        STRV_FOREACH (group, groups)
                if (is_in_group(a, *group))
                        return true;

        return false;
}

static bool may_be_in_group(const Account *a, const char *text) {
        if (a->groups_partial)
                return true;

        for (size_t i = 0; i < a->n_groups; i++)
                if (!a->groups[i].name && !is_id(text))
                        return true;

        return false;
}

bool account_may_be_listed(const Account *a, char *const *users, char *const *groups) {
        STRV_FOREACH (group, groups)
                if (may_be_in_group(a, *group))
                        return true;

        return account_is_listed(a, users, groups);
}

bool account_may_have_expired(const Account *a, int64_t now) {
        return a->expires == ACCOUNT_EXPIRY_UNKNOWN || (a->expires >= 0 && now / (24 * 3600) >= a->expires);
}

bool account_is_admitted(const Account *a, const Profile *p) {
        return !p->abstract && !account_may_be_listed(a, p->deny_users, p->deny_groups) &&
               account_is_listed(a, p->allow_users, p->allow_groups);
}
