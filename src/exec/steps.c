/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/report.h"

#include "confine/caps.h"
#include "confine/devices.h"
#include "confine/identity.h"
#include "confine/label.h"
#include "confine/landlock.h"
#include "confine/memory.h"
#include "confine/netns.h"
#include "confine/process.h"
#include "confine/rlimits.h"
#include "confine/seccomp.h"
#include "confine/streams.h"
#include "confine/tree.h"
#include "confine/userns.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static int step_harden(Exec *x) { return process_harden(&x->problem); }

static int step_streams(Exec *x) {
        int r;

        if (x->streams_fd < 0)
                return streams_check(&x->problem);

        r = streams_receive(x->streams_fd, x->streams, &x->problem);
        if (r >= 0)
                r = streams_check(&x->problem);
        if (r < 0)
                return r;

        x->streams_fd = safe_close(x->streams_fd);
        r = report_streams(x);
        return r < 0 ? problem_set(&x->problem, r, "Status record") : 0;
}

static int step_plan(Exec *x) {
        int r;

        /* One that the seed has read ahead is compared with what the descriptor holds, and not decoded again. */
        r = plan_recent_read(x->recent, LAUNCH_FD_PLAN, NULL, NULL);
        if (r < 0)
                return problem_set(&x->problem, r, "The plan's bytes");
        x->plan = plan_recent_take(x->recent);
        (void) close(LAUNCH_FD_PLAN);

        if (x->plan->network != NETWORK_NONE)
                return problem_set(&x->problem, -EOPNOTSUPP, "Network mode %u", x->plan->network);
        if (x->id_block == 0 || x->id_block > UINT32_MAX - LAUNCH_ID_BLOCK_SIZE)
                return problem_set(&x->problem, -EINVAL, "Ids from %u on are no block", x->id_block);
        if (x->plan->private_users == PRIVATE_USERS_PICK)
                x->id_base = x->id_block;
        if ((x->plan->terms.notify_access != NOTIFY_ACCESS_NONE) != (x->notify_fd >= 0))
                return problem_set(
                        &x->problem, -EINVAL, "The socket for notifications does not fit the plan");

        return 0;
}

static int step_layers(Exec *x) { return layers_settle(x->plan, &x->layers, &x->problem); }

static int step_host(Exec *x) { return verify_host_remember(&x->host, &x->problem); }

static int step_schedule(Exec *x) { return process_schedule(x->plan, &x->problem); }

static int step_hard_limits(Exec *x) { return rlimits_raise(x->plan, &x->problem); }

static int step_user_namespace(Exec *x) {
        x->userns_fd =
                userns_new(x->plan, x->id_base, LAUNCH_OWNER_ID(x->id_block), &x->userns_first, &x->problem);
        return x->userns_fd < 0 ? x->userns_fd : 0;
}

static int step_devices(Exec *x) { return devices_add(x->plan, &x->problem); }

static int step_mounts(Exec *x) {
        return sources_new(&x->sources, x->plan, x->id_base, LAUNCH_OWNER_ID(x->id_block), &x->problem);
}

static int step_network(Exec *x) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (x->netns_fd >= 0)
                return 0;

        fd = netns_new(&x->problem);
        if (fd < 0)
                return fd;

        r = barrier_send_network(x->barrier_fd, fd);
        return r < 0 ? problem_set(&x->problem, r, "Network namespace to the inner half") : 0;
}

static int step_host_rest(Exec *x) { return verify_host_complete(&x->host, &x->problem); }

static int step_reap(Exec *x) {
        x->userns_first = userns_reap(x->userns_first);
        return 0;
}

static int step_enter_network(Exec *x) {
        int r;

        if (x->netns_fd < 0) {
                r = barrier_receive_network(x->barrier_fd);
                if (r < 0)
                        return problem_set(&x->problem, r, "Network namespace from the outer half");
                x->netns_fd = r;
        }

        r = netns_enter(x->netns_fd, &x->problem);
        x->netns_fd = safe_close(x->netns_fd);
        return r;
}

static int step_memory(Exec *x) {
        return x->layers.memory == MEMORY_WALL_KERNEL ? memory_seal(&x->problem) : 0;
}

static int step_tree(Exec *x) {
        int r;

        r = tree_enter(x->plan, x->sources, x->id_base, x->notify_fd, &x->problem);
        x->sources = sources_free(x->sources);
        x->notify_fd = safe_close(x->notify_fd);
        return r;
}

static int step_landlock_rules(Exec *x) {
        if (x->layers.landlock == 0)
                return 0;

        x->landlock_fd = landlock_rules(x->plan, x->layers.landlock, &x->problem);
        return x->landlock_fd < 0 ? x->landlock_fd : 0;
}

static int step_hostname(Exec *x) {
        if (sethostname(x->plan->hostname, strlen(x->plan->hostname)) < 0)
                return problem_set(&x->problem, -errno, "sethostname");
        if (setdomainname("", 0) < 0)
                return problem_set(&x->problem, -errno, "setdomainname");

        return 0;
}

static int step_groups(Exec *x) { return identity_set_groups(x->plan, x->id_base, &x->problem); }

static int step_enter_user_namespace(Exec *x) {
        int r;

        r = userns_enter(x->userns_fd, &x->problem);
        x->userns_fd = safe_close(x->userns_fd);
        return r;
}

static int step_identity(Exec *x) { return identity_set_ids(x->plan, &x->problem); }

/* A process group may reach across PID namespaces, and kill(0, …) with it. */
static int step_session(Exec *x) { return setsid() < 0 ? problem_set(&x->problem, -errno, "setsid") : 0; }

static int step_process_group(Exec *x) {
        return getpgrp() != getpid() && setpgid(0, 0) < 0 ? problem_set(&x->problem, -errno, "setpgid") : 0;
}

static int step_keyring(Exec *x) { return process_new_keyring(&x->problem); }

static int step_landlock(Exec *x) {
        int r;

        if (x->layers.landlock == 0)
                return 0;

        r = landlock_enter(x->landlock_fd, x->layers.landlock, &x->problem);
        x->landlock_fd = safe_close(x->landlock_fd);
        return r;
}

static int step_landlock_proof(Exec *x) { return x->layers.landlock == 0 ? 0 : landlock_prove(&x->problem); }

static int step_signals(Exec *x) {
        int r;

        r = process_reset_signals();
        return r < 0 ? problem_set(&x->problem, r, "sigaction") : 0;
}

static int step_umask(Exec *x) {
        /* umask(2) reports no error, but returns the value before: the second call tells what the first one set. */
        (void) umask(x->plan->umask);
        if (umask(x->plan->umask) != x->plan->umask)
                return problem_set(&x->problem, -EPERM, "umask");

        return 0;
}

static int step_rlimits(Exec *x) { return rlimits_apply(x->plan, &x->problem); }

static int step_capabilities(Exec *x) {
        return caps_apply(x->plan->bounding_set, x->plan->ambient_set, &x->problem);
}

static int step_working_directory(Exec *x) {
        return process_change_directory(x->plan->working_directory, &x->problem);
}

static int for_labels(Exec *x,
                      int (*act)(LabelKind kind, int attr_fd, const char *label, Problem *problem)) {
        const bool wanted[_LABEL_KIND_MAX] = {
                [LABEL_APPARMOR] = x->layers.apparmor,
                [LABEL_SELINUX] = x->layers.selinux,
        };

        for (LabelKind kind = 0; kind < _LABEL_KIND_MAX; kind++) {
                _cleanup_close_ int attr_fd = -EBADF;
                int r;

                if (!wanted[kind])
                        continue;

                attr_fd = label_open(&x->problem);
                r = attr_fd < 0 ? attr_fd : act(kind, attr_fd, label_of(x->plan, kind), &x->problem);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int step_label(Exec *x) { return for_labels(x, label_set); }

static int step_label_proof(Exec *x) { return for_labels(x, label_check); }

static int step_no_new_privileges(Exec *x) { return seccomp_no_new_privileges(&x->problem); }

/* Undoes what process_harden() did: only the owner of its user namespace may look at it from outside. */
static int step_visible(Exec *x) {
        return prctl(PR_SET_DUMPABLE, 1) < 0 ? problem_set(&x->problem, -errno, "PR_SET_DUMPABLE") : 0;
}

static int step_descriptors(Exec *x) { return streams_close_others(&x->problem); }

static int step_seccomp(Exec *x) {
        return seccomp_load(x->plan, x->layers.memory == MEMORY_WALL_FILTER, &x->problem);
}

/* clang-format off */
const Step exec_steps[] = {
        /* First, so that nothing that follows can be watched, dumped or interrupted half-way. */
        { "harden", STAGE_OUTSIDE, step_harden },
        /*
         * Before anything is opened: the next open(2) would get the number of a stream that is closed. To look at what
         * a client sends, or to close it, may take as long as the client likes; nobody but its own deadline waits for
         * this process.
         */
        { "streams", STAGE_OUTSIDE, step_streams },
        { "plan", STAGE_OUTSIDE, step_plan },
        /* Before anything is made: what this kernel cannot do is reported at once, and both halves know of it. */
        { "layers", STAGE_OUTSIDE, step_layers },
        /* Before the network namespace is left, or nobody could tell later that it was. */
        { "host", STAGE_OUTSIDE, step_host },
        /* Needs the host's /proc, and capabilities in the initial user namespace. */
        { "schedule", STAGE_OUTSIDE, step_schedule },
        /* CAP_SYS_RESOURCE only counts in the initial user namespace. The limits themselves come much later. */
        { "hard-limits", STAGE_OUTSIDE, step_hard_limits },
        /* Made while root can write its maps. */
        { "user-namespace", STAGE_OUTSIDE, step_user_namespace },
        /* Turns the one word of the plan that is not resolved yet into nodes, which all that follows goes by. */
        { "devices", STAGE_OUTSIDE, step_devices },
        /* In the host's mount namespace, the only one where the plan's paths mean what they say. */
        { "mounts", STAGE_OUTSIDE, step_mounts },

        /*
         * Nothing takes longer, so it is made while the tree is built. After all look-ups, since some files are on
         * the network.
         */
        { "network", STAGE_BESIDE, step_network },
        { "host-rest", STAGE_BESIDE, step_host_rest },
        /* The user namespace lives on through its descriptors. */
        { "reap", STAGE_BESIDE, step_reap },

        /* While the host's /proc is there, and CAP_SYS_ADMIN over the PID namespace. */
        { "memory", STAGE_INSIDE, step_memory },
        /* While root is root: these mounts belong to the initial user namespace, so they can be locked later. */
        { "tree", STAGE_INSIDE, step_tree },
        /* On the finished tree, and as root: the user may not be able to reach what the rules name. */
        { "landlock-rules", STAGE_INSIDE, step_landlock_rules },
        /* After the tree, alongside which it was made. Before the line, as the initial user namespace owns it. */
        { "enter-network", STAGE_INSIDE, step_enter_network },
        /* The UTS namespace belongs to the initial user namespace: after the line no capability would be enough. */
        { "hostname", STAGE_INSIDE, step_hostname },
        /* By the host's numbers, since inside setgroups(2) is denied for ever. */
        { "groups", STAGE_INSIDE, step_groups },
        /* The line: all privilege over the host ends here. The mounts are copied, which locks them. */
        { "lock", STAGE_INSIDE, step_enter_user_namespace },
        { "identity", STAGE_INSIDE, step_identity },
        { "session", STAGE_INSIDE, step_session },
        /* After the ids, whose quota it counts against. Before the fork, so that pid 1 leaves the old one too. */
        { "keyring", STAGE_INSIDE, step_keyring },
        /*
         * Before the fork: sharing a domain with the init, the application may signal it under any version of
         * Landlock.
         */
        { "landlock", STAGE_INSIDE, step_landlock },
        /* While there are capabilities, so that only the domain can be what refuses the attempt. */
        { "landlock-proof", STAGE_INSIDE, step_landlock_proof },

        /* Apart from the init, which must not get what the application sends to its own group. */
        { "process-group", STAGE_APPLICATION, step_process_group },
        { "signals", STAGE_APPLICATION, step_signals },
        { "umask", STAGE_APPLICATION, step_umask },
        /* After the fork and the ids: a limit on processes must not make our own steps fail. */
        { "rlimits", STAGE_APPLICATION, step_rlimits },
        /* Nothing below needs one. */
        { "capabilities", STAGE_APPLICATION, step_capabilities },
        /* Without capabilities: the application starts where it may go by its own rights. */
        { "working-directory", STAGE_APPLICATION, step_working_directory },
        /* Takes effect at execve(2). Before no_new_privs, under which a policy may refuse the request. */
        { "label", STAGE_APPLICATION, step_label },
        /* The kernel requires it for the filter. */
        { "no-new-privileges", STAGE_APPLICATION, step_no_new_privileges },
        /* Nothing is left to hide from the verifying half, which has no CAP_SYS_PTRACE. */
        { "visible", STAGE_APPLICATION, step_visible },
        /* AppArmor shows no other process what this one has requested. */
        { "label-proof", STAGE_APPLICATION, step_label_proof },
        { "descriptors", STAGE_APPLICATION, step_descriptors },
        /* Last: it may forbid any of the calls above. */
        { "seccomp", STAGE_APPLICATION, step_seccomp },
        {},
};
/* clang-format on */

int exec_run_stage(Exec *x, const Step *steps, Stage stage) {
        for (const Step *s = steps; s->name; s++) {
                int r;

                if (s->stage != stage)
                        continue;

                x->step = s->name;
                r = s->run(x);
                if (r < 0)
                        return problem_set(&x->problem, r, "failed");
        }

        return 0;
}
