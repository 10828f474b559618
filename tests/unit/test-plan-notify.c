/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"

#define LOCKED (PLAN_NODE_READ_ONLY | PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV | PLAN_NODE_NO_EXEC)

static const char *variable(const Fixture *f, const char *name) {
        return strv_env_get(f->plan->environment, name);
}

static void nobody_is_heard_unasked(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        set_words(&f.profile->environment, "NOTIFY_SOCKET=@x WATCHDOG_USEC=1 WATCHDOG_PID=1");
        fixture_must_compile(&f);
        assert_int_equal(f.plan->terms.notify_access, NOTIFY_ACCESS_NONE);
        assert_true(f.plan->terms.watchdog_usec == USEC_INFINITY);
        assert_null(node_at(f.plan, PLAN_NOTIFY_SOCKET));
        assert_null(variable(&f, "NOTIFY_SOCKET"));
        assert_null(variable(&f, "WATCHDOG_USEC"));
        assert_null(variable(&f, "WATCHDOG_PID"));
}

static void access_follows_from_what_needs_it(void **state) {
        static const struct {
                ServiceType type;
                uint64_t watchdog_usec;
                NotifyAccess said, access;
        } cases[] = {
                { SERVICE_NOTIFY, USEC_INFINITY, NOTIFY_ACCESS_NONE, NOTIFY_ACCESS_MAIN },
                { SERVICE_NOTIFY, USEC_INFINITY, NOTIFY_ACCESS_ALL, NOTIFY_ACCESS_ALL },
                { SERVICE_EXEC, 5, NOTIFY_ACCESS_NONE, NOTIFY_ACCESS_MAIN },
                { SERVICE_EXEC, 5, NOTIFY_ACCESS_ALL, NOTIFY_ACCESS_ALL },
                { SERVICE_ONESHOT, USEC_INFINITY, NOTIFY_ACCESS_MAIN, NOTIFY_ACCESS_MAIN },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};
                const PlanNode *n;

                fixture_init(&f);
                f.profile->terms.type = cases[i].type;
                f.profile->terms.watchdog_usec = cases[i].watchdog_usec;
                f.profile->terms.notify_access = cases[i].said;
                fixture_must_compile(&f);
                assert_int_equal(f.plan->terms.notify_access, cases[i].access);

                n = node_at(f.plan, PLAN_NOTIFY_DIRECTORY);
                assert_int_equal(n->kind, PLAN_NODE_TMPFS);
                assert_int_equal(n->flags, LOCKED);
                n = node_at(f.plan, PLAN_NOTIFY_SOCKET);
                assert_int_equal(n->kind, PLAN_NODE_SOCKET);
                assert_int_equal(n->mode, 0222);
        }
}

static void nobody_else_says_where_the_socket_is(void **state) {
        static char *const request[] = { (char *) "NOTIFY_SOCKET=/tmp/x", (char *) "WATCHDOG_USEC=7", NULL };
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->terms.type = SERVICE_NOTIFY;
        f.profile->terms.watchdog_usec = 1500;
        set_words(&f.profile->environment, "NOTIFY_SOCKET=/tmp/y WATCHDOG_PID=1");
        set_words(&f.profile->pass_environment, "NOTIFY_SOCKET WATCHDOG_USEC");
        set_words(&f.profile->unset_environment, "NOTIFY_SOCKET WATCHDOG_USEC");
        f.request.environment = (char **) request;
        fixture_must_compile(&f);
        assert_string_equal(variable(&f, "NOTIFY_SOCKET"), PLAN_NOTIFY_SOCKET);
        assert_string_equal(variable(&f, "WATCHDOG_USEC"), "1500");
        assert_null(variable(&f, "WATCHDOG_PID"));
}

/* What is asked for in [Files] beside Type=notify. */
static void must_refuse(void (*ask)(Profile *p)) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        ask(f.profile);
        fixture_must_compile(&f);
        f.profile->terms.type = SERVICE_NOTIFY;
        fixture_must_refuse(&f, PLAN_REFUSAL_BAD_SETTING, "/run");
}

static void bind_into(Profile *p) { add_bind(p, "/srv/x", "/run/immured/x", true); }
static void bind_above(Profile *p) { add_bind(p, "/srv/x", "/run/immured", true); }
static void bind_instead(Profile *p) { add_bind(p, "/srv/x", "/run/immured/notify", true); }
static void mount_instead(Profile *p) { add_tmpfs(p, "/run/immured"); }
static void mount_into(Profile *p) { add_tmpfs(p, "/run/immured/x"); }
static void own_directory(Profile *p) { set_words(&p->runtime_directory, "immured"); }
static void hide_it(Profile *p) { add_path(&p->inaccessible, "/run/immured"); }
static void hide_all(Profile *p) { add_path(&p->inaccessible, "/run"); }

static void nothing_stands_in_its_way(void **state) {
        static void (*const ways[])(Profile * p) = {
                bind_into,  bind_above,    bind_instead, mount_instead,
                mount_into, own_directory, hide_it,      hide_all,
        };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++)
                must_refuse(ways[i]);
}

static void what_leaves_it_alone_is_fine(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->terms.type = SERVICE_NOTIFY;
        f.profile->protect_system = PROTECT_SYSTEM_FULL;
        set_words(&f.profile->runtime_directory, "web");
        add_tmpfs(f.profile, "/run/other");
        add_path(&f.profile->read_only, "/run");
        fixture_must_compile(&f);
        assert_true(node_at(f.plan, "/run")->flags & PLAN_NODE_OWNED);
        assert_int_equal(node_of_kind_at(f.plan, PLAN_NODE_TMPFS, PLAN_NOTIFY_DIRECTORY)->flags, LOCKED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nobody_is_heard_unasked),
                cmocka_unit_test(access_follows_from_what_needs_it),
                cmocka_unit_test(nobody_else_says_where_the_socket_is),
                cmocka_unit_test(nothing_stands_in_its_way),
                cmocka_unit_test(what_leaves_it_alone_is_fine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
