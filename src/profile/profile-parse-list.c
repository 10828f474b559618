/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/call-constants.h"
#include "profile/names.h"
#include "profile/profile-parse.h"

static bool address_family_is_valid(const char *s) { return address_family_by_name(s) >= 0; }

/* capabilities(7) */
static bool capability_is_valid(const char *s) {
        static const char *const names[] = {
                "CAP_AUDIT_CONTROL",   "CAP_AUDIT_READ",   "CAP_AUDIT_WRITE",
                "CAP_BLOCK_SUSPEND",   "CAP_BPF",          "CAP_CHECKPOINT_RESTORE",
                "CAP_CHOWN",           "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
                "CAP_FOWNER",          "CAP_FSETID",       "CAP_IPC_LOCK",
                "CAP_IPC_OWNER",       "CAP_KILL",         "CAP_LEASE",
                "CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN",    "CAP_MAC_OVERRIDE",
                "CAP_MKNOD",           "CAP_NET_ADMIN",    "CAP_NET_BIND_SERVICE",
                "CAP_NET_BROADCAST",   "CAP_NET_RAW",      "CAP_PERFMON",
                "CAP_SETFCAP",         "CAP_SETGID",       "CAP_SETPCAP",
                "CAP_SETUID",          "CAP_SYS_ADMIN",    "CAP_SYS_BOOT",
                "CAP_SYS_CHROOT",      "CAP_SYS_MODULE",   "CAP_SYS_NICE",
                "CAP_SYS_PACCT",       "CAP_SYS_PTRACE",   "CAP_SYS_RAWIO",
                "CAP_SYS_RESOURCE",    "CAP_SYS_TIME",     "CAP_SYS_TTY_CONFIG",
                "CAP_SYSLOG",          "CAP_WAKE_ALARM",
        };

        return name_value(names, ELEMENTSOF(names), s) >= 0;
}

static bool user_is_valid(const char *s) {
        uid_t uid;

        return account_name_is_valid(s) || parse_id(s, &uid) == 0;
}

static bool word_is_valid(const char *s) { return *s && text_is_printable(s, ""); }

static bool assignment_is_valid(const char *s) {
        return env_assignment_is_valid(s) && specifiers_are_valid(s);
}

/* place_name_is_valid() once its specifiers are expanded; the plan checks it again then. */
static bool directory_is_valid(const char *s) {
        static const char letters[] = ASCII_LOWER ASCII_UPPER ASCII_DIGITS "_%";

        return name_is_valid(s, letters, ASCII_LOWER ASCII_UPPER ASCII_DIGITS "._-%", 64) &&
               specifiers_are_valid(s) && !strstr(s, "%h") && !strstr(s, "%t") && !strstr(s, "%%");
}

int parse_list(const ProfileKey *key,
               const char *text,
               Profile *p,
               bool (*valid)(const char *),
               const char *why,
               const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        char ***field = key_field(key, p);
        int r;

        if (!*text) {
                *field = strv_free(*field);
                return 0;
        }

        r = split_list(text, &words, ret_why);
        if (r < 0)
                return r;

        STRV_FOREACH (word, words)
                if (!valid(*word)) {
                        *ret_why = why;
                        return -EINVAL;
                }
        if (strv_length(*field) + strv_length(words) > key->max) {
                *ret_why = "the list has too many items";
                return -EINVAL;
        }

        return strv_extend_strv(field, words);
}

#define DEFINE_LIST_PARSER(parser, valid, why)                                                  \
        int parser(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) { \
                return parse_list(key, text, p, valid, why, ret_why);                           \
        }                                                                                       \
        struct _list_semicolon_

/* clang-format off */
DEFINE_LIST_PARSER(parse_key_words, word_is_valid, "an item is empty or holds a control character");
DEFINE_LIST_PARSER(parse_key_profile_names, profile_name_is_valid,
                   "a profile's name is a lower-case letter and up to 31 letters, digits, “_” and “-”");
DEFINE_LIST_PARSER(parse_key_users, user_is_valid, "an item is neither the name nor the number of a user");
DEFINE_LIST_PARSER(parse_key_groups, user_is_valid, "an item is neither the name nor the number of a group");
DEFINE_LIST_PARSER(parse_key_directories, directory_is_valid,
                   "a name is at most 64 of letters, digits, “.”, “_” and “-”, the first none of “.” and “-”");
DEFINE_LIST_PARSER(parse_key_environment, assignment_is_valid,
                   "an item is not NAME=value, or holds an unknown specifier (a percent sign is written %%)");
DEFINE_LIST_PARSER(parse_key_environment_names, env_name_is_valid, "an item is not the name of a variable");
DEFINE_LIST_PARSER(parse_key_capabilities, capability_is_valid,
                   "an item is not a capability of capabilities(7), as in CAP_NET_BIND_SERVICE");
DEFINE_LIST_PARSER(parse_key_layers, layer_name_is_valid, "an item is not the name of a layer");
/* clang-format on */

int parse_key_address_families(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        if (streq(text, "none"))
                text = "";

        return parse_list(key,
                          text,
                          p,
                          address_family_is_valid,
                          "an item is not an address family such as AF_INET; all others are refused anyway",
                          ret_why);
}
