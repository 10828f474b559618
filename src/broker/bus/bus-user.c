/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/interface.h"
#include "broker/call/call.h"
#include "broker/state/link-calls.h"

static int get_uid(const View *v, const Property *p, sd_bus_message *reply) {
        const uint32_t uid = v->object->uid;

        return sd_bus_message_append_basic(reply, 'u', &uid);
}

static int get_sandboxes(const View *v, const Property *p, sd_bus_message *reply) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "o");
        for (size_t i = 0; r >= 0 && i < v->manager->sandboxes.n_items; i++) {
                const SandboxEntry *s = v->manager->sandboxes.items[i];

                if (s->record->uid == v->object->uid && !sandbox_record_is_hidden(s->record))
                        r = sd_bus_message_append_basic(reply, 'o', s->path);
        }

        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* The stops that one TerminateAll has under way. The call is answered when the last of them is. */
typedef struct Termination {
        Call *call;
        unsigned n_open;
        bool failed;
} Termination;

static void termination_done(Termination *t) {
        if (--t->n_open > 0)
                return;

        if (t->failed)
                call_reply_error(t->call, -EIO);
        else
                (void) call_reply(t->call, NULL);
        (void) call_free(t->call);
        free(t);
}

/* A sandbox that has ended by itself meanwhile counts as stopped. */
static void on_stopped(sd_bus_message *reply, void *userdata) {
        Termination *t = userdata;

        if ((!reply || sd_bus_message_is_method_error(reply, NULL)) && !t->failed &&
            !(reply && sd_bus_message_is_method_error(reply, ERROR_NO_SUCH_SANDBOX))) {
                t->failed = true;
                (void) call_fail_as(t->call, reply);
        }

        termination_done(t);
}

static int call_terminate_all(Call *c) {
        Termination *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;

        /* Counted once more than there are stops, so that the answer cannot come before all of them are sent. */
        *t = (Termination){ .call = c, .n_open = 1 };
        for (size_t i = 0; i < c->manager->sandboxes.n_items; i++) {
                SandboxEntry *s = c->manager->sandboxes.items[i];
                int r;

                if (s->record->uid != c->object.uid)
                        continue;
                if (!s->keeper) {
                        keepers_forget(c->manager->keepers, s);
                        i--; /* the next one has moved up */
                        continue;
                }

                t->n_open++;
                r = link_ask(s->keeper, "Stop", s->record->id, on_stopped, t, UINT64_MAX);
                if (r < 0) {
                        t->n_open--;
                        t->failed = true;
                        (void) call_fail(
                                c, ERROR_BUSY, "%s cannot be stopped just now; try again", s->record->id);
                }
        }

        termination_done(t);
        return 1;
}

/* clang-format off */
static const Member members[] = {
        { .name = "TerminateAll", .verb = ACCESS_TERMINATE, .works = true, .handler = call_terminate_all },
};

static const Property properties[] = {
        { "UID",       "u",  get_uid,       PROPERTY_CONST,  0 },
        { "Sandboxes", "ao", get_sandboxes, PROPERTY_SILENT, 0 },
};
/* clang-format on */

const Interface interface_user = {
        .name = INTERFACE_USER,
        INTERFACE_TABLE(members, members),
        INTERFACE_TABLE(properties, properties),
};
