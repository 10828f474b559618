/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/machine-layers.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

typedef bool (*Probe)(const char *cgroup, const char *name);

static bool has_controller(const char *cgroup, const char *name) {
        _cleanup_free_ char *path = NULL, *line = NULL;
        char *state = NULL;

        if (!cgroup)
                return false;

        path = text_printf("%s/cgroup.controllers", cgroup);
        if (!path || file_read_line(AT_FDCWD, path, &line) < 0)
                return false;

        for (char *word = strtok_r(line, " ", &state); word; word = strtok_r(NULL, " ", &state))
                if (streq(word, name))
                        return true;

        return false;
}

/* A call with arguments that cannot work answers ENOSYS only where it does not exist. */
static bool has_idmap(const char *cgroup, const char *name) {
        return syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) >= 0 || errno != ENOSYS;
}

static bool has_seccomp(const char *cgroup, const char *name) {
        const uint32_t action = SECCOMP_RET_KILL_PROCESS;

        return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool has_landlock(const char *cgroup, const char *name) {
        /* The first version lets no file be moved to another directory, and is none for immured-exec. */
        return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 2;
}

static bool has_apparmor(const char *cgroup, const char *name) {
        _cleanup_free_ char *line = NULL;

        return file_read_line(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", &line) >= 0 &&
               startswith(line, "Y");
}

static bool has_selinux(const char *cgroup, const char *name) {
        _cleanup_free_ char *line = NULL;

        return file_read_line(AT_FDCWD, "/sys/fs/selinux/enforce", &line) >= 0 && startswith(line, "1");
}

/* clang-format off */
static const struct {
        const char *name;
        Probe probe;
} probes[] = {
        { "memory",   has_controller },
        { "pids",     has_controller },
        { "cpu",      has_controller },
        { "cpuset",   has_controller },
        { "io",       has_controller },
        { "idmap",    has_idmap },
        { "seccomp",  has_seccomp },
        { "landlock", has_landlock },
        { "apparmor", has_apparmor },
        { "selinux",  has_selinux },
};
/* clang-format on */

_Static_assert(ELEMENTSOF(probes) <= MACHINE_LAYERS_MAX, "every layer has a place");

size_t machine_layers_probe(const char *cgroup, MachineLayer ret[static MACHINE_LAYERS_MAX]) {
        for (size_t i = 0; i < ELEMENTSOF(probes); i++)
                ret[i] = (MachineLayer){ .name = probes[i].name,
                                         .available = probes[i].probe(cgroup, probes[i].name) };

        return ELEMENTSOF(probes);
}
