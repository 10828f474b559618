/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/interface.h"
#include "broker/call/call.h"

/* The interface a Properties call names, if this object has it. NULL: it has not. */
static const Interface *named_interface(const Call *c, const char *name) {
        for (const Interface *const *i = c->manager->interfaces[c->object.kind]; *i; i++)
                if (streq((*i)->name, name))
                        return *i;

        return NULL;
}

static int fail_no_interface(Call *c, const char *name) {
        return call_fail(c, SD_BUS_ERROR_UNKNOWN_INTERFACE, "No interface %s here", name);
}

static int fail_no_property(Call *c, const char *name) {
        return call_fail(c, SD_BUS_ERROR_UNKNOWN_PROPERTY, "No property %s here", name);
}

static int find_property(Call *c, const Property **ret) {
        const char *interface_name, *name;
        const Interface *i;
        const Property *p;
        int r;

        r = sd_bus_message_read(c->message, "ss", &interface_name, &name);
        if (r < 0)
                return r;

        i = named_interface(c, interface_name);
        if (!i)
                return fail_no_interface(c, interface_name);

        p = property_find(i, name);
        if (!p)
                return fail_no_property(c, name);

        *ret = p;
        return 0;
}

static int call_get(Call *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Caller caller = call_caller(c);
        const Property *p;
        int r;

        r = find_property(c, &p);
        if (r < 0)
                return r;

        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', p->types);
        if (r >= 0)
                r = p->get(&(View){ c->manager, &caller, &c->object }, p, reply);
        if (r == -ENODATA)
                return call_fail(c, SD_BUS_ERROR_UNKNOWN_PROPERTY, "There is no %s here just now", p->name);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);

        return r < 0 ? r : call_send(c, TAKE_PTR(reply));
}

static int call_get_all(Call *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Caller caller = call_caller(c);
        const Interface *i;
        const char *name;
        int r;

        r = sd_bus_message_read(c->message, "s", &name);
        if (r < 0)
                return r;

        /* The empty name stands for all interfaces, of which one has properties. */
        i = name[0] == '\0' ? interface_own(c->manager, c->object.kind) : named_interface(c, name);
        if (!i)
                return fail_no_interface(c, name);

        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = properties_append(reply, &(View){ c->manager, &caller, &c->object }, i);

        return r < 0 ? r : call_send(c, TAKE_PTR(reply));
}

static int call_set(Call *c) {
        const Property *p;
        int r;

        r = find_property(c, &p);
        if (r < 0)
                return r;

        return call_fail(c, SD_BUS_ERROR_PROPERTY_READ_ONLY, "Property %s is read-only", p->name);
}

/* Users are listed without a path; *own owns the one that they get here. */
static int set_path(Object *object, char **own) {
        int r = 0;

        if (object->kind == OBJECT_USER) {
                r = object_path_of_user(object->uid, own);
                object->path = *own;
        }

        return r;
}

static int list_visible(Call *c, ObjectKind kind, char ***ret) {
        const Caller caller = call_caller(c);
        Object object;
        int r = 0;

        for (size_t i = 0; r >= 0 && object_next_visible(c->manager, &caller, kind, &i, &object);) {
                _cleanup_free_ char *own = NULL;

                r = set_path(&object, &own);
                if (r >= 0)
                        r = strv_extend(ret, strrchr(object.path, '/') + 1);
        }

        return r;
}

static int list_children(Call *c, char ***ret) {
        const char *fixed = object_path_children(c->object.path);

        if (streq(c->object.path, OBJECT_PATH_SANDBOXES))
                return list_visible(c, OBJECT_SANDBOX, ret);
        if (streq(c->object.path, OBJECT_PATH_PROFILES))
                return list_visible(c, OBJECT_PROFILE, ret);
        if (streq(c->object.path, OBJECT_PATH_USERS))
                return list_visible(c, OBJECT_USER, ret);

        return fixed ? split_words(fixed, ret) : 0;
}

static int call_introspect(Call *c) {
        _cleanup_strv_ char **children = NULL;
        _cleanup_free_ char *xml = NULL;
        int r;

        r = list_children(c, &children);
        if (r < 0)
                return r;

        r = interfaces_to_xml(c->manager->interfaces[c->object.kind], children, &xml);
        if (r < 0)
                return r;

        return call_reply(c, "s", xml);
}

static int append_object(sd_bus_message *m, Call *c, const Caller *caller, const Object *object) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "oa{sa{sv}}");
        if (r >= 0)
                r = object_append_interfaces(m, &(View){ c->manager, caller, object });

        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_visible(sd_bus_message *m, Call *c, const Caller *caller, ObjectKind kind) {
        Object object;
        int r = 0;

        for (size_t i = 0; r >= 0 && object_next_visible(c->manager, caller, kind, &i, &object);) {
                _cleanup_free_ char *own = NULL;

                r = set_path(&object, &own);
                if (r >= 0)
                        r = append_object(m, c, caller, &object);
        }

        return r;
}

static int call_get_managed_objects(Call *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Caller caller = call_caller(c);
        int r;

        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
        if (r >= 0)
                r = append_visible(reply, c, &caller, OBJECT_PROFILE);
        if (r >= 0)
                r = append_visible(reply, c, &caller, OBJECT_SANDBOX);
        if (r >= 0)
                r = append_visible(reply, c, &caller, OBJECT_USER);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);

        return r < 0 ? r : call_send(c, TAKE_PTR(reply));
}

/* clang-format off */
static const Member properties_members[] = {
        { .name = "Get",
          .in = { "ss", "interface_name property_name" }, .out = { "v", "value" },
          .verb = ACCESS_INSPECT, .lists = true, .handler = call_get },
        { .name = "GetAll",
          .in = { "s", "interface_name" }, .out = { "a{sv}", "properties" },
          .verb = ACCESS_INSPECT, .lists = true, .handler = call_get_all },
        { .name = "Set",
          .in = { "ssv", "interface_name property_name value" },
          .verb = ACCESS_INSPECT, .handler = call_set },
};

static const Signal properties_signals[] = {
        { "PropertiesChanged", { "sa{sv}as", "interface_name changed_properties invalidated_properties" } },
};

static const Member introspectable_members[] = {
        { .name = "Introspect",
          .out = { "s", "xml_data" },
          .verb = ACCESS_INSPECT, .lists = true, .handler = call_introspect },
};

static const Member object_manager_members[] = {
        { .name = "GetManagedObjects",
          .out = { "a{oa{sa{sv}}}", "objects" },
          .verb = ACCESS_INSPECT, .lists = true, .handler = call_get_managed_objects },
};

static const Signal object_manager_signals[] = {
        { "InterfacesAdded",   { "oa{sa{sv}}", "object_path interfaces_and_properties" } },
        { "InterfacesRemoved", { "oas",        "object_path interfaces" } },
};
/* clang-format on */

const Interface interface_properties = {
        .name = INTERFACE_PROPERTIES,
        INTERFACE_TABLE(members, properties_members),
        INTERFACE_TABLE(signals, properties_signals),
};

const Interface interface_introspectable = {
        .name = INTERFACE_INTROSPECTABLE,
        INTERFACE_TABLE(members, introspectable_members),
};

const Interface interface_object_manager = {
        .name = INTERFACE_OBJECT_MANAGER,
        INTERFACE_TABLE(members, object_manager_members),
        INTERFACE_TABLE(signals, object_manager_signals),
};

/* clang-format off */
static const Interface *const of_branch[]  = { &interface_introspectable, NULL };
static const Interface *const of_manager[] = { &interface_manager, &interface_object_manager,
                                               &interface_properties, &interface_introspectable, NULL };
static const Interface *const of_sandbox[] = { &interface_sandbox,
                                               &interface_properties, &interface_introspectable, NULL };
static const Interface *const of_profile[] = { &interface_profile,
                                               &interface_properties, &interface_introspectable, NULL };
static const Interface *const of_user[]    = { &interface_user,
                                               &interface_properties, &interface_introspectable, NULL };

const Interface *const *const interfaces_by_kind[_OBJECT_KIND_MAX] = {
        [OBJECT_BRANCH]  = of_branch,
        [OBJECT_MANAGER] = of_manager,
        [OBJECT_SANDBOX] = of_sandbox,
        [OBJECT_PROFILE] = of_profile,
        [OBJECT_USER]    = of_user,
};
/* clang-format on */
