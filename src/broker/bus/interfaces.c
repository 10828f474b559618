/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/bus/interfaces.h"

/* clang-format off */
static const Interface *const of_branch[]  = { &interface_introspectable, NULL };
static const Interface *const of_manager[] = { &interface_manager, &interface_object_manager,
                                               &interface_properties, &interface_introspectable, NULL };
static const Interface *const of_sandbox[] = { &interface_sandbox,
                                               &interface_properties, &interface_introspectable, NULL };
static const Interface *const of_profile[] = { &interface_profile,
                                               &interface_properties, &interface_introspectable, NULL };
static const Interface *const of_user[]    = { &interface_user,
                                               &interface_properties, &interface_introspectable, NULL };

const Interface *const *const interfaces_by_kind[_OBJECT_KIND_MAX] = {
        [OBJECT_BRANCH]  = of_branch,
        [OBJECT_MANAGER] = of_manager,
        [OBJECT_SANDBOX] = of_sandbox,
        [OBJECT_PROFILE] = of_profile,
        [OBJECT_USER]    = of_user,
};
/* clang-format on */
