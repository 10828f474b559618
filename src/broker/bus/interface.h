/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * interface — what the bus objects can do, as tables: dispatch, access, introspection and signals all read these
 *
 * Not sd-bus vtables: their getters are synchronous, but who the caller is must be found out first, without waiting.
 *
 * Runs in: broker. Privilege: none.
 */

#include "broker/call/access.h"
#include "broker/call/call.h"

#include <systemd/sd-bus.h>

/* A signature and the names of its complete types, blanks between. */
typedef struct Arguments {
        const char *types;
        const char *names;
} Arguments;

/* Which object a method is about, and so whose rule decides. */
typedef enum Subject {
        SUBJECT_PATH = 0, /* the one it is called on */
        SUBJECT_SANDBOX,  /* the one whose id is the first argument */
        SUBJECT_PROCESS,  /* the one that holds the process whose pidfd is the first argument */
        SUBJECT_PROFILE,  /* the one whose name is the first argument */
        SUBJECT_USER,     /* likewise by uid */
        _SUBJECT_MAX,
} Subject;

/* 0: replied; 1: keeps the call and replies later; negative errno, call->error set or not: the dispatcher replies. */
typedef int (*MemberHandler)(Call *call);

typedef struct Member {
        const char *name;
        Arguments in, out;
        AccessVerb verb;
        Subject subject;
        bool works; /* a keeper works on it: counts as a request in flight */
        bool lists; /* on an object that leads to others it answers with what the caller may see of them */
        MemberHandler handler;
} Member;

typedef enum PropertyChange {
        PROPERTY_CONST,
        PROPERTY_EMITS,
        PROPERTY_SILENT, /* read on demand */
} PropertyChange;

typedef struct Property Property;

/* Appends the value. -ENODATA: there is none now, so the property is absent. */
typedef int (*PropertyGetter)(struct Manager *manager,
                              const Caller *caller,
                              const Object *object,
                              const Property *p,
                              sd_bus_message *reply);

struct Property {
        const char *name;
        const char *types;
        PropertyGetter get;
        PropertyChange change;
        size_t offset; /* for getters that serve several */
};

typedef struct Signal {
        const char *name;
        Arguments args;
} Signal;

typedef struct Interface {
        const char *name;
        const Member *members;
        size_t n_members;
        const Property *properties;
        size_t n_properties;
        const Signal *signals;
        size_t n_signals;
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

/* Those of a kind of object, NULL-terminated, our own first. */
const Interface *const *interfaces_of(ObjectKind kind);

/* Our own one; NULL: the kind has none. */
const Interface *interface_own(ObjectKind kind);

/* interface NULL: the first that has the member. NULL, with *ret_known telling whether there is such an interface. */
const Member *member_find(ObjectKind kind, const char *interface, const char *member, bool *ret_known);
const Property *property_find(const Interface *interface, const char *name);

/* The XML of an object with these interfaces and children; caller frees. 0 or -ENOMEM. */
int interfaces_to_xml(const Interface *const *interfaces, char *const *children, char **ret);

/* Appends a{sv} of one interface (NULL: an empty one), without what is absent. */
int properties_append(sd_bus_message *m,
                      struct Manager *manager,
                      const Caller *caller,
                      const Object *object,
                      const Interface *interface);
