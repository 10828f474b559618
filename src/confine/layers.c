/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/layers.h"

#include "base/strv.h"
#include "confine/label.h"
#include "confine/landlock.h"
#include "confine/memory.h"

#include <fcntl.h>

static bool may_lack(const Plan *plan, const char *layer) { return strv_contains(plan->degrade, layer); }

static int settle_landlock(const Plan *plan, Layers *l, Problem *problem) {
        int version;

        if (!plan->landlock)
                return 0;

        version = landlock_version();
        if (version >= LANDLOCK_VERSION_LEAST) {
                l->landlock = (unsigned) version;
                return 0;
        }
        if (may_lack(plan, "landlock"))
                return 0;
        if (version >= 0)
                return problem_set_layer(
                        problem,
                        -EOPNOTSUPP,
                        "landlock: version %d, which cannot let files move between directories",
                        version);

        return problem_set_layer(problem,
                                 version,
                                 version == -EOPNOTSUPP
                                         ? "landlock: not among the kernel's security modules (lsm=)"
                                         : "landlock: not in this kernel");
}

static int settle_label(const Plan *plan, LabelKind kind, bool *ret, Problem *problem) {
        _cleanup_close_ int root_fd = -EBADF;

        if (!label_of(plan, kind))
                return 0;

        root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return problem_set(problem, -errno, "open /");

        if (label_is_enforced(kind, root_fd)) {
                *ret = true;
                return 0;
        }
        if (may_lack(plan, label_layer(kind)))
                return 0;

        return problem_set_layer(
                problem, -EOPNOTSUPP, "%s: not in this kernel, or not enforcing", label_layer(kind));
}

int layers_settle(const Plan *plan, Layers *ret, Problem *problem) {
        Layers l = {};
        int r;

        r = settle_landlock(plan, &l, problem);
        if (r >= 0)
                r = settle_label(plan, LABEL_APPARMOR, &l.apparmor, problem);
        if (r >= 0)
                r = settle_label(plan, LABEL_SELINUX, &l.selinux, problem);
        if (r < 0)
                return r;
        if (plan->no_exec_memory)
                l.memory = memory_can_be_sealed() ? MEMORY_WALL_KERNEL : MEMORY_WALL_FILTER;

        *ret = l;
        return 0;
}
