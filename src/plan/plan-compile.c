/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-compile.h"

#include "base/security-label.h"
#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "plan/plan-text.h"
#include "profile/names.h"

#include <inttypes.h>

static int copy_text(char **ret, const char *s) {
        if (!s)
                return 0;

        *ret = strdup(s);
        return *ret ? 0 : -ENOMEM;
}

/*
 * The account database may hold anything, so whatever goes from it into a path, a file or a variable is checked here.
 */
static int check_account(PlanBuild *b) {
        const Account *a = b->account;
        int r;

        if (!plan_account_name_is_valid(a->name) || strlen(a->name) > 256)
                return plan_refuse(b, "the name of user %" PRIu32 " cannot stand in a sandbox", a->uid);
        if (a->uid == (uid_t) -1 || a->gid == (gid_t) -1)
                return plan_refuse(b, "user %s has no usable id", a->name);

        r = path_normalize(a->home ?: "", &b->home);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !plan_path_is_valid(b->home) || strchr(b->home, ':'))
                return plan_refuse(b, "user %s has no usable home directory", a->name);

        b->runtime_directory = text_printf("/run/user/%" PRIu32, a->uid);
        return b->runtime_directory ? 0 : -ENOMEM;
}

static int build_names(PlanBuild *b) {
        Plan *p = b->plan;
        int r;

        if (b->request->instance && !instance_name_is_valid(b->request->instance))
                return plan_refuse_as(
                        b,
                        PLAN_REFUSAL_ARGUMENT,
                        "Instance: small letters, digits, \"-\" and \"_\", at most 32 of them");

        r = copy_text(&p->profile, b->profile->name);
        if (r >= 0)
                r = copy_text(&p->profile_hash, b->profile->hash);
        if (r >= 0)
                r = copy_text(&p->user, b->account->name);
        if (r >= 0)
                r = copy_text(&p->instance, b->request->instance);

        return r;
}

/* The profile's, except for the one term that a request may tighten. */
static int build_terms(PlanBuild *b) {
        int asked = b->request->on_disconnect;

        b->plan->terms = b->profile->terms;
        if (asked < 0)
                return 0;

        if (asked >= _ON_DISCONNECT_MAX)
                return plan_refuse_as(b, PLAN_REFUSAL_ARGUMENT, "OnDisconnect: keep, stop or kill");
        if (asked < (int) b->profile->terms.on_disconnect)
                return plan_refuse_as(b,
                                      PLAN_REFUSAL_NOT_PERMITTED,
                                      "OnDisconnect: the profile says %s",
                                      on_disconnect_names[b->profile->terms.on_disconnect]);

        b->plan->terms.on_disconnect = (OnDisconnect) asked;
        return 0;
}

/* A profile's name is a host name, except for "_" anywhere and "-" at the end. */
static int build_hostname(PlanBuild *b) {
        char *name;
        int r;

        if (b->profile->hostname) {
                r = plan_expand(b, "Hostname", b->profile->hostname, &b->plan->hostname);
                if (r < 0)
                        return r;
                if (!hostname_is_valid(b->plan->hostname))
                        return plan_refuse(b, "Hostname=%s: not a host name", b->plan->hostname);
                return 0;
        }

        name = strdup(b->profile->name);
        if (!name)
                return -ENOMEM;

        for (char *s = name; *s; s++)
                if (*s == '_')
                        *s = '-';
        for (size_t n = strlen(name); n > 1 && name[n - 1] == '-'; n--)
                name[n - 1] = '\0';

        b->plan->hostname = name;
        return 0;
}

static int build_seccomp(PlanBuild *b) {
        size_t n = b->context->n_seccomp;

        if (n == 0 || n % PLAN_INSTRUCTION_SIZE != 0 || n > PLAN_INSTRUCTIONS_MAX * PLAN_INSTRUCTION_SIZE)
                return plan_refuse(b,
                                   "the system call filter has %zu instructions; 1 to %u are possible",
                                   n / PLAN_INSTRUCTION_SIZE,
                                   PLAN_INSTRUCTIONS_MAX);

        b->plan->seccomp = malloc(n);
        if (!b->plan->seccomp)
                return -ENOMEM;

        memcpy(b->plan->seccomp, b->context->seccomp, n);
        b->plan->n_seccomp = n;
        return 0;
}

static int
build_label(PlanBuild *b, const char *key, const char *text, bool (*is_valid)(const char *), char **ret) {
        int r;

        if (!text)
                return 0;

        r = plan_expand(b, key, text, ret);
        if (r < 0)
                return r;

        return is_valid(*ret) ? 0 : plan_refuse(b, "%s=%s: no label can be called that", key, *ret);
}

/* What the security modules of the kernel add. */
static int build_modules(PlanBuild *b) {
        const Profile *p = b->profile;
        int r;

        b->plan->no_exec_memory = p->memory_deny_write_execute || p->no_exec.n > 0;
        b->plan->landlock = p->landlock;
        b->plan->landlock_no_tcp = p->landlock && !strv_contains(p->address_families, "AF_INET") &&
                                   !strv_contains(p->address_families, "AF_INET6");

        r = build_label(b,
                        "AppArmorProfile",
                        p->apparmor_profile,
                        apparmor_profile_is_valid,
                        &b->plan->apparmor_profile);
        if (r < 0)
                return r;

        return build_label(b,
                           "SELinuxContext",
                           p->selinux_context,
                           selinux_context_is_valid,
                           &b->plan->selinux_context);
}

static int build_service(PlanBuild *b) {
        const Profile *from = b->profile;

        b->plan->network = from->network_mode;
        b->plan->log_level_max = from->log_level_max;
        b->plan->syslog_level = from->syslog_level;
        b->plan->syslog_level_prefix = from->syslog_level_prefix;
#if IMMURED_NEXT
        b->plan->next = strv_env_get(b->plan->environment, "NEXT") != NULL;
#endif
        return plan_expand(
                b, "SyslogIdentifier", from->syslog_identifier ?: from->name, &b->plan->syslog_identifier);
}

/*
 * The last look, for whatever the parts missed: a plan that its readers would refuse must not leave the broker. So the
 * bytes that are sent are read here first, by the reader itself and with all its bounds.
 */
static int encode(PlanBuild *b) {
        _cleanup_(plan_freep) Plan *again = NULL;
        int r;

        r = plan_encode(b->plan, &b->bytes, &b->n_bytes);
        if (r >= 0)
                r = plan_decode(b->bytes, b->n_bytes, &again);
        if (r == -ENOMEM || r >= 0)
                return r;

        return plan_refuse(b,
                           r == -E2BIG ? "the plan is too large"
                                       : "the settings do not make a plan that holds together");
}

static int build(PlanBuild *b) {
        static const PlanPart parts[] = {
                check_account,      build_names,    build_terms,     build_hostname, plan_build_notify,
                plan_build_process, plan_build_ids, plan_build_tree, build_seccomp,  build_modules,
                plan_build_cgroup,  build_service,  encode,          NULL,
        };

        return plan_build_parts(b, parts);
}

int plan_compile(Plan **ret,
                 uint8_t **ret_bytes,
                 size_t *ret_size,
                 const Profile *profile,
                 const Account *account,
                 const PlanRequest *request,
                 const PlanContext *context,
                 PlanRefusal *ret_refusal,
                 char **ret_text) {
        _cleanup_(plan_freep) Plan *plan = calloc(1, sizeof(*plan));
        PlanBuild b = {
                .profile = profile,
                .account = account,
                .request = request,
                .context = context,
                .plan = plan,
        };
        int r;

        if (!plan)
                return -ENOMEM;

        r = build(&b);
        if (r == -EINVAL && b.text) {
                *ret_refusal = b.refusal;
                *ret_text = TAKE_PTR(b.text);
        }
        if (r >= 0) {
                *ret = TAKE_PTR(plan);
                *ret_bytes = TAKE_PTR(b.bytes);
                *ret_size = b.n_bytes;
        }

        free(b.home);
        free(b.runtime_directory);
        free(b.bytes);
        free(b.text);
        return r;
}
