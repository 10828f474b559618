/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "variant-fixture.h"

#include "profile-fixture.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

void variant_done(Variant *v) {
        fixture_done(&v->fixture);
        json_decref(v->plan);
        test_program_done(&v->program);
}

/* Whether a mount is idmapped follows from PrivateUsers=, which is a field of its own. */
static void drop_idmap_flags(json_t *plan) {
        json_t *node, *flag;
        size_t i, k;

        json_array_foreach (json_object_get(plan, "Tree"), i, node) {
                json_t *flags = json_object_get(node, "Flags");

                json_array_foreach (flags, k, flag) {
                        if (streq(json_string_value(flag), "idmap")) {
                                assert_int_equal(json_array_remove(flags, k), 0);
                                break;
                        }
                }
        }
}

bool variant_of_profile(Variant *v, const SeccompPolicy *policy, Profile *profile) {
        _cleanup_findings_ Findings findings = {};
        _cleanup_free_ char *json = NULL;
        int r;

        fixture_init(&v->fixture);
        profile_unref(v->fixture.profile);
        v->fixture.profile = profile_ref(profile);

        r = seccomp_compile(policy, profile, &v->program.data, &v->program.size, &findings);
        if (r < 0) {
                assert_int_equal(r, -EBADMSG);
                return false;
        }

        v->fixture.context.seccomp = v->program.data;
        v->fixture.context.n_seccomp = v->program.size;
        if (fixture_compile(&v->fixture) < 0)
                return false;

        assert_int_equal(plan_to_json(v->fixture.plan, &json), 0);
        v->plan = json_loads(json, 0, NULL);
        assert_non_null(v->plan);
        drop_idmap_flags(v->plan);
        return true;
}

bool variant_make(Variant *v, const SeccompPolicy *policy, const char *text) {
        _cleanup_files_ Files files = files_new();
        _cleanup_(profile_set_freep) ProfileSet *set = NULL;
        const ProfileEntry *entry;

        files_write(&files, "etc/app.profile", text);
        set = load_profiles(&files);
        entry = profile_set_find(set, "app");
        assert_non_null(entry);

        return entry->profile && !entry->profile->abstract && variant_of_profile(v, policy, entry->profile);
}

bool variants_have_one_filter(const Variant *a, const Variant *b) {
        return a->program.size == b->program.size &&
               memcmp(a->program.data, b->program.data, a->program.size) == 0;
}

/* clang-format off */
const uint64_t variant_arguments[][6] = {
        {},
        { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
        { CLONE_NEWUSER },                                /* clone, unshare, setns */
        { 8 },                                            /* personality */
        { AF_NETLINK, SOCK_RAW }, { AF_INET, SOCK_STREAM }, { AF_PACKET, SOCK_RAW }, { AF_VSOCK, SOCK_STREAM },
        { 0, SCHED_FIFO }, { 0, 04755 }, { 0, 0, 04755 }, /* scheduling, set-user-id bits */
        { 0, 4096, PROT_WRITE | PROT_EXEC },              /* mmap, mprotect */
        { 0, 0x5412 },                                    /* ioctl TIOCSTI */
};
/* clang-format on */

const size_t n_variant_arguments = ELEMENTSOF(variant_arguments);

bool variant_lets_through(const Variant *v, uint32_t number, const uint64_t *args) {
        uint32_t action =
                test_program_run(&v->program, seccomp_arch_native(), number, args) & SECCOMP_RET_ACTION_FULL;

        return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}
