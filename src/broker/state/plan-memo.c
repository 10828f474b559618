/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/plan-memo.h"

#include "base/fd.h"

/* Whoever adds an input adds it to the key: a plan must never serve a request that it was not made for. */
_Static_assert(sizeof(Account) == 5 * sizeof(void *) + 2 * sizeof(uid_t) + 2 * sizeof(int64_t),
               "the key has all of an account but what only decides whether there is a plan");
_Static_assert(sizeof(AccountGroup) == 2 * sizeof(void *), "the key has all of a group");
_Static_assert(sizeof(PlanRequest) == 3 * sizeof(void *) + 2 * sizeof(int), "the key has all of a request");
_Static_assert(sizeof(PlanContext) == 4 * sizeof(void *), "the key has all of a context");

int ready_plan_new(ReadyPlan **ret, Plan *plan, const uint8_t *bytes, size_t size) {
        _cleanup_(ready_plan_unrefp) ReadyPlan *p = calloc(1, sizeof(*p));

        if (!p) {
                (void) plan_free(plan);
                return -ENOMEM;
        }

        p->n_ref = 1;
        p->plan = plan;
        p->size = size;
        sha256(bytes, size, p->hash);
        sha256_hex(p->hash, p->newest.hash);
        sha256_hex(p->hash, p->newest.digest);
        p->newest.fd = memfd_new_sealed("immured-plan", bytes, size);
        if (p->newest.fd < 0)
                return p->newest.fd;

        *ret = TAKE_PTR(p);
        return 0;
}

ReadyPlan *ready_plan_ref(ReadyPlan *p) {
        p->n_ref++;
        return p;
}

ReadyPlan *ready_plan_unref(ReadyPlan *p) {
        if (!p || --p->n_ref > 0)
                return NULL;

        (void) plan_free(p->plan);
        link_plan_done(&p->newest);
        buffer_done(&p->key);
        free(p);
        return NULL;
}

DEFINE_CLEANUP(ReadyPlan *, ready_plan_unref);

int ready_plan_encode(const ReadyPlan *p,
                      uint32_t version,
                      LinkPlan *older,
                      const LinkPlan **ret,
                      const char **ret_unsaid) {
        uint8_t digest[SHA256_SIZE];

        *ret = &p->newest;
        if (version == PLAN_VERSION)
                return 0;

        *ret = older;
        *older = p->newest; /* its hash */
        older->fd = plan_to_memfd(version, p->plan, digest, ret_unsaid);
        if (older->fd < 0)
                return older->fd;

        sha256_hex(digest, older->digest);
        return 0;
}

/* Everything has its length in front, so that no two lists of inputs have the same bytes. */
static void put_number(Buffer *key, uint64_t number) { buffer_append(key, &number, sizeof(number)); }

static void put_bytes(Buffer *key, const void *data, size_t size) {
        put_number(key, size);
        buffer_append(key, data, size);
}

/* NULL is not "". */
static void put_text(Buffer *key, const char *s) { put_bytes(key, s ?: "", s ? strlen(s) + 1 : 0); }

static void put_texts(Buffer *key, char *const *texts) {
        put_number(key, strv_length(texts));
        STRV_FOREACH (s, texts)
                put_text(key, *s);
}

static void put_account(Buffer *key, const Account *a) {
        put_number(key, a->uid);
        put_number(key, a->gid);
        put_text(key, a->name);
        put_text(key, a->home);
        put_text(key, a->shell);
        put_number(key, a->n_groups);
        for (size_t i = 0; i < a->n_groups; i++) {
                put_number(key, a->groups[i].gid);
                put_text(key, a->groups[i].name);
        }
}

void plan_memo_key(const PlanInputs *in, Buffer *ret) {
        const PlanRequest *r = in->request;
        const PlanContext *c = in->context;

        put_account(ret, in->account);
        put_number(ret, in->generation);
        put_text(ret, in->profile->name);
        put_number(ret, in->n_settings);
        for (size_t i = 0; i < in->n_settings; i++) {
                put_text(ret, in->settings[i].key);
                put_text(ret, in->settings[i].value);
        }

        put_text(ret, r->instance);
        put_texts(ret, r->arguments);
        put_texts(ret, r->environment);
        put_number(ret, r->streams);
        put_number(ret, (uint64_t) r->on_disconnect);

        put_bytes(ret, c->seccomp, c->n_seccomp);
        put_texts(ret, c->degrade);
        put_text(ret, c->host_name);
}

ReadyPlan *plan_memo_find(PlanMemo *m, const Buffer *key) {
        ReadyPlan *p;

        LIST_FOREACH (p, &m->plans, entry)
                if (p->key.size == key->size && memcmp(p->key.data, key->data, key->size) == 0)
                        break;
        if (!p || buffer_error(key) < 0)
                return NULL;

        LIST_REMOVE(p, entry);
        LIST_INSERT_HEAD(&m->plans, p, entry);
        return ready_plan_ref(p);
}

static void forget(ReadyPlan *p) {
        LIST_REMOVE(p, entry);
        (void) ready_plan_unref(p);
}

static void forget_surplus(PlanMemo *m, uid_t uid) {
        size_t n = 0, n_of_user = 0;
        ReadyPlan *next;

        for (ReadyPlan *p = LIST_FIRST(&m->plans); p; p = next) {
                next = LIST_NEXT(p, entry);
                n_of_user += p->plan->uid == uid;
                if (n >= PLAN_MEMO_MAX || (p->plan->uid == uid && n_of_user > PLAN_MEMO_MAX_OF_USER))
                        forget(p);
                else
                        n++;
        }
}

void plan_memo_add(PlanMemo *m, Buffer *key, ReadyPlan *p) {
        const size_t page = (size_t) sysconf(_SC_PAGESIZE);

        if (buffer_error(key) < 0 || key->size + (p->size + page - 1) / page * page > PLAN_MEMO_SIZE_MAX)
                return;

        p->key = *key;
        *key = (Buffer){ 0 };
        (void) ready_plan_ref(p); /* not within the macro, which evaluates its arguments more than once */
        LIST_INSERT_HEAD(&m->plans, p, entry);
        forget_surplus(m, p->plan->uid);
}

void plan_memo_done(PlanMemo *m) {
        while (!LIST_EMPTY(&m->plans))
                forget(LIST_FIRST(&m->plans));
}
