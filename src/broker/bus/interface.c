/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/interface.h"

#include "base/buffer.h"
#include "link/bus-dict.h"
#include "link/sandbox-event.h"

const Interface *interface_own(const Manager *m, ObjectKind kind) {
        return kind == OBJECT_BRANCH ? NULL : m->interfaces[kind][0];
}

const Property *property_find(const Interface *interface, const char *name) {
        for (size_t i = 0; i < interface->n_properties; i++)
                if (streq(interface->properties[i].name, name))
                        return interface->properties + i;

        return NULL;
}

/* Length of the first complete type. The signature is one of ours, and so well-formed. */
static size_t type_length(const char *types) {
        size_t n = 0, depth = 0;

        for (;;) {
                char c = types[n++];

                if (c == 'a')
                        continue;
                if (c == '(' || c == '{')
                        depth++;
                else if (c == ')' || c == '}')
                        depth--;
                if (depth == 0 || c == '\0')
                        return n;
        }
}

static void xml_arguments(Buffer *b, const Arguments *args, const char *direction) {
        const char *types = args->types ?: "", *name = args->names ?: "";

        while (*types) {
                size_t type = type_length(types), length = strcspn(name, " ");

                buffer_printf(
                        b, "   <arg type=\"%.*s\" name=\"%.*s\"", (int) type, types, (int) length, name);
                if (direction)
                        buffer_printf(b, " direction=\"%s\"", direction);
                buffer_append_text(b, "/>\n");

                types += type;
                name += length;
                if (*name == ' ')
                        name++;
        }
}

static void xml_property(Buffer *b, const Property *p) {
        static const char *const emits[] = {
                [PROPERTY_CONST] = "const",
                [PROPERTY_EMITS] = "true",
                [PROPERTY_SILENT] = "false",
        };

        buffer_printf(
                b,
                "  <property name=\"%s\" type=\"%s\" access=\"read\">\n"
                "   <annotation name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\" value=\"%s\"/>\n"
                "  </property>\n",
                p->name,
                p->types,
                emits[p->change]);
}

static void xml_event(Buffer *b, const SandboxEventRow *row) {
        buffer_printf(b, "  <signal name=\"%s\">\n   <arg type=\"s\" name=\"id\"/>\n", row->name);
        for (const EventDetail *d = row->details; d->name; d++)
                buffer_printf(b, "   <arg type=\"%c\" name=\"%s\"/>\n", d->type, d->name);
        buffer_append_text(b, "  </signal>\n");
}

static void xml_interface(Buffer *b, const Interface *i) {
        buffer_printf(b, " <interface name=\"%s\">\n", i->name);

        for (size_t k = 0; k < i->n_members; k++) {
                buffer_printf(b, "  <method name=\"%s\">\n", i->members[k].name);
                xml_arguments(b, &i->members[k].in, "in");
                xml_arguments(b, &i->members[k].out, "out");
                buffer_append_text(b, "  </method>\n");
        }

        for (size_t k = 0; k < i->n_signals; k++) {
                buffer_printf(b, "  <signal name=\"%s\">\n", i->signals[k].name);
                xml_arguments(b, &i->signals[k].args, NULL);
                buffer_append_text(b, "  </signal>\n");
        }

        for (SandboxEventKind k = 0; i->tells_events && k < _SANDBOX_EVENT_MAX; k++)
                if (sandbox_event_row(k)->audience != EVENT_FOR_NOBODY)
                        xml_event(b, sandbox_event_row(k));

        for (size_t k = 0; k < i->n_properties; k++)
                xml_property(b, i->properties + k);

        buffer_append_text(b, " </interface>\n");
}

int interfaces_to_xml(const Interface *const *interfaces, char *const *children, char **ret) {
        _cleanup_buffer_ Buffer b = { 0 };
        char *text;

        buffer_append_text(
                &b,
                "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
                "\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
                "<node>\n"
                " <interface name=\"org.freedesktop.DBus.Peer\">\n"
                "  <method name=\"Ping\"/>\n"
                "  <method name=\"GetMachineId\">\n"
                "   <arg type=\"s\" name=\"machine_uuid\" direction=\"out\"/>\n"
                "  </method>\n"
                " </interface>\n");

        for (const Interface *const *i = interfaces; *i; i++)
                xml_interface(&b, *i);

        STRV_FOREACH (child, children)
                buffer_printf(&b, " <node name=\"%s\"/>\n", *child);

        buffer_append_text(&b, "</node>\n");

        text = buffer_take_text(&b);
        if (!text)
                return -ENOMEM;

        *ret = text;
        return 0;
}

/* A value that may be absent is built apart, so as to leave no half-open entry behind. */
static int value_build(sd_bus_message *m, const View *v, const Property *p, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *value = NULL;
        int r;

        r = sd_bus_message_new(sd_bus_message_get_bus(m), &value, SD_BUS_MESSAGE_METHOD_CALL);
        if (r >= 0)
                r = p->get(v, p, value);
        if (r >= 0)
                r = sd_bus_message_seal(value, 1, 0);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(value);
        return 0;
}

int property_append(sd_bus_message *m, const View *v, const Property *p) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *value = NULL;
        int r;

        if (p->change == PROPERTY_SILENT) {
                r = value_build(m, v, p, &value);
                if (r < 0)
                        return r == -ENODATA ? 0 : r;
        }

        r = bus_dict_open_entry(m, p->name, p->types);
        if (r >= 0)
                r = value ? sd_bus_message_copy(m, value, true) : p->get(v, p, m);

        return r < 0 ? r : bus_dict_close_entry(m);
}

int properties_append(sd_bus_message *m, const View *v, const Interface *interface) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        for (size_t i = 0; interface && i < interface->n_properties; i++) {
                r = property_append(m, v, interface->properties + i);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

static int interface_append(sd_bus_message *m, const View *v, const Interface *interface) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', interface->name);
        if (r >= 0)
                r = properties_append(m, v, interface);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

int object_append_interfaces(sd_bus_message *m, const View *v) {
        int r;

        r = sd_bus_message_append_basic(m, 'o', v->object->path);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        for (const Interface *const *i = v->manager->interfaces[v->object->kind]; r >= 0 && *i; i++)
                r = interface_append(m, v, *i);

        return r < 0 ? r : sd_bus_message_close_container(m);
}
