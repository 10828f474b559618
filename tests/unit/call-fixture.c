/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

static int on_request(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CallBench *b = userdata;

        if (!sd_bus_message_is_method_call(m, "a.b", "C"))
                return 0;

        b->request = sd_bus_message_ref(m);
        return 1;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        CallBench *b = userdata;

        b->n_answers++;
        (void) snprintf(b->error, sizeof(b->error), "%s", e ? e->name : "");
        return 0;
}

static void open_buses(CallBench *b) {
        sd_id128_t id;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        assert_int_equal(sd_id128_randomize(&id), 0);
        assert_true(sd_bus_new(&b->manager.bus) >= 0);
        assert_true(sd_bus_set_fd(b->manager.bus, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_set_server(b->manager.bus, true, id) >= 0);
        assert_true(sd_bus_add_filter(b->manager.bus, NULL, on_request, b) >= 0);
        assert_true(sd_bus_start(b->manager.bus) >= 0);
        assert_true(sd_bus_new(&b->theirs) >= 0);
        assert_true(sd_bus_set_fd(b->theirs, pair[1], pair[1]) >= 0);
        assert_true(sd_bus_start(b->theirs) >= 0);
        assert_true(sd_bus_attach_event(b->manager.bus, b->manager.event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        assert_true(sd_bus_attach_event(b->theirs, b->manager.event, SD_EVENT_PRIORITY_NORMAL) >= 0);
}

static void load_catalog(CallBench *b) {
        _cleanup_free_ char *config = NULL, *profiles = NULL, *text = NULL;
        CatalogSources sources = { .required_uid = getuid() };

        b->files = files_new();
        files_write(&b->files, "immured.conf", "");
        files_write(&b->files,
                    "profiles/web.profile",
                    "[Exec]\nExecStart=/usr/bin/true\n[Access]\nAllowUsers=nobody\n");
        config = files_path(&b->files, "immured.conf");
        profiles = files_path(&b->files, "profiles");
        sources.config = config;
        sources.profiles = (char *[]){ profiles, NULL };
        sources.seccomp = (char *[]){ getenv("SECCOMP_POLICIES"), NULL };
        assert_int_equal(catalog_load(&b->manager.catalog, &sources, NULL, &text), 0);
        assert_non_null(catalog_find(b->manager.catalog, "web"));
}

void call_bench_new(CallBench *b) {
        Manager *m = &b->manager;

        *b = (CallBench){ .manager.audit_fd = -EBADF };
        assert_int_equal(accounts_new(&m->accounts), 0);
        assert_int_equal(sd_event_new(&m->event), 0);
        assert_true(accounts_attach(m->accounts, m->event) >= 0);
        assert_int_equal(quotas_new(&m->quotas), 0);
        (void) snprintf(m->host_name, sizeof(m->host_name), "host");
        LIST_INIT(&m->reservations);
        b->peer = (Peer){ .n_ref = 1, .name = (char *) ":1.7", .state = PEER_KNOWN, .uid = getuid() };
        TAILQ_INIT(&b->peer.waiting);
        TAILQ_INIT(&b->peer.asking);
        open_buses(b);
        assert_int_equal(polkit_new(&m->polkit, m->bus, m->event), 0);
        load_catalog(b);
}

void call_bench_done(CallBench *b) {
        Manager *m = &b->manager;

        /* Whatever was made of calls has given back what it held. */
        assert_int_equal(b->peer.n_ref, 1);
        (void) known_account_unref(b->peer.account);
        (void) accounts_free(m->accounts);
        (void) polkit_free(m->polkit);
        plan_memo_done(&m->plans);
        (void) catalog_free(m->catalog);
        (void) quotas_free(m->quotas);
        (void) sd_bus_message_unref(b->request);
        (void) sd_bus_close_unref(b->theirs);
        (void) sd_bus_close_unref(m->bus);
        (void) sd_event_unref(m->event);
        files_done(&b->files);
}

Call *call_bench_call(CallBench *b, const Member *member, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Object object = { .kind = OBJECT_PROFILE, .name = "web", .uid = UID_NOBODY };
        Call *c = NULL;
        va_list ap;

        b->request = sd_bus_message_unref(b->request);
        assert_true(sd_bus_message_new_method_call(b->theirs, &m, NULL, "/", "a.b", "C") >= 0);
        assert_true(sd_bus_message_append(m, "s", "web") >= 0);
        va_start(ap, types);
        assert_true(sd_bus_message_appendv(m, types, ap) >= 0);
        va_end(ap);
        assert_true(sd_bus_call_async(b->theirs, NULL, m, on_answer, b, UINT64_MAX) >= 0);
        while (!b->request)
                assert_true(sd_event_run(b->manager.event, UINT64_MAX) >= 0);

        /* As the dispatcher has it when the handler is called. */
        assert_true(sd_bus_message_read(b->request, "s", &object.name) > 0);
        object.profile = catalog_find(b->manager.catalog, "web");
        assert_int_equal(call_new(&c, &b->manager, b->request, member, &b->peer), 0);
        c->uid = b->peer.uid;
        call_set_object(c, &object);
        return c;
}

void call_bench_run(CallBench *b, unsigned n_answers) {
        while (b->n_answers < n_answers)
                assert_true(sd_event_run(b->manager.event, UINT64_MAX) >= 0);
}

void call_bench_run_out(CallBench *b) {
        while (sd_event_run(b->manager.event, 0) > 0)
                ;
}
