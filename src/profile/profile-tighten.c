/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile-tighten.h"

#include "base/buffer.h"
#include "profile/profile-keys.h"
#include "profile/profile-source.h"

#include <stdarg.h>
#include <stdio.h>

static int refuse(int error, char **ret_text, const char *format, ...) _printf_(3, 4);

static int refuse(int error, char **ret_text, const char *format, ...) {
        char *text;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;

        *ret_text = text;
        return error;
}

/* Everything that the profile says, in the order it was said. */
static int build_again(ProfileBuild *b, const Profile *p) {
        Profile *q = b->profile;
        int r;

        for (size_t i = 0; i < p->n_lines; i++) {
                const SourceItem item = {
                        .key = p->lines[i].key,
                        .value = p->lines[i].value,
                        .file = p->source_path,
                };
                const char *why = NULL;

                r = profile_build_apply(b, &item, &why);
                if (r < 0)
                        return r;
        }

        q->source_path = p->source_path ? strdup(p->source_path) : NULL;
        if (p->source_path && !q->source_path)
                return -ENOMEM;
        memcpy(q->hash, p->hash, sizeof(q->hash));
        return strv_copy(p->dropin_paths, &q->dropin_paths);
}

/* The ceiling as the admin wrote it; the lines of a list are joined by blanks. */
static char *ceiling_text(const Profile *p, const ProfileKey *key) {
        _cleanup_buffer_ Buffer b = {};
        const char *last = NULL;

        for (size_t i = 0; i < p->n_lines; i++) {
                if (p->lines[i].key != key)
                        continue;

                last = p->lines[i].value;
                if (!key->list || !*last)
                        buffer_done(&b);
                if (*last)
                        buffer_printf(&b, "%s%s", b.size > 0 ? " " : "", last);
        }

        if (last && b.size == 0 && key->list)
                return strdup("empty");
        if (b.size == 0)
                return strdup(*key->default_text ? key->default_text : "not set");

        return buffer_take_text(&b);
}

static int refuse_looser(const Profile *p, const ProfileSetting *s, const ProfileKey *key, char **ret_text) {
        char buf[FINDING_VALUE_SIZE], ceiling_buf[FINDING_VALUE_SIZE];
        _cleanup_free_ char *ceiling = ceiling_text(p, key);

        if (!ceiling)
                return -ENOMEM;

        return refuse(-EPERM,
                      ret_text,
                      "%s=%s is looser than the profile, where it is %s",
                      s->key,
                      finding_shorten(s->value, buf),
                      finding_shorten(ceiling, ceiling_buf));
}

static int
refuse_value(const ProfileSetting *s, const ProfileKey *key, int error, const char *why, char **ret_text) {
        char buf[FINDING_VALUE_SIZE];

        return refuse(-EBADMSG,
                      ret_text,
                      "%s=%s is %s; expected %s%s%s",
                      s->key,
                      finding_shorten(s->value, buf),
                      finding_of_error(error),
                      key->syntax,
                      why ? ": " : "",
                      why ?: "");
}

/* Whether this is the first of the settings for its key. */
static bool is_first(const ProfileSetting *settings, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (streq(settings[k].key, settings[i].key))
                        return false;

        return true;
}

static int apply(ProfileBuild *b, const ProfileSetting *settings, size_t i, char **ret_text) {
        const ProfileSetting *s = &settings[i];
        const ProfileKey *key = profile_settable_key(s->key);
        const SourceItem item = { .key = key, .value = s->value, .file = "Properties" };
        const char *why = NULL;
        int r;

        if (!key || !strv_contains(b->profile->user_settable, s->key))
                return refuse(-EPERM, ret_text, "%s: the profile's UserSettable= does not list it", s->key);
        if (!is_first(settings, i) && !key->list)
                return refuse(-EBADMSG, ret_text, "%s is given twice", s->key);

        /* What no line of a file could hold either. */
        if (!text_is_printable(s->value, "\t"))
                return refuse(-EBADMSG, ret_text, "%s: a value in UTF-8 without control characters", s->key);

        /* As if the key had not been written: the first value then replaces what is there. */
        if (is_first(settings, i) && key->replaces)
                b->origins[key - profile_keys].file = NULL;

        r = profile_build_apply(b, &item, &why);
        if (r < 0 && r != -ENOMEM)
                return refuse_value(s, key, r, why, ret_text);

        return r;
}

/* What keys must satisfy together. The profile alone is known to. */
static int check_together(const ProfileBuild *b, char **ret_text) {
        _cleanup_findings_ Findings findings = {};
        int r;

        r = profile_check(b->profile, b->origins, true, &findings);
        if (r < 0 || findings.n_items == 0)
                return r;

        return refuse(-EBADMSG, ret_text, "%s %s", findings.items[0].key, findings.items[0].text);
}

int profile_tighten(Profile **ret,
                    const Profile *p,
                    const ProfileSetting *settings,
                    size_t n_settings,
                    char **ret_text) {
        _cleanup_free_ KeyOrigin *origins = calloc(n_profile_keys, sizeof(*origins));
        _cleanup_(profile_unrefp) Profile *q = NULL;
        ProfileBuild b;
        int r;

        if (!origins)
                return -ENOMEM;

        r = profile_new(&q, p->name);
        if (r < 0)
                return r;

        b = (ProfileBuild){ .profile = q, .origins = origins };
        r = build_again(&b, p);
        for (size_t i = 0; i < n_settings && r >= 0; i++)
                r = apply(&b, settings, i, ret_text);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_settings; i++) {
                const ProfileKey *key = profile_settable_key(settings[i].key);

                if (!key->at_most(key, q, p))
                        return refuse_looser(p, &settings[i], key, ret_text);
        }

        r = check_together(&b, ret_text);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(q);
        return 0;
}
