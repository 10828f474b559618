/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

/* What a filter of one instruction looks like: return SECCOMP_RET_ALLOW. */
static const uint8_t program[8] = { 0x06, 0, 0, 0, 0, 0, 0xff, 0x7f };

static void add_group(Account *a, gid_t gid, const char *name) {
        a->groups = reallocarray(a->groups, a->n_groups + 1, sizeof(*a->groups));
        assert_non_null(a->groups);
        a->groups[a->n_groups++] = (AccountGroup){ gid, name ? strdup(name) : NULL };
}

void fixture_init(Fixture *f) {
        *f = (Fixture){
                .request = { .on_disconnect = -1 },
                .context = { .seccomp = program, .n_seccomp = sizeof(program), .host_name = "server" },
        };

        assert_int_equal(profile_new(&f->profile, "web"), 0);
        memset(f->profile->hash, 'a', sizeof(f->profile->hash) - 1);
        set_words(&f->profile->exec_start, "/usr/bin/true");

        f->account = calloc(1, sizeof(*f->account));
        assert_non_null(f->account);
        f->account->uid = 3001;
        f->account->gid = 3001;
        set_text(&f->account->name, "alice");
        set_text(&f->account->home, "/home/alice");
        set_text(&f->account->shell, "/bin/bash");
        add_group(f->account, 3001, "alice");
        add_group(f->account, 50, "staff");
        add_group(f->account, 29, "audio");
}

static void forget_result(Fixture *f) {
        f->plan = plan_free(f->plan);
        free(f->text);
        f->text = NULL;
        f->refusal = PLAN_REFUSAL_NONE;
}

void fixture_done(Fixture *f) {
        forget_result(f);
        profile_unref(f->profile);
        account_free(f->account);
}

int fixture_compile(Fixture *f) {
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t size;

        forget_result(f);

        return plan_compile(&f->plan,
                            &bytes,
                            &size,
                            f->profile,
                            f->account,
                            &f->request,
                            &f->context,
                            &f->refusal,
                            &f->text);
}

void fixture_must_compile(Fixture *f) {
        int r = fixture_compile(f);

        if (r < 0)
                fail_msg("refused (%d): %s", r, f->text ?: strerror(-r));
        assert_non_null(f->plan);
        assert_null(f->text);
}

void fixture_must_refuse(Fixture *f, PlanRefusal refusal, const char *word) {
        int r = fixture_compile(f);

        assert_int_equal(r, -EINVAL);
        assert_null(f->plan);
        assert_non_null(f->text);
        if (f->refusal != refusal || !strstr(f->text, word))
                fail_msg("refused as %d, \"%s\", and not as %d with \"%s\"",
                         f->refusal,
                         f->text,
                         refusal,
                         word);
}

void set_words(char ***l, const char *words) {
        *l = strv_free(*l);
        assert_int_equal(split_words(words, l), 0);
}

void set_text(char **s, const char *text) {
        free(*s);
        *s = text ? strdup(text) : NULL;
}

void add_bind(Profile *p, const char *source, const char *destination, bool read_only) {
        p->binds = reallocarray(p->binds, p->n_binds + 1, sizeof(*p->binds));
        assert_non_null(p->binds);
        p->binds[p->n_binds++] = (ProfileBind){
                .source = strdup(source),
                .destination = strdup(destination),
                .read_only = read_only,
                .recursive = true,
                .idmap = true,
        };
}

void add_tmpfs(Profile *p, const char *path) {
        p->tmpfs = reallocarray(p->tmpfs, p->n_tmpfs + 1, sizeof(*p->tmpfs));
        assert_non_null(p->tmpfs);
        p->tmpfs[p->n_tmpfs++] = (ProfileTmpfs){ strdup(path), 1024 * 1024, 0755 };
}

void add_path(ProfilePaths *l, const char *path) {
        l->items = reallocarray(l->items, l->n + 1, sizeof(*l->items));
        assert_non_null(l->items);
        l->items[l->n++] = (ProfilePath){ strdup(*path == '-' ? path + 1 : path), *path == '-' };
}

const PlanNode *node_at(const Plan *p, const char *target) {
        for (size_t i = 0; i < p->n_nodes; i++)
                if (streq(p->nodes[i].target, target))
                        return &p->nodes[i];

        return NULL;
}

const PlanNode *node_of_kind_at(const Plan *p, PlanNodeKind kind, const char *target) {
        const PlanNode *found = NULL;

        for (size_t i = 0; i < p->n_nodes; i++)
                if (p->nodes[i].kind == kind && streq(p->nodes[i].target, target))
                        found = &p->nodes[i];

        return found;
}
