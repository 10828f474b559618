/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* launch, plan: launches an application, or shows what a launch would do */

#include "base/sha256.h"
#include "ctl/client.h"
#include "ctl/verb.h"

#include <stdio.h>

/* Calls Launch, Plan or another method that takes (s profile, a{sv} options). */
static int call_with_options(
        sd_bus *bus, const char *member, const Options *o, char **args, sd_bus_message **ret_reply) {

        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, CLIENT_BUS_NAME, CLIENT_PATH, CLIENT_MANAGER, member);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", args[0]);
        if (r < 0)
                return client_message_error(r);

        r = client_open_options(m, o, args + 1);
        if (r < 0)
                return r;
        r = client_close_options(m);
        if (r < 0)
                return r;

        return client_send(bus, m, ret_reply);
}

int verb_launch(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *id, *path;
        int r;

        r = client_open(&bus);
        if (r < 0)
                return r;

        r = call_with_options(bus, "Launch", o, args, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "so", &id, &path);
        if (r < 0)
                return client_message_error(r);

        if (o->output != OUTPUT_TEXT) {
                _cleanup_json_ json_t *both = json_pack("{s:s, s:s}", "id", id, "path", path);

                return both ? output_json(o->output, both) : ctl_error(-ENOMEM, "Out of memory");
        }

        if (!o->quiet)
                puts(id);
        return output_flush();
}

static int print_plan(const Options *o, const char *text, const char *hash) {
        _cleanup_json_ json_t *plan = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *both = NULL;
        int r;

        if (!plan)
                return ctl_error(-EBADMSG, "The broker's plan is no JSON that can be read");

        if (o->output != OUTPUT_TEXT) {
                both = json_pack("{s:s, s:O}", "PlanHash", hash, "Plan", plan);
                return both ? output_json(o->output, both) : ctl_error(-ENOMEM, "Out of memory");
        }

        if (!o->quiet) {
                r = output_json(OUTPUT_TEXT, plan);
                if (r < 0)
                        return r;
        }
        printf("%s%s\n", o->quiet ? "" : "PlanHash=", hash);
        return output_flush();
}

int verb_plan(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        char hash[SHA256_HEX_SIZE];
        const void *digest;
        const char *text;
        size_t size;
        int r;

        r = client_open(&bus);
        if (r < 0)
                return r;

        r = call_with_options(bus, "Plan", o, args, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "s", &text);
        if (r >= 0)
                r = sd_bus_message_read_array(reply, 'y', &digest, &size);
        if (r < 0 || size != SHA256_SIZE)
                return client_message_error(r < 0 ? r : -EBADMSG);

        sha256_hex(digest, hash);
        return print_plan(o, text, hash);
}
