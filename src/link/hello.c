/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/hello.h"

#include "link/bus-dict.h"
#include "link/link.h"

/* clang-format off */
static const BusField facts[] = {
        { "LinkMin", 'u', offsetof(LinkHello, link_min) },
        { "LinkMax", 'u', offsetof(LinkHello, link_max) },
        { "PlanMin", 'u', offsetof(LinkHello, plan_min) },
        { "PlanMax", 'u', offsetof(LinkHello, plan_max) },
        { "UID",     'u', offsetof(LinkHello, uid) },
        { "App",     's', offsetof(LinkHello, app) },
        { "Program", 's', offsetof(LinkHello, program) },
};
/* clang-format on */

#define ALL_SEEN ((1U << ELEMENTSOF(facts)) - 1)

int link_hello_append(sd_bus_message *m, const LinkHello *hello) {
        return bus_dict_append_fields(m, facts, ELEMENTSOF(facts), hello);
}

int link_hello_read(sd_bus_message *m, LinkHello *ret) {
        LinkHello hello = { 0 };
        uint32_t seen;
        int r;

        r = bus_dict_read_fields(m, facts, ELEMENTSOF(facts), &hello, &seen);
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        if (seen != ALL_SEEN || hello.link_min > hello.link_max || hello.plan_min > hello.plan_max)
                return -EBADMSG;

        *ret = hello;
        return 0;
}

uint32_t version_common(uint32_t min, uint32_t max, uint32_t other_min, uint32_t other_max) {
        uint32_t highest = MIN(max, other_max);

        return highest >= MAX(min, other_min) ? highest : 0;
}

/*
 * Those with 0 are frozen, in name, arguments and meaning, as are Hello, SandboxChanged, SandboxRemoved and what a
 * record must hold: a broker that speaks no version of a keeper's still has to list, stop, kill and await what that
 * one keeps, or an upgrade would leave sandboxes behind that nobody can end.
 */
/* clang-format off */
static const struct {
        const char *name;
        uint32_t since;
} keeper_members[] = {
        { "Stop",         0 },
        { "Kill",         0 },
        { "ResetFailed",  0 },
        { "Launch",       2 },
        { "Restart",      2 },
        { "Freeze",       2 },
        { "Thaw",         2 },
        { "SetLimits",    2 },
        { "GetProcesses", 2 },
        { "GetFaults",    2 },
};
/* clang-format on */

uint32_t link_member_since(const char *member) {
        for (size_t i = 0; i < ELEMENTSOF(keeper_members); i++)
                if (streq(keeper_members[i].name, member))
                        return keeper_members[i].since;

        return LINK_VERSION;
}
