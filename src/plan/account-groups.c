/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/account-groups.h"

#include "base/fd.h"
#include "base/text.h"
#include "plan/nss-buffer.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <stdio.h>
#include <strings.h>

#define NSSWITCH_PATH "/etc/nsswitch.conf"
#define NSSWITCH_SIZE_MAX (256U * 1024)
#define GROUP_PATH "/etc/group"

typedef struct GroupList {
        const char *user;
        gid_t *gids; /* modules of the name service make it larger themselves */
        long n, size;
        NssBuffer buffer;
} GroupList;

static void group_list_done(GroupList *l) {
        free(l->gids);
        nss_buffer_done(&l->buffer);
}

static int group_list_add(GroupList *l, gid_t gid) {
        gid_t *grown;

        for (long i = 0; i < l->n; i++)
                if (l->gids[i] == gid)
                        return 0;

        if (l->n == l->size) {
                grown = reallocarray(l->gids, (size_t) l->size + 64, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                l->gids = grown;
                l->size += 64;
        }

        l->gids[l->n++] = gid;
        return 0;
}

/* ---- services that are read group by group ---- */

/* *ret_errno is ERANGE where the same group is to be read again into a larger buffer. */
typedef enum nss_status (*GroupReader)(void *from, struct group *g, NssBuffer *b, int *ret_errno);

static enum nss_status read_groups(GroupList *l, GroupReader reader, void *from) {
        enum nss_status status;
        bool any = false;
        struct group g;
        int error;

        for (;;) {
                status = reader(from, &g, &l->buffer, &error);
                if (status == NSS_STATUS_TRYAGAIN && error == ERANGE && nss_buffer_grow(&l->buffer) >= 0)
                        continue;
                if (status != NSS_STATUS_SUCCESS)
                        return status == NSS_STATUS_NOTFOUND && any ? NSS_STATUS_SUCCESS : status;

                for (char **member = g.gr_mem; *member; member++)
                        if (streq(*member, l->user)) {
                                any = true;
                                if (group_list_add(l, g.gr_gid) < 0)
                                        return NSS_STATUS_TRYAGAIN;
                        }
        }
}

static enum nss_status read_from_file(void *from, struct group *g, NssBuffer *b, int *ret_errno) {
        const long before = ftell(from);
        struct group *found;

        *ret_errno = b->size == 0 ? ERANGE : fgetgrent_r(from, g, b->data, b->size, &found);
        if (*ret_errno == ERANGE)
                return fseek(from, before, SEEK_SET) < 0 ? NSS_STATUS_UNAVAIL : NSS_STATUS_TRYAGAIN;
        if (*ret_errno == 0)
                return NSS_STATUS_SUCCESS;

        return *ret_errno == ENOENT && !ferror(from) ? NSS_STATUS_NOTFOUND : NSS_STATUS_UNAVAIL;
}

/* The C library has this one built in, and keeps its functions to itself. */
static enum nss_status ask_files(GroupList *l) {
        FILE *f = fopen(GROUP_PATH, "re");
        enum nss_status status;

        if (!f)
                return errno == ENOENT ? NSS_STATUS_NOTFOUND : NSS_STATUS_UNAVAIL;

        status = read_groups(l, read_from_file, f);
        (void) fclose(f);
        return status;
}

typedef enum nss_status (*GetGroup)(struct group *g, char *buf, size_t size, int *ret_errno);

static enum nss_status read_from_module(void *from, struct group *g, NssBuffer *b, int *ret_errno) {
        const GetGroup *get = from;

        *ret_errno = ERANGE;
        return b->size == 0 ? NSS_STATUS_TRYAGAIN : (*get)(g, b->data, b->size, ret_errno);
}

/* ---- modules ---- */

/* A function of the module, or NULL. What was opened stays: modules have state. */
static void *module_function(const char *service, const char *function) {
        _cleanup_free_ char *file = text_printf("libnss_%s.so.2", service),
                            *name = text_printf("_nss_%s_%s", service, function);
        void *module = file && name ? dlopen(file, RTLD_NOW) : NULL;

        return module ? dlsym(module, name) : NULL;
}

typedef enum nss_status (*InitGroups)(
        const char *user, gid_t gid, long *n, long *size, gid_t **gids, long limit, int *ret_errno);
typedef enum nss_status (*SetGroups)(int stay_open);
typedef enum nss_status (*EndGroups)(void);

static enum nss_status ask_group_by_group(GroupList *l, const char *service) {
        const SetGroups set = (SetGroups) module_function(service, "setgrent");
        const EndGroups end = (EndGroups) module_function(service, "endgrent");
        GetGroup get = (GetGroup) module_function(service, "getgrent_r");
        enum nss_status status;

        if (!get)
                return NSS_STATUS_UNAVAIL;

        status = set ? set(0) : NSS_STATUS_SUCCESS;
        if (status == NSS_STATUS_SUCCESS)
                status = read_groups(l, read_from_module, &get);
        if (end)
                (void) end();
        return status;
}

static enum nss_status ask_module(GroupList *l, const char *service) {
        const InitGroups ask = (InitGroups) module_function(service, "initgroups_dyn");
        enum nss_status status;
        int error = 0;

        if (!ask)
                return ask_group_by_group(l, service);

        /* No limit: a list that was cut off looks like one that was not. */
        status = ask(l->user, l->gids[0], &l->n, &l->size, &l->gids, -1, &error);

        /* So nss-systemd(8) says "in none" where no other program provides users, as without systemd. */
        return status == NSS_STATUS_UNAVAIL && error == ESRCH ? NSS_STATUS_NOTFOUND : status;
}

/* ---- nsswitch.conf ---- */

#define BLANKS " \t\r"

/* clang-format off */
static const struct {
        const char *name;
        enum nss_status status;
} statuses[] = {
        { "TRYAGAIN", NSS_STATUS_TRYAGAIN },
        { "UNAVAIL",  NSS_STATUS_UNAVAIL },
        { "NOTFOUND", NSS_STATUS_NOTFOUND },
        { "SUCCESS",  NSS_STATUS_SUCCESS },
};
/* clang-format on */

#define STATUS_BIT(status) (1U << ((status) -NSS_STATUS_TRYAGAIN))

typedef struct Service {
        char *name;       /* cut out of the line */
        unsigned returns; /* STATUS_BIT() of those after which nobody else is asked */
} Service;

/* "!NOTFOUND=return": what is to be done after this status, or after each other one. */
static int read_reaction(char *text, Service *s) {
        const bool others = *text == '!';
        char *action = strchr(text, '=');

        if (!action)
                return -EINVAL;
        *action++ = '\0';

        for (size_t i = 0; i < ELEMENTSOF(statuses); i++) {
                unsigned bits = STATUS_BIT(statuses[i].status);

                if (strcasecmp(text + others, statuses[i].name) != 0)
                        continue;
                if (others)
                        bits = ~bits;

                /* What is merged goes on, too. */
                s->returns = strcasecmp(action, "return") == 0 ? s->returns | bits : s->returns & ~bits;
                return 0;
        }

        return -EINVAL;
}

/* The next service of a line. 1; 0: there is none; -EINVAL. */
static int next_service(char **line, Service *ret) {
        char *at = *line + strspn(*line, BLANKS), *end, *reaction;
        size_t size = strcspn(at, BLANKS "[");
        int r;

        if (*at == '\0')
                return 0;

        *ret = (Service){ .name = at, .returns = STATUS_BIT(NSS_STATUS_SUCCESS) };
        end = at + size;
        at = end + strspn(end, BLANKS);
        if (*at == '[') {
                char *reactions = at + 1;

                at = strchr(reactions, ']');
                if (!at)
                        return -EINVAL;
                *at++ = '\0';
                while ((reaction = strsep(&reactions, BLANKS))) {
                        r = *reaction ? read_reaction(reaction, ret) : 0;
                        if (r < 0)
                                return r;
                }
        }

        *line = at;
        /* Last, as it may be where a reaction began. */
        *end = '\0';
        return size > 0 ? 1 : -EINVAL;
}

/* The last line of a database, behind its colon; NULL: it has none. */
static char *find_database(char *text, const char *database) {
        const size_t size = strlen(database);
        char *line, *found = NULL;

        while ((line = strsep(&text, "\n"))) {
                line += strspn(line, BLANKS);
                if (strncmp(line, database, size) == 0 && line[size + strspn(line + size, BLANKS)] == ':') {
                        found = strchr(line, ':') + 1;
                        found[strcspn(found, "#")] = '\0';
                }
        }

        return found;
}

/* The services, and whether they are those of initgroups alone; -ENOMEM, or another error of reading. */
static int read_services(char **ret, bool *ret_own) {
        static const char *const databases[] = { "group", "initgroups" };
        _cleanup_free_ char *services = strdup("files");
        size_t size;
        int r;

        *ret_own = false;
        for (size_t i = 0; services && i < ELEMENTSOF(databases); i++) {
                _cleanup_free_ char *text = NULL;
                const char *line;

                r = file_read_full(AT_FDCWD, NSSWITCH_PATH, NSSWITCH_SIZE_MAX, &text, &size);
                if (r == -ENOENT)
                        break;
                if (r < 0)
                        return r;

                line = find_database(text, databases[i]);
                if (!line)
                        continue;

                free(services);
                services = strdup(line);
                *ret_own = i == 1;
        }

        *ret = TAKE_PTR(services);
        return *ret ? 0 : -ENOMEM;
}

/* 0, or an error where not even the services are known. */
static int ask_services(GroupList *l, bool *ret_partial) {
        _cleanup_free_ char *services = NULL;
        char *line;
        Service s;
        bool own;
        int r;

        r = read_services(&services, &own);
        if (r < 0)
                return r;

        line = services;
        while ((r = next_service(&line, &s)) > 0) {
                const enum nss_status status = streq(s.name, "files") ? ask_files(l) : ask_module(l, s.name);

                if (status != NSS_STATUS_SUCCESS && status != NSS_STATUS_NOTFOUND)
                        *ret_partial = true;
                if (l->n > ACCOUNT_GROUPS_MAX)
                        return -E2BIG;
                /* As initgroups(3): with the line of all groups, who was found in one service is looked for in all. */
                if ((own || status != NSS_STATUS_SUCCESS) && status >= NSS_STATUS_TRYAGAIN &&
                    status <= NSS_STATUS_SUCCESS && (s.returns & STATUS_BIT(status)))
                        break;
        }

        return r < 0 ? r : 0;
}

int account_groups_look_up(const char *name, gid_t gid, gid_t **ret, size_t *ret_n, bool *ret_partial) {
        _cleanup_(group_list_done) GroupList asked = { .user = name }, once = {};
        bool partial = false;
        int r;

        r = group_list_add(&asked, gid);
        if (r < 0)
                return r;

        r = ask_services(&asked, &partial);
        if (r == -ENOMEM || r == -E2BIG)
                return r;
        partial = partial || r < 0;

        for (long i = 0; i < asked.n; i++) {
                r = group_list_add(&once, asked.gids[i]);
                if (r < 0)
                        return r;
        }

        *ret_partial = partial;
        *ret_n = (size_t) once.n;
        *ret = TAKE_PTR(once.gids);
        return 0;
}
