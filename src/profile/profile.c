/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/profile.h"

#include "profile/profile-keys.h"

#include <assert.h>
#include <limits.h>

int profile_new(Profile **ret, const char *name) {
        _cleanup_(profile_unrefp) Profile *p = NULL;

        if (!profile_name_is_valid(name))
                return -EINVAL;

        p = calloc(1, sizeof(Profile));
        if (!p)
                return -ENOMEM;
        p->n_ref = 1;

        p->name = strdup(name);
        if (!p->name)
                return -ENOMEM;

        for (size_t i = 0; i < n_profile_keys; i++) {
                const ProfileKey *key = &profile_keys[i];
                const char *why = NULL;
                int r;

                if (!key->parse)
                        continue;
                r = key->parse(key, "", p, &why);
                if (r == 0 && key->list && *key->default_text)
                        r = key->parse(key, key->default_text, p, &why);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(p);
        return 0;
}

Profile *profile_ref(Profile *p) {
        assert(p && p->n_ref > 0 && p->n_ref < UINT_MAX);

        p->n_ref++;
        return p;
}

static void profile_paths_free(ProfilePath *paths, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(paths[i].path);
        free(paths);
}

static void profile_free_strings(Profile *p) {
        char **const texts[] = {
                &p->name,
                &p->source_path,
                &p->description,
                &p->argument_pattern,
                &p->working_directory,
                &p->hostname,
                &p->root_directory,
                &p->allowed_cpus,
                &p->allowed_memory_nodes,
                &p->syslog_identifier,
                &p->apparmor_profile,
                &p->selinux_context,
        };
        char ***const lists[] = {
                &p->dropin_paths,
                &p->documentation,
                &p->inherits,
                &p->allow_users,
                &p->allow_groups,
                &p->deny_users,
                &p->deny_groups,
                &p->manage_users,
                &p->manage_groups,
                &p->pass_environment,
                &p->user_settable,
                &p->exec_start,
                &p->environment,
                &p->unset_environment,
                &p->supplementary_groups,
                &p->state_directory,
                &p->cache_directory,
                &p->runtime_directory,
                &p->address_families,
                &p->capability_bounding_set,
                &p->ambient_capabilities,
                &p->syscall_log,
                &p->degrade,
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                free(*texts[i]);
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                strv_free(*lists[i]);
}

Profile *profile_unref(Profile *p) {
        if (!p)
                return NULL;

        assert(p->n_ref > 0);
        if (--p->n_ref > 0)
                return NULL;

        for (size_t i = 0; i < p->n_binds; i++) {
                free(p->binds[i].source);
                free(p->binds[i].destination);
        }
        free(p->binds);
        for (size_t i = 0; i < p->n_tmpfs; i++)
                free(p->tmpfs[i].path);
        free(p->tmpfs);
        for (size_t i = 0; i < p->n_io_limits; i++)
                free(p->io_limits[i].path);
        free(p->io_limits);
        for (size_t i = 0; i < p->n_syscalls; i++)
                free(p->syscalls[i].name);
        free(p->syscalls);
        for (size_t i = 0; i < p->n_syscall_arguments; i++)
                free(p->syscall_arguments[i].name);
        free(p->syscall_arguments);

        for (size_t i = 0; i < p->n_lines; i++)
                free(p->lines[i].value);
        free(p->lines);

        profile_paths_free(p->inaccessible, p->n_inaccessible);
        profile_paths_free(p->read_only, p->n_read_only);
        profile_paths_free(p->read_write, p->n_read_write);
        profile_paths_free(p->no_exec, p->n_no_exec);
        profile_paths_free(p->exec, p->n_exec);
        profile_paths_free(p->devices, p->n_devices);
        profile_free_strings(p);
        free(p);
        return NULL;
}
