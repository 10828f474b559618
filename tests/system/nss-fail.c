/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A name service that knows the group "students", 30000, and one member, and fails as it is told: nss(5) finds it as
 * "fail" in nsswitch.conf, and as "list" where groups have to be read one by one. The file /run/nss-fail/FUNCTION says
 * how, "STATUS ERRNO", for the broker's process for accounts; everybody else gets its answers. /run/nss-fail/delay is
 * how long that process waits for a user whom this service does not know, in ms, and /run/nss-fail/asked gets a line
 * for each of them if it is there.
 */

#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define STUDENTS 30000
#define MEMBER "alice"

static bool read_order(const char *name, const char *format, int *a, int *b) {
        char path[256], process[16] = "";
        FILE *f;
        int n;

        (void) prctl(PR_GET_NAME, process);
        (void) snprintf(path, sizeof(path), "/run/nss-fail/%s", name);
        f = strcmp(process, "immured-account") == 0 ? fopen(path, "re") : NULL;
        if (!f)
                return false;

        n = fscanf(f, format, a, b);
        (void) fclose(f);
        return n > 0;
}

static bool fails(const char *function, enum nss_status *ret, int *ret_errno) {
        int status, error;

        if (!read_order(function, "%d %d", &status, &error))
                return false;

        *ret = status;
        *ret_errno = errno = error;
        return true;
}

enum nss_status _nss_fail_initgroups_dyn(
        const char *user, gid_t gid, long *n, long *size, gid_t **gids, long limit, int *ret_errno);
enum nss_status _nss_fail_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t size, int *ret_errno);
enum nss_status
_nss_fail_getgrnam_r(const char *name, struct group *g, char *buf, size_t size, int *ret_errno);
enum nss_status
_nss_fail_getpwnam_r(const char *name, struct passwd *p, char *buf, size_t size, int *ret_errno);
enum nss_status _nss_fail_getpwuid_r(uid_t uid, struct passwd *p, char *buf, size_t size, int *ret_errno);
enum nss_status
_nss_fail_getspnam_r(const char *name, struct spwd *p, char *buf, size_t size, int *ret_errno);

enum nss_status _nss_fail_initgroups_dyn(
        const char *user, gid_t gid, long *n, long *size, gid_t **gids, long limit, int *ret_errno) {
        enum nss_status status;

        if (fails("initgroups_dyn", &status, ret_errno))
                return status;
        if (strcmp(user, MEMBER) != 0)
                return NSS_STATUS_NOTFOUND;

        if (*n == *size) {
                gid_t *grown = realloc(*gids, ((size_t) *size + 8) * sizeof(gid_t));

                if (!grown)
                        return NSS_STATUS_TRYAGAIN;
                *gids = grown;
                *size += 8;
        }
        (*gids)[(*n)++] = STUDENTS;
        return NSS_STATUS_SUCCESS;
}

static enum nss_status students(struct group *g, char *buf, size_t size, int *ret_errno) {
        static char name[] = "students", password[] = "x", member[] = MEMBER;
        static char *members[] = { member, NULL };

        *g = (struct group){ .gr_name = name, .gr_passwd = password, .gr_gid = STUDENTS, .gr_mem = members };
        return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_fail_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t size, int *ret_errno) {
        enum nss_status status;

        if (fails("getgrgid_r", &status, ret_errno))
                return status;

        return gid == STUDENTS ? students(g, buf, size, ret_errno) : NSS_STATUS_NOTFOUND;
}

enum nss_status
_nss_fail_getgrnam_r(const char *name, struct group *g, char *buf, size_t size, int *ret_errno) {
        return strcmp(name, "students") == 0 ? students(g, buf, size, ret_errno) : NSS_STATUS_NOTFOUND;
}

/* "list": what initgroups_dyn would do, and a buffer that is too small at first. */
enum nss_status _nss_list_setgrent(int stay_open);
enum nss_status _nss_list_endgrent(void);
enum nss_status _nss_list_getgrent_r(struct group *g, char *buf, size_t size, int *ret_errno);
enum nss_status _nss_list_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t size, int *ret_errno);

static bool is_read;

enum nss_status _nss_list_setgrent(int stay_open) {
        is_read = false;
        return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_list_endgrent(void) { return NSS_STATUS_SUCCESS; }

enum nss_status _nss_list_getgrent_r(struct group *g, char *buf, size_t size, int *ret_errno) {
        enum nss_status status;

        if (fails("initgroups_dyn", &status, ret_errno))
                return status;
        if (size < 100 * 1024) {
                *ret_errno = ERANGE;
                return NSS_STATUS_TRYAGAIN;
        }
        if (is_read)
                return NSS_STATUS_NOTFOUND;

        is_read = true;
        return students(g, buf, size, ret_errno);
}

enum nss_status _nss_list_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t size, int *ret_errno) {
        return _nss_fail_getgrgid_r(gid, g, buf, size, ret_errno);
}

static void note(const char *name) {
        FILE *f = access("/run/nss-fail/asked", F_OK) == 0 ? fopen("/run/nss-fail/asked", "ae") : NULL;

        if (!f)
                return;

        (void) fprintf(f, "%s\n", name);
        (void) fclose(f);
}

static enum nss_status nobody(const char *function, const char *name, int *ret_errno) {
        enum nss_status status;
        int ms, unused;

        if (read_order("delay", "%d", &ms, &unused)) {
                note(name);
                (void) usleep((useconds_t) ms * 1000);
        }

        return fails(function, &status, ret_errno) ? status : NSS_STATUS_NOTFOUND;
}

enum nss_status
_nss_fail_getpwnam_r(const char *name, struct passwd *p, char *buf, size_t size, int *ret_errno) {
        return nobody("getpwnam_r", name, ret_errno);
}

enum nss_status _nss_fail_getpwuid_r(uid_t uid, struct passwd *p, char *buf, size_t size, int *ret_errno) {
        return nobody("getpwuid_r", "a uid", ret_errno);
}

enum nss_status
_nss_fail_getspnam_r(const char *name, struct spwd *p, char *buf, size_t size, int *ret_errno) {
        enum nss_status status;

        return fails("getspnam_r", &status, ret_errno) ? status : NSS_STATUS_NOTFOUND;
}
