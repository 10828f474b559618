/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* can, who-can: what the broker would say to whom */

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/verb.h"
#include "link/bus-dict.h"

#include <pwd.h>
#include <stdio.h>

static const TableColumn account_columns[] = {
        { "user", "USER", 0 },
        { "uid", "UID", COLUMN_RIGHT },
        { "verdict", "VERDICT", 0 },
        { "reason", "REASON", COLUMN_SHRINK },
};

static int append_properties(sd_bus_message *m, int n, char **assignments) {
        int r;

        r = bus_dict_open_entry(m, "Properties", "a(sv)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        for (int i = 0; i < n && r >= 0; i++)
                r = client_append_property(m, assignments[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(m);

        return r < 0 ? r : bus_dict_close_entry(m);
}

/* Adds a row that says whether the user could launch the profile. 0 or negative errno, with a message. */
static int check_launch(sd_bus *bus,
                        const char *user,
                        uid_t uid,
                        const char *profile,
                        int n,
                        char **assignments,
                        json_t **ret) {
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        const char *verdict, *reason;
        json_t *row;
        int r;

        r = sd_bus_message_new_method_call(
                bus, &m, CLIENT_BUS_NAME, CLIENT_PATH, CLIENT_MANAGER, "CheckAccess");
        if (r >= 0)
                r = sd_bus_message_append(m, "uss", (uint32_t) uid, profile, "launch");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && n > 0)
                r = append_properties(m, n, assignments);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return client_message_error(r);

        r = client_send(bus, m, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "ss", &verdict, &reason);
        if (r < 0)
                return client_message_error(r);

        row = json_pack("{s:s, s:I, s:s, s:s}",
                        "user",
                        user,
                        "uid",
                        (json_int_t) uid,
                        "verdict",
                        verdict,
                        "reason",
                        reason);
        if (!row)
                return ctl_error(-ENOMEM, "Out of memory");

        *ret = row;
        return 0;
}

static int find_user(const char *text, uid_t *ret) {
        const struct passwd *pw;

        if (parse_id(text, ret) >= 0)
                return 0;

        pw = getpwnam(text);
        if (!pw)
                return ctl_error(-ENOENT, "There is no user '%s'", text);

        *ret = pw->pw_uid;
        return 0;
}

static bool is_no(const json_t *row) {
        return streq(json_string_value(json_object_get(row, "verdict")), "no");
}

static int print_verdict(const Options *o, const json_t *row) {
        const char *verdict = json_string_value(json_object_get(row, "verdict")),
                   *reason = json_string_value(json_object_get(row, "reason"));
        _cleanup_free_ char *shown = text_escape(reason);

        if (o->output != OUTPUT_TEXT)
                return output_json(o->output, row);
        if (!shown)
                return ctl_error(-ENOMEM, "Out of memory");

        if (o->quiet || !*shown)
                puts(verdict);
        else
                printf("%s: %s\n", verdict, shown);
        return output_flush();
}

int verb_can(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *row = NULL;
        uid_t uid;
        int r;

        for (int i = 2; i < n; i++)
                if (!strchr(args[i], '='))
                        return ctl_error(-EINVAL, "'%s' is not KEY=VALUE", args[i]);

        r = find_user(args[0], &uid);
        if (r >= 0)
                r = client_open(&bus);
        if (r >= 0)
                r = check_launch(bus, args[0], uid, args[1], n - 2, args + 2, &row);
        if (r >= 0)
                r = print_verdict(o, row);
        if (r < 0)
                return r;

        return is_no(row) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Without an answer for one user, nobody can tell who could. */
static int gather_accounts(sd_bus *bus, const char *profile, json_t *rows) {
        const struct passwd *pw;
        int r = 0;

        setpwent();
        while (r >= 0 && (pw = getpwent())) {
                _cleanup_json_ json_t *row = NULL;

                r = check_launch(bus, pw->pw_name, pw->pw_uid, profile, 0, NULL, &row);
                if (r >= 0 && !is_no(row) && json_array_append(rows, row) < 0)
                        r = ctl_error(-ENOMEM, "Out of memory");
        }
        endpwent();

        return r;
}

int verb_who_can(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *rows = json_array();
        int r;

        r = client_open(&bus);
        if (r >= 0)
                r = gather_accounts(bus, args[0], rows);
        if (r < 0)
                return r;

        return output_list(o, rows, account_columns, ELEMENTSOF(account_columns), "account", "accounts");
}
