/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/launch/launch-options.h"

#include "link/bus-dict.h"
#include "link/link.h"
#include "plan/client-streams.h"
#include "plan/plan-compile.h"
#include "profile/names.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct Option Option;
typedef int (*OptionReader)(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error);

struct Option {
        const char *name;
        const char *types;
        OptionReader read;
};

static int read_texts(sd_bus_message *m, const Option *o, size_t max, char ***ret, sd_bus_error *error) {
        const char *s;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read_basic(m, 's', &s)) > 0) {
                if (++n > max)
                        return sd_bus_error_setf(
                                error, ERROR_QUOTA_EXCEEDED, "%s: more than %zu", o->name, max);
                if (strlen(s) > PLAN_TEXT_MAX)
                        return sd_bus_error_setf(error,
                                                 ERROR_QUOTA_EXCEEDED,
                                                 "%s: number %zu is longer than %d bytes",
                                                 o->name,
                                                 n,
                                                 PLAN_TEXT_MAX);

                r = strv_extend(ret, s);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static int read_arguments(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        return read_texts(m, o, PLAN_ARGUMENTS_MAX, &ret->arguments, error);
}

static int read_environment(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        size_t size = 0;
        int r;

        r = read_texts(m, o, LAUNCH_ENVIRONMENT_MAX, &ret->environment, error);
        if (r < 0)
                return r;

        STRV_FOREACH (e, ret->environment) {
                size += strlen(*e) + 1;
                if (!env_assignment_is_valid(*e))
                        return sd_bus_error_setf(error,
                                                 SD_BUS_ERROR_INVALID_ARGS,
                                                 "Environment: number %zu is no NAME=value",
                                                 (size_t) (e - ret->environment) + 1);
        }
        if (size > LAUNCH_ENVIRONMENT_SIZE_MAX)
                return sd_bus_error_setf(error,
                                         ERROR_QUOTA_EXCEEDED,
                                         "Environment: more than %u bytes",
                                         LAUNCH_ENVIRONMENT_SIZE_MAX);

        return 0;
}

/* Adds one line: a key and its value. */
static int
add_setting(LaunchOptions *ret, const Option *o, const char *key, const char *value, sd_bus_error *error) {
        ProfileSetting *grown, *s;

        if (ret->n_settings >= LAUNCH_SETTINGS_MAX)
                return sd_bus_error_setf(
                        error, ERROR_QUOTA_EXCEEDED, "%s: more than %u", o->name, LAUNCH_SETTINGS_MAX);
        if (strlen(key) > PLAN_TEXT_MAX || strlen(value) > PLAN_TEXT_MAX)
                return sd_bus_error_setf(error,
                                         ERROR_QUOTA_EXCEEDED,
                                         "%s: %.64s is longer than %d bytes",
                                         o->name,
                                         key,
                                         PLAN_TEXT_MAX);

        grown = reallocarray(ret->settings, ret->n_settings + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        ret->settings = grown;

        s = grown + ret->n_settings++;
        *s = (ProfileSetting){ .key = strdup(key), .value = strdup(value) };
        return s->key && s->value ? 0 : -ENOMEM;
}

/* A value of a basic type, written as a profile would have it. */
static int basic_to_text(sd_bus_message *m, char type, char *buf, size_t size, const char **ret) {
        union {
                uint8_t y;
                int b;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                const char *s;
        } v = {};
        int r;

        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;

        *ret = buf;
        switch (type) {
        case 's':
                *ret = v.s;
                break;
        case 'b':
                *ret = v.b ? "yes" : "no";
                break;
        case 'n':
        case 'i':
        case 'x':
                (void) snprintf(buf, size, "%" PRIi64, type == 'n' ? v.n : type == 'i' ? v.i : v.x);
                break;
        default:
                (void) snprintf(buf,
                                size,
                                "%" PRIu64,
                                type == 'y'   ? v.y
                                : type == 'q' ? v.q
                                : type == 'u' ? v.u
                                              : v.t);
                break;
        }

        return 0;
}

/* Each item is a line of its own. An empty list is one empty line, which resets the key. */
static int read_setting_lines(
        sd_bus_message *m, const Option *o, const char *key, LaunchOptions *ret, sd_bus_error *error) {
        const char *line;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;

        for (; (r = sd_bus_message_read_basic(m, 's', &line)) > 0; n++) {
                r = add_setting(ret, o, key, line, error);
                if (r < 0)
                        return r;
        }
        if (r >= 0 && n == 0)
                r = add_setting(ret, o, key, "", error);
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static int read_setting(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        const char *key, *types, *text;
        char number[32];
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;

        r = sd_bus_message_peek_type(m, NULL, &types);
        if (r < 0)
                return r;

        r = sd_bus_message_enter_container(m, 'v', types);
        if (r < 0)
                return r;

        if (streq(types, "as"))
                r = read_setting_lines(m, o, key, ret, error);
        else if (strlen(types) == 1 && strchr("sbynqiuxt", *types)) {
                r = basic_to_text(m, *types, number, sizeof(number), &text);
                if (r >= 0)
                        r = add_setting(ret, o, key, text, error);
        } else
                r = sd_bus_error_setf(
                        error,
                        SD_BUS_ERROR_INVALID_ARGS,
                        "%s: %.64s is text, a number, a boolean or a list of texts, not of type \"%.64s\"",
                        o->name,
                        key,
                        types);
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static int read_properties(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sv)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'r', "sv")) > 0) {
                r = read_setting(m, o, ret, error);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static int read_user(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        uid_t uid;
        int r;

        r = bus_read_text(m, &ret->user);
        if (r < 0)
                return r;
        if (!account_name_is_valid(ret->user) && parse_id(ret->user, &uid) < 0)
                return sd_bus_error_setf(
                        error, SD_BUS_ERROR_INVALID_ARGS, "User: neither a user name nor a uid");

        return 0;
}

static int read_instance(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        int r;

        r = bus_read_text(m, &ret->instance);
        if (r < 0)
                return r;
        if (!instance_name_is_valid(ret->instance))
                return sd_bus_error_setf(
                        error,
                        SD_BUS_ERROR_INVALID_ARGS,
                        "Instance: up to 32 of a-z, 0-9, \"_\" and \"-\", starting with a letter or digit");

        return 0;
}

static int add_stream(LaunchOptions *ret, const char *name, sd_bus_error *error) {
        const int number = name_value(client_stream_names, CLIENT_STREAMS_N, name);

        if (streq(name, "control-group"))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_NOT_SUPPORTED, "Streams: this version takes no control group");
        if (number < 0)
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "Streams: \"stdin\", \"stdout\" and \"stderr\"");
        if (ret->streams & CLIENT_STREAM(number))
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Streams: %s twice", name);

        ret->streams |= CLIENT_STREAM(number);
        return 0;
}

static int read_streams(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read_basic(m, 's', &name)) > 0) {
                r = add_stream(ret, name, error);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_on_disconnect(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        if (r < 0)
                return r;

        r = name_value(on_disconnect_names, ELEMENTSOF(on_disconnect_names), s);
        if (r >= 0) {
                ret->on_disconnect = r;
                return 0;
        }

        return sd_bus_error_setf(
                error, SD_BUS_ERROR_INVALID_ARGS, "OnDisconnect: \"keep\", \"stop\" or \"kill\"");
}

static int read_wait(sd_bus_message *m, const Option *o, LaunchOptions *ret, sd_bus_error *error) {
        int value, r;

        r = sd_bus_message_read_basic(m, 'b', &value);
        if (r < 0)
                return r;

        ret->wait_set = true;
        ret->wait = value;
        return 0;
}

/* clang-format off */
static const Option options[] = {
        { "Arguments",    "as",    read_arguments },
        { "Environment",  "as",    read_environment },
        { "Properties",   "a(sv)", read_properties },
        { "User",         "s",     read_user },
        { "Instance",     "s",     read_instance },
        { "Streams",      "as",    read_streams },
        { "OnDisconnect", "s",     read_on_disconnect },
        { "Wait",         "b",     read_wait },
};
/* clang-format on */

_Static_assert(ELEMENTSOF(options) <= 32, "the options seen are a 32-bit set");

void launch_options_done(LaunchOptions *o) {
        (void) strv_free(o->arguments);
        (void) strv_free(o->environment);
        for (size_t i = 0; i < o->n_settings; i++) {
                free(o->settings[i].key);
                free(o->settings[i].value);
        }
        free(o->settings);
        free(o->user);
        free(o->instance);
        *o = LAUNCH_OPTIONS_NONE;
}

static const Option *option_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (streq(options[i].name, name))
                        return options + i;

        return NULL;
}

typedef struct OptionsReading {
        LaunchOptions *options;
        uint32_t seen;
        sd_bus_error *error;
} OptionsReading;

static int read_entry(sd_bus_message *m, const char *name, void *userdata) {
        const Option *o = option_find(name);
        OptionsReading *reading = userdata;
        sd_bus_error *error = reading->error;
        const char *contents;
        int r;

        if (!o)
                return sd_bus_error_setf(
                        error, SD_BUS_ERROR_INVALID_ARGS, "There is no option \"%.64s\"", name);
        if (reading->seen & UINT32_C(1) << (o - options))
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s: given twice", name);
        reading->seen |= UINT32_C(1) << (o - options);

        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        if (!streq(contents, o->types))
                return sd_bus_error_setf(error,
                                         SD_BUS_ERROR_INVALID_ARGS,
                                         "%s: of type \"%s\", not \"%.64s\"",
                                         name,
                                         o->types,
                                         contents);

        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r >= 0)
                r = o->read(m, o, reading->options, error);

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int launch_options_read(sd_bus_message *m, LaunchOptions *ret, sd_bus_error *error) {
        OptionsReading reading = { .options = ret, .error = error };
        int r;

        *ret = LAUNCH_OPTIONS_NONE;

        r = bus_dict_read(m, read_entry, &reading);
        if (r < 0)
                return r;

        /* The answer comes before anything runs, so that the streams can be sent. */
        if (ret->streams != 0 && ret->wait_set)
                return sd_bus_error_set(error,
                                        SD_BUS_ERROR_INVALID_ARGS,
                                        "Wait: with Streams the lease says when the application runs");

        return 0;
}
