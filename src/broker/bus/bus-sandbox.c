/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/bus-sandbox.h"

#include "base/text.h"
#include "broker/bus/interface.h"
#include "broker/call/manager-state.h"
#include "broker/state/cgroups.h"
#include "broker/state/link-calls.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

static int get_field(const View *v, const Property *p, sd_bus_message *reply) {
        return sandbox_record_append_field(reply, v->object->sandbox->record, (RecordField) p->offset);
}

/* What the kernel counts. Without the controller, or once the sandbox has ended, the property is absent. */
typedef struct Usage {
        const char *file, *name;
        uint64_t factor;
        int (*read)(const char *mount, const char *group, const char *file, const char *name, uint64_t *ret);
} Usage;

static int get_usage(const View *v, const Property *p, sd_bus_message *reply) {
        const SandboxRecord *record = v->object->sandbox->record;
        const Usage *u = p->data;
        uint64_t value;

        if (!v->manager->cgroup_mount || !record->control_group ||
            !path_is_normalized(record->control_group))
                return -ENODATA;
        if (u->read(v->manager->cgroup_mount, record->control_group, u->file, u->name, &value) < 0)
                return -ENODATA;

        value = value > UINT64_MAX / u->factor ? UINT64_MAX - 1 : value * u->factor;
        return sd_bus_message_append_basic(reply, 't', &value);
}

#define USAGE(...) \
        .data = &(const Usage) { __VA_ARGS__ }

/* clang-format off */
static const Property properties[] = {
#define FIELD(name, kind, signature, type, member, link, bus) \
        { name, signature, get_field, PROPERTY_##bus, RECORD_FIELD_##member },
#include "link/sandbox-record.def"
#undef FIELD
        { "MemoryCurrent", "t", get_usage, PROPERTY_SILENT, USAGE("memory.current", NULL,   1,    cgroup_read_u64) },
        { "MemoryPeak",    "t", get_usage, PROPERTY_SILENT, USAGE("memory.peak", NULL,      1,    cgroup_read_u64) },
        { "CPUUsageNSec",  "t", get_usage, PROPERTY_SILENT, USAGE("cpu.stat", "usage_usec", 1000, cgroup_read_u64) },
        { "TasksCurrent",  "t", get_usage, PROPERTY_SILENT, USAGE("pids.current", NULL,     1,    cgroup_read_u64) },
        { "IOReadBytes",   "t", get_usage, PROPERTY_SILENT, USAGE("io.stat", "rbytes",      1,    cgroup_sum_u64) },
        { "IOWriteBytes",  "t", get_usage, PROPERTY_SILENT, USAGE("io.stat", "wbytes",      1,    cgroup_sum_u64) },
        { "OOMKills",      "t", get_usage, PROPERTY_SILENT, USAGE("memory.events", "oom_kill", 1, cgroup_read_u64) },
};

static const Member members[] = {
#define VERB(verb_, name_, rule, member, types, names_, handler_, help)                                     \
        { .name = member, .in = { types, &names_[sizeof(names_) > 1] },                                   \
          .verb = ACCESS_##verb_, .works = true, .handler = handler_ },
#define QUESTION(member, types, names, handler_, help)                                                      \
        { .name = member, .out = { types, names }, .verb = ACCESS_INSPECT, .works = true, .handler = handler_ },
#include "broker/access/sandbox-verbs.def"
};
/* clang-format on */

const Interface interface_sandbox = {
        .name = INTERFACE_SANDBOX,
        INTERFACE_TABLE(members, members),
        INTERFACE_TABLE(properties, properties),
};

int sandbox_append_changes(sd_bus_message *m, const View *v, const SandboxRecord *before) {
        size_t n = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        /* The fields of the record come first. */
        for (RecordField i = 0; i < _RECORD_FIELD_MAX; i++) {
                const Property *p = properties + i;

                if (p->change != PROPERTY_EMITS ||
                    sandbox_record_equal_field(before, v->object->sandbox->record, i))
                        continue;

                r = property_append(m, v, p);
                if (r < 0)
                        return r;
                n++;
        }

        if (n == 0)
                return -ENODATA;

        return sd_bus_message_close_container(m);
}

/* The sandbox has ended and its keeper has left: the broker answers in its place. */
static int answer_for_keeper(Call *c) {
        const char *types = c->member->out.types;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        SandboxEntry *s = c->object.sandbox;
        int r;

        if (streq(c->member->name, "Stop") || streq(c->member->name, "ResetFailed")) {
                keepers_forget(c->manager->keepers, s);
                return call_reply(c, NULL);
        }
        if (!types)
                return call_fail(c, ERROR_SANDBOX_NOT_RUNNING, "%s is not running", s->record->id);

        /* The others ask for a list, and nothing is left to list. */
        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', types + 1);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : call_send(c, TAKE_PTR(reply));
}

/* Once the question is sent, whoever takes the answer owns the call. */
static int sent(Call *c, int r) {
        if (r == -ESRCH)
                return answer_for_keeper(c);
        if (r == -EPROTONOSUPPORT)
                return call_fail(
                        c, ERROR_BUSY, "The keeper of this sandbox is of a version that cannot do this");
        if (r == -ENOTCONN)
                return call_fail(
                        c, ERROR_BUSY, "The keeper of this sandbox is not there just now; try again");

        return r < 0 ? r : 1;
}

/* Hands the keeper's answer on, as far as its types are what the member promises. */
static int copy_answer(Call *c, sd_bus_message *from) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        if (!c->member->out.types)
                return call_reply(c, NULL);
        if (sd_bus_message_has_signature(from, c->member->out.types) <= 0)
                return -EBADMSG;

        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = sd_bus_message_copy(reply, from, true);

        return r < 0 ? r : call_send(c, TAKE_PTR(reply));
}

static void on_answer(sd_bus_message *reply, void *userdata) {
        _cleanup_(call_freep) Call *c = userdata;
        int r;

        if (!reply || sd_bus_message_is_method_error(reply, NULL))
                r = call_fail_as(c, reply);
        else
                r = copy_answer(c, reply);
        if (r < 0)
                call_reply_error(c, r);
}

static int ask(Call *c, uint64_t timeout_usec) {
        const SandboxEntry *s = c->object.sandbox;

        return sent(c, link_ask(s->keeper, c->member->name, s->record->id, on_answer, c, timeout_usec));
}

int call_ask(Call *c) { return ask(c, LINK_ATTENTION_USEC); }

int call_await(Call *c) { return ask(c, UINT64_MAX); }

/* A value as a profile says it, or a plain number. */
static int read_limit(Call *c, LiveLimit *ret) {
        const char *name, *types, *text;
        char number[32];
        uint64_t value;
        int r;

        r = sd_bus_message_read_basic(c->message, 's', &name);
        if (r < 0)
                return r;

        r = sd_bus_message_peek_type(c->message, NULL, &types);
        if (r < 0)
                return r;

        if (streq(types, "t")) {
                r = sd_bus_message_read(c->message, "v", "t", &value);
                (void) snprintf(number, sizeof(number), "%" PRIu64, value);
                text = number;
        } else if (streq(types, "s"))
                r = sd_bus_message_read(c->message, "v", "s", &text);
        else
                return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "The value of a limit is of type s or t");
        if (r < 0)
                return r;

        r = live_limit_parse(name, text, ret);
        if (r == -ENOENT)
                return call_fail(c, ERROR_SETTING_NOT_PERMITTED, "This is no limit that can be set live");
        if (r == -EINVAL || r == -ERANGE || r == -EOPNOTSUPP)
                return call_fail(c, ERROR_BAD_SETTING, "%s: not a value of it, or out of range", name);

        return r;
}

static int read_limits(Call *c, LiveLimit limits[static LIVE_LIMITS_MAX], size_t *ret_n) {
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(c->message, 'a', "(sv)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(c->message, 'r', "sv")) > 0) {
                if (n >= LIVE_LIMITS_MAX)
                        return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "More limits than there are");

                r = read_limit(c, limits + n++);
                if (r < 0)
                        return r;

                r = sd_bus_message_exit_container(c->message);
                if (r < 0)
                        return r;
        }

        *ret_n = n;
        return r;
}

int call_set_properties(Call *c) {
        const SandboxEntry *s = c->object.sandbox;
        LiveLimit limits[LIVE_LIMITS_MAX];
        size_t n = 0;
        int r;

        r = read_limits(c, limits, &n);
        if (r < 0)
                return r;

        return sent(c, link_set_limits(s->keeper, s->record->id, limits, n, on_answer, c));
}

int call_kill(Call *c) {
        const SandboxEntry *s = c->object.sandbox;
        const char *whom;
        int32_t signo;
        int r;

        r = sd_bus_message_read(c->message, "si", &whom, &signo);
        if (r < 0)
                return r;

        if (!streq(whom, "main") && !streq(whom, "all"))
                return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "whom is \"main\" or \"all\"");
        if (signo < 1 || signo > SIGRTMAX)
                return call_fail(c, SD_BUS_ERROR_INVALID_ARGS, "%d is no signal", signo);

        return sent(c, link_kill(s->keeper, s->record->id, whom, signo, on_answer, c));
}
