/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* status: everything that the broker shows of a sandbox, as a block of text or as JSON with the names of the bus */

#include "base/buffer.h"
#include "base/text.h"
#include "ctl/explain-exit.h"
#include "ctl/sandbox-list.h"
#include "ctl/verb.h"
#include "plan/sandbox-state.h"

#include <signal.h>
#include <time.h>

#define LABEL_WIDTH 11

/* Writes the text for a label; nothing at all if there is nothing to say. */
typedef void (*StatusWriter)(Buffer *b, const json_t *properties, const char *key, bool colour);

static const char *get_text(const json_t *properties, const char *key) {
        const char *s = json_string_value(json_object_get(properties, key));

        return s ? s : "";
}

static json_int_t get_number(const json_t *properties, const char *key) {
        return json_integer_value(json_object_get(properties, key));
}

static void append_escaped(Buffer *b, const char *text) {
        _cleanup_free_ char *escaped = text_escape(text);

        if (escaped)
                buffer_append_text(b, escaped);
        else
                b->error = -ENOMEM;
}

static void write_value(Buffer *b, const json_t *properties, const char *key, bool colour) {
        const json_t *value = json_object_get(properties, key);
        _cleanup_free_ char *text = NULL;

        if (!value || (json_is_string(value) && json_string_length(value) == 0) ||
            (json_is_integer(value) && json_integer_value(value) == 0) ||
            (json_is_array(value) && json_array_size(value) == 0))
                return;

        text = json_to_text(value);
        if (text)
                buffer_append_text(b, text);
        else
                b->error = -ENOMEM;
}

static void write_state(Buffer *b, const json_t *properties, const char *key, bool colour) {
        const char *state = get_text(properties, key), *sub_state = get_text(properties, "SubState");
        time_t launched = (time_t) (get_number(properties, "Timestamp") / (json_int_t) USEC_PER_SEC);
        char when[64];
        struct tm tm;

        buffer_append_text(b, output_state_colour(state, colour));
        append_escaped(b, state);
        buffer_append_text(b, output_colour_end(colour));

        if (*sub_state && !streq(sub_state, state)) {
                buffer_append_text(b, " (");
                append_escaped(b, sub_state);
                buffer_append_text(b, ")");
        }
        if (launched > 0 && localtime_r(&launched, &tm) &&
            strftime(when, sizeof(when), "%a %F %T %Z", &tm) > 0)
                buffer_printf(b, ", launched %s", when);
}

/* Only once a run has ended. Before that the result is always "success". */
static bool has_ended(const json_t *properties) {
        int state = sandbox_state_from_name(get_text(properties, "State"));

        return state >= 0 && (!sandbox_state_is_alive((SandboxState) state) ||
                              streq(get_text(properties, "SubState"), "auto-restart"));
}

static void write_meaning(Buffer *b, const json_t *properties, const char *key, bool colour) {
        char text[EXPLAIN_EXIT_SIZE];

        if (has_ended(properties))
                append_escaped(b,
                               explain_exit(get_text(properties, "Result"),
                                            (int) get_number(properties, "ExecMainCode"),
                                            (int) get_number(properties, "ExecMainStatus"),
                                            text));
}

static void write_result(Buffer *b, const json_t *properties, const char *key, bool colour) {
        static const char *const codes[] = {
                [CLD_EXITED] = "exited",
                [CLD_KILLED] = "killed",
                [CLD_DUMPED] = "dumped",
        };
        json_int_t code = get_number(properties, "ExecMainCode"),
                   status = get_number(properties, "ExecMainStatus");

        if (!has_ended(properties))
                return;

        append_escaped(b, get_text(properties, key));
        if (code <= 0 || (size_t) code >= ELEMENTSOF(codes) || !codes[code])
                return;

        buffer_printf(b, " (%s, status=%" JSON_INTEGER_FORMAT, codes[code], status);
        if (code != CLD_EXITED && status > 0 && status < NSIG && signal_name((int) status))
                buffer_printf(b, "/%s", signal_name((int) status));
        buffer_append_text(b, ")");
}

static void write_profile(Buffer *b, const json_t *properties, const char *key, bool colour) {
        write_value(b, properties, key, colour);
        if (json_is_true(json_object_get(properties, "ProfileChanged")))
                buffer_append_text(b, " (has changed since the launch)");
}

static void write_user(Buffer *b, const json_t *properties, const char *key, bool colour) {
        const char *name = get_text(properties, key);

        append_escaped(b, *name ? name : "-");
        buffer_printf(b, " (%" JSON_INTEGER_FORMAT ")", get_number(properties, "UID"));
}

static void append_size(Buffer *b, const json_t *properties, const char *key, const char *before) {
        const json_t *value = json_object_get(properties, key);
        char text[32];

        if (json_is_integer(value) && json_integer_value(value) >= 0)
                buffer_printf(b,
                              "%s%s",
                              before,
                              format_size((uint64_t) json_integer_value(value), text, sizeof(text)));
}

static void write_memory(Buffer *b, const json_t *properties, const char *key, bool colour) {
        append_size(b, properties, key, "");
        append_size(b, properties, "MemoryPeak", ", at most ");
}

static void write_cpu(Buffer *b, const json_t *properties, const char *key, bool colour) {
        const json_t *value = json_object_get(properties, key);
        char text[64];

        if (json_is_integer(value))
                buffer_append_text(
                        b, format_usec((uint64_t) json_integer_value(value) / 1000, text, sizeof(text)));
}

static const struct {
        const char *label;
        const char *key;
        StatusWriter write;
} status_lines[] = {
        { "State", "State", write_state },
        { "Result", "Result", write_result },
        { "Meaning", "Result", write_meaning },
        { "Status", "StatusText", write_value },
        { "Profile", "Profile", write_profile },
        { "Instance", "Instance", write_value },
        { "User", "User", write_user },
        { "Leader", "Leader", write_value },
        { "Main PID", "MainPID", write_value },
        { "Tasks", "TasksCurrent", write_value },
        { "Memory", "MemoryCurrent", write_memory },
        { "CPU", "CPUUsageNSec", write_cpu },
        { "Restarts", "NRestarts", write_value },
        { "CGroup", "ControlGroup", write_value },
        { "Enforced", "Enforced", write_value },
        { "Plan", "PlanHash", write_value },
        { "Invocation", "InvocationID", write_value },
};

static char *status_format(const json_t *properties, bool colour) {
        const char *state = get_text(properties, "State");
        _cleanup_buffer_ Buffer b = {};

        buffer_printf(&b, "%s●%s ", output_state_colour(state, colour), output_colour_end(colour));
        append_escaped(&b, get_text(properties, "Id"));
        buffer_append_text(&b, "\n");

        for (size_t i = 0; i < ELEMENTSOF(status_lines); i++) {
                _cleanup_buffer_ Buffer line = {};

                status_lines[i].write(&line, properties, status_lines[i].key, colour);
                if (buffer_error(&line) < 0)
                        return NULL;
                if (line.size > 0)
                        buffer_printf(&b,
                                      "%*s: %s\n",
                                      LABEL_WIDTH,
                                      status_lines[i].label,
                                      (const char *) line.data);
        }

        return buffer_take_text(&b);
}

/* The properties of the named sandboxes, or of all. 0 or the first error, with a message. */
static int status_gather(sd_bus *bus, int n, char **ids, json_t *all) {
        _cleanup_json_ json_t *rows = NULL;
        size_t n_ids = (size_t) n;
        int r, first = 0;

        if (n == 0) {
                r = sandbox_list(bus, 0, NULL, &rows);
                if (r < 0)
                        return r;
                n_ids = json_array_size(rows);
        }

        for (size_t i = 0; i < n_ids; i++) {
                const char *id =
                        rows ? json_string_value(json_object_get(json_array_get(rows, i), "id")) : ids[i];
                _cleanup_free_ char *path = NULL;
                json_t *properties = NULL;

                r = client_get_object(bus, "GetSandbox", id, &path);
                if (r >= 0)
                        r = client_get_properties(bus, path, CLIENT_SANDBOX, &properties);
                if (r < 0)
                        first = first < 0 ? first : r;
                else if (json_array_append_new(all, properties) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");
        }

        return first;
}

int verb_status(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *all = json_array();
        const json_t *properties;
        bool colour = output_wants_colour();
        size_t i;
        int r, failed;

        r = client_open(&bus);
        if (r < 0)
                return r;

        failed = status_gather(bus, n, args, all);
        if (o->output != OUTPUT_TEXT) {
                r = output_json(o->output, all);
                return failed < 0 ? failed : r;
        }

        json_array_foreach(all, i, properties) {
                _cleanup_free_ char *text = status_format(properties, colour);

                if (!text)
                        return ctl_error(-ENOMEM, "Out of memory");
                if (!o->quiet)
                        printf("%s%s", i > 0 ? "\n" : "", text);
        }

        r = output_flush();
        return failed < 0 ? failed : r;
}
