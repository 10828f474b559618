/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A name service that never answers: nss(5) finds it as "hang" in nsswitch.conf. While there is a file
 * /run/nss-hang/NAME, looking for the groups of user NAME takes for ever; of all else it says that there is none.
 */

#include <grp.h>
#include <nss.h>
#include <stdio.h>
#include <unistd.h>

enum nss_status _nss_hang_initgroups_dyn(const char *user,
                                         gid_t group,
                                         long *start,
                                         long *size,
                                         gid_t **groups,
                                         long limit,
                                         int *ret_errno);

enum nss_status _nss_hang_initgroups_dyn(const char *user,
                                         gid_t group,
                                         long *start,
                                         long *size,
                                         gid_t **groups,
                                         long limit,
                                         int *ret_errno) {
        char path[256];

        (void) group;
        (void) start;
        (void) size;
        (void) groups;
        (void) limit;
        (void) ret_errno;

        (void) snprintf(path, sizeof(path), "/run/nss-hang/%s", user);
        while (access(path, F_OK) == 0)
                (void) pause();

        return NSS_STATUS_NOTFOUND;
}
