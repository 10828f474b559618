/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/account-lookup.h"

#include <grp.h>
#include <pwd.h>

/* getpwnam_r(3) wants a buffer. An entry beyond this size is refused; nobody needs one. */
#define NSS_BUFFER_MAX (64U * 1024)

static int look_up_passwd(const char *name, uid_t uid, Account *a) {
        static char buffer[NSS_BUFFER_MAX];
        struct passwd pw, *found = NULL;
        int k;

        if (name)
                k = getpwnam_r(name, &pw, buffer, sizeof(buffer), &found);
        else
                k = getpwuid_r(uid, &pw, buffer, sizeof(buffer), &found);

        /*
         * Modules of the name service disagree on how to say "no such user": no entry and no clear failure means
         * that.
         */
        if (!found)
                return k == EIO || k == ENOMEM || k == EMFILE || k == ENFILE || k == ERANGE || k == EINTR
                               ? -k
                               : -ENOENT;

        a->uid = pw.pw_uid;
        a->gid = pw.pw_gid;
        a->name = strdup(pw.pw_name);
        a->home = strdup(pw.pw_dir ?: "/");
        a->shell = strdup(pw.pw_shell ?: "");
        return a->name && a->home && a->shell ? 0 : -ENOMEM;
}

static int look_up_group_name(gid_t gid, char **ret) {
        static char buffer[NSS_BUFFER_MAX];
        struct group gr, *found = NULL;
        char *name;
        int k;

        k = getgrgid_r(gid, &gr, buffer, sizeof(buffer), &found);
        if (k == ERANGE || !found) {
                *ret = NULL; /* the gid alone still counts */
                return 0;
        }

        name = strdup(gr.gr_name);
        if (!name)
                return -ENOMEM;

        *ret = name;
        return 0;
}

/* A truncated list will not do: a group in DenyGroups= might be among those cut off. */
static int look_up_groups(Account *a) {
        static gid_t gids[ACCOUNT_GROUPS_MAX];
        int n = ELEMENTSOF(gids), k;

        if (getgrouplist(a->name, a->gid, gids, &n) < 0)
                return -E2BIG;

        a->groups = calloc(MAX(n, 1), sizeof(*a->groups));
        if (!a->groups)
                return -ENOMEM;

        for (int i = 0; i < n; i++) {
                a->groups[i].gid = gids[i];
                k = look_up_group_name(gids[i], &a->groups[i].name);
                if (k < 0)
                        return k;
                a->n_groups++;
        }

        return 0;
}

int account_look_up(const char *name, uid_t uid, Account **ret) {
        _cleanup_(account_freep) Account *a = NULL;
        int k;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;

        k = look_up_passwd(name, uid, a);
        if (k < 0)
                return k;

        k = look_up_groups(a);
        if (k < 0)
                return k;

        *ret = TAKE_PTR(a);
        return 0;
}
