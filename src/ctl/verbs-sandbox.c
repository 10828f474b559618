/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* list, ps, faults, stop, restart, freeze, thaw, kill, reset-failed: sandboxes that exist */

#include "base/text.h"
#include "ctl/sandbox-list.h"
#include "ctl/verb.h"

#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <time.h>

static const TableColumn sandbox_columns[] = {
        { "id", "ID", 0 },
        { "user", "USER", 0 },
        { "instance", "INSTANCE", 0 },
        { "state", "STATE", COLUMN_STATE },
        { "leader", "LEADER", COLUMN_RIGHT },
};

/* As this machine's account database has it, or the number as text; caller frees. NULL: no memory. */
static char *user_name_of(uint32_t uid) {
        const struct passwd *pw = getpwuid(uid);

        return pw ? strdup(pw->pw_name) : text_printf("%" PRIu32, uid);
}

static int add_user_name(json_t *row) {
        _cleanup_free_ char *name = user_name_of((uint32_t) json_integer_value(json_object_get(row, "uid")));

        return name ? json_object_set_new(row, "user", json_string(name)) : -ENOMEM;
}

/*
 * Those whose id matches one of n patterns (fnmatch(3)), or all if n is 0: JSON objects with id, profile, uid, user,
 * instance, state, leader, path. 0 or negative errno, with a message.
 */
static int sandbox_list(sd_bus *bus, int n, char **patterns, json_t **ret) {
        static const char *const keys[] = { "id",    "profile", "uid",  "instance",
                                            "state", "leader",  "path", NULL };
        _cleanup_json_ json_t *all = NULL, *rows = json_array();
        json_t *row;
        size_t i;
        int r;

        r = client_get_rows(bus, "ListSandboxes", NULL, "ssussuo", keys, &all);
        if (r < 0)
                return r;

        json_array_foreach (all, i, row) {
                if (!words_match(n, patterns, json_string_value(json_object_get(row, "id"))))
                        continue;
                if (add_user_name(row) < 0 || json_array_append(rows, row) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");
        }
        if (!rows)
                return ctl_error(-ENOMEM, "Out of memory");

        *ret = TAKE_PTR(rows);
        return 0;
}

int sandbox_ids(sd_bus *bus, const char *state, char ***ret) {
        _cleanup_json_ json_t *rows = NULL;
        _cleanup_strv_ char **ids = NULL;
        json_t *row;
        size_t i;
        int r;

        r = sandbox_list(bus, 0, NULL, &rows);
        if (r < 0)
                return r;

        json_array_foreach (rows, i, row)
                if ((!state || streq(json_string_value(json_object_get(row, "state")), state)) &&
                    strv_extend(&ids, json_string_value(json_object_get(row, "id"))) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");

        *ret = TAKE_PTR(ids);
        return 0;
}

int verb_list(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *rows = NULL;
        int r;

        r = client_open(&bus);
        if (r >= 0)
                r = sandbox_list(bus, n, args, &rows);
        if (r < 0)
                return r;

        return output_list(o, rows, sandbox_columns, ELEMENTSOF(sandbox_columns), "sandbox", "sandboxes");
}

static const TableColumn process_columns[] = {
        { "id", "ID", 0 },
        { "cgroup", "CGROUP", 0 },
        { "pid", "PID", COLUMN_RIGHT },
        { "command", "COMMAND", COLUMN_SHRINK },
};

/* A method that answers with rows, and what these are called. */
typedef struct RowQuestion {
        const char *method, *signature;
        const char *const *keys;
        const TableColumn *columns;
        size_t n_columns;
        const char *singular, *plural;
} RowQuestion;

static int gather_rows(sd_bus *bus, const RowQuestion *q, const char *id, json_t *all) {
        _cleanup_json_ json_t *rows = NULL;
        json_t *row;
        size_t i;
        int r;

        r = client_get_rows(bus, q->method, id, q->signature, q->keys, &rows);
        if (r < 0)
                return r;

        json_array_foreach (rows, i, row) {
                if (json_object_set_new(row, "id", json_string(id)) < 0 || json_array_append(all, row) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");
        }

        return 0;
}

/* Of the named sandboxes, or of all. for_people turns what only programs can read into text. */
static int
list_rows(const Options *o, int n, char **ids, const RowQuestion *q, int (*for_people)(json_t *rows)) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_strv_ char **all_ids = NULL;
        _cleanup_json_ json_t *all = json_array();
        int r, first = 0;

        r = client_open(&bus);
        if (r >= 0 && n == 0)
                r = sandbox_ids(bus, NULL, &all_ids);
        if (r < 0)
                return r;

        STRV_FOREACH (id, n == 0 ? all_ids : ids) {
                r = gather_rows(bus, q, *id, all);
                if (r < 0 && first == 0)
                        first = r;
        }

        if (for_people && o->output == OUTPUT_TEXT && for_people(all) < 0)
                return ctl_error(-ENOMEM, "Out of memory");
        r = output_list(o, all, q->columns, q->n_columns, q->singular, q->plural);
        return first < 0 ? first : r;
}

int verb_ps(const Options *o, int n, char **args) {
        static const char *const keys[] = { "cgroup", "pid", "command", NULL };
        static const RowQuestion question = {
                "GetProcesses", "sus",      keys, process_columns, ELEMENTSOF(process_columns),
                "process",      "processes"
        };

        return list_rows(o, n, args, &question, NULL);
}

static const TableColumn fault_columns[] = {
        { "id", "ID", 0 },
        { "time", "TIME", 0 },
        { "resource", "RESOURCE", 0 },
        { "level", "LEVEL", 0 },
        { "value", "VALUE", COLUMN_RIGHT },
        { "limit", "LIMIT", COLUMN_RIGHT },
        { "processes", "PROCESSES", COLUMN_SHRINK },
};

static char *bytes_of(uint64_t value) {
        char text[32];

        return strdup(format_size(value, text, sizeof(text)));
}

static char *number_of(uint64_t value) { return text_printf("%" PRIu64, value); }

static char *duration_of(uint64_t value) {
        char text[64];

        return strdup(format_usec(value, text, sizeof(text)));
}

/* Percent of one second, as in CPUQuota=. */
static char *share_of(uint64_t value) { return text_printf("%" PRIu64 "%%", value / (USEC_PER_SEC / 100)); }

static char *unknown(uint64_t value) { return strdup("-"); }

static char *time_of(uint64_t usec) {
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        char text[64];
        struct tm tm;

        if (!localtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%F %T", &tm) == 0)
                return number_of(usec);

        return strdup(text);
}

/* clang-format off */
static const struct {
        const char *resource;
        char *(*value)(uint64_t value), *(*limit)(uint64_t limit);
} fault_units[] = {
        { "OOM",        bytes_of,    bytes_of },
        { "MemoryMax",  bytes_of,    bytes_of },
        { "MemoryHigh", bytes_of,    bytes_of },
        { "CPUQuota",   duration_of, share_of },
        { "TasksMax",   number_of,   number_of },
        { NULL,         number_of,   number_of }, /* unknown here: from a newer broker */
};
/* clang-format on */

static int replace_number(json_t *row, const char *key, char *(*write)(uint64_t value)) {
        uint64_t value = (uint64_t) json_integer_value(json_object_get(row, key));
        _cleanup_free_ char *text = write(value);

        return text ? json_object_set_new(row, key, json_string(text)) : -ENOMEM;
}

static int faults_for_people(json_t *rows) {
        json_t *row;
        size_t i;

        json_array_foreach (rows, i, row) {
                const char *resource = json_string_value(json_object_get(row, "resource"));
                bool has_limit = json_integer_value(json_object_get(row, "limit")) != 0;
                size_t k = 0;

                while (fault_units[k].resource && !streq(fault_units[k].resource, resource))
                        k++;
                if (replace_number(row, "time", time_of) < 0 ||
                    replace_number(row, "value", fault_units[k].value) < 0 ||
                    replace_number(row, "limit", has_limit ? fault_units[k].limit : unknown) < 0)
                        return -ENOMEM;
        }

        return 0;
}

int verb_faults(const Options *o, int n, char **args) {
        static const char *const keys[] = {
                "time", "resource", "level", "value", "limit", "processes", NULL
        };
        static const RowQuestion question = {
                "GetFaults",      "tssttas",       keys, fault_columns, ELEMENTSOF(fault_columns),
                "hit of a limit", "hits of limits"
        };

        return list_rows(o, n, args, &question, faults_for_people);
}

static int call_verb(sd_bus *bus, const Options *o, const char *id) {
        if (streq(o->method, "Kill"))
                return client_call(
                        bus, NULL, "Kill", "ssi", id, o->whom ?: "all", o->signal > 0 ? o->signal : SIGTERM);

        return client_call(bus, NULL, o->method, "s", id);
}

/* Goes on after an error, and returns the first one. */
static int for_each_id(sd_bus *bus, const Options *o, char *const *ids) {
        _cleanup_json_ json_t *rows = json_array();
        int r, first = 0;

        STRV_FOREACH (id, ids) {
                r = call_verb(bus, o, *id);
                if (r < 0 && first == 0)
                        first = r;
                if (json_array_append_new(rows, json_pack("{s:s, s:b}", "id", *id, "done", r >= 0)) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");
        }

        if (o->output != OUTPUT_TEXT) {
                r = output_json(o->output, rows);
                if (r < 0 && first == 0)
                        first = r;
        }

        return first;
}

static bool is_pattern(const char *word) { return strpbrk(word, "*?[") != NULL; }

/* The ids that a word stands for: itself, or of all sandboxes those that it matches, which must be one at least. */
static int expand_word(sd_bus *bus, char *word, char ***ids) {
        _cleanup_json_ json_t *rows = NULL;
        json_t *row;
        size_t i;
        int r;

        if (!is_pattern(word))
                return strv_extend(ids, word) < 0 ? ctl_error(-ENOMEM, "Out of memory") : 0;

        r = sandbox_list(bus, 1, &word, &rows);
        if (r < 0)
                return r;
        if (json_array_size(rows) == 0)
                return ctl_error(-ENOENT, "No sandbox matches '%s'", word);

        json_array_foreach (rows, i, row) {
                const char *id = json_string_value(json_object_get(row, "id"));

                if (!strv_contains(*ids, id) && strv_extend(ids, id) < 0)
                        return ctl_error(-ENOMEM, "Out of memory");
        }

        return 0;
}

/* Nothing is done to any sandbox unless each word stands for one. */
int verb_for_sandboxes(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_strv_ char **ids = NULL;
        int r;

        r = client_open(&bus);
        if (r >= 0 && n == 0)
                r = sandbox_ids(bus, "failed", &ids);
        for (int i = 0; r >= 0 && i < n; i++)
                r = expand_word(bus, args[i], &ids);

        return r < 0 ? r : for_each_id(bus, o, ids);
}

int verb_set_property(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_json_ json_t *row = json_pack("{s:s, s:b}", "id", args[0], "done", 1);
        int r;

        r = client_open(&bus);
        if (r < 0)
                return r;

        STRV_FOREACH (assignment, args + 1)
                if (!strchr(*assignment, '='))
                        return ctl_error(-EINVAL, "'%s' is not KEY=VALUE", *assignment);

        r = client_new_call(bus, "SetProperties", &m);
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', args[0]);
        if (r >= 0)
                r = client_append_properties(m, args + 1);
        if (r < 0)
                return client_message_error(r);

        r = client_send(bus, m, NULL);
        if (r < 0)
                return r;

        return o->output != OUTPUT_TEXT ? output_json(o->output, row) : 0;
}
