/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/object.h"

#include "base/text.h"
#include "broker/call/manager-state.h"
#include "broker/state/cgroups.h"

static Object find_sandbox(const Manager *m, const char *id, const char *path) {
        return (Object){ .kind = OBJECT_SANDBOX,
                         .path = path,
                         .name = id,
                         .sandbox = sandboxes_find_shown(&m->sandboxes, id),
                         .uid = UID_NOBODY };
}

/* The object of the sandbox that holds the process with this pid. */
static int
find_sandbox_of_process(const Manager *m, sd_bus_message *message, Object *ret, sd_bus_error *error) {
        _cleanup_free_ char *group = NULL;
        uint32_t pid;
        int r;

        r = sd_bus_message_read(message, "u", &pid);
        if (r < 0)
                return r;
        if (pid == 0 || pid > INT32_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "The first argument is no pid");

        r = cgroup_of_process((pid_t) pid, &group);
        if (r < 0 && r != -ESRCH)
                return r;

        *ret = (Object){ .kind = OBJECT_SANDBOX,
                         .sandbox = group ? sandboxes_find_by_cgroup(&m->sandboxes, group) : NULL,
                         .uid = UID_NOBODY };
        return 0;
}

static Object find_profile(const Manager *m, const char *name, const char *path) {
        return (Object){ .kind = OBJECT_PROFILE,
                         .path = path,
                         .name = name,
                         .profile = catalog_find(m->catalog, name),
                         .uid = UID_NOBODY };
}

static Object find_user(const Manager *m, uid_t uid, const char *path) {
        return (Object){ .kind = OBJECT_USER,
                         .path = path,
                         .named_uid = uid,
                         .uid = sandboxes_has_user(&m->sandboxes, uid) ? uid : UID_NOBODY };
}

static Object find_named(const Manager *m, const ObjectName *name, const char *path) {
        switch (name->kind) {
        case OBJECT_SANDBOX:
                return find_sandbox(m, name->name, path);
        case OBJECT_PROFILE:
                return find_profile(m, name->name, path);
        case OBJECT_USER:
                return find_user(m, name->uid, path);
        case OBJECT_BRANCH:
        case OBJECT_MANAGER:
        default:
                return (Object){ .kind = name->kind, .path = path, .uid = UID_NOBODY };
        }
}

int object_resolve(const Manager *m,
                   sd_bus_message *message,
                   Subject subject,
                   const ObjectName *name,
                   Object *ret,
                   sd_bus_error *error) {
        const char *text;
        uint32_t uid;
        int r;

        r = sd_bus_message_rewind(message, true);
        if (r < 0)
                return r;

        switch (subject) {
        case SUBJECT_SANDBOX:
        case SUBJECT_PROFILE:
                r = sd_bus_message_read(message, "s", &text);
                if (r < 0)
                        return r;
                if (!text_is_printable(text, "") || strlen(text) > 128)
                        return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS, "The first argument is no name");
                *ret = subject == SUBJECT_SANDBOX ? find_sandbox(m, text, text)
                                                  : find_profile(m, text, text);
                return 0;
        case SUBJECT_PROCESS:
                return find_sandbox_of_process(m, message, ret, error);
        case SUBJECT_USER:
                r = sd_bus_message_read(message, "u", &uid);
                if (r >= 0)
                        *ret = find_user(m, uid, NULL);
                return r < 0 ? r : 0;
        case SUBJECT_PATH:
        default:
                *ret = find_named(m, name, sd_bus_message_get_path(message));
                return 0;
        }
}

Object object_of_sandbox(SandboxEntry *s) {
        return (Object){ .kind = OBJECT_SANDBOX, .path = s->path, .sandbox = s, .uid = UID_NOBODY };
}

static Object object_of_user(const SandboxEntry *s) {
        return (Object){ .kind = OBJECT_USER, .uid = s->record->uid };
}

Object object_of_profile(const CatalogEntry *e) {
        return (Object){ .kind = OBJECT_PROFILE, .path = e->path, .profile = e, .uid = UID_NOBODY };
}

AccessObject object_access(const Manager *m, const Object *object) {
        AccessObject a = { .kind = object->kind, .owner = UID_NOBODY };
        const CatalogEntry *e = object->profile;

        if (object->kind == OBJECT_USER)
                a.owner = object->uid;
        else if (object->sandbox) {
                a.owner = object->sandbox->record->uid;
                e = catalog_find(m->catalog, object->sandbox->record->profile);
        }

        a.profile = e ? e->profile : NULL;
        return a;
}

bool object_is_visible(const Manager *m, const Caller *caller, const Object *object) {
        const AccessObject a = object_access(m, object);

        if (object->sandbox && sandbox_record_is_hidden(object->sandbox->record))
                return false;

        return access_check(caller, ACCESS_INSPECT, &a, NULL) == 0;
}

/* A user is listed with the first of their sandboxes that is shown. */
static bool has_user_before(const Sandboxes *s, size_t k) {
        for (size_t i = 0; i < k; i++)
                if (s->items[i]->record->uid == s->items[k]->record->uid &&
                    !sandbox_record_is_hidden(s->items[i]->record))
                        return true;

        return false;
}

bool object_next_visible(const Manager *m, const Caller *caller, ObjectKind kind, size_t *i, Object *ret) {
        const size_t n = kind == OBJECT_PROFILE ? m->catalog->n_entries : m->sandboxes.n_items;

        while (*i < n) {
                const size_t k = (*i)++;
                const Object object = kind == OBJECT_PROFILE ? object_of_profile(m->catalog->entries + k)
                                      : kind == OBJECT_USER  ? object_of_user(m->sandboxes.items[k])
                                                             : object_of_sandbox(m->sandboxes.items[k]);

                if (kind != OBJECT_PROFILE && sandbox_record_is_hidden(m->sandboxes.items[k]->record))
                        continue;
                if (kind == OBJECT_USER && has_user_before(&m->sandboxes, k))
                        continue;
                if (object_is_visible(m, caller, &object)) {
                        *ret = object;
                        return true;
                }
        }

        return false;
}

bool object_may_launch(const Caller *caller, const CatalogEntry *e) {
        const AccessObject a = { .kind = OBJECT_PROFILE, .owner = UID_NOBODY, .profile = e->profile };
        AccessQuestion question = { 0 };
        int r;

        if (!e->profile || !e->profile->enabled || e->profile->abstract)
                return false;

        r = access_check(caller, ACCESS_LAUNCH, &a, &question);
        return r == 0 || (r == -ENOKEY && question.own);
}
