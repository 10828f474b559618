/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/object.h"

#include "broker/call/manager-state.h"

Object object_of_sandbox(SandboxEntry *s) {
        return (Object){ .kind = OBJECT_SANDBOX, .path = s->path, .sandbox = s, .uid = UID_NOBODY };
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

bool object_next_visible(const Manager *m, const Caller *caller, ObjectKind kind, size_t *i, Object *ret) {
        const size_t n = kind == OBJECT_SANDBOX ? m->sandboxes.n_items : m->catalog->n_entries;

        while (*i < n) {
                const size_t k = (*i)++;
                const Object object = kind == OBJECT_SANDBOX ? object_of_sandbox(m->sandboxes.items[k])
                                                             : object_of_profile(m->catalog->entries + k);

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
