/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/tree-proc.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sys/mount.h>

typedef struct ProcEntry {
        const char *name;
        bool read_only; /* otherwise masked */
} ProcEntry;

/*
 * What a full /proc shows of the machine apart from processes: it is nobody's business in a sandbox, or must not be
 * written.
 */
/* clang-format off */
static const ProcEntry proc_entries[] = {
        { "acpi",          false }, { "asound",       false }, { "interrupts",  false }, { "kallsyms",      false },
        { "kcore",         false }, { "key-users",    false }, { "keys",        false }, { "kmsg",          false },
        { "kpagecgroup",   false }, { "kpagecount",   false }, { "kpageflags",  false }, { "latency_stats", false },
        { "sched_debug",   false }, { "scsi",         false }, { "slabinfo",    false }, { "sysrq-trigger", false },
        { "timer_list",    false }, { "vmallocinfo",  false },
        { "bus",           true  }, { "fs",           true  }, { "irq",         true  }, { "sys",           true  },
};
/* clang-format on */

static int confine_proc_entry(Tree *t, int proc_fd, const ProcEntry *e) {
        _cleanup_close_ int fd = -EBADF;
        uint64_t proc_id, id;
        int r;

        fd = openat(proc_fd, e->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;

        /* The entry itself, not something mounted over it. */
        r = mount_identify(proc_fd, &proc_id, NULL);
        if (r >= 0)
                r = mount_identify(fd, &id, NULL);
        if (r < 0)
                return r;
        if (proc_id != id)
                return -EXDEV;

        if (e->read_only)
                return tree_add_attributes(fd, MOUNT_ATTR_RDONLY, false);
        return tree_masks_hide(&t->masks, t->scratch_fd, fd);
}

void tree_proc_options(const PlanNode *n, MountOption ret[static TREE_PROC_OPTIONS_MAX + 1]) {
        /* clang-format off */
        static const struct {
                uint32_t flag;
                const char *value;
        } hidepid[] = {
                { PLAN_NODE_HIDE_PIDS,   "invisible"  },
                { PLAN_NODE_LOCK_PIDS,   "noaccess"   },
                { PLAN_NODE_TRACED_PIDS, "ptraceable" },
        };
        /* clang-format on */
        size_t k = 0;

        for (size_t h = 0; h < ELEMENTSOF(hidepid); h++)
                if (n->flags & hidepid[h].flag) {
                        ret[k++] = (MountOption){ "hidepid", hidepid[h].value };
                        break;
                }
        if (n->flags & PLAN_NODE_PID_ONLY)
                ret[k++] = (MountOption){ "subset", "pid" };
        ret[k] = (MountOption){};
}

int tree_make_proc(Tree *t, size_t i) {
        const PlanNode *n = &t->plan->nodes[i];
        MountOption options[TREE_PROC_OPTIONS_MAX + 1];
        _cleanup_close_ int fd = -EBADF;
        int r;

        tree_proc_options(n, options);
        fd = mount_new("proc", options, mount_attributes(n->flags) | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (fd < 0)
                return fd;
        r = tree_attach(t, fd, n->target, true);
        if (r < 0 || n->flags & PLAN_NODE_PID_ONLY)
                return r;

        for (size_t e = 0; e < ELEMENTSOF(proc_entries); e++) {
                r = confine_proc_entry(t, fd, &proc_entries[e]);
                if (r < 0)
                        return r;
        }

        return 0;
}
