/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/bus-reload.h"
#include "broker/bus/bus-sandbox.h"
#include "broker/bus/bus-signals.h"
#include "broker/bus/interface.h"
#include "broker/call/manager-state.h"
#include "broker/launch/check-access.h"
#include "broker/launch/launch.h"

static int call_get_object(Call *c) {
        _cleanup_free_ char *path = NULL;
        int r;

        switch (c->object.kind) {
        case OBJECT_SANDBOX:
                return call_reply(c, "o", c->object.sandbox->path);
        case OBJECT_PROFILE:
                return call_reply(c, "o", c->object.profile->path);
        default:
                r = object_path_of_user(c->object.uid, &path);
                if (r < 0)
                        return r;

                return call_reply(c, "o", path);
        }
}

static int call_list_sandboxes(Call *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Caller caller = call_caller(c);
        Object object;
        int r;

        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssussuo)");
        for (size_t i = 0;
             r >= 0 && object_next_visible(c->manager, &caller, OBJECT_SANDBOX, &i, &object);) {
                const SandboxRecord *record = object.sandbox->record;

                r = sd_bus_message_append(reply,
                                          "(ssussuo)",
                                          record->id,
                                          record->profile,
                                          record->uid,
                                          record->instance ?: "",
                                          sandbox_state_name(record->state),
                                          record->leader,
                                          object.path);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);

        return r < 0 ? r : call_send(c, TAKE_PTR(reply));
}

static int call_list_profiles(Call *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Caller caller = call_caller(c);
        Object object;
        int r;

        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssbo)");
        for (size_t i = 0;
             r >= 0 && object_next_visible(c->manager, &caller, OBJECT_PROFILE, &i, &object);) {
                const CatalogEntry *e = object.profile;

                r = sd_bus_message_append(reply,
                                          "(ssbo)",
                                          e->loaded->name,
                                          e->profile && e->profile->description ? e->profile->description
                                                                                : "",
                                          object_may_launch(&caller, e),
                                          object.path);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);

        return r < 0 ? r : call_send(c, TAKE_PTR(reply));
}

static int call_reload(Call *c) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = bus_reload(c->manager, &text);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return call_fail(c, ERROR_BAD_SETTING, "Nothing was reloaded: %s", text ?: strerror(-r));

        return call_reply(c, NULL);
}

static int call_subscribe(Call *c) {
        int r;

        r = signals_subscribe(c->manager, c->peer);
        if (r == -EDQUOT)
                return call_fail(c,
                                 ERROR_QUOTA_EXCEEDED,
                                 "User %u has as many subscribed connections as one user may have",
                                 c->uid);
        if (r < 0)
                return r;

        return call_reply(c, NULL);
}

static int call_unsubscribe(Call *c) {
        signals_unsubscribe(c->peer);
        return call_reply(c, NULL);
}

static int get_version(const View *v, const Property *p, sd_bus_message *reply) {
        return sd_bus_message_append_basic(reply, 's', IMMURED_VERSION);
}

static int get_layers(const View *v, const Property *p, sd_bus_message *reply) {
        const Manager *m = v->manager;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{ss}");
        for (size_t i = 0; r >= 0 && i < m->n_layers; i++)
                r = sd_bus_message_append(
                        reply, "{ss}", m->layers[i].name, m->layers[i].available ? "available" : "missing");

        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Counts what the caller may see, not what there is. */
static int get_n_sandboxes(const View *v, const Property *p, sd_bus_message *reply) {
        Object object;
        uint32_t n = 0;

        for (size_t i = 0; object_next_visible(v->manager, v->caller, OBJECT_SANDBOX, &i, &object);)
                n++;

        return sd_bus_message_append_basic(reply, 'u', &n);
}

/* clang-format off */
static const Member members[] = {
        { .name = "Launch",
          .in = { "sa{sv}", "profile options" }, .out = { "so", "id sandbox" },
          .verb = ACCESS_LAUNCH, .subject = SUBJECT_PROFILE, .works = true, .handler = call_launch },
        { .name = "LaunchLeased",
          .in = { "sa{sv}", "profile options" }, .out = { "soh", "id sandbox lease" },
          .verb = ACCESS_LAUNCH, .subject = SUBJECT_PROFILE, .works = true, .handler = call_launch_leased },
#define VERB(verb_, name_, rule, member, types, names, handler_, help)                                      \
        { .name = member,                                                                                   \
          .in = { "s" types, "id" names },                                                                  \
          .verb = ACCESS_##verb_, .subject = SUBJECT_SANDBOX, .works = true, .handler = handler_ },
#define QUESTION(member, types, names, handler_, help)                                                      \
        { .name = member,                                                                                   \
          .in = { "s", "id" }, .out = { types, names },                                                     \
          .verb = ACCESS_INSPECT, .subject = SUBJECT_SANDBOX, .works = true, .handler = handler_ },
#include "broker/access/sandbox-verbs.def"
        { .name = "GetSandbox",
          .in = { "s", "id" }, .out = { "o", "sandbox" },
          .verb = ACCESS_INSPECT, .subject = SUBJECT_SANDBOX, .handler = call_get_object },
        { .name = "GetSandboxByPID",
          .in = { "u", "pid" }, .out = { "o", "sandbox" },
          .verb = ACCESS_INSPECT, .subject = SUBJECT_PROCESS, .handler = call_get_object },
        { .name = "GetProfile",
          .in = { "s", "name" }, .out = { "o", "profile" },
          .verb = ACCESS_INSPECT, .subject = SUBJECT_PROFILE, .handler = call_get_object },
        { .name = "GetUser",
          .in = { "u", "uid" }, .out = { "o", "user" },
          .verb = ACCESS_INSPECT, .subject = SUBJECT_USER, .handler = call_get_object },
        { .name = "ListSandboxes",
          .out = { "a(ssussuo)", "sandboxes" },
          .verb = ACCESS_INSPECT, .lists = true, .handler = call_list_sandboxes },
        { .name = "ListProfiles",
          .out = { "a(ssbo)", "profiles" },
          .verb = ACCESS_INSPECT, .lists = true, .handler = call_list_profiles },
        { .name = "Plan",
          .in = { "sa{sv}", "profile options" }, .out = { "say", "json hash" },
          .verb = ACCESS_PLAN, .subject = SUBJECT_PROFILE, .handler = call_plan },
        { .name = "CheckAccess",
          .in = { "ussa{sv}", "uid profile verb options" }, .out = { "ss", "verdict reason" },
          .verb = ACCESS_CHECK_ACCESS, .lists = true, .handler = call_check_access },
        { .name = "Reload", .verb = ACCESS_RELOAD, .handler = call_reload },
        { .name = "Subscribe", .verb = ACCESS_SUBSCRIBE, .lists = true, .handler = call_subscribe },
        { .name = "Unsubscribe", .verb = ACCESS_SUBSCRIBE, .handler = call_unsubscribe },
};

static const Property properties[] = {
        { "Version",    "s",     get_version,     PROPERTY_CONST,  0 },
        { "Layers",     "a{ss}", get_layers,      PROPERTY_CONST,  0 },
        { "NSandboxes", "u",     get_n_sandboxes, PROPERTY_SILENT, 0 },
};

static const Signal signals[] = {
        { "SandboxNew",      { "sosu",  "id sandbox profile uid" } },
        { "SandboxRemoved",  { "sosii", "id sandbox result code status" } },
        { "ProfilesChanged", { "as",    "names" } },
        { "Reloading",       { "b",     "active" } },
};
/* clang-format on */

const Interface interface_manager = {
        .name = INTERFACE_MANAGER,
        INTERFACE_TABLE(members, members),
        INTERFACE_TABLE(properties, properties),
        INTERFACE_TABLE(signals, signals),
        .tells_events = true,
};
