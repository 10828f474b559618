/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/polkit.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_USER_INTERACTION UINT32_C(1)

struct Polkit {
        sd_bus *bus;
        uint64_t n_asked;
};

struct PolkitQuery {
        Polkit *polkit;
        sd_bus_slot *slot; /* NULL: answered */
        char id[24];       /* for taking it back; of this connection alone */
        PolkitHandler handler;
        void *userdata;
};

int polkit_new(Polkit **ret, sd_bus *bus) {
        Polkit *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;

        p->bus = sd_bus_ref(bus);
        *ret = p;
        return 0;
}

Polkit *polkit_free(Polkit *p) {
        if (!p)
                return NULL;

        (void) sd_bus_unref(p->bus);
        free(p);
        return NULL;
}

/* A dialog that nobody needs any more shall not stay on somebody's screen. Not worth starting polkit for. */
static int take_back(PolkitQuery *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                q->polkit->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CancelCheckAuthorization");
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', q->id);
        if (r < 0)
                return r;

        r = sd_bus_message_set_auto_start(m, false);
        if (r < 0)
                return r;

        r = sd_bus_message_set_expect_reply(m, false);
        if (r < 0)
                return r;

        return sd_bus_send(q->polkit->bus, m, NULL);
}

PolkitQuery *polkit_query_free(PolkitQuery *q) {
        int r;

        if (!q)
                return NULL;

        if (q->slot) {
                q->slot = sd_bus_slot_unref(q->slot);
                r = take_back(q);
                if (r < 0)
                        (void) log_message_errno(LOG_DEBUG, r, "Cannot take a question to polkit back");
        }
        free(q);
        return NULL;
}

/*
 * Only the bus itself can say that there is no polkit. Its answer for one that could not be started, or that died over
 * the question, has another name: whoever can bring that about must not get what a machine without polkit grants.
 */
static bool is_absence(sd_bus_message *m) {
        const char *sender = sd_bus_message_get_sender(m);

        return sd_bus_message_is_method_error(m, SD_BUS_ERROR_SERVICE_UNKNOWN) && sender &&
               streq(sender, "org.freedesktop.DBus");
}

static PolkitAnswer read_answer(sd_bus_message *m) {
        int authorized, challenge;

        if (is_absence(m))
                return POLKIT_ABSENT;

        if (sd_bus_message_is_method_error(m, NULL)) {
                const sd_bus_error *error = sd_bus_message_get_error(m);

                log_warning(
                        "polkit did not answer: %s: %s", error->name, error->message ?: "no reason given");
                return POLKIT_SILENT;
        }

        if (sd_bus_message_has_signature(m, "(bba{ss})") <= 0 ||
            sd_bus_message_enter_container(m, 'r', "bba{ss}") <= 0 ||
            sd_bus_message_read(m, "bb", &authorized, &challenge) <= 0) {
                log_warning("polkit's answer is none: \"%s\"", sd_bus_message_get_signature(m, true) ?: "");
                return POLKIT_SILENT;
        }

        /* One that says both contradicts itself. */
        if (challenge)
                return POLKIT_CHALLENGE;

        return authorized ? POLKIT_YES : POLKIT_NO;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        PolkitQuery *q = userdata;
        const PolkitHandler handler = q->handler;
        const PolkitAnswer answer = read_answer(m);
        void *data = q->userdata;

        (void) error;

        /* One that is late may still think about it: that question is taken back. */
        if (answer != POLKIT_SILENT)
                q->slot = sd_bus_slot_unref(q->slot);
        (void) polkit_query_free(q);
        handler(answer, data);
        return 0;
}

static int append_subject(sd_bus_message *m, const char *name) {
        return sd_bus_message_append(m, "(sa{sv})", "system-bus-name", 1, "name", "s", name);
}

static int append_details(sd_bus_message *m, char *const *details) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        if (r < 0)
                return r;

        STRV_FOREACH(detail, details) {
                const char *equals = strchr(*detail, '=');
                _cleanup_free_ char *key = NULL;

                key = equals ? strndup(*detail, (size_t) (equals - *detail)) : NULL;
                if (!key)
                        return equals ? -ENOMEM : -EINVAL;

                r = sd_bus_message_append(m, "{ss}", key, equals + 1);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

static int question_new(Polkit *p, const PolkitQuestion *question, const char *id, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                p->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization");
        if (r < 0)
                return r;

        r = append_subject(m, question->subject);
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', question->action);
        if (r < 0)
                return r;

        r = append_details(m, question->details);
        if (r < 0)
                return r;

        r = sd_bus_message_append(
                m, "us", question->interactive ? POLKIT_ALLOW_USER_INTERACTION : UINT32_C(0), id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

int polkit_ask(Polkit *p,
               const PolkitQuestion *question,
               PolkitHandler handler,
               void *userdata,
               PolkitQuery **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(polkit_query_freep) PolkitQuery *q = NULL;
        int r;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;

        *q = (PolkitQuery){ .polkit = p, .handler = handler, .userdata = userdata };
        (void) snprintf(q->id, sizeof(q->id), "%" PRIu64, ++p->n_asked);

        r = question_new(p, question, q->id, &m);
        if (r < 0)
                return r;

        r = sd_bus_call_async(p->bus, &q->slot, m, on_answer, q, question->timeout_usec);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(q);
        return 0;
}
