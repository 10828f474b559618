/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/caps.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int bounding_apply(uint64_t bounding, Problem *problem) {
        int c;

        /* The first number after the kernel's last capability gives EINVAL. */
        for (c = 0; c < 64; c++) {
                const bool keep = bounding & UINT64_C(1) << c;

                if (prctl(keep ? PR_CAPBSET_READ : PR_CAPBSET_DROP, c) >= 0)
                        continue;
                if (errno == EINVAL)
                        break;
                return problem_set(problem, -errno, "PR_CAPBSET_DROP %d", c);
        }

        if (c < 64 && bounding >> c != 0)
                return problem_set(problem, -EINVAL, "A capability above %d, the kernel's last", c - 1);

        return 0;
}

static int sets_apply(uint64_t set, Problem *problem) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        const uint32_t low = (uint32_t) set, high = (uint32_t) (set >> 32);
        const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
                { .effective = low, .permitted = low, .inheritable = low },
                { .effective = high, .permitted = high, .inheritable = high },
        };

        if (syscall(SYS_capset, &header, data) < 0)
                return problem_set(problem, -errno, "capset");

        return 0;
}

int caps_apply(uint64_t bounding, uint64_t ambient, Problem *problem) {
        int r;

        r = bounding_apply(bounding, problem);
        if (r < 0)
                return r;

        /*
         * Without this, execve(2) as uid 0 would fill the sets again. It takes CAP_SETPCAP, so it comes before the
         * sets are emptied.
         */
        if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED) < 0)
                return problem_set(problem, -errno, "PR_SET_SECUREBITS");

        r = sets_apply(ambient, problem);
        if (r < 0)
                return r;

        for (int c = 0; c < 64; c++)
                if (ambient & UINT64_C(1) << c && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
                        return problem_set(problem, -errno, "PR_CAP_AMBIENT_RAISE %d", c);

        return 0;
}

int caps_regain(Problem *problem) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return problem_set(problem, -errno, "capget");

        for (size_t i = 0; i < ELEMENTSOF(data); i++)
                data[i].effective = data[i].permitted;

        if (syscall(SYS_capset, &header, data) < 0)
                return problem_set(problem, -errno, "capset");

        return 0;
}

int caps_save(CapsEffective *ret) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;

        *ret = (CapsEffective){ .low = data[0].effective, .high = data[1].effective };
        return 0;
}

int caps_set_effective(const CapsEffective *set) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;

        data[0].effective = set->low;
        data[1].effective = set->high;
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int caps_override_files(bool on) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
        const uint32_t bit = CAP_TO_MASK(CAP_DAC_OVERRIDE);

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        if (on && !(data[0].permitted & bit))
                return -EPERM;
        if (!(data[0].effective & bit) == !on)
                return 0;

        data[0].effective = on ? data[0].effective | bit : data[0].effective & ~bit;
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
