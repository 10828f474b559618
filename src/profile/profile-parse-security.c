/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-parse.h"

#include "base/security-label.h"
#include "profile/call-constants.h"

#define CALL_NAME_MAX 64U

/* "name" or "@group" */
static bool syscall_is_valid(const char *s) {
        static const char letters[] = ASCII_LOWER ASCII_DIGITS "_", more[] = ASCII_LOWER ASCII_DIGITS "_-";

        return *s == '@' ? name_is_valid(s + 1, more, more, CALL_NAME_MAX)
                         : name_is_valid(s, letters, letters, CALL_NAME_MAX);
}

int parse_key_syscall_names(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_list(
                key, text, p, syscall_is_valid, "an item is neither a system call nor an @group", ret_why);
}

static int syscalls_add(Profile *p, const char *name, bool deny, int error) {
        ProfileSyscall item = { .name = strdup(name), .deny = deny, .error = error };

        return item.name ? profile_rows_add(PROFILE_FIELD_SYSCALLS, &p->syscalls, &item) : -ENOMEM;
}

/* "name", "@group", each with ":EPERM" where it is denied. */
static int syscalls_add_word(Profile *p, char *word, bool deny, const char **ret_why) {
        char *colon = strchr(word, ':');
        int error = -1;

        if (colon) {
                *colon = '\0';
                if (!deny) {
                        *ret_why = "“:errno” goes with what “~” removes";
                        return -EINVAL;
                }
                if (parse_error_number(colon + 1, &error) < 0) {
                        *ret_why = "there is no error of this name";
                        return -EINVAL;
                }
        }
        if (!syscall_is_valid(word)) {
                *ret_why = "an item is neither a system call nor an @group";
                return -EINVAL;
        }

        return syscalls_add(p, word, deny, error);
}

int parse_key_syscall_filter(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        size_t n_before = p->n_syscalls;
        bool deny = *text == '~';
        int r;

        if (!*text) {
                profile_field_done(PROFILE_FIELD_SYSCALLS, &p->syscalls);
                p->syscalls_set = false;
                return 0;
        }

        r = split_list(text + deny, &words, ret_why);
        if (r < 0)
                return r;
        if (strv_length(words) == 0)
                return -EINVAL;
        if (n_before + strv_length(words) > key->max) {
                *ret_why = "the list has too many items";
                return -EINVAL;
        }

        /* A list that begins by removing removes from the default. */
        r = n_before == 0 && deny ? syscalls_add(p, key->default_text, false, -1) : 0;
        STRV_FOREACH (word, words) {
                if (r < 0)
                        break;
                r = syscalls_add_word(p, *word, deny, ret_why);
        }

        if (r < 0) {
                profile_rows_truncate(PROFILE_FIELD_SYSCALLS, &p->syscalls, n_before);
                return r;
        }

        p->syscalls_set = true;
        return 0;
}

/* Longer ones first, as "<" begins "<=". */
static const struct {
        const char *text;
        ArgumentOperator op;
} operators[] = {
        { "==", ARGUMENT_EQUAL },         { "!=", ARGUMENT_NOT_EQUAL }, { "<=", ARGUMENT_LESS_EQUAL },
        { ">=", ARGUMENT_GREATER_EQUAL }, { "<", ARGUMENT_LESS },       { ">", ARGUMENT_GREATER },
        { "&", ARGUMENT_HAS_ANY },
};

_Static_assert(ELEMENTSOF(operators) == _ARGUMENT_OPERATOR_MAX, "every operator can be written");

static const char *operator_parse(const char *s, ArgumentOperator *ret) {
        for (size_t i = 0; i < ELEMENTSOF(operators); i++) {
                const char *rest = startswith(s, operators[i].text);

                if (rest) {
                        *ret = operators[i].op;
                        return rest;
                }
        }

        return NULL;
}

/* A comparison that always holds, or never, can only be a mistake. */
static bool comparison_is_useful(ArgumentOperator op, uint64_t value) {
        switch (op) {
        case ARGUMENT_HAS_ANY:
        case ARGUMENT_LESS:
        case ARGUMENT_GREATER_EQUAL:
                return value != 0;
        case ARGUMENT_LESS_EQUAL:
        case ARGUMENT_GREATER:
                return value != UINT64_MAX;
        default:
                return true;
        }
}

/* "ioctl:1==TIOCSTI:EPERM" */
static int parse_argument(const ProfileKey *key, char *word, void *row, const char **ret_why) {
        char *colon = strchr(word, ':'), *error;
        ProfileSyscallArgument *item = row;
        const char *value;

        *ret_why = "an item is not “call:argument==value:errno”, as in ioctl:1==TIOCSTI:EPERM";
        if (!colon)
                return -EINVAL;
        *colon = '\0';
        if (*word == '@' || !syscall_is_valid(word))
                return -EINVAL;

        if (colon[1] < '0' || colon[1] > '5') {
                *ret_why = "the arguments of a system call are counted from 0 to 5";
                return -EINVAL;
        }
        item->argument = (unsigned) (colon[1] - '0');
        value = operator_parse(colon + 2, &item->op);
        if (!value)
                return -EINVAL;

        item->error = -1;
        error = strchr(value, ':');
        if (error) {
                *error++ = '\0';
                if (parse_error_number(error, &item->error) < 0) {
                        *ret_why = "there is no error of this name";
                        return -EINVAL;
                }
        }

        if (call_value_parse(value, &item->value) < 0) {
                *ret_why =
                        "a value is neither a number nor one of the constants that immured.profile(5) tells of";
                return -EINVAL;
        }
        if (!comparison_is_useful(item->op, item->value)) {
                *ret_why = "a comparison holds for every value, or for none";
                return -EINVAL;
        }

        *ret_why = NULL;
        item->name = strdup(word);
        return item->name ? 0 : -ENOMEM;
}

int parse_key_syscall_arguments(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_row_list(key, text, p, parse_argument, ret_why);
}

/* A label with a specifier is checked again once the user is known. */
#define DEFINE_LABEL_PARSER(parser, is_valid, why)                                                  \
        int parser(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {     \
                if (*text && (strchr(text, '%') ? !specifiers_are_valid(text) : !is_valid(text))) { \
                        *ret_why = why;                                                             \
                        return -EINVAL;                                                             \
                }                                                                                   \
                return parse_key_text(key, text, p, ret_why);                                       \
        }                                                                                           \
        struct _label_semicolon_

DEFINE_LABEL_PARSER(parse_key_apparmor_profile,
                    apparmor_profile_is_valid,
                    "it is not the name of an AppArmor profile");
DEFINE_LABEL_PARSER(parse_key_selinux_context,
                    selinux_context_is_valid,
                    "it is not a context: user:role:type[:level]");
