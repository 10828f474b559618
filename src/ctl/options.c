/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/options.h"

#include "base/buffer.h"
#include "base/text.h"
#include "ctl/output.h"
#include "profile/names.h"

#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>

static void *option_field(const OptionRow *row, Options *o) { return (uint8_t *) o + row->offset; }

static int parse_flag(const OptionRow *row, const char *value, Options *o) {
        *(bool *) option_field(row, o) = true;
        return 0;
}

static int parse_text(const OptionRow *row, const char *value, Options *o) {
        *(const char **) option_field(row, o) = value;
        return 0;
}

static int parse_list(const OptionRow *row, const char *value, Options *o) {
        return strv_extend(option_field(row, o), value);
}

static int parse_json(const OptionRow *row, const char *value, Options *o) {
        static const char *const names[_OUTPUT_MODE_MAX] = {
                [OUTPUT_TEXT] = "off",
                [OUTPUT_JSON_SHORT] = "short",
                [OUTPUT_JSON_PRETTY] = "pretty",
        };
        int mode = name_value(names, ELEMENTSOF(names), value);

        if (mode >= 0)
                o->output = (OutputMode) mode;
        return mode < 0 ? mode : 0;
}

/* NAME=VALUE as it is. NAME alone gets its value from our own environment, or is skipped if it is not set there. */
static int parse_variable(const OptionRow *row, const char *value, Options *o) {
        _cleanup_free_ char *assignment = NULL;
        const char *own;

        if (strchr(value, '='))
                return env_assignment_is_valid(value) ? strv_extend(&o->environment, value) : -EINVAL;
        if (!env_name_is_valid(value))
                return -EINVAL;

        own = getenv(value);
        if (!own)
                return 0;

        assignment = text_printf("%s=%s", value, own);
        return assignment ? strv_consume(&o->environment, TAKE_PTR(assignment)) : -ENOMEM;
}

static int parse_property(const OptionRow *row, const char *value, Options *o) {
        return *value != '=' && strchr(value, '=') ? strv_extend(&o->properties, value) : -EINVAL;
}

static int parse_choice(const OptionRow *row, const char *value, Options *o) {
        size_t n = strlen(value);

        /* The row's argument lists the choices, "a|b": look for a whole one. */
        for (const char *p = strchr(value, '|') ? NULL : row->argument; p; p = strchr(p, '|')) {
                p += *p == '|';
                if (n > 0 && strncmp(p, value, n) == 0 && (p[n] == '|' || p[n] == '\0'))
                        return parse_text(row, value, o);
        }

        return -EINVAL;
}

static int parse_signo(const OptionRow *row, const char *value, Options *o) {
        return parse_signal(value, option_field(row, o)) < 0 ? -EINVAL : 0;
}

/* clang-format off */
const OptionRow option_rows[] = {
        { "help",          'h', NULL,               OPTION_ALWAYS,  offsetof(Options, help),          parse_flag,
          "Show this help" },
        { "version",       0,   NULL,               OPTION_ALWAYS,  offsetof(Options, version),       parse_flag,
          "Show the version" },
        { "json",          0,   "short|pretty|off", OPTION_LISTING, 0,                                parse_json,
          "Print JSON instead of text" },
        { "no-ask-password", 0, NULL,               OPTION_ALWAYS,  offsetof(Options, no_ask_password), parse_flag,
          "Do not ask for a password" },
        { "no-legend",     0,   NULL,               OPTION_LISTING, offsetof(Options, no_legend),     parse_flag,
          "Print neither headers nor totals" },
        { "no-pager",      0,   NULL,               OPTION_ALWAYS,  offsetof(Options, no_pager),      parse_flag,
          "Accepted and ignored: there is no pager" },
        { "quiet",         'q', NULL,               OPTION_QUIET,   offsetof(Options, quiet),         parse_flag,
          "Print less" },
        { "instance",      'i', "NAME",             OPTION_LAUNCH,  offsetof(Options, instance),      parse_text,
          "Name this instance of the profile (%i in it)" },
        { "env",           'E', "NAME[=VALUE]",     OPTION_LAUNCH,  0,                                parse_variable,
          "Set a variable named in PassEnvironment=" },
        { "arg",           'a', "ARGUMENT",         OPTION_LAUNCH,  offsetof(Options, arguments),     parse_list,
          "Add an argument before those after PROFILE" },
        { "property",      'p', "KEY=VALUE",        OPTION_LAUNCH,  0,                                parse_property,
          "Tighten a key that UserSettable= lists" },
        { "user",          'u', "NAME",             OPTION_LAUNCH,  offsetof(Options, user),          parse_text,
          "Launch for another user (administrators only)" },
        { "on-disconnect", 0,   "keep|stop|kill",   OPTION_LEASED,  offsetof(Options, on_disconnect), parse_choice,
          "What happens to it when immurectl is gone" },
        { "signal",        's', "SIGNAL",           OPTION_KILL,    offsetof(Options, signal),        parse_signo,
          "Which signal to send, by name or number" },
        { "whom",          0,   "main|all",         OPTION_KILL,    offsetof(Options, whom),          parse_choice,
          "Which processes to send it to" },
        { "now",           0,   NULL,               OPTION_UNIT,    offsetof(Options, now),           parse_flag,
          "Start or stop it now, too" },
};
/* clang-format on */

const size_t n_option_rows = ELEMENTSOF(option_rows);

/* What getopt_long() returns for our rows: above any character. */
#define OPTION_VALUE_BASE 1000

void options_done(Options *o) {
        o->environment = strv_free(o->environment);
        o->arguments = strv_free(o->arguments);
        o->properties = strv_free(o->properties);
}

static int option_take(const OptionRow *row, const char *value, unsigned groups, Options *o) {
        int r;

        if (!(row->groups & groups))
                return ctl_error(-EINVAL, "--%s does not apply here", row->name);

        o->groups |= row->groups;
        r = row->parse(row, value, o);
        if (r == -ENOMEM)
                return ctl_error(r, "Out of memory");
        if (r < 0)
                return ctl_error(
                        -EINVAL, "--%s=%s: not understood, takes %s", row->name, value, row->argument);

        return 0;
}

static const OptionRow *option_by_value(int value) {
        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++)
                if (value == OPTION_VALUE_BASE + (int) i ||
                    (option_rows[i].letter && value == option_rows[i].letter))
                        return &option_rows[i];

        return NULL;
}

int options_parse(Options *o, int argc, char **argv, unsigned groups, bool in_order) {
        struct option longs[ELEMENTSOF(option_rows) + 1] = {};
        char shorts[2 * ELEMENTSOF(option_rows) + 2] = {};
        size_t n = 0;
        int c, r;

        if (in_order)
                shorts[n++] = '+';
        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++) {
                longs[i] = (struct option){
                        .name = option_rows[i].name,
                        .has_arg = option_rows[i].argument ? required_argument : no_argument,
                        .val = OPTION_VALUE_BASE + (int) i,
                };
                if (!option_rows[i].letter)
                        continue;
                shorts[n++] = option_rows[i].letter;
                if (option_rows[i].argument)
                        shorts[n++] = ':';
        }

        if (o->groups & ~groups)
                return ctl_error(-EINVAL, "An option before the command does not apply to it");

        optind = 0; /* glibc: start over, with the new ordering */
        while ((c = getopt_long(argc, argv, shorts, longs, NULL)) >= 0) {
                const OptionRow *row = option_by_value(c);

                if (!row)
                        return -EINVAL; /* getopt_long() has said why */

                r = option_take(row, optarg, groups, o);
                if (r < 0)
                        return r;
        }

        return optind;
}

char *options_help(unsigned groups) {
        _cleanup_buffer_ Buffer b = {};

        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++) {
                const OptionRow *row = &option_rows[i];
                char left[48];

                if (!(row->groups & groups))
                        continue;

                snprintf(left,
                         sizeof(left),
                         "%c%c %s%s%s%s",
                         row->letter ? '-' : ' ',
                         row->letter ? row->letter : ' ',
                         "--",
                         row->name,
                         row->argument ? "=" : "",
                         row->argument ? row->argument : "");
                buffer_printf(&b, "  %-29s %s\n", left, row->help);
        }

        return buffer_take_text(&b);
}

bool words_match(int n, char *const *patterns, const char *text) {
        for (int i = 0; i < n; i++)
                if (fnmatch(patterns[i], text, 0) == 0)
                        return true;

        return n == 0;
}
