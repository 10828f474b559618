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

static const void *field(const Object *object, const Property *p) {
        return (const uint8_t *) object->sandbox->record + p->offset;
}

static int
get_text(Manager *m, const Caller *caller, const Object *object, const Property *p, sd_bus_message *reply) {
        const char *const *s = field(object, p);

        return sd_bus_message_append_basic(reply, 's', *s ?: "");
}

static int
get_texts(Manager *m, const Caller *caller, const Object *object, const Property *p, sd_bus_message *reply) {
        char **const *l = field(object, p);

        return sd_bus_message_append_strv(reply, *l);
}

/* u, i and t lie in the record as they go on the wire. */
static int get_number(
        Manager *m, const Caller *caller, const Object *object, const Property *p, sd_bus_message *reply) {
        return sd_bus_message_append_basic(reply, p->types[0], field(object, p));
}

static int
get_state(Manager *m, const Caller *caller, const Object *object, const Property *p, sd_bus_message *reply) {
        return sd_bus_message_append_basic(reply, 's', sandbox_state_name(object->sandbox->record->state));
}

static int get_result(
        Manager *m, const Caller *caller, const Object *object, const Property *p, sd_bus_message *reply) {
        return sd_bus_message_append_basic(reply, 's', sandbox_result_name(object->sandbox->record->result));
}

/* What the kernel counts; a controller that is missing, or a sandbox that has ended, has no such number. */
typedef struct Usage {
        const char *file, *name;
        uint64_t factor;
        int (*read)(const char *mount, const char *group, const char *file, const char *name, uint64_t *ret);
} Usage;

/* clang-format off */
static const Usage usages[] = {
        { "memory.current", NULL,         1,    cgroup_read_u64 },
        { "memory.peak",    NULL,         1,    cgroup_read_u64 },
        { "cpu.stat",       "usage_usec", 1000, cgroup_read_u64 },
        { "pids.current",   NULL,         1,    cgroup_read_u64 },
        { "io.stat",        "rbytes",     1,    cgroup_sum_u64 },
        { "io.stat",        "wbytes",     1,    cgroup_sum_u64 },
        { "memory.events",  "oom_kill",   1,    cgroup_read_u64 },
};
/* clang-format on */

static int
get_usage(Manager *m, const Caller *caller, const Object *object, const Property *p, sd_bus_message *reply) {
        const SandboxRecord *record = object->sandbox->record;
        const Usage *u = usages + p->offset;
        uint64_t value;

        if (!m->cgroup_mount || !record->control_group || !path_is_normalized(record->control_group))
                return -ENODATA;
        if (u->read(m->cgroup_mount, record->control_group, u->file, u->name, &value) < 0)
                return -ENODATA;

        value = value > UINT64_MAX / u->factor ? UINT64_MAX - 1 : value * u->factor;
        return sd_bus_message_append_basic(reply, 't', &value);
}

#define RECORD(field) offsetof(SandboxRecord, field)

/* clang-format off */
static const Property properties[] = {
        { "Id",             "s",  get_text,   PROPERTY_CONST,  RECORD(id) },
        { "Profile",        "s",  get_text,   PROPERTY_CONST,  RECORD(profile) },
        { "ProfileHash",    "s",  get_text,   PROPERTY_CONST,  RECORD(profile_hash) },
        { "User",           "s",  get_text,   PROPERTY_CONST,  RECORD(user) },
        { "Instance",       "s",  get_text,   PROPERTY_CONST,  RECORD(instance) },
        { "UID",            "u",  get_number, PROPERTY_CONST,  RECORD(uid) },
        { "InvocationID",   "s",  get_text,   PROPERTY_CONST,  RECORD(invocation_id) },
        { "Timestamp",      "t",  get_number, PROPERTY_CONST,  RECORD(timestamp) },
        { "PlanHash",       "s",  get_text,   PROPERTY_CONST,  RECORD(plan_hash) },
        { "ControlGroup",   "s",  get_text,   PROPERTY_CONST,  RECORD(control_group) },
        { "Enforced",       "as", get_texts,  PROPERTY_EMITS,  RECORD(enforced) },
        { "State",          "s",  get_state,  PROPERTY_EMITS,  RECORD(state) },
        { "SubState",       "s",  get_text,   PROPERTY_EMITS,  RECORD(sub_state) },
        { "Result",         "s",  get_result, PROPERTY_EMITS,  RECORD(result) },
        { "StatusText",     "s",  get_text,   PROPERTY_EMITS,  RECORD(status_text) },
        { "Leader",         "u",  get_number, PROPERTY_EMITS,  RECORD(leader) },
        { "MainPID",        "u",  get_number, PROPERTY_EMITS,  RECORD(main_pid) },
        { "NRestarts",      "u",  get_number, PROPERTY_EMITS,  RECORD(n_restarts) },
        { "ExecMainCode",   "i",  get_number, PROPERTY_EMITS,  RECORD(exec_main_code) },
        { "ExecMainStatus", "i",  get_number, PROPERTY_EMITS,  RECORD(exec_main_status) },
        { "MemoryCurrent",  "t",  get_usage,  PROPERTY_SILENT, 0 },
        { "MemoryPeak",     "t",  get_usage,  PROPERTY_SILENT, 1 },
        { "CPUUsageNSec",   "t",  get_usage,  PROPERTY_SILENT, 2 },
        { "TasksCurrent",   "t",  get_usage,  PROPERTY_SILENT, 3 },
        { "IOReadBytes",    "t",  get_usage,  PROPERTY_SILENT, 4 },
        { "IOWriteBytes",   "t",  get_usage,  PROPERTY_SILENT, 5 },
        { "OOMKills",       "t",  get_usage,  PROPERTY_SILENT, 6 },
};

static const Member members[] = {
        { .name = "Stop", .verb = ACCESS_STOP, .works = true, .handler = call_stop },
        { .name = "Kill", .in = { "si", "whom signal" }, .verb = ACCESS_KILL, .works = true, .handler = call_kill },
        { .name = "Restart", .verb = ACCESS_RESTART, .works = true, .handler = call_restart },
        { .name = "Freeze", .verb = ACCESS_FREEZE, .works = true, .handler = call_freeze },
        { .name = "Thaw", .verb = ACCESS_THAW, .works = true, .handler = call_thaw },
        { .name = "SetProperties", .in = { "a(sv)", "properties" },
          .verb = ACCESS_SET_PROPERTIES, .works = true, .handler = call_set_properties },
        { .name = "GetProcesses", .out = { "a(sus)", "processes" },
          .verb = ACCESS_INSPECT, .works = true, .handler = call_get_processes },
        { .name = "GetFaults", .out = { "a(tssttas)", "faults" },
          .verb = ACCESS_INSPECT, .works = true, .handler = call_get_faults },
        { .name = "ResetFailed", .verb = ACCESS_RESET_FAILED, .works = true, .handler = call_reset_failed },
};
/* clang-format on */

const Interface interface_sandbox = {
        .name = INTERFACE_SANDBOX,
        .members = members,
        .n_members = ELEMENTSOF(members),
        .properties = properties,
        .n_properties = ELEMENTSOF(properties),
};

static bool property_equal(const Property *p, const SandboxRecord *a, const SandboxRecord *b) {
        const uint8_t *x = (const uint8_t *) a + p->offset, *y = (const uint8_t *) b + p->offset;

        if (p->get == get_state)
                return a->state == b->state;
        if (p->get == get_result)
                return a->result == b->result;
        if (p->get == get_text)
                return streq(*(const char *const *) x ?: "", *(const char *const *) y ?: "");
        if (p->get == get_texts)
                return strv_equal(*(char **const *) x, *(char **const *) y);

        return memcmp(x, y, p->types[0] == 't' ? sizeof(uint64_t) : sizeof(uint32_t)) == 0;
}

static int append_property(
        sd_bus_message *m, Manager *manager, const Caller *to, const Object *object, const Property *p) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', p->name);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(m, 'v', p->types);
        if (r < 0)
                return r;

        r = p->get(manager, to, object, p, m);
        if (r < 0)
                return r;

        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(m);
}

int sandbox_append_changes(sd_bus_message *m,
                           Manager *manager,
                           const Caller *to,
                           const Object *object,
                           const SandboxRecord *before) {
        size_t n = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
                const Property *p = properties + i;

                if (p->change != PROPERTY_EMITS || property_equal(p, before, object->sandbox->record))
                        continue;

                r = append_property(m, manager, to, object, p);
                if (r < 0)
                        return r;
                n++;
        }

        if (n == 0)
                return -ENODATA;

        return sd_bus_message_close_container(m);
}

/* Any keeper's answer to a verb, handed on under its own name. */
static void on_done(sd_bus_message *reply, void *userdata) {
        _cleanup_(call_freep) Call *c = userdata;

        if (!reply || sd_bus_message_is_method_error(reply, NULL))
                call_reply_error(c, call_fail_as(c, reply));
        else
                (void) call_reply(c, NULL);
}

/* The call is the handler's once it was sent. */
static int sent(Call *c, int r) {
        if (r == -ENOTCONN)
                return call_fail(
                        c, ERROR_BUSY, "The keeper of this sandbox is not there just now; try again");

        return r < 0 ? r : 1;
}

static int forward(Call *c, LinkCaller caller, LinkReplyHandler handler) {
        const SandboxEntry *s = c->object.sandbox;

        return sent(c, caller(s->keeper, s->record->id, handler, c));
}

int call_stop(Call *c) { return forward(c, link_stop, on_done); }

int call_restart(Call *c) { return forward(c, link_restart, on_done); }

int call_freeze(Call *c) { return forward(c, link_freeze, on_done); }

int call_thaw(Call *c) { return forward(c, link_thaw, on_done); }

int call_reset_failed(Call *c) { return forward(c, link_reset_failed, on_done); }

/* Any keeper's answer that has the arguments which the member promises. */
static int copy_answer(Call *c, sd_bus_message *from) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        if (sd_bus_message_has_signature(from, c->member->out.types) <= 0)
                return -EBADMSG;

        r = call_new_reply(c, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_copy(reply, from, true);
        if (r < 0)
                return r;

        return call_send(c, TAKE_PTR(reply));
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

int call_get_processes(Call *c) { return forward(c, link_get_processes, on_answer); }

int call_get_faults(Call *c) { return forward(c, link_get_faults, on_answer); }

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

        return sent(c, link_set_limits(s->keeper, s->record->id, limits, n, on_done, c));
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

        return sent(c, link_kill(s->keeper, s->record->id, whom, signo, on_done, c));
}
