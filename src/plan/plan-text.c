/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/plan-text.h"

#include "base/text.h"

bool plan_text_is_hex(const char *s) { return s[strspn(s, "0123456789abcdef")] == '\0'; }

bool plan_text_is_one_line(const char *s) { return text_is_printable(s, ""); }

bool plan_path_is_valid(const char *s) { return path_is_normalized(s) && plan_text_is_one_line(s); }

bool plan_account_name_is_valid(const char *s) {
        if (*s == '\0' || *s == '-' || *s == ' ' || streq(s, ".") || streq(s, ".."))
                return false;
        /* A name of digits would be taken for an id by every tool that accepts both. */
        if (s[strspn(s, "0123456789")] == '\0')
                return false;

        return !strpbrk(s, ":/,") && plan_text_is_one_line(s);
}
