/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/link-answers.h"

#include "link/bus-dict.h"
#include "link/link.h"
#include "plan/plan-text.h"

#include <signal.h>

static int read_fact(sd_bus_message *m, const char *name, void *userdata) {
        LaunchRequest *request = userdata;
        int wait, r;

        if (streq(name, "InvocationID"))
                return sd_bus_message_read(m, "v", "s", &request->invocation_id);
        if (streq(name, "PlanHash"))
                return sd_bus_message_read(m, "v", "s", &request->plan_hash);
        if (streq(name, "PlanDigest"))
                return sd_bus_message_read(m, "v", "s", &request->plan_digest);
        if (!streq(name, "Wait"))
                return sd_bus_message_skip(m, "v");

        r = sd_bus_message_read(m, "v", "b", &wait);
        request->no_wait = r > 0 && !wait;
        return r;
}

static int read_streams(sd_bus_message *m, int streams[static 3], sd_bus_error *error) {
        uint32_t number;
        int fd, r;

        r = sd_bus_message_enter_container(m, 'a', "(uh)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(m, "(uh)", &number, &fd)) > 0) {
                if (number > 2 || streams[number] >= 0)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "stream %u", number);
                streams[number] = fd;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static bool is_hash(const char *s) { return s && strlen(s) == SHA256_HEX_SIZE - 1 && plan_text_is_hex(s); }

static int link_answer_launch(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Keeper *k = userdata;
        LaunchRequest request = { .plan_fd = -EBADF, .streams = { -EBADF, -EBADF, -EBADF } };
        Sandbox *s;
        int lease, r;

        r = sd_bus_message_read_basic(m, 's', &request.id);
        if (r < 0)
                return r;

        r = bus_dict_read(m, read_fact, &request);
        if (r < 0)
                return r;
        if (!request.invocation_id || !invocation_id_is_valid(request.invocation_id))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "InvocationID: 32 hexadecimal digits");

        if (!is_hash(request.plan_hash) || !is_hash(request.plan_digest))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "PlanHash, PlanDigest: 64 hexadecimal digits");

        r = sd_bus_message_read_basic(m, 'h', &request.plan_fd);
        if (r < 0)
                return r;

        r = read_streams(m, request.streams, error);
        if (r < 0)
                return r;

        r = sd_bus_message_read_basic(m, 'b', &lease);
        if (r < 0)
                return r;
        request.lease = lease;

        r = keeper_launch(k, &request, error, &s);
        if (r < 0)
                return r;

        s->launch_call = sd_bus_message_ref(m);
        return 1;
}

static int find_sandbox(Keeper *k, sd_bus_message *m, sd_bus_error *error, Sandbox **ret) {
        const char *id;
        Sandbox *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &id);
        if (r < 0)
                return r;

        s = keeper_find(k, id);
        if (!s)
                return sd_bus_error_setf(error, ERROR_NO_SUCH_SANDBOX, "%s", id);

        *ret = s;
        return 0;
}

static int link_answer_stop(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Keeper *k = userdata;
        Sandbox *s;
        int r;

        r = find_sandbox(k, m, error, &s);
        if (r < 0)
                return r;

        if (!sandbox_is_alive(s)) {
                keeper_forget(k, s);
                return sd_bus_reply_method_return(m, NULL);
        }

        if (call_list_add(&s->stop_calls, m) < 0)
                return sd_bus_error_setf(error, ERROR_BUSY, "%s is being stopped", s->record->id);

        sandbox_stop(s);
        return 1;
}

static int link_answer_kill(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Keeper *k = userdata;
        const char *whom;
        Sandbox *s;
        int32_t signo;
        int r;

        r = find_sandbox(k, m, error, &s);
        if (r < 0)
                return r;

        r = sd_bus_message_read(m, "si", &whom, &signo);
        if (r < 0)
                return r;
        if (signo < 1 || signo >= _NSIG)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%d is no signal", signo);
        if (!streq(whom, "main") && !streq(whom, "all"))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "whom must be \"main\" or \"all\"");

        r = sandbox_signal(s, streq(whom, "all"), signo);
        if (r == -ESRCH)
                return sd_bus_error_setf(
                        error, ERROR_SANDBOX_NOT_RUNNING, "%s is not running", s->record->id);
        if (r < 0)
                return r;

        return sd_bus_reply_method_return(m, NULL);
}

static int link_answer_restart(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Sandbox *s = NULL;
        int r;

        r = find_sandbox(userdata, m, error, &s);
        return r < 0 ? r : sandbox_restart(s, m, error);
}

static int link_answer_freeze(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Sandbox *s = NULL;
        int r;

        r = find_sandbox(userdata, m, error, &s);
        return r < 0 ? r : sandbox_freeze(s, true, m, error);
}

static int link_answer_thaw(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Sandbox *s = NULL;
        int r;

        r = find_sandbox(userdata, m, error, &s);
        return r < 0 ? r : sandbox_freeze(s, false, m, error);
}

static int link_answer_set_limits(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        PlanCgroupValue values[CGROUP_CHANGES_MAX];
        const char *file, *value, *layer;
        Sandbox *s = NULL;
        size_t n = 0;
        int r;

        r = find_sandbox(userdata, m, error, &s);
        if (r < 0)
                return r;

        r = sd_bus_message_enter_container(m, 'a', "(sss)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(m, "(sss)", &file, &value, &layer)) > 0) {
                if (n >= ELEMENTSOF(values))
                        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "too many limits at once");

                values[n++] = (PlanCgroupValue){ (char *) file, (char *) value, (char *) layer };
        }
        if (r < 0)
                return r;

        r = sandbox_set_limits(s, values, n, error);
        return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

/* Answers with what append() has to say of the sandbox. */
static int reply_about(sd_bus_message *m,
                       Keeper *k,
                       int (*append)(Sandbox *s, sd_bus_message *reply),
                       sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Sandbox *s;
        int r;

        r = find_sandbox(k, m, error, &s);
        if (r < 0)
                return r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;

        r = append(s, reply);
        if (r < 0)
                return r;

        return sd_bus_send(NULL, reply, NULL);
}

static int link_answer_get_processes(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return reply_about(m, userdata, sandbox_append_processes, error);
}

static int link_answer_get_faults(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return reply_about(m, userdata, sandbox_append_faults, error);
}

static int link_answer_reset_failed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Keeper *k = userdata;
        Sandbox *s;
        int r;

        r = find_sandbox(k, m, error, &s);
        if (r < 0)
                return r;

        if (!sandbox_is_alive(s))
                keeper_forget(k, s);

        return sd_bus_reply_method_return(m, NULL);
}

/* The connection is private and its other end was checked to be root: no further right is asked for. */
/* clang-format off */
const sd_bus_vtable link_answers[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Launch",
                                SD_BUS_ARGS("s", id, "a{sv}", facts, "h", plan, "a(uh)", streams, "b", lease),
                                SD_BUS_RESULT("a{sv}", record, "ah", lease),
                                link_answer_launch, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Stop", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                                link_answer_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("s", id, "s", whom, "i", signal), SD_BUS_NO_RESULT,
                                link_answer_kill, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Restart", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                                link_answer_restart, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Freeze", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                                link_answer_freeze, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Thaw", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                                link_answer_thaw, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetLimits", SD_BUS_ARGS("s", id, "a(sss)", limits), SD_BUS_NO_RESULT,
                                link_answer_set_limits, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetProcesses", SD_BUS_ARGS("s", id),
                                SD_BUS_RESULT("a(sus)", processes),
                                link_answer_get_processes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetFaults", SD_BUS_ARGS("s", id),
                                SD_BUS_RESULT("a(tssttas)", faults),
                                link_answer_get_faults, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ResetFailed", SD_BUS_ARGS("s", id), SD_BUS_NO_RESULT,
                                link_answer_reset_failed, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("SandboxChanged", SD_BUS_ARGS("a{sv}", record), 0),
        SD_BUS_SIGNAL_WITH_ARGS("SandboxRemoved",
                                SD_BUS_ARGS("s", id, "s", result, "i", code, "i", status), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("s", id, "s", name, "a{sv}", details), 0),
        SD_BUS_VTABLE_END
};
/* clang-format on */
