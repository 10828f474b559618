/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * interface — what the bus objects can do, as tables: dispatch, access, introspection and signals all read these
 *
 * Not sd-bus vtables: their getters are synchronous, but who the caller is must be found out first, without waiting.
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/call/manager-state.h"
#include "broker/call/member.h"
#include "broker/call/object.h"

#include <systemd/sd-bus.h>

typedef enum PropertyChange {
        PROPERTY_CONST,
        PROPERTY_EMITS,
        PROPERTY_SILENT, /* read on demand */
} PropertyChange;

typedef struct Property Property;

/* An object, and who looks at it: lists and MayLaunch differ from caller to caller. All is borrowed. */
typedef struct View {
        Manager *manager;
        const Caller *caller;
        const Object *object;
} View;

/* Appends the value. -ENODATA: there is none at the moment, and the property is absent. */
typedef int (*PropertyGetter)(const View *v, const Property *p, sd_bus_message *reply);

struct Property {
        const char *name;
        const char *types;
        PropertyGetter get;
        PropertyChange change;
        size_t offset;    /* for getters that serve several: where, or which */
        const void *data; /* likewise: of what */
};

typedef struct Signal {
        const char *name;
        Arguments args;
} Signal;

/* Sets a table of an interface and its length: INTERFACE_TABLE(members, x) is .members = x, .n_members = … */
#define INTERFACE_TABLE(field, table) .field = (table), .n_##field = ELEMENTSOF(table)

typedef struct Interface {
        const char *name;
        const Member *members;
        size_t n_members;
        const Property *properties;
        size_t n_properties;
        const Signal *signals;
        size_t n_signals;
        bool tells_events; /* signals, too: those of link/sandbox-event.h that are for the bus */
} Interface;

#define INTERFACE_MANAGER "org.immured.Broker1.Manager"
#define INTERFACE_SANDBOX "org.immured.Broker1.Sandbox"
#define INTERFACE_PROFILE "org.immured.Broker1.Profile"
#define INTERFACE_USER "org.immured.Broker1.User"
#define INTERFACE_PROPERTIES "org.freedesktop.DBus.Properties"
#define INTERFACE_INTROSPECTABLE "org.freedesktop.DBus.Introspectable"
#define INTERFACE_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

extern const Interface interface_manager, interface_sandbox, interface_profile, interface_user;
extern const Interface interface_properties, interface_introspectable, interface_object_manager;

/*
 * By ObjectKind; each list ends with NULL and has our own interface first. What lists, reads or announces objects gets
 * the table through the manager and does not name it: the rows lead to those very functions.
 */
extern const Interface *const *const interfaces_by_kind[_OBJECT_KIND_MAX];

/* Of our own, what a kind of object has besides the standard ones; NULL: nothing. */
const Interface *interface_own(const Manager *m, ObjectKind kind);

const Property *property_find(const Interface *interface, const char *name);

/* The XML of an object with these interfaces and children; caller frees. 0 or -ENOMEM. */
int interfaces_to_xml(const Interface *const *interfaces, char *const *children, char **ret);

/* Appends the entry {sv} of one property; nothing, where it is absent. */
int property_append(sd_bus_message *m, const View *v, const Property *p);

/* Appends a{sv} of one interface (NULL: an empty one), without what is absent. */
int properties_append(sd_bus_message *m, const View *v, const Interface *interface);

/* Appends "oa{sa{sv}}": an object with all its interfaces. */
int object_append_interfaces(sd_bus_message *m, const View *v);
