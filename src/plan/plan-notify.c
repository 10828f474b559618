/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/plan-build.h"
#include "plan/plan-check.h"

int plan_build_notify(PlanBuild *b) {
        Terms *t = &b->plan->terms;

        if (t->notify_access == NOTIFY_ACCESS_NONE &&
            (t->type == SERVICE_NOTIFY || t->watchdog_usec != USEC_INFINITY))
                t->notify_access = NOTIFY_ACCESS_MAIN;

        return 0;
}

int plan_add_notify_socket(PlanBuild *b) {
        int r;

        if (b->plan->terms.notify_access == NOTIFY_ACCESS_NONE)
                return 0;

        /* A mount of its own: the application cannot move it away, even where /run belongs to it. */
        r = plan_add_node(b,
                          PLAN_NODE(TMPFS,
                                    PLAN_NOTIFY_DIRECTORY,
                                    PLAN_NODE_READ_ONLY | PLAN_NODE_SAFE | PLAN_NODE_NO_EXEC,
                                    .mode = 0755));
        if (r < 0)
                return r;

        /*
         * To send, one needs the right to write. Nobody can receive here, as the keeper holds the socket itself.
         */
        return plan_add_node(b, PLAN_NODE(SOCKET, PLAN_NOTIFY_SOCKET, 0, .mode = 0222));
}

int plan_check_notify_socket(PlanBuild *b) {
        const PlanNode *n = plan_notify_obstacle(b->plan);

        return !n ? 0
                  : plan_refuse(
                            b,
                            "[Files]: %s would cover the socket for notifications in %s, which Type=notify, "
                            "NotifyAccess= and WatchdogSec= need",
                            n->target,
                            PLAN_NOTIFY_DIRECTORY);
}
