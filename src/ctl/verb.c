/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/verb.h"

#include "base/buffer.h"
#include "ctl/ask.h"
#include "ctl/exit-status.h"
#include "ctl/output.h"

#include <stdio.h>

static int verb_version(const Options *o, int n, char **args);
static int verb_help(const Options *o, int n, char **args);

#define LAUNCHING (OPTION_LAUNCH | OPTION_QUIET)
#define SHOWING (OPTION_LISTING | OPTION_QUIET)
#define IN_ORDER true
#define ANY_ORDER false

/* clang-format off */
const Verb verbs[] = {
        { "run",          1, -1, LAUNCHING | OPTION_LEASED, IN_ORDER,  EXIT_STATUS_OWN, "PROFILE [ARGUMENT…]",
          verb_run, "Launch an application and stay with it" },
        { "launch",       1, -1, LAUNCHING | SHOWING,       IN_ORDER,  EXIT_FAILURE, "PROFILE [ARGUMENT…]",
          verb_launch, "Launch an application and print its id" },
        { "list",         0, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "[PATTERN…]", verb_list,
          "List sandboxes" },
        { "status",       0, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "[ID…]", verb_status,
          "Show sandboxes in detail" },
        { "stop",         1, -1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "ID|PATTERN…", verb_for_sandboxes,
          "Stop sandboxes", "Stop" },
        { "kill",         1, -1, OPTION_LISTING | OPTION_KILL, ANY_ORDER, EXIT_FAILURE, "ID|PATTERN…",
          verb_for_sandboxes, "Send a signal to the processes of sandboxes", "Kill" },
        { "restart",      1, -1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "ID|PATTERN…", verb_for_sandboxes,
          "Stop sandboxes and start them again", "Restart" },
        { "set-property", 2, -1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "ID KEY=VALUE…",
          verb_set_property, "Change limits of a running sandbox" },
        { "freeze",       1, -1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "ID|PATTERN…", verb_for_sandboxes,
          "Suspend all processes of sandboxes", "Freeze" },
        { "thaw",         1, -1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "ID|PATTERN…", verb_for_sandboxes,
          "Let frozen sandboxes continue", "Thaw" },
        { "ps",           0, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "[ID…]", verb_ps,
          "List the processes of sandboxes" },
        { "faults",       0, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "[ID…]", verb_faults,
          "List limits that sandboxes ran into" },
        { "reset-failed", 0, -1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "[ID|PATTERN…]",
          verb_for_sandboxes, "Forget sandboxes that have failed", "ResetFailed" },
        { "profiles",     0, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "[PATTERN…]", verb_profiles,
          "List profiles" },
        { "cat",          1, -1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "PROFILE…", verb_cat,
          "Show the files that make up profiles" },
        { "plan",         1, -1, LAUNCHING | OPTION_LEASED | SHOWING, ANY_ORDER, EXIT_FAILURE, "PROFILE [ARGUMENT…]",
          verb_plan, "Show what a launch would do" },
        { "enable",       2,  2, OPTION_QUIET | OPTION_UNIT, ANY_ORDER, EXIT_FAILURE, "USER PROFILE", verb_enable,
          "Start an application at boot" },
        { "disable",      2,  2, OPTION_QUIET | OPTION_UNIT, ANY_ORDER, EXIT_FAILURE, "USER PROFILE", verb_disable,
          "Do not start an application at boot" },
        { "can",          2, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "USER PROFILE [KEY=VALUE…]",
          verb_can, "Check whether a user could launch a profile" },
        { "who-can",      1,  1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "PROFILE", verb_who_can,
          "List the accounts that could launch a profile" },
        { "reload",       0,  0, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "", verb_reload,
          "Reload profiles and settings" },
        { "lint",         0, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "[FILE…]", verb_lint,
          "Check profiles without the broker" },
        { "keys",         0, -1, SHOWING,                   ANY_ORDER, EXIT_FAILURE, "[PATTERN…]", verb_keys,
          "List the keys of profiles" },
        { "version",      0,  0, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "", verb_version,
          "Show the version" },
        { "help",         0,  1, OPTION_LISTING,            ANY_ORDER, EXIT_FAILURE, "[COMMAND]", verb_help,
          "Show this help, or that of a command" },
};
/* clang-format on */

const size_t n_verbs = ELEMENTSOF(verbs);

const Verb *verb_find(const char *name) {
        for (size_t i = 0; i < n_verbs; i++)
                if (streq(verbs[i].name, name))
                        return &verbs[i];

        return NULL;
}

/* -EINVAL, with a message: n words are too few or too many. */
static int verb_check(const Verb *verb, int n) {
        if (n < verb->min_args)
                return ctl_error(-EINVAL,
                                 "%s needs %s; see immurectl help %s",
                                 verb->name,
                                 verb->synopsis,
                                 verb->name);
        if (verb->max_args >= 0 && n > verb->max_args)
                return ctl_error(-EINVAL, "Too many arguments; see immurectl help %s", verb->name);

        return 0;
}

static void append_overview(Buffer *b) {
        buffer_append_text(b,
                           "immurectl [OPTIONS…] COMMAND …\n\n"
                           "Launch applications in sandboxes and look after them.\n\nCommands:\n");
        for (size_t i = 0; i < n_verbs; i++) {
                _cleanup_free_ char *left = NULL;

                if (asprintf(&left, "%s %s", verbs[i].name, verbs[i].synopsis) < 0) {
                        b->error = -ENOMEM;
                        return;
                }
                /* printf() pads by bytes, and "…" is three bytes wide but one column. */
                buffer_printf(b, "  %-*s %s\n", strstr(left, "…") ? 31 : 29, left, verbs[i].help);
        }
        buffer_append_text(b, "\nOptions:\n");
}

/* Prints the help of one verb, or all of it for NULL. 0 or negative errno, with a message. */
static int verb_print_help(const Verb *verb) {
        _cleanup_free_ char *options = options_help(verb ? verb->options | OPTION_ALWAYS : ~0U),
                            *text = NULL;
        _cleanup_buffer_ Buffer b = {};

        if (!options)
                return ctl_error(-ENOMEM, "Out of memory");

        if (verb)
                buffer_printf(&b,
                              "immurectl %s [OPTIONS…]%s%s\n\n%s.\n\nOptions:\n",
                              verb->name,
                              *verb->synopsis ? " " : "",
                              verb->synopsis,
                              verb->help);
        else
                append_overview(&b);
        buffer_append_text(&b, options);
        buffer_append_text(&b, "\nSee the immurectl(1) man page for details.\n");

        text = buffer_take_text(&b);
        if (!text)
                return ctl_error(-ENOMEM, "Out of memory");

        fputs(text, stdout);
        return output_flush();
}

static json_t *option_to_json(const OptionRow *option) {
        char letter[2] = { option->letter };

        return json_pack("{s:s, s:s*, s:s*, s:s}",
                         "name",
                         option->name,
                         "letter",
                         option->letter ? letter : NULL,
                         "argument",
                         option->argument,
                         "help",
                         option->help);
}

static json_t *verb_to_json(const Verb *verb) {
        _cleanup_json_ json_t *options = json_array();

        for (size_t i = 0; i < n_option_rows; i++)
                if (option_rows[i].groups & (verb->options | OPTION_ALWAYS) &&
                    json_array_append_new(options, option_to_json(&option_rows[i])) < 0)
                        return NULL;

        return json_pack("{s:s, s:s, s:b, s:s, s:O}",
                         "name",
                         verb->name,
                         "arguments",
                         verb->synopsis,
                         "options_first",
                         verb->in_order,
                         "help",
                         verb->help,
                         "options",
                         options);
}

static json_t *verb_table_to_json(void) {
        _cleanup_json_ json_t *commands = json_array();

        for (size_t i = 0; i < n_verbs; i++)
                if (json_array_append_new(commands, verb_to_json(&verbs[i])) < 0)
                        return NULL;

        return json_pack("{s:O}", "commands", commands);
}

static int verb_version(const Options *o, int n, char **args) {
        _cleanup_json_ json_t *version = json_pack("{s:s}", "version", IMMURED_VERSION);

        if (o->output != OUTPUT_TEXT)
                return output_json(o->output, version);

        puts("immurectl " IMMURED_VERSION);
        return output_flush();
}

static int verb_help(const Options *o, int n, char **args) {
        const Verb *verb = NULL;

        if (n > 0) {
                verb = verb_find(args[0]);
                if (!verb)
                        return ctl_error(-EINVAL, "There is no command '%s'; see immurectl help", args[0]);
        }

        if (o->output != OUTPUT_TEXT) {
                _cleanup_json_ json_t *table = verb ? verb_to_json(verb) : verb_table_to_json();

                return output_json(o->output, table);
        }

        return verb_print_help(verb);
}

/* Before the verb any verb's option is allowed. They are checked again once the verb is known. */
int verb_dispatch(int argc, char **argv) {
        _cleanup_options_ Options options = {};
        const Verb *verb;
        int first, r;

        first = options_parse(&options, argc, argv, ~0U, true);
        if (first < 0)
                return EXIT_FAILURE;
        if (options.version)
                return verb_version(&options, 0, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (options.help || first == argc) {
                r = verb_print_help(NULL);
                return r < 0 || !options.help ? EXIT_FAILURE : EXIT_SUCCESS;
        }

        verb = verb_find(argv[first]);
        if (!verb) {
                (void) ctl_error(-EINVAL, "There is no command '%s'; see immurectl help", argv[first]);
                return EXIT_FAILURE;
        }

        /* getopt_long() takes the program's name for its messages from here. */
        argv += first;
        argc -= first;
        argv[0] = (char *) "immurectl";

        r = options_parse(&options, argc, argv, verb->options | OPTION_ALWAYS, verb->in_order);
        if (r < 0)
                return verb->failure;
        argv += r;
        argc -= r;

        if (options.no_ask_password)
                ask_forbid();
        if (options.help)
                return verb_print_help(verb) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        options.method = verb->method;
        r = verb_check(verb, argc);
        if (r >= 0)
                r = verb->function(&options, argc, argv);

        return r < 0 ? verb->failure : r;
}
