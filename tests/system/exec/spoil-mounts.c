/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spoil.h"

#include <fcntl.h>
#include <sys/mount.h>

static int clear_attribute(const char *path, uint64_t attribute) {
        struct mount_attr attr = { .attr_clr = attribute };

        return mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int spoil_root(Exec *x) { return clear_attribute("/", MOUNT_ATTR_RDONLY); }
static int spoil_usr(Exec *x) { return clear_attribute("/usr", MOUNT_ATTR_RDONLY); }
static int spoil_nosuid(Exec *x) { return clear_attribute("/tmp", MOUNT_ATTR_NOSUID); }
static int spoil_nodev(Exec *x) { return clear_attribute("/home/alice", MOUNT_ATTR_NODEV); }
static int spoil_noexec(Exec *x) { return clear_attribute("/proc", MOUNT_ATTR_NOEXEC); }
static int spoil_mask(Exec *x) { return umount2("/ro/masked", MNT_DETACH) < 0 ? -errno : 0; }
static int spoil_mount(Exec *x) {
        return mount("none", "/home", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0 ? -errno : 0;
}

static int spoil_mask_ro(Exec *x) { return clear_attribute("/ro/masked", MOUNT_ATTR_RDONLY); }
static int spoil_mask_nodev(Exec *x) { return clear_attribute("/dev/tty", MOUNT_ATTR_NODEV); }
static int spoil_device(Exec *x) { return clear_attribute("/dev/null", MOUNT_ATTR_NOEXEC); }
static int spoil_remount(Exec *x) { return clear_attribute("/dev/mqueue", MOUNT_ATTR_RDONLY); }
static int spoil_below(Exec *x) {
        return mount("none", "/usr/share", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0 ? -errno : 0;
}

/* One that may be missing, but only where there is nothing to be masked. */
static int excuse_masks(Exec *x) {
        for (size_t i = 0; i < x->plan->n_nodes; i++)
                if (x->plan->nodes[i].kind == PLAN_NODE_MASK)
                        x->plan->nodes[i].flags |= PLAN_NODE_OPTIONAL;

        return 0;
}

/* In front of what was planned, with the very options of that. */
static int cover(const char *path, unsigned long more) {
        return mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV | more, NULL) < 0 ? -errno : 0;
}

static int spoil_cover(Exec *x) { return cover("/tmp", 0); }
static int spoil_cover_root(Exec *x) { return cover("/", MS_RDONLY); }
static int spoil_cover_bind(Exec *x) { return cover("/usr", MS_RDONLY); }
static int spoil_proc(Exec *x) {
        return umount2("/proc", MNT_DETACH) < 0 ? -errno : cover("/proc", MS_NOEXEC);
}
static int spoil_hidepid(Exec *x) {
        return mount(NULL, "/proc", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=off") < 0
                       ? -errno
                       : 0;
}

/* Where no mount is the root, none is shown. */
static int leave_root(Exec *x) { return chroot("/usr/share") < 0 ? -errno : 0; }

static int without_idmap(Exec *x) {
        for (size_t i = 0; i < x->plan->n_nodes; i++)
                x->plan->nodes[i].flags &= ~(uint32_t) PLAN_NODE_IDMAP;

        return 0;
}

/* The rig's plan has one such node. */
static int with_idmap(Exec *x) {
        for (size_t i = 0; i < x->plan->n_nodes; i++)
                if (streq(x->plan->nodes[i].target, "/ro") && x->plan->nodes[i].kind == PLAN_NODE_BIND)
                        x->plan->nodes[i].flags |= PLAN_NODE_IDMAP;

        return 0;
}

/* clang-format off */
const Spoil spoils_of_mounts[] = {
        { "root",        "tree",     AFTER,  spoil_root },
        { "usr",         "tree",     AFTER,  spoil_usr },
        { "nosuid",      "tree",     AFTER,  spoil_nosuid },
        { "nodev",       "tree",     AFTER,  spoil_nodev },
        { "noexec",      "tree",     AFTER,  spoil_noexec },
        { "mask",        "tree",     AFTER,  spoil_mask },
        { "excused",     "mounts",   BEFORE, excuse_masks },
        { "excused",     "tree",     AFTER,  spoil_mask },
        { "mount",       "tree",     AFTER,  spoil_mount },
        { "mask-ro",     "tree",     AFTER,  spoil_mask_ro },
        { "mask-nodev",  "tree",     AFTER,  spoil_mask_nodev },
        { "device",      "tree",     AFTER,  spoil_device },
        { "remount",     "tree",     AFTER,  spoil_remount },
        { "below",       "tree",     AFTER,  spoil_below },
        { "cover",       "tree",     AFTER,  spoil_cover },
        { "cover-root",  "tree",     AFTER,  spoil_cover_root },
        { "cover-bind",  "tree",     AFTER,  spoil_cover_bind },
        { "proc",        "tree",     AFTER,  spoil_proc },
        { "hidepid",     "tree",     AFTER,  spoil_hidepid },
        { "chroot",      "identity", BEFORE, leave_root },
        { "idmap",       "mounts",   BEFORE, without_idmap },
        { "idmap",       "mounts",   AFTER,  with_idmap },
        {},
};
/* clang-format on */
