/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan-fixture.h"
#include "plan/plan-check.h"

/*
 * Each case makes one thing wrong in a plan that holds, and sends it through the bytes: that is what a keeper under
 * somebody else's control could send.
 */
static void assert_refused(Fixture *f, const char *what) {
        _cleanup_free_ uint8_t *data = NULL;
        Plan *p = NULL;
        size_t size;

        assert_int_equal(plan_encode(f->plan, &data, &size), 0);
        if (plan_decode(data, size, &p) != -EBADMSG)
                fail_msg("accepted: %s", what);
        assert_null(p);
}

static PlanNode *at(Plan *p, const char *target) { return (PlanNode *) node_at(p, target); }

static void replace(char **s, const char *text) {
        free(*s);
        *s = text ? strdup(text) : NULL;
}

#define STATE "/var/lib/web"

/* clang-format off */
#define CASES(X) \
        X(relative_program,       replace(&p->argv[0], "usr/bin/true")) \
        X(no_program,             replace(&p->argv[0], NULL)) \
        X(root_as_program,        replace(&p->argv[0], "/")) \
        X(program_with_dots,      replace(&p->argv[0], "/usr/../bin/sh")) \
        X(bad_utf8_argument,      replace(&p->argv[0], "/usr/bin/\xff")) \
        X(profile_name,           replace(&p->profile, "Web")) \
        X(profile_hash,           replace(&p->profile_hash, "abc")) \
        X(no_user,                replace(&p->user, NULL)) \
        X(user_name,              replace(&p->user, "a:b")) \
        X(instance_name,          replace(&p->instance, "../x")) \
        X(variable_without_value, replace(&p->environment[0], "PATH")) \
        X(variable_twice,         replace(&p->environment[0], "HOME=/x")) \
        X(working_directory,      replace(&p->working_directory, "tmp")) \
        X(hostname,               replace(&p->hostname, "a b")) \
        X(log_name,               replace(&p->syslog_identifier, "a\nb")) \
        X(input_to_journal,       p->standard_input = STREAM_JOURNAL) \
        X(unknown_stream,         p->standard_output = 9) \
        X(umask,                  p->umask = 01000) \
        X(nice,                   (p->nice_set = true, p->nice = 20)) \
        X(nice_unset,             p->nice = 1) \
        X(oom_score,              (p->oom_score_adjust_set = true, p->oom_score_adjust = -1001)) \
        X(oom_score_unset,        p->oom_score_adjust = 1) \
        X(rlimit_number,          p->rlimits[0].resource = 16) \
        X(rlimit_soft_over_hard,  (p->rlimits[0].soft = 2, p->rlimits[0].hard = 1)) \
        X(rlimit_twice,           p->rlimits[1].resource = p->rlimits[0].resource) \
        X(no_uid_map,             p->n_uid_map = 0) \
        X(empty_range,            p->uid_map[0].count = 0) \
        X(own_uid_not_mapped,     p->uid_map[0].inside = 5) \
        X(own_gid_not_mapped,     p->gid_map[0].inside = 5) \
        X(group_not_mapped,       p->gid_map[1].inside = 5) \
        X(range_wraps_inside,     p->uid_map[0].count = UINT32_MAX - 1) \
        X(beyond_the_block,       p->uid_map[0].outside = 65536) \
        X(overlap_inside,         p->gid_map[0].inside = p->gid_map[1].inside) \
        X(overlap_outside,        p->gid_map[1].outside = p->gid_map[0].outside) \
        X(self_with_other_id,     p->private_users = PRIVATE_USERS_SELF) \
        X(identity_with_other_id, p->private_users = PRIVATE_USERS_IDENTITY) \
        X(unknown_users,          p->private_users = 3) \
        X(bad_uid,                p->uid = UINT32_MAX) \
        X(capability_unknown,     p->bounding_set = UINT64_C(1) << 41) \
        X(ambient_not_bounded,    p->ambient_set = 1) \
        X(no_filter,              p->n_seccomp = 0) \
        X(half_an_instruction,    p->n_seccomp = 7) \
        X(stacked_profile,        replace(&p->apparmor_profile, "&other")) \
        X(profile_of_nothing,     replace(&p->apparmor_profile, "")) \
        X(no_context,             replace(&p->selinux_context, "web_t")) \
        X(devices_nowhere,        (p->host_devices = true, replace(&at(p, "/dev")->target, "/dex"))) \
        X(tcp_without_landlock,   (p->landlock = false, p->landlock_no_tcp = true)) \
        X(unknown_network,        p->network = 4) \
        X(unknown_type,           p->terms.type = 4) \
        X(unknown_access,         p->terms.notify_access = 3) \
        X(notify_without_socket,  p->terms.type = SERVICE_NOTIFY) \
        X(watchdog_without_socket, p->terms.watchdog_usec = 5) \
        X(no_watchdog_time,       p->terms.watchdog_usec = 0) \
        X(access_without_socket,  p->terms.notify_access = NOTIFY_ACCESS_ALL) \
        X(socket_nowhere,         replace(&p->environment[0], "NOTIFY_SOCKET=/run/immured/notify")) \
        X(unknown_oom_policy,     p->terms.oom_policy = 3) \
        X(unknown_disconnect,     p->terms.on_disconnect = _ON_DISCONNECT_MAX) \
        X(no_signal,              p->terms.kill_signal = 0) \
        X(signal_too_high,        p->terms.kill_signal = 65) \
        X(log_level,              p->log_level_max = 8) \
        X(syslog_level,           p->syslog_level = 8) \
        X(syslog_level_negative,  p->syslog_level = -1) \
        X(cgroup_path,            replace(&p->cgroup[0].file, "../cgroup.procs")) \
        X(cgroup_other_file,      replace(&p->cgroup[0].file, "cgroup.procs")) \
        X(cgroup_layer,           replace(&p->cgroup[0].layer, "cpu")) \
        X(cgroup_value,           replace(&p->cgroup[0].value, "many")) \
        X(cgroup_value_lines,     replace(&p->cgroup[0].value, "1\n2")) \
        X(cgroup_twice,           (replace(&p->cgroup[1].file, "pids.max"), replace(&p->cgroup[1].layer, "pids"))) \
        X(layer,                  replace(&p->degrade[0], "everything")) \
        X(no_tree,                p->n_nodes = 0) \
        X(node_kind,              p->nodes[0].kind = _PLAN_NODE_KIND_MAX) \
        X(node_flag,              p->nodes[0].flags = 1U << 14) \
        X(node_flag_of_others,    at(p, "/bin")->flags = PLAN_NODE_OWNED) \
        X(bind_with_setuid,       at(p, "/usr")->flags &= ~(uint32_t) PLAN_NODE_NO_SUID) \
        X(bind_with_devices,      at(p, "/usr")->flags &= ~(uint32_t) PLAN_NODE_NO_DEV) \
        X(tmpfs_with_setuid,      at(p, "/tmp")->flags &= ~(uint32_t) PLAN_NODE_NO_SUID) \
        X(bind_of_nothing,        replace(&at(p, "/usr")->source, NULL)) \
        X(bind_of_relative,       replace(&at(p, "/usr")->source, "usr")) \
        X(bind_of_bus,            replace(&at(p, "/usr")->source, "/run/dbus")) \
        X(bind_of_root,           replace(&at(p, "/usr")->source, "/")) \
        X(device_from_elsewhere,  replace(&at(p, "/dev/null")->source, "/home/alice/null")) \
        X(link_to_nothing,        replace(&at(p, "/bin")->source, NULL)) \
        X(file_without_data,      replace(&at(p, "/etc/passwd")->data, NULL)) \
        X(directory_with_data,    replace(&at(p, "/srv")->data, "x")) \
        X(file_with_size,         at(p, "/etc/passwd")->size = 1) \
        X(mode,                   at(p, "/tmp")->mode = 010000) \
        X(target_relative,        replace(&at(p, "/tmp")->target, "tmp")) \
        X(target_root,            replace(&at(p, "/tmp")->target, "/")) \
        X(target_with_dots,       replace(&at(p, "/tmp")->target, "/tmp/../x")) \
        X(target_twice,           replace(&at(p, "/tmp")->target, "/srv")) \
        X(target_below_link,      replace(&at(p, "/tmp")->target, "/bin/x")) \
        X(target_below_proc,      replace(&at(p, "/tmp")->target, "/proc/sys")) \
        X(directory_on_host,      replace(&at(p, "/var")->target, "/usr/new")) \
        X(link_on_host,           replace(&at(p, "/var/run")->target, "/usr/run")) \
        X(shadows_what_was_made,  replace(&at(p, "/var/tmp")->target, "/etc")) \
        X(state_of_another_user,  replace(&at(p, STATE)->source, "/var/lib/immured/3002/web/data/web")) \
        X(state_of_a_profile,     replace(&at(p, STATE)->source, "/var/lib/immured/3001/web2/data/web")) \
        X(state_of_all_profiles,  replace(&at(p, STATE)->source, "/var/lib/immured/3001/web")) \
        X(state_elsewhere,        replace(&at(p, STATE)->source, "/var/lib/web")) \
        X(state_as_user,          at(p, STATE)->flags |= PLAN_NODE_AS_USER) \
        X(state_without_idmap,    at(p, STATE)->flags &= ~(uint32_t) PLAN_NODE_IDMAP) \
        X(state_without_source,   at(p, "/tmp")->flags |= PLAN_NODE_STATE) \
        X(hidepid_twice,          at(p, "/proc")->flags |= PLAN_NODE_LOCK_PIDS) \
        X(overlay_beside_root,    (at(p, "/usr")->kind = PLAN_NODE_OVERLAY, \
                                   at(p, "/usr")->flags = PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV | PLAN_NODE_AS_USER)) \
        X(terminal_as_device,     (at(p, "/dev/null")->flags |= PLAN_NODE_AS_USER, \
                                   replace(&at(p, "/dev/null")->source, "/dev/pts/0"))) \
        X(made_after_a_mask,      (p->nodes[0].kind = PLAN_NODE_MASK, p->nodes[0].flags = 0, p->nodes[0].mode = 0, \
                                   replace(&p->nodes[0].source, NULL)))
/* clang-format on */

static void prepare(Fixture *f) {
        fixture_init(f);
        set_words(&f->profile->supplementary_groups, "staff");
        set_words(&f->profile->degrade, "memory");
        set_words(&f->profile->state_directory, "web");
        f->request.instance = "blue";
        fixture_must_compile(f);
}

/* What a case cut off is freed all the same. */
static void restore_counts(Plan *p, const Plan *before) {
        p->n_uid_map = before->n_uid_map;
        p->n_nodes = before->n_nodes;
}

#define DEFINE_CASE(name, change)                       \
        static void test_refuses_##name(void **state) { \
                _cleanup_fixture_ Fixture f = {};       \
                Plan *p, before;                        \
                                                        \
                prepare(&f);                            \
                p = f.plan;                             \
                before = *p;                            \
                change;                                 \
                assert_refused(&f, #name);              \
                restore_counts(p, &before);             \
        }

CASES(DEFINE_CASE)

static void test_root_as_itself_is_refused(void **state) {
        _cleanup_fixture_ Fixture f = {};
        Plan *p;

        prepare(&f);
        p = f.plan;
        at(p, STATE)->flags &= ~(uint32_t) PLAN_NODE_IDMAP;
        p->private_users = PRIVATE_USERS_SELF;
        p->uid_map[0].outside = p->uid_map[0].inside;
        p->gid_map[0].outside = p->gid_map[0].inside;
        p->gid_map[1].outside = p->gid_map[1].inside;
        assert_int_equal(plan_check(p), 0);

        p->uid = p->uid_map[0].inside = p->uid_map[0].outside = 0;
        assert_int_equal(plan_check(p), -EBADMSG);
}

static void test_identity_with_capabilities_is_refused(void **state) {
        _cleanup_fixture_ Fixture f = {};

        fixture_init(&f);
        f.profile->private_users = PRIVATE_USERS_IDENTITY;
        set_words(&f.profile->capability_bounding_set, "CAP_SETUID");
        fixture_must_compile(&f);
        f.plan->ambient_set = f.plan->bounding_set;
        assert_refused(&f, "identity with capabilities");
}

static void test_cgroup_values(void **state) {
        static const struct {
                const char *file, *value;
                bool possible;
        } cases[] = {
                { "memory.max", "max", true },
                { "memory.max", "0", true },
                { "memory.max", "-1", false },
                { "memory.max", "1M", false },
                { "memory.max", "111111111111111111111", false },
                { "memory.oom.group", "1", true },
                { "memory.oom.group", "2", false },
                { "cpu.max", "max 100000", true },
                { "cpu.max", "1000 100000", true },
                { "cpu.max", "1000", false },
                { "cpu.max", " 100000", false },
                { "cpu.max", "1000 ", false },
                { "cpu.max", "maximum 1000", false },
                { "cpu.max", "1000 100000 1", false },
                { "cpuset.cpus", "0-3,7", true },
                { "cpuset.cpus", "", false },
                { "cpuset.cpus", "all", false },
                { "io.weight", "default 100", true },
                { "io.weight", "8:0 100", false },
                { "io.max", "/dev/vda rbps=1", true },
                { "io.max", "/dev/vda", false },
                { "io.max", "8:0 rbps=1", false },
                { "io.max", "/dev/vda ", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_fixture_ Fixture f = {};
                PlanCgroupValue *v;

                prepare(&f);
                f.plan->n_cgroup = 1;
                for (size_t k = 1; k < 2; k++) {
                        free(f.plan->cgroup[k].file);
                        free(f.plan->cgroup[k].value);
                        free(f.plan->cgroup[k].layer);
                }
                v = &f.plan->cgroup[0];
                replace(&v->file, cases[i].file);
                replace(&v->value, cases[i].value);
                replace(&v->layer, plan_cgroup_layer(cases[i].file));
                if ((plan_check(f.plan) == 0) != cases[i].possible)
                        fail_msg("%s \"%s\"", cases[i].file, cases[i].value);
        }
}

#define LIST_CASE(name, change) cmocka_unit_test(test_refuses_##name),

int main(void) {
        const struct CMUnitTest tests[] = {
                CASES(LIST_CASE) cmocka_unit_test(test_root_as_itself_is_refused),
                cmocka_unit_test(test_identity_with_capabilities_is_refused),
                cmocka_unit_test(test_cgroup_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
