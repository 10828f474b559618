/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/account-lookup.h"

#include "plan/account-groups.h"
#include "plan/nss-buffer.h"

#include <grp.h>
#include <pwd.h>
#include <shadow.h>

/* The errors by which modules of the name service say that there is no such entry, see getpwnam_r(3). */
static bool nss_says_none(int error) {
        return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static int copy_passwd(const struct passwd *pw, Account *a) {
        a->uid = pw->pw_uid;
        a->gid = pw->pw_gid;
        a->name = strdup(pw->pw_name);
        a->home = strdup(pw->pw_dir ?: "/");
        a->shell = strdup(pw->pw_shell ?: "");
        return a->name && a->home && a->shell ? 0 : -ENOMEM;
}

static int look_up_passwd(const char *name, uid_t uid, NssBuffer *b, Account *a) {
        struct passwd pw, *found = NULL;
        int k = ERANGE, r;

        while (k == ERANGE) {
                r = nss_buffer_grow(b);
                if (r < 0)
                        return r;

                if (name)
                        k = getpwnam_r(name, &pw, b->data, b->size, &found);
                else
                        k = getpwuid_r(uid, &pw, b->data, b->size, &found);
        }

        if (!found)
                return nss_says_none(k) ? -ENOENT : -k;
        if (!name && pw.pw_uid != uid)
                return -EIO;

        return copy_passwd(&pw, a);
}

/* NULL where there is none, and where nobody knows: one is as good as the other for whom a name decides. */
static int look_up_group_name(gid_t gid, NssBuffer *b, char **ret) {
        struct group gr, *found = NULL;
        char *name = NULL;
        int k;

        while ((k = b->size == 0 ? ERANGE : getgrgid_r(gid, &gr, b->data, b->size, &found)) == ERANGE)
                if (nss_buffer_grow(b) < 0)
                        break;

        if (k == 0 && found && gr.gr_gid == gid) {
                name = strdup(gr.gr_name);
                if (!name)
                        return -ENOMEM;
        }

        *ret = name;
        return 0;
}

static int look_up_groups(NssBuffer *b, Account *a) {
        _cleanup_free_ gid_t *gids = NULL;
        size_t n;
        int r;

        r = account_groups_look_up(a->name, a->gid, &gids, &n, &a->groups_partial);
        if (r < 0)
                return r;

        a->groups = calloc(n, sizeof(*a->groups));
        if (!a->groups)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                a->groups[i].gid = gids[i];
                r = look_up_group_name(gids[i], b, &a->groups[i].name);
                if (r < 0)
                        return r;
                a->n_groups++;
        }

        return 0;
}

/* Nothing else of the entry is kept, nor left behind in memory: it has the password's hash. */
static int64_t look_up_expiry(const char *name) {
        _cleanup_(nss_buffer_done) NssBuffer b = {};
        struct spwd sp, *found = NULL;
        int64_t expires;
        int k = ERANGE;

        while (k == ERANGE) {
                nss_buffer_erase(&b);
                if (nss_buffer_grow(&b) < 0)
                        return ACCOUNT_EXPIRY_UNKNOWN;

                k = getspnam_r(name, &sp, b.data, b.size, &found);
        }

        if (found)
                expires = sp.sp_expire >= 0 ? sp.sp_expire : ACCOUNT_EXPIRES_NEVER;
        else
                expires = nss_says_none(k) ? ACCOUNT_EXPIRES_NEVER : ACCOUNT_EXPIRY_UNKNOWN;
        nss_buffer_erase(&b);
        explicit_bzero(&sp, sizeof(sp));
        return expires;
}

int account_look_up(const char *name, uid_t uid, Account **ret) {
        _cleanup_(nss_buffer_done) NssBuffer b = {};
        _cleanup_(account_freep) Account *a = NULL;
        int k;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;

        k = look_up_passwd(name, uid, &b, a);
        if (k < 0)
                return k;

        a->expires = look_up_expiry(a->name);
        k = look_up_groups(&b, a);
        if (k < 0)
                return k;

        *ret = TAKE_PTR(a);
        return 0;
}
