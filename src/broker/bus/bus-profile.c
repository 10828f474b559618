/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/interface.h"
#include "broker/call/manager-state.h"
#include "profile/names.h"

static int get_name(const View *v, const Property *p, sd_bus_message *reply) {
        return sd_bus_message_append_basic(reply, 's', v->object->profile->loaded->name);
}

static int get_description(const View *v, const Property *p, sd_bus_message *reply) {
        const Profile *profile = v->object->profile->profile;

        return sd_bus_message_append_basic(
                reply, 's', profile && profile->description ? profile->description : "");
}

static int get_source_path(const View *v, const Property *p, sd_bus_message *reply) {
        return sd_bus_message_append_basic(reply, 's', v->object->profile->loaded->path ?: "");
}

static int get_list(const View *v, const Property *p, sd_bus_message *reply) {
        const Profile *profile = v->object->profile->profile;
        char **list = NULL;

        if (profile)
                list = *(char **const *) (const void *) ((const uint8_t *) profile + p->offset);

        return sd_bus_message_append_strv(reply, list);
}

static int get_load_state(const View *v, const Property *p, sd_bus_message *reply) {
        return sd_bus_message_append_basic(
                reply, 's', v->object->profile->profile ? "loaded" : "bad-setting");
}

static int get_load_error(const View *v, const Property *p, sd_bus_message *reply) {
        _cleanup_free_ char *text = catalog_entry_error(v->object->profile);

        if (!text)
                return -ENOMEM;

        return sd_bus_message_append(
                reply, "(ss)", v->object->profile->profile ? "" : ERROR_BAD_SETTING, text);
}

static int get_config_hash(const View *v, const Property *p, sd_bus_message *reply) {
        const Profile *profile = v->object->profile->profile;

        return sd_bus_message_append_basic(reply, 's', profile ? profile->hash : "");
}

static int get_may_launch(const View *v, const Property *p, sd_bus_message *reply) {
        const int may = object_may_launch(v->caller, v->object->profile);

        return sd_bus_message_append_basic(reply, 'b', &may);
}

static int get_stream(const View *v, const Property *p, sd_bus_message *reply) {
        const Profile *profile = v->object->profile->profile;
        const char *name = "";

        if (profile)
                name = stream_names[*(const StreamKind *) ((const uint8_t *) profile + p->offset)];

        return sd_bus_message_append_basic(reply, 's', name);
}

/*
 * Const although a reload changes them: what a reload changes is announced as a new object, and MayLaunch can change
 * with a group that we are not told of.
 */
/* clang-format off */
static const Property properties[] = {
        { "Name",           "s",    get_name,         PROPERTY_CONST,  0 },
        { "Description",    "s",    get_description,  PROPERTY_CONST,  0 },
        { "SourcePath",     "s",    get_source_path,  PROPERTY_CONST,  0 },
        { "DropInPaths",    "as",   get_list,         PROPERTY_CONST,  offsetof(Profile, dropin_paths) },
        { "LoadState",      "s",    get_load_state,   PROPERTY_CONST,  0 },
        { "LoadError",      "(ss)", get_load_error,   PROPERTY_CONST,  0 },
        { "ConfigHash",     "s",    get_config_hash,  PROPERTY_CONST,  0 },
        { "MayLaunch",      "b",    get_may_launch,   PROPERTY_SILENT, 0 },
        { "UserSettable",   "as",   get_list,         PROPERTY_CONST,  offsetof(Profile, user_settable) },
        { "StandardInput",  "s",    get_stream,       PROPERTY_CONST,  offsetof(Profile, standard_input) },
        { "StandardOutput", "s",    get_stream,       PROPERTY_CONST,  offsetof(Profile, standard_output) },
        { "StandardError",  "s",    get_stream,       PROPERTY_CONST,  offsetof(Profile, standard_error) },
};
/* clang-format on */

const Interface interface_profile = {
        .name = INTERFACE_PROFILE,
        INTERFACE_TABLE(properties, properties),
};
