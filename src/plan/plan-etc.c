/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/buffer.h"
#include "plan/plan-build.h"
#include "plan/plan-check.h"
#include "plan/plan-text.h"

#include <inttypes.h>

/*
 * The kernel shows ids that are not mapped as this one; a name for it keeps the output of ls(1) and id(1) readable.
 */
#define OVERFLOW_ID 65534U
#define NOLOGIN "/usr/sbin/nologin"

static const char *shell(const PlanBuild *b) {
        const char *s = b->account->shell;

        return s && plan_path_is_valid(s) && !strchr(s, ':') ? s : "/bin/sh";
}

static void write_passwd(const PlanBuild *b, Buffer *out) {
        const Account *a = b->account;

        if (a->uid != 0 && !streq(a->name, "root"))
                buffer_printf(out, "root:x:0:0:root:/root:%s\n", NOLOGIN);

        buffer_printf(
                out, "%s:x:%" PRIu32 ":%" PRIu32 "::%s:%s\n", a->name, a->uid, a->gid, b->home, shell(b));

        if (a->uid != OVERFLOW_ID && !streq(a->name, "nobody"))
                buffer_printf(
                        out, "nobody:x:%u:%u:nobody:/nonexistent:%s\n", OVERFLOW_ID, OVERFLOW_ID, NOLOGIN);
}

/* The group's name where the account database has a usable one, else its number. */
static void write_group(const PlanBuild *b, Buffer *out, uint32_t gid) {
        const char *name = NULL;

        for (size_t i = 0; i < b->account->n_groups; i++)
                if (b->account->groups[i].gid == gid)
                        name = b->account->groups[i].name;

        if (name && plan_account_name_is_valid(name))
                buffer_printf(out, "%s:x:%" PRIu32 ":\n", name, gid);
        else
                buffer_printf(out, "gid-%" PRIu32 ":x:%" PRIu32 ":\n", gid, gid);
}

/* Only the groups that the application has: nobody inside needs to know which others the user is in. */
static void write_groups(const PlanBuild *b, Buffer *out) {
        const Plan *p = b->plan;

        if (!plan_has_group(p, 0))
                buffer_append_text(out, "root:x:0:\n");

        for (size_t i = 0; i < p->n_groups; i++)
                write_group(b, out, p->groups[i]);

        if (!plan_has_group(p, OVERFLOW_ID))
                buffer_printf(out, "nogroup:x:%u:\n", OVERFLOW_ID);
}

static void write_hosts(const PlanBuild *b, Buffer *out) {
        buffer_printf(out,
                      "127.0.0.1 localhost\n"
                      "127.0.1.1 %s\n"
                      "::1 localhost ip6-localhost ip6-loopback\n",
                      b->plan->hostname);
}

static void write_hostname(const PlanBuild *b, Buffer *out) {
        buffer_printf(out, "%s\n", b->plan->hostname);
}

/*
 * No service outside is asked for names: it would learn what runs inside, and would need its socket in here.
 */
static void write_nsswitch(const PlanBuild *b, Buffer *out) {
        buffer_append_text(out,
                           "passwd: files\n"
                           "group: files\n"
                           "shadow: files\n"
                           "hosts: files dns\n"
                           "networks: files\n"
                           "protocols: files\n"
                           "services: files\n");
}

static void write_resolv_conf(const PlanBuild *b, Buffer *out) {}

/* clang-format off */
static const struct {
        const char *target;
        void (*write)(const PlanBuild *b, Buffer *out);
} files[] = {
        { "/etc/group",         write_groups      },
        { "/etc/hostname",      write_hostname    },
        { "/etc/hosts",         write_hosts       },
        { "/etc/nsswitch.conf", write_nsswitch    },
        { "/etc/passwd",        write_passwd      },
        { "/etc/resolv.conf",   write_resolv_conf },
};

/* What programs expect in /etc, as far as it tells nothing about the machine's users or services. */
static const char *const from_host[] = {
        "/etc/alternatives", "/etc/bash.bashrc", "/etc/ca-certificates", "/etc/ca-certificates.conf",
        "/etc/debian_version", "/etc/fonts", "/etc/gai.conf", "/etc/gitconfig", "/etc/host.conf",
        "/etc/inputrc", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/locale.alias",
        "/etc/locale.conf", "/etc/localtime", "/etc/magic", "/etc/magic.mime", "/etc/manpath.config",
        "/etc/mime.types", "/etc/nanorc", "/etc/networks", "/etc/perl", "/etc/pki", "/etc/profile",
        "/etc/profile.d", "/etc/protocols", "/etc/python3", "/etc/services", "/etc/shells", "/etc/ssl",
        "/etc/terminfo", "/etc/timezone", "/etc/vim",
};
/* clang-format on */

int plan_build_etc(PlanBuild *b) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_buffer_ Buffer out = {};

                buffer_append_text(&out, "");
                files[i].write(b, &out);
                if (buffer_error(&out) < 0)
                        return buffer_error(&out);

                r = plan_add_node(b,
                                  PLAN_NODE(FILE,
                                            files[i].target,
                                            0,
                                            .data = out.data ? (char *) out.data : (char *) "",
                                            .mode = 0644));
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; !b->profile->root_directory && i < ELEMENTSOF(from_host); i++) {
                r = plan_add_node(b,
                                  PLAN_NODE(BIND,
                                            from_host[i],
                                            PLAN_NODE_READ_ONLY | PLAN_NODE_SAFE | PLAN_NODE_OPTIONAL,
                                            .source = (char *) from_host[i]));
                if (r < 0)
                        return r;
        }

        return 0;
}
