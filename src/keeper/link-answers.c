/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/link-answers.h"

#include "link/bus-dict.h"
#include "link/link.h"
#include "plan/client-streams.h"
#include "plan/plan-text.h"

#include <signal.h>

/* clang-format off */
static const BusField launch_facts[] = {
        { "InvocationID", 's', offsetof(LaunchRequest, invocation_id) },
        { "PlanHash",     's', offsetof(LaunchRequest, plan_hash) },
        { "PlanDigest",   's', offsetof(LaunchRequest, plan_digest) },
        { "Wait",         'b', offsetof(LaunchRequest, wait) },
        { "Streams",      'u', offsetof(LaunchRequest, streams) },
};
/* clang-format on */

/* A broker of version 3 sends the streams themselves here. They are not for a keeper to hold. */
static int refuse_descriptors(sd_bus_message *m, sd_bus_error *error) {
        uint32_t number;
        int fd, r;

        r = sd_bus_message_enter_container(m, 'a', "(uh)");
        if (r >= 0)
                r = sd_bus_message_read(m, "(uh)", &number, &fd);
        if (r > 0)
                return sd_bus_error_set(
                        error,
                        ERROR_BUSY,
                        "the keeper of this user is newer than the broker, and takes streams of a "
                        "client's on a lease alone");

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int check_streams(const LaunchRequest *request, sd_bus_error *error) {
        if (request->streams == 0 || (request->lease && request->streams <= CLIENT_STREAMS_ALL))
                return 0;

        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "Streams: standard ones, with a lease");
}

static bool is_hash(const char *s) { return s && strlen(s) == SHA256_HEX_SIZE - 1 && plan_text_is_hex(s); }

static int link_answer_launch(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Keeper *k = userdata;
        LaunchRequest request = { .plan_fd = -EBADF, .wait = true };
        Sandbox *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &request.id);
        if (r >= 0)
                r = bus_dict_read_fields(m, launch_facts, ELEMENTSOF(launch_facts), &request, NULL);
        if (r < 0)
                return r;
        if (!invocation_id_is_valid(request.invocation_id))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "InvocationID: 32 hexadecimal digits");

        if (!is_hash(request.plan_hash) || !is_hash(request.plan_digest))
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_INVALID_ARGS, "PlanHash, PlanDigest: 64 hexadecimal digits");

        r = sd_bus_message_read_basic(m, 'h', &request.plan_fd);
        if (r >= 0)
                r = refuse_descriptors(m, error);
        if (r >= 0)
                r = sd_bus_message_read_basic(m, 'b', &request.lease);
        if (r >= 0)
                r = check_streams(&request, error);
        if (r >= 0)
                r = keeper_launch(k, &request, error, &s);
        if (r < 0)
                return r;

        /* The client cannot send its streams before it has the lease. What comes of the launch comes there, too. */
        s->launch_call = sd_bus_message_ref(m);
        if (request.streams != 0)
                sandbox_answer_launch(s);
        return 1;
}

static int link_answer_stop(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error) {
        if (!sandbox_is_alive(s)) {
                keeper_forget(k, s);
                return 0;
        }

        if (call_list_add(&s->stop_calls, m) < 0)
                return sd_bus_error_setf(error, ERROR_BUSY, "%s is being stopped", s->record->id);

        sandbox_stop(s);
        return 1;
}

static int link_answer_kill(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error) {
        const char *whom;
        int32_t signo;
        int r;

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

        return MIN(r, 0);
}

static int link_answer_restart(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error) {
        return sandbox_restart(s, m, error);
}

static int link_answer_freeze(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error) {
        return sandbox_freeze(s, streq(sd_bus_message_get_member(m), "Freeze"), m, error);
}

static int link_answer_set_limits(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error) {
        PlanCgroupValue values[CGROUP_CHANGES_MAX];
        const char *file, *value, *layer;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sss)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(m, "(sss)", &file, &value, &layer)) > 0) {
                if (n >= ELEMENTSOF(values))
                        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "too many limits at once");

                values[n++] = (PlanCgroupValue){ (char *) file, (char *) value, (char *) layer };
        }

        return r < 0 ? r : MIN(sandbox_set_limits(s, values, n, error), 0);
}

static int link_answer_get(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = streq(sd_bus_message_get_member(m), "GetFaults") ? sandbox_append_faults(s, reply)
                                                                     : sandbox_append_processes(s, reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);

        return r < 0 ? r : 1;
}

static int link_answer_reset_failed(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error) {
        if (!sandbox_is_alive(s))
                keeper_forget(k, s);

        return 0;
}

/*
 * Members whose first argument is the id of a sandbox: name, arguments, result, and who answers. 0: done, and nothing
 * to say; 1: answered now or later.
 */
/* clang-format off */
#define ABOUT_SANDBOXES(X)                                                                                      \
        X("Stop",         ("s", id),                          (NULL),                 link_answer_stop)         \
        X("Kill",         ("s", id, "s", whom, "i", signal),  (NULL),                 link_answer_kill)         \
        X("Restart",      ("s", id),                          (NULL),                 link_answer_restart)      \
        X("Freeze",       ("s", id),                          (NULL),                 link_answer_freeze)       \
        X("Thaw",         ("s", id),                          (NULL),                 link_answer_freeze)       \
        X("SetLimits",    ("s", id, "a(sss)", limits),        (NULL),                 link_answer_set_limits)   \
        X("GetProcesses", ("s", id),                          ("a(sus)", processes),  link_answer_get)          \
        X("GetFaults",    ("s", id),                          ("a(tssttas)", faults), link_answer_get)          \
        X("ResetFailed",  ("s", id),                          (NULL),                 link_answer_reset_failed)

#define ANSWER(member, args, result, answer) { member, answer },
static const struct {
        const char *member;
        int (*answer)(Keeper *k, Sandbox *s, sd_bus_message *m, sd_bus_error *error);
} answers[] = {
        ABOUT_SANDBOXES(ANSWER)
};
/* clang-format on */

static int link_answer_about(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *member = sd_bus_message_get_member(m), *id;
        Keeper *k = userdata;
        Sandbox *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &id);
        if (r < 0)
                return r;

        s = keeper_find(k, id);
        if (!s)
                return sd_bus_error_setf(error, ERROR_NO_SUCH_SANDBOX, "%s", id);

        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                if (streq(answers[i].member, member)) {
                        r = answers[i].answer(k, s, m, error);
                        return r == 0 ? sd_bus_reply_method_return(m, NULL) : r;
                }

        return -EOPNOTSUPP;
}

/* The connection is private and its other end was checked to be root: no further right is asked for. */
/* clang-format off */
#define METHOD(member, args, result, answer)                                            \
        SD_BUS_METHOD_WITH_ARGS(member, SD_BUS_ARGS args, SD_BUS_RESULT result,         \
                                link_answer_about, SD_BUS_VTABLE_UNPRIVILEGED),
const sd_bus_vtable link_answers[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Launch",
                                SD_BUS_ARGS("s", id, "a{sv}", facts, "h", plan, "a(uh)", streams, "b", lease),
                                SD_BUS_RESULT("a{sv}", record, "ah", lease),
                                link_answer_launch, SD_BUS_VTABLE_UNPRIVILEGED),
        ABOUT_SANDBOXES(METHOD)
        SD_BUS_SIGNAL_WITH_ARGS("SandboxChanged", SD_BUS_ARGS("a{sv}", record), 0),
        SD_BUS_SIGNAL_WITH_ARGS("SandboxRemoved",
                                SD_BUS_ARGS("s", id, "s", result, "i", code, "i", status), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("s", id, "s", name, "a{sv}", details), 0),
        SD_BUS_VTABLE_END
};
/* clang-format on */
