/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * options — the options of immurectl: parsing, which verbs take them, help
 *
 * An option may stand before or after the verb. Verbs that start an application take options only before the name of
 * the profile: what follows it belongs to the application and is passed on as it is.
 *
 * Runs in: immurectl. Privilege: none. Input: the caller's own.
 */

#include "base/strv.h"
#include "base/util.h"

typedef enum OutputMode {
        OUTPUT_TEXT,
        OUTPUT_JSON_SHORT,
        OUTPUT_JSON_PRETTY,
        _OUTPUT_MODE_MAX,
} OutputMode;

/* What a verb takes; a verb's set is checked against the options that were given. */
typedef enum OptionGroup {
        OPTION_ALWAYS = 1 << 0,
        OPTION_LISTING = 1 << 1, /* it prints something that has a shape */
        OPTION_QUIET = 1 << 2,   /* it has something to be quiet about */
        OPTION_LAUNCH = 1 << 3,  /* it describes a launch */
        OPTION_LEASED = 1 << 4,  /* it holds a lease on what it launched */
        OPTION_KILL = 1 << 5,
        OPTION_UNIT = 1 << 6, /* it changes what systemd starts */
} OptionGroup;

typedef struct Options {
        unsigned groups; /* of the options that were given so far */
        bool help, version;
        OutputMode output;
        bool no_legend;
        bool no_pager; /* accepted out of habit; there is no pager */
        bool no_ask_password;
        bool quiet;

        /* borrowed from the command line, except the lists */
        const char *instance;
        const char *user;
        const char *on_disconnect;
        char **environment;
        char **arguments;
        char **properties; /* KEY=VALUE */

        int signal;       /* 0: none was given */
        const char *whom; /* NULL: none was given */

        bool now;
        const char *method; /* that the command calls for each sandbox; from its row */
} Options;

void options_done(Options *o);
#define _cleanup_options_ _cleanup_(options_done)

/*
 * Reads the options at the head of argv (argv[0] is skipped), groups telling which are allowed, also of those that
 * were read before. in_order: stop at the first word that is none; otherwise options may stand among the words, and
 * those are moved behind them. Returns the index of the first word, or -EINVAL after saying on standard error what is
 * wrong; -ENOMEM likewise.
 */
int options_parse(Options *o, int argc, char **argv, unsigned groups, bool in_order);

typedef struct OptionRow OptionRow;

/* Stores the value of one option (NULL if it takes none). -EINVAL: it is not of the form that the row says. */
typedef int (*OptionParser)(const OptionRow *row, const char *value, Options *o);

struct OptionRow {
        const char *name;
        char letter;          /* 0: none */
        const char *argument; /* NULL: takes none; "a|b": one of these */
        unsigned groups;      /* a verb takes the option if they share one */
        size_t offset;        /* of the field, for the parsers that serve several options */
        OptionParser parse;
        const char *help;
};

/* In the order of the help. */
extern const OptionRow option_rows[];
extern const size_t n_option_rows;

/* The lines of help for these groups; caller frees. NULL: no memory. */
char *options_help(unsigned groups);

/* Whether the text matches one of n patterns, fnmatch(3). Without patterns everything matches. */
bool words_match(int n, char *const *patterns, const char *text);
