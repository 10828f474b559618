/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A name service that never answers: nss(5) finds it as "hang" in nsswitch.conf. While there is a file
 * /run/nss-hang/NAME, the broker's process for accounts looks for the groups of user NAME for ever; of all else, and
 * to everybody else, it says that there is none.
 */

#include <grp.h>
#include <nss.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum nss_status _nss_hang_initgroups_dyn(
        const char *user, gid_t group, long *start, long *size, gid_t **groups, long limit, int *ret_errno);

enum nss_status _nss_hang_initgroups_dyn(
        const char *user, gid_t group, long *start, long *size, gid_t **groups, long limit, int *ret_errno) {
        char path[256], name[16] = "";

        (void) snprintf(path, sizeof(path), "/run/nss-hang/%s", user);
        (void) prctl(PR_GET_NAME, name);
        while (strcmp(name, "immured-account") == 0 && access(path, F_OK) == 0)
                (void) pause();

        return NSS_STATUS_NOTFOUND;
}
