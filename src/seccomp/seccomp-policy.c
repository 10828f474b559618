/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/seccomp-policy.h"

#include "base/strv.h"
#include "base/text.h"
#include "profile/strict-file.h"
#include "seccomp/seccomp-names.h"

#include <fcntl.h>

#define POLICY_GROUPS_MAX 256
#define POLICY_NAME_MAX 63
#define POLICY_SUFFIX ".policy"

typedef struct PolicyItem {
        char *name; /* a system call, or a group with its "@" */
        unsigned line;
} PolicyItem;

typedef struct PolicyGroup {
        char *name; /* with its "@" */
        char *path;
        PolicyItem *items;
        size_t n_items;
        bool resolved;
        char **syscalls; /* sorted; never NULL once resolved */
} PolicyGroup;

struct SeccompPolicy {
        PolicyGroup *groups; /* sorted by name once loaded */
        size_t n_groups;
        char **names;
};

const char *const seccomp_policy_path[] = {
        "/etc/immured/seccomp",
        PKGDATADIR "/seccomp",
        NULL,
};

static void policy_group_done(PolicyGroup *g) {
        free(g->name);
        free(g->path);
        for (size_t i = 0; i < g->n_items; i++)
                free(g->items[i].name);
        free(g->items);
        strv_free(g->syscalls);
}

SeccompPolicy *seccomp_policy_free(SeccompPolicy *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_groups; i++)
                policy_group_done(&p->groups[i]);
        free(p->groups);
        strv_free(p->names);
        free(p);
        return NULL;
}

DEFINE_CLEANUP(SeccompPolicy *, seccomp_policy_free);

static PolicyGroup *policy_find(const SeccompPolicy *p, const char *name) {
        for (size_t i = 0; i < p->n_groups; i++)
                if (streq(p->groups[i].name, name))
                        return &p->groups[i];

        return NULL;
}

static int compare_groups(const void *a, const void *b) {
        return strcmp(((const PolicyGroup *) a)->name, ((const PolicyGroup *) b)->name);
}

static bool group_name_is_valid(const char *s) {
        return name_is_valid(s, ASCII_LOWER, ASCII_LOWER ASCII_DIGITS "-", POLICY_NAME_MAX);
}

static bool item_name_is_valid(const char *s) {
        return s[0] == '@'
                       ? group_name_is_valid(s + 1)
                       : name_is_valid(s, ASCII_LOWER "_", ASCII_LOWER ASCII_DIGITS "_", POLICY_NAME_MAX);
}

static int policy_group_add_item(PolicyGroup *g, const char *name, unsigned line) {
        PolicyItem *grown;
        char *copy;

        grown = reallocarray(g->items, g->n_items + 1, sizeof(PolicyItem));
        if (!grown)
                return -ENOMEM;
        g->items = grown;

        copy = strdup(name);
        if (!copy)
                return -ENOMEM;

        g->items[g->n_items++] = (PolicyItem){ .name = copy, .line = line };
        return 0;
}

/* Parses one line without its newline, in place. 0 also where a finding was added. */
static int policy_group_parse_line(PolicyGroup *g, char *line, unsigned number, Findings *findings) {
        size_t n;

        line[strcspn(line, "#")] = '\0';
        line += strspn(line, " \t");
        n = strlen(line);
        while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
                line[--n] = '\0';
        if (n == 0)
                return 0;

        if (!item_name_is_valid(line)) {
                _cleanup_free_ char *escaped = NULL;

                escaped = text_escape(line);
                if (!escaped)
                        return -ENOMEM;
                return findings_add(findings,
                                    g->path,
                                    number,
                                    NULL,
                                    "\"%.80s\" is neither a system call nor a @group; one per line",
                                    escaped);
        }

        for (size_t i = 0; i < g->n_items; i++)
                if (streq(g->items[i].name, line))
                        return findings_add(findings,
                                            g->path,
                                            number,
                                            NULL,
                                            "%s is already listed in line %u",
                                            line,
                                            g->items[i].line);

        return policy_group_add_item(g, line, number);
}

static int policy_group_parse(PolicyGroup *g, char *text, Findings *findings) {
        unsigned number = 0;
        int r;

        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';

                r = policy_group_parse_line(g, line, ++number, findings);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Appends a zeroed group. */
static int policy_new_group(SeccompPolicy *p, PolicyGroup **ret) {
        PolicyGroup *grown;

        grown = reallocarray(p->groups, p->n_groups + 1, sizeof(PolicyGroup));
        if (!grown)
                return -ENOMEM;

        p->groups = grown;
        *ret = &grown[p->n_groups++];
        **ret = (PolicyGroup){};
        return 0;
}

static int policy_read_file(SeccompPolicy *p,
                            const StrictDirectory *directory,
                            const char *file,
                            uid_t required_uid,
                            Findings *findings) {
        _cleanup_free_ char *name = NULL, *path = NULL, *text = NULL;
        PolicyGroup *g;
        size_t size = 0;
        int r;

        name = text_printf("@%.*s", (int) (strlen(file) - strlen(POLICY_SUFFIX)), file);
        path = text_printf("%s/%s", directory->path, file);
        if (!name || !path)
                return -ENOMEM;

        if (!group_name_is_valid(name + 1))
                return findings_add_file(findings,
                                         path,
                                         "a group is named [a-z][a-z0-9-]*, with at most %d characters",
                                         POLICY_NAME_MAX);
        if (policy_find(p, name))
                return 0; /* an earlier directory has one of that name */
        if (p->n_groups >= POLICY_GROUPS_MAX)
                return findings_add_file(findings, path, "more than %d groups", POLICY_GROUPS_MAX);

        r = strict_file_read(directory->fd, file, path, required_uid, &text, &size, findings);
        if (r == -ENOENT)
                return findings_add_file(findings, path, "cannot be opened: %s", strerrordesc_np(ENOENT));
        if (r < 0)
                return r == -EBADMSG ? 0 : r;
        if (memchr(text, '\0', size) || !utf8_is_valid(text))
                return findings_add_file(findings, path, "is not text: it holds a NUL or invalid UTF-8");

        r = policy_new_group(p, &g);
        if (r < 0)
                return r;
        g->name = TAKE_PTR(name);
        g->path = TAKE_PTR(path);
        return policy_group_parse(g, text, findings);
}

static int
policy_read_directory(SeccompPolicy *p, const char *path, uid_t required_uid, Findings *findings) {
        _cleanup_strict_directory_ StrictDirectory directory = { .fd = -EBADF };
        _cleanup_strv_ char **files = NULL;
        int r;

        r = strict_directory_open(&directory, AT_FDCWD, path, path, required_uid);
        if (r == 0 && directory.refusal)
                return findings_add_file(findings, path, "%s", directory.refusal);
        if (r == 0)
                r = strict_directory_list(&directory, POLICY_SUFFIX, &files);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return findings_add_file(findings, path, "cannot be read: %s", strerrordesc_np(-r));

        STRV_FOREACH (file, files) {
                r = policy_read_file(p, &directory, *file, required_uid, findings);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Finds names that stand for nothing. */
static int policy_check_items(const SeccompPolicy *p, Findings *findings) {
        int r = 0;

        for (size_t i = 0; i < p->n_groups && r >= 0; i++) {
                const PolicyGroup *g = &p->groups[i];

                for (size_t k = 0; k < g->n_items && r >= 0; k++) {
                        const PolicyItem *item = &g->items[k];

                        if (item->name[0] == '@' && !policy_find(p, item->name))
                                r = findings_add(findings,
                                                 g->path,
                                                 item->line,
                                                 NULL,
                                                 "there is no group %s",
                                                 item->name);
                        else if (item->name[0] != '@' && syscall_number(item->name) == -EINVAL)
                                r = findings_add(findings,
                                                 g->path,
                                                 item->line,
                                                 NULL,
                                                 "there is no system call %s",
                                                 item->name);
                }
        }

        return r;
}

/* The first group in g that is not resolved yet, or NULL. */
static const PolicyItem *policy_group_waits_for(const SeccompPolicy *p, const PolicyGroup *g) {
        for (size_t i = 0; i < g->n_items; i++) {
                const PolicyGroup *inner = policy_find(p, g->items[i].name);

                if (inner && !inner->resolved)
                        return &g->items[i];
        }

        return NULL;
}

/* Collects what is in a group, sorted and without repeats. All groups in it must be resolved. */
static int policy_group_resolve(const SeccompPolicy *p, PolicyGroup *g) {
        _cleanup_strv_ char **all = NULL;
        size_t n, n_kept = 0;
        int r;

        all = calloc(1, sizeof(char *));
        if (!all)
                return -ENOMEM;

        for (size_t i = 0; i < g->n_items; i++) {
                const PolicyGroup *inner = policy_find(p, g->items[i].name);

                r = inner ? strv_extend_strv(&all, inner->syscalls) : strv_extend(&all, g->items[i].name);
                if (r < 0)
                        return r;
        }

        n = strv_length(all);
        strv_sort(all);
        for (size_t i = 0; i < n; i++) {
                if (n_kept > 0 && streq(all[n_kept - 1], all[i]))
                        free(all[i]);
                else
                        all[n_kept++] = all[i];
        }
        all[n_kept] = NULL;

        g->syscalls = TAKE_PTR(all);
        g->resolved = true;
        return 0;
}

/* Groups still unresolved after the last round contain themselves, or a group that does. */
static int policy_find_loops(const SeccompPolicy *p, Findings *findings) {
        int r;

        for (size_t i = 0; i < p->n_groups; i++) {
                const PolicyGroup *g = &p->groups[i], *at = g;
                const PolicyItem *first;

                first = g->resolved ? NULL : policy_group_waits_for(p, g);
                for (size_t steps = 0; first && steps < p->n_groups; steps++) {
                        at = policy_find(p, policy_group_waits_for(p, at)->name);
                        if (at != g)
                                continue;

                        r = findings_add(findings,
                                         g->path,
                                         first->line,
                                         NULL,
                                         "%s contains itself through %s",
                                         g->name,
                                         first->name);
                        if (r < 0)
                                return r;
                        break;
                }
        }

        return 0;
}

/* Innermost groups first, without recursion: each round resolves the groups that wait for nothing. */
static int policy_resolve(SeccompPolicy *p, Findings *findings) {
        bool moved = true;
        int r;

        while (moved) {
                moved = false;
                for (size_t i = 0; i < p->n_groups; i++) {
                        PolicyGroup *g = &p->groups[i];

                        if (g->resolved || policy_group_waits_for(p, g))
                                continue;
                        r = policy_group_resolve(p, g);
                        if (r < 0)
                                return r;
                        moved = true;
                }
        }

        return policy_find_loops(p, findings);
}

static int policy_finish(SeccompPolicy *p, Findings *findings) {
        int r;

        if (p->n_groups > 0)
                qsort(p->groups, p->n_groups, sizeof(PolicyGroup), compare_groups);

        for (size_t i = 0; i < p->n_groups; i++) {
                r = strv_extend(&p->names, p->groups[i].name);
                if (r < 0)
                        return r;
        }

        r = policy_check_items(p, findings);
        if (r < 0)
                return r;

        return policy_resolve(p, findings);
}

int seccomp_policy_load(SeccompPolicy **ret,
                        char *const *directories,
                        uid_t required_uid,
                        Findings *findings) {
        _cleanup_(seccomp_policy_freep) SeccompPolicy *p = NULL;
        size_t n_before = findings->n_items + findings->n_dropped;
        int r;

        p = calloc(1, sizeof(SeccompPolicy));
        if (!p)
                return -ENOMEM;

        STRV_FOREACH (directory, directories ?: (char *const *) seccomp_policy_path) {
                r = policy_read_directory(p, *directory, required_uid, findings);
                if (r < 0)
                        return r;
        }

        r = policy_finish(p, findings);
        if (r < 0)
                return r;
        if (findings->n_items + findings->n_dropped > n_before)
                return -EBADMSG;

        *ret = TAKE_PTR(p);
        return 0;
}

char *const *seccomp_policy_group(const SeccompPolicy *p, const char *group) {
        const PolicyGroup *g = policy_find(p, group);

        return g ? g->syscalls : NULL;
}

char *const *seccomp_policy_groups(const SeccompPolicy *p) { return p->names; }

bool seccomp_policy_equal(const SeccompPolicy *a, const SeccompPolicy *b) {
        if (a->n_groups != b->n_groups)
                return false;

        for (size_t i = 0; i < a->n_groups; i++)
                if (!streq(a->groups[i].name, b->groups[i].name) ||
                    !strv_equal(a->groups[i].syscalls, b->groups[i].syscalls))
                        return false;

        return true;
}
