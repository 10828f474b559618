/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/buffer.h"
#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "plan/plan-text.h"

#include <inttypes.h>

static const char *user_name(const PlanBuild *b) { return b->account->name; }

static const char *home(const PlanBuild *b) { return b->home; }

static const char *instance(const PlanBuild *b) { return b->request->instance ?: ""; }

static const char *profile_name(const PlanBuild *b) { return b->profile->name; }

static const char *host_name(const PlanBuild *b) { return b->context->host_name; }

static const char *runtime_directory(const PlanBuild *b) { return b->runtime_directory; }

static const char *percent(const PlanBuild *b) { return "%"; }

/*
 * The primary group's name; NULL where it has none, or one that would break a path or passwd(5). Its number is used
 * then.
 */
static const char *group_name(const PlanBuild *b) {
        for (size_t i = 0; i < b->account->n_groups; i++) {
                const AccountGroup *g = &b->account->groups[i];

                if (g->gid == b->account->gid && g->name && plan_account_name_is_valid(g->name))
                        return g->name;
        }

        return NULL;
}

static uint32_t uid(const PlanBuild *b) { return b->account->uid; }

static uint32_t gid(const PlanBuild *b) { return b->account->gid; }

/* The user it runs as, the profile, the instance. Where text returns NULL, the number is used. */
/* clang-format off */
static const struct {
        char letter;
        const char *(*text)(const PlanBuild *b);
        uint32_t (*number)(const PlanBuild *b);
} specifiers[] = {
        { 'u', user_name,         NULL },
        { 'U', NULL,              uid  },
        { 'g', group_name,        gid  },
        { 'G', NULL,              gid  },
        { 'h', home,              NULL },
        { 'i', instance,          NULL },
        { 'N', profile_name,      NULL },
        { 'H', host_name,         NULL },
        { 't', runtime_directory, NULL },
        { '%', percent,           NULL },
};
/* clang-format on */

static int append_specifier(PlanBuild *b, Buffer *out, const char *key, char letter) {
        for (size_t i = 0; i < ELEMENTSOF(specifiers); i++) {
                const char *text;

                if (specifiers[i].letter != letter)
                        continue;

                text = specifiers[i].text ? specifiers[i].text(b) : NULL;
                if (text)
                        buffer_append_text(out, text);
                else if (specifiers[i].number)
                        buffer_printf(out, "%" PRIu32, specifiers[i].number(b));
                else
                        return plan_refuse(b, "%s=: %%%c is not known here", key, letter);

                return 0;
        }

        return plan_refuse(
                b,
                "%s=: unknown specifier after %%; known are %%u %%U %%g %%G %%h %%i %%N %%H %%t and %%%%",
                key);
}

int plan_expand(PlanBuild *b, const char *key, const char *text, char **ret) {
        _cleanup_buffer_ Buffer out = {};
        char *expanded;

        for (const char *s = text; *s; s++) {
                int r;

                if (*s != '%') {
                        buffer_append(&out, s, 1);
                        continue;
                }

                r = append_specifier(b, &out, key, *++s);
                if (r < 0)
                        return r;
        }

        if (buffer_error(&out) < 0)
                return buffer_error(&out);
        if (out.size > PLAN_STRING_MAX)
                return plan_refuse(b, "%s=: longer than 64K with its specifiers", key);

        expanded = buffer_take_text(&out);
        if (!expanded)
                return -ENOMEM;

        *ret = expanded;
        return 0;
}

int plan_expand_path(PlanBuild *b, const char *key, const char *text, char **ret) {
        _cleanup_free_ char *expanded = NULL, *path = NULL;
        int r;

        r = plan_expand(b, key, text, &expanded);
        if (r < 0)
                return r;

        r = path_normalize(expanded, &path);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !plan_path_is_valid(path))
                return plan_refuse(b, "%s=%s: not an absolute path without \"..\"", key, text);

        *ret = TAKE_PTR(path);
        return 0;
}
