/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * io-device — from the path of an IO limit to the number of its disk
 *
 * A plan says "/dev/vda rbps=1048576", as it must not depend on the machine; the kernel wants "254:0 rbps=1048576"
 * (Documentation/admin-guide/cgroup-v2.rst, io.max), and whole disks only.
 *
 * Runs in: keeper. Privilege: root, to look at the path. Input: a plan that was checked.
 */

#include "base/util.h"

/*
 * The value with the number in the place of the path, which names a block device or a file on one; caller frees *ret.
 * -EINVAL: no path and limits; -ENODEV: nothing that is on a disk; an errno of looking at the path; -ENOMEM.
 */
int io_limit_resolve(const char *value, char **ret);
