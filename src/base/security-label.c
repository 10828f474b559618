/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/security-label.h"

#include "base/text.h"

/*
 * apparmor(7). The kernel reads "&" as a stack of profiles and a leading ":" as another policy namespace. Either
 * would be something else than the one profile that was asked for.
 */
bool apparmor_profile_is_valid(const char *s) {
        return *s && *s != '&' && *s != ':' && *s != '-' && strlen(s) <= 256 && !strpbrk(s, " \t\"") &&
               !strstr(s, "//&") && text_is_printable(s, "") && !streq(s, "unconfined");
}

bool selinux_context_is_valid(const char *s) {
        unsigned n = 0;

        if (strlen(s) > 1024)
                return false;

        for (;; s++, n++) {
                /* Levels contain colons themselves: s0:c1,c2. */
                const size_t length = strspn(s, ASCII_LOWER ASCII_UPPER ASCII_DIGITS "_.-,");

                if (length == 0)
                        return false;
                s += length;
                if (*s == '\0')
                        return n >= 2;
                if (*s != ':')
                        return false;
        }
}
