/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/client.h"

#include "ctl/ask.h"
#include "link/bus-dict.h"

#include <stdarg.h>
#include <stdio.h>

int client_message_error(int r) {
        return ctl_error(r < 0 ? r : -EBADMSG, "Cannot make or read a message of the bus: %s", strerror(-r));
}

/* For errors of the bus itself, whose own words do not help someone who wants to launch an application. */
static const struct {
        const char *name;
        const char *text;
} bus_errors[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN,
          "The broker is not running, and the bus does not know how to start it" },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, "The broker is not running" },
        { SD_BUS_ERROR_NO_REPLY, "The broker went away before it answered" },
        { SD_BUS_ERROR_DISCONNECTED, "The bus went away before the broker answered" },
};

int client_error(const sd_bus_error *error, int r) {
        const char *text = NULL;

        for (size_t i = 0; error && i < ELEMENTSOF(bus_errors); i++)
                if (sd_bus_error_has_name(error, bus_errors[i].name))
                        text = bus_errors[i].text;
        if (!text && error)
                text = error->message && *error->message ? error->message : error->name;

        return ctl_error(r < 0 ? r : -EIO, "%s", text ? text : strerror(r < 0 ? -r : EIO));
}

int client_open(sd_bus **ret) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return ctl_error(r, "Cannot reach the system bus: %s", strerror(-r));

        *ret = TAKE_PTR(bus);
        return 0;
}

int client_new_call(sd_bus *bus, const char *member, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(
                bus, ret, CLIENT_BUS_NAME, CLIENT_PATH, CLIENT_MANAGER, member);
}

int client_send(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret_reply) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = ask_call(bus, m, &error, ret_reply);
        return r < 0 ? client_error(&error, r) : 0;
}

int client_call(sd_bus *bus, sd_bus_message **ret_reply, const char *member, const char *types, ...) {
        _cleanup_message_ sd_bus_message *m = NULL;
        va_list ap;
        int r;

        r = client_new_call(bus, member, &m);
        if (r >= 0 && types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
        }

        return r < 0 ? client_message_error(r) : client_send(bus, m, ret_reply);
}

int client_get_object(sd_bus *bus, const char *member, const char *name, char **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *path;
        char *copy;
        int r;

        r = client_call(bus, &reply, member, "s", name);
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return client_message_error(r);

        copy = strdup(path);
        if (!copy)
                return ctl_error(-ENOMEM, "Out of memory");

        *ret = copy;
        return 0;
}

/* A value of a basic type. *ret stays NULL if JSON has no form for it, as for a descriptor. */
static int read_basic(sd_bus_message *m, char type, json_t **ret) {
        union {
                uint8_t y;
                int b;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                double d;
                const char *s;
        } v;
        int r;

        if (type == SD_BUS_TYPE_UNIX_FD)
                return sd_bus_message_skip(m, "h");

        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;

        switch (type) {
        case SD_BUS_TYPE_BYTE:
                *ret = json_integer(v.y);
                break;
        case SD_BUS_TYPE_BOOLEAN:
                *ret = json_boolean(v.b);
                break;
        case SD_BUS_TYPE_INT16:
                *ret = json_integer(v.n);
                break;
        case SD_BUS_TYPE_UINT16:
                *ret = json_integer(v.q);
                break;
        case SD_BUS_TYPE_INT32:
                *ret = json_integer(v.i);
                break;
        case SD_BUS_TYPE_UINT32:
                *ret = json_integer(v.u);
                break;
        case SD_BUS_TYPE_INT64:
                *ret = json_integer(v.x);
                break;
        case SD_BUS_TYPE_UINT64:
                /* JSON readers agree on numbers up to here; the bus promises to have none beyond. */
                *ret = v.t <= INT64_MAX ? json_integer((json_int_t) v.t) : json_string("infinity");
                break;
        case SD_BUS_TYPE_DOUBLE:
                *ret = json_real(v.d);
                break;
        default:
                *ret = json_string(v.s);
                break;
        }

        return *ret ? 0 : -ENOMEM;
}

static bool type_is_basic(char type) { return type && strchr("ybnqiuxtdsogh", type); }

/* The rest of an open array or structure. Items that are not of a basic type are skipped. */
static int read_items(sd_bus_message *m, json_t *array) {
        for (;;) {
                json_t *item = NULL;
                char type;
                int r;

                r = sd_bus_message_peek_type(m, &type, NULL);
                if (r <= 0)
                        return r;

                r = type_is_basic(type) ? read_basic(m, type, &item) : sd_bus_message_skip(m, NULL);
                if (r < 0)
                        return r;

                if (json_array_append_new(array, item ? item : json_null()) < 0)
                        return -ENOMEM;
        }
}

/* A basic value, or an array or structure of them; NULL for anything nested deeper. */
static int read_value(sd_bus_message *m, json_t **ret) {
        _cleanup_json_ json_t *value = NULL;
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (r == 0)
                return -EBADMSG;

        if (type_is_basic(type))
                return read_basic(m, type, ret);
        if (type != SD_BUS_TYPE_STRUCT && (type != SD_BUS_TYPE_ARRAY || !type_is_basic(*contents)))
                return sd_bus_message_skip(m, NULL);

        value = json_array();
        r = sd_bus_message_enter_container(m, type, contents);
        if (r < 0)
                return r;
        r = value ? read_items(m, value) : -ENOMEM;
        if (r < 0)
                return r;

        *ret = TAKE_PTR(value);
        return sd_bus_message_exit_container(m);
}

static int read_variant(sd_bus_message *m, json_t **ret) {
        const char *contents;
        int r;

        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, contents);
        if (r >= 0)
                r = read_value(m, ret);

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_properties(sd_bus_message *m, json_t *object) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                const char *name;
                json_t *value = NULL;

                r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &name);
                if (r >= 0)
                        r = read_variant(m, &value);
                if (r >= 0 && json_object_set_new(object, name, value ? value : json_null()) < 0)
                        r = -ENOMEM;
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* missing: the error for which *ret becomes NULL, without a message; or NULL. */
static int get_all(sd_bus *bus, const char *path, const char *interface, const char *missing, json_t **ret) {
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_json_ json_t *object = json_object();
        int r;

        r = sd_bus_message_new_method_call(
                bus, &m, CLIENT_BUS_NAME, path, "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", interface);
        if (r >= 0)
                r = sd_bus_call(bus, m, UINT64_MAX, &error, &reply);
        if (r < 0 && missing && sd_bus_error_has_name(&error, missing)) {
                *ret = NULL;
                return 0;
        }
        if (r < 0)
                return client_error(&error, r);

        r = object ? read_properties(reply, object) : -ENOMEM;
        if (r < 0)
                return client_message_error(r);

        *ret = TAKE_PTR(object);
        return 0;
}

int client_get_properties(sd_bus *bus, const char *path, const char *interface, json_t **ret) {
        return get_all(bus, path, interface, NULL, ret);
}

int client_get_profile(sd_bus *bus, const char *name, json_t **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(CLIENT_PATH "/profile", name, &path);
        if (r < 0)
                return client_message_error(r);

        return get_all(bus, path, CLIENT_PROFILE, SD_BUS_ERROR_UNKNOWN_OBJECT, ret);
}

static int read_row(sd_bus_message *m, const char *const *keys, json_t **ret) {
        _cleanup_json_ json_t *row = json_object();
        int r;

        if (!row)
                return -ENOMEM;

        for (const char *const *key = keys; *key; key++) {
                json_t *value = NULL;

                r = read_value(m, &value);
                if (r < 0)
                        return r;
                if (json_object_set_new(row, *key, value ? value : json_null()) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(row);
        return 0;
}

static int read_rows(sd_bus_message *reply, const char *signature, const char *const *keys, json_t *rows) {
        int r;

        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, NULL);
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, signature)) > 0) {
                json_t *row;

                r = read_row(reply, keys, &row);
                if (r >= 0 && json_array_append_new(rows, row) < 0)
                        r = -ENOMEM;
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }

        return r;
}

int client_get_rows(sd_bus *bus,
                    const char *member,
                    const char *name,
                    const char *signature,
                    const char *const *keys,
                    json_t **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *rows = json_array();
        int r;

        if (!rows)
                return ctl_error(-ENOMEM, "Out of memory");

        r = client_call(bus, &reply, member, name ? "s" : NULL, name);
        if (r < 0)
                return r;

        r = read_rows(reply, signature, keys, rows);
        if (r < 0)
                return client_message_error(r);

        *ret = TAKE_PTR(rows);
        return 0;
}

static int append_list_option(sd_bus_message *m, const char *name, char *const *first, char *const *second) {
        int r;

        if (strv_length(first) + strv_length(second) == 0)
                return 0;

        r = bus_dict_open_entry(m, name, "as");
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "s");
        STRV_FOREACH (s, first)
                if (r >= 0)
                        r = sd_bus_message_append_basic(m, SD_BUS_TYPE_STRING, *s);
        STRV_FOREACH (s, second)
                if (r >= 0)
                        r = sd_bus_message_append_basic(m, SD_BUS_TYPE_STRING, *s);
        if (r >= 0)
                r = sd_bus_message_close_container(m);

        return r < 0 ? r : bus_dict_close_entry(m);
}

static int append_property(sd_bus_message *m, const char *assignment) {
        _cleanup_free_ char *key = strndup(assignment, strcspn(assignment, "="));
        const char *value = strchr(assignment, '=');

        if (!key)
                return -ENOMEM;

        return sd_bus_message_append(m, "(sv)", key, "s", value ? value + 1 : "");
}

int client_append_properties(sd_bus_message *m, char *const *assignments) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(sv)");
        STRV_FOREACH (assignment, assignments)
                if (r >= 0)
                        r = append_property(m, *assignment);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

int client_append_properties_option(sd_bus_message *m, char *const *assignments) {
        int r;

        if (strv_length(assignments) == 0)
                return 0;

        r = bus_dict_open_entry(m, "Properties", "a(sv)");
        if (r >= 0)
                r = client_append_properties(m, assignments);

        return r < 0 ? r : bus_dict_close_entry(m);
}

int client_open_options(sd_bus_message *m, const Options *o, char *const *arguments) {
        const struct {
                const char *name;
                const char *value;
        } texts[] = {
                { "Instance", o->instance },
                { "User", o->user },
                { "OnDisconnect", o->on_disconnect },
        };
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = append_list_option(m, "Arguments", o->arguments, arguments);
        if (r >= 0)
                r = append_list_option(m, "Environment", o->environment, NULL);
        if (r >= 0)
                r = client_append_properties_option(m, o->properties);
        for (size_t i = 0; i < ELEMENTSOF(texts) && r >= 0; i++)
                if (texts[i].value)
                        r = sd_bus_message_append(m, "{sv}", texts[i].name, "s", texts[i].value);

        if (r == -EINVAL)
                return ctl_error(
                        r,
                        "An argument, variable or property is not valid UTF-8, which the bus cannot carry");

        return r < 0 ? client_message_error(r) : 0;
}

int client_close_options(sd_bus_message *m) {
        int r = sd_bus_message_close_container(m);

        return r < 0 ? client_message_error(r) : 0;
}
