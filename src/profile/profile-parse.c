/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-parse.h"

#include "base/buffer.h"
#include "profile/names.h"
#include "profile/pattern.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <syslog.h>

bool specifiers_are_valid(const char *s) {
        for (; *s; s++)
                if (*s == '%' && (!*++s || !strchr("uUgGhiNHt%", *s)))
                        return false;

        return true;
}

int split_list(const char *text, char ***ret, const char **ret_why) {
        int r;

        r = split_words(text, ret);
        if (r < 0)
                *ret_why = "its quotes or escapes are wrong";
        return r;
}

int parse_rows(
        const ProfileKey *key, char *const *words, Profile *p, RowParser parse, const char **ret_why) {
        void *array = key_field(key, p);
        size_t n_before = profile_rows_count(array);
        int r;

        if (n_before + strv_length(words) > key->max) {
                *ret_why = "the list has too many items";
                return -EINVAL;
        }

        STRV_FOREACH (word, words) {
                ProfileRow row = {};

                r = parse(key, *word, &row, ret_why);
                if (r < 0)
                        profile_row_done(key->kind, &row);
                else
                        r = profile_rows_add(key->kind, array, &row);
                if (r < 0) {
                        profile_rows_truncate(key->kind, array, n_before);
                        return r;
                }
        }

        return 0;
}

int parse_row_list(
        const ProfileKey *key, const char *text, Profile *p, RowParser parse, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (!*text)
                profile_field_done(key->kind, key_field(key, p));

        r = split_list(text, &words, ret_why);
        return r < 0 ? r : parse_rows(key, words, p, parse, ret_why);
}

static int in_range(const ProfileKey *key, uint64_t value) {
        return value < key->min || value > key->max ? -ERANGE : 0;
}

int parse_key_bool(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_boolean(scalar_text(key, text), key_field(key, p));
}

int parse_key_name(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);
        int value = 0;

        if (*s) {
                value = name_value(key->names, key->max + 1, s);
                if (value < 0 || key->foreign >> value & 1)
                        return -EINVAL;
                if (key->later >> value & 1)
                        return -EOPNOTSUPP;
        }

        *(uint8_t *) key_field(key, p) = (uint8_t) value;
        return 0;
}

int parse_key_u32(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        uint32_t value;
        int r;

        r = parse_u32(scalar_text(key, text), &value);
        if (r == 0)
                r = in_range(key, value);
        if (r < 0)
                return r;

        *(uint32_t *) key_field(key, p) = value;
        return 0;
}

/* A number that may be left unset, and may be infinite where the key's maximum is. */
int parse_key_number(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);
        uint64_t value = UINT64_MAX;
        int r = 0;

        if (key->read == parse_size && strchr(s, '%'))
                *ret_why = "a share of the machine's memory is not supported by this version, write bytes";
        if (*s && !streq(s, "infinity"))
                r = key->read(s, &value);
        if (r == 0 && *s)
                r = in_range(key, value);
        if (r < 0)
                return r;

        *(uint64_t *) key_field(key, p) = value;
        return 0;
}

/* Replaces a text of the profile's; an empty one becomes NULL. */
static int set_text(char **field, const char *s) {
        char *copy = NULL;

        if (*s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }

        free(*field);
        *field = copy;
        return 0;
}

int parse_key_text(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);

        if (strlen(s) > key->max) {
                *ret_why = "it is too long";
                return -EINVAL;
        }

        return set_text(key_field(key, p), s);
}

int parse_key_log_name(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);

        if (strpbrk(s, " \t/")) {
                *ret_why = "it must hold neither blanks nor slashes";
                return -EINVAL;
        }
        if (!specifiers_are_valid(s)) {
                *ret_why = "it holds an unknown specifier; a percent sign is written %%";
                return -EINVAL;
        }

        return parse_key_text(key, text, p, ret_why);
}

int parse_key_mode(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        mode_t value;
        int r;

        r = parse_mode(scalar_text(key, text), &value);
        if (r == 0)
                r = in_range(key, value);
        if (r < 0)
                return r;

        *(mode_t *) key_field(key, p) = value;
        return 0;
}

int parse_key_signal(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_signal(scalar_text(key, text), key_field(key, p));
}

int parse_key_pattern(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);
        int r;

        r = *s ? pattern_check(s, ret_why) : 0;
        if (r < 0)
                return r;

        return parse_key_text(key, text, p, ret_why);
}

int parse_key_hostname(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);
        bool plain = !strchr(s, '%');

        if (*s && (plain ? !hostname_is_valid(s) : !specifiers_are_valid(s))) {
                *ret_why = "it is no host name";
                return -EINVAL;
        }

        return parse_key_text(key, text, p, ret_why);
}

int parse_key_cpu_quota(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text);
        uint32_t value = UINT32_MAX;
        int r;

        r = *s ? parse_permyriad(s, &value) : 0;
        if (r == 0 && *s)
                r = in_range(key, value);
        if (r < 0)
                return r;

        p->cpu_quota = value;
        return 0;
}

/* One "N" or "N-M" of a CPU set. */
static int parse_cpu_range(char *word, uint64_t max, uint32_t *ret_first, uint32_t *ret_last) {
        char *dash = strchr(word, '-');
        int r;

        if (dash)
                *dash = '\0';
        r = parse_u32(word, ret_first);
        if (r == 0)
                r = parse_u32(dash ? dash + 1 : word, ret_last);
        if (r < 0)
                return r;

        return *ret_first > *ret_last ? -EINVAL : *ret_last > max ? -ERANGE : 0;
}

int parse_key_cpu_set(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_free_ char *copy = NULL, *set = NULL;
        _cleanup_buffer_ Buffer b = {};
        char *saved = NULL;
        int r;

        copy = strdup(scalar_text(key, text));
        if (!copy)
                return -ENOMEM;

        for (char *word = strtok_r(copy, " \t,", &saved); word; word = strtok_r(NULL, " \t,", &saved)) {
                uint32_t first, last;

                r = parse_cpu_range(word, key->max, &first, &last);
                if (r < 0)
                        return r;

                buffer_printf(&b, "%s%u", b.size > 0 ? "," : "", (unsigned) first);
                if (last > first)
                        buffer_printf(&b, "-%u", (unsigned) last);
        }
        if (*text && b.size == 0 && b.error == 0)
                return -EINVAL;

        set = buffer_take_text(&b);
        return set ? set_text(key_field(key, p), set) : -ENOMEM;
}

/* A small signed number that may be left unset, so that the process keeps what it inherits. */
static int parse_adjustment(const char *s, int min, int max, bool *set, int *field) {
        int32_t value = 0;
        int r;

        r = *s ? parse_i32(s, &value) : 0;
        if (r < 0)
                return r;
        if (value < min || value > max)
                return -ERANGE;

        *set = *s;
        *field = value;
        return 0;
}

int parse_key_nice(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_adjustment(scalar_text(key, text), -20, 19, &p->nice_set, &p->nice);
}

int parse_key_oom_score_adjust(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_adjustment(
                scalar_text(key, text), -1000, 1000, &p->oom_score_adjust_set, &p->oom_score_adjust);
}

int parse_error_number(const char *s, int *ret) {
        uint32_t number;
        int r;

        /* 4095: the largest errno that a system call can return. */
        for (int i = 1; i <= 4095; i++) {
                const char *name = strerrorname_np(i);

                if (name && streq(name, s)) {
                        *ret = i;
                        return 0;
                }
        }

        r = parse_u32(s, &number);
        if (r < 0)
                return r;
        if (number < 1 || number > 4095)
                return -ERANGE;

        *ret = (int) number;
        return 0;
}

int parse_key_error_number(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return parse_error_number(scalar_text(key, text), key_field(key, p));
}

int parse_key_log_level(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        static const char *const names[] = { "emerg",   "alert",  "crit", "err",
                                             "warning", "notice", "info", "debug" };
        const char *s = scalar_text(key, text);
        int *ret = key_field(key, p);
        uint32_t number;
        int r;

        r = name_value(names, ELEMENTSOF(names), s);
        if (r >= 0) {
                *ret = r;
                return 0;
        }

        r = parse_u32(s, &number);
        if (r < 0)
                return r;
        if (number > LOG_DEBUG)
                return -ERANGE;

        *ret = (int) number;
        return 0;
}

/* sysexits.h, as systemd.exec(5) names them; in their order from EX_USAGE on. */
static int parse_exit_status(const char *s, uint32_t *ret) {
        static const char *const names[] = { "USAGE",       "DATAERR",  "NOINPUT",  "NOUSER", "NOHOST",
                                             "UNAVAILABLE", "SOFTWARE", "OSERR",    "OSFILE", "CANTCREAT",
                                             "IOERR",       "TEMPFAIL", "PROTOCOL", "NOPERM", "CONFIG" };

        for (uint32_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], s)) {
                        *ret = EX_USAGE + i;
                        return 0;
                }

        return parse_u32(s, ret);
}

int parse_key_success_status(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        _cleanup_strv_ char **words = NULL;
        uint64_t signals = p->terms.success_signals;
        uint32_t statuses[8];
        int r;

        memcpy(statuses, p->terms.success_statuses, sizeof(statuses));
        if (!*text) {
                memset(statuses, 0, sizeof(statuses));
                statuses[0] = 1; /* exit code 0 always is a success */
                signals = 0;
        }

        r = split_words(text, &words);
        if (r < 0)
                return r;

        STRV_FOREACH (word, words) {
                uint32_t number;
                int signo;

                r = parse_exit_status(*word, &number);
                if (r == 0 && number > 255)
                        return -ERANGE;
                if (r == 0) {
                        statuses[number / 32] |= UINT32_C(1) << number % 32;
                        continue;
                }

                r = parse_signal(*word, &signo);
                if (r < 0 || signo > 63)
                        return r < 0 ? r : -ERANGE;
                signals |= UINT64_C(1) << signo;
        }

        memcpy(p->terms.success_statuses, statuses, sizeof(statuses));
        p->terms.success_signals = signals;
        return 0;
}

/* "soft:hard" or one value for both, in the unit of the limit. */
int parse_key_rlimit(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        const char *s = scalar_text(key, text), *colon = strchr(s, ':');
        ProfileRlimit limit = { .set = true };
        _cleanup_free_ char *soft = NULL;
        int r;

        if (!*s) {
                *(ProfileRlimit *) key_field(key, p) = (ProfileRlimit){};
                return 0;
        }

        soft = strndup(s, colon ? (size_t) (colon - s) : strlen(s));
        if (!soft)
                return -ENOMEM;
        r = key->read(soft, &limit.soft);
        if (r == 0)
                r = key->read(colon ? colon + 1 : s, &limit.hard);
        if (r < 0)
                return r;
        if ((limit.soft != UINT64_MAX && limit.soft > key->max) ||
            (limit.hard != UINT64_MAX && limit.hard > key->max))
                return -ERANGE;
        if (limit.soft > limit.hard) {
                *ret_why = "the soft limit must not be above the hard one";
                return -EINVAL;
        }

        *(ProfileRlimit *) key_field(key, p) = limit;
        return 0;
}

int read_count(const char *s, uint64_t *ret) {
        if (!streq(s, "infinity"))
                return parse_u64(s, ret);

        *ret = UINT64_MAX;
        return 0;
}

/* RLIMIT_CPU counts whole seconds; rounding down could make it 0, no time at all. */
int read_seconds(const char *s, uint64_t *ret) {
        uint64_t usec;
        int r;

        r = parse_usec(s, &usec);
        if (r < 0)
                return r;

        *ret = usec == USEC_INFINITY ? UINT64_MAX : usec / USEC_PER_SEC + (usec % USEC_PER_SEC > 0);
        return 0;
}

/* RLIMIT_RTTIME counts microseconds, and so does a number without a unit, as in systemd.exec(5). */
int read_usec(const char *s, uint64_t *ret) { return parse_u64(s, ret) == 0 ? 0 : parse_usec(s, ret); }

int parse_key_only_no(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        bool value;
        int r;

        r = parse_boolean(scalar_text(key, text), &value);
        return r < 0 ? r : value ? -EOPNOTSUPP : 0;
}

int parse_key_only_default(const ProfileKey *key, const char *text, Profile *p, const char **ret_why) {
        return streq(scalar_text(key, text), key->default_text) ? 0 : -EOPNOTSUPP;
}
