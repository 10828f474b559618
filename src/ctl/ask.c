/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/ask.h"

#include "ctl/agent.h"
#include "link/link.h"

#include <unistd.h>

/* Another user's sandbox is hidden from those who may not see it, and polkit may still let them. */
static const char *const worth_asking[] = {
        SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
        ERROR_NO_SUCH_SANDBOX,
        ERROR_NO_SUCH_USER,
};

static bool forbidden;

void ask_forbid(void) { forbidden = true; }

/* polkit allows root everything, and without a terminal there is nobody to ask. */
static bool may_ask(void) { return !forbidden && geteuid() != 0 && isatty(STDIN_FILENO); }

bool ask_may_help(const sd_bus_error *error) {
        if (!may_ask())
                return false;

        for (size_t i = 0; i < ELEMENTSOF(worth_asking); i++)
                if (sd_bus_error_has_name(error, worth_asking[i]))
                        return true;

        return false;
}

int ask_again(sd_bus *bus, sd_bus_message *m, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *copy = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus,
                                           &copy,
                                           sd_bus_message_get_destination(m),
                                           sd_bus_message_get_path(m),
                                           sd_bus_message_get_interface(m),
                                           sd_bus_message_get_member(m));
        if (r < 0)
                return r;

        r = sd_bus_message_set_allow_interactive_authorization(copy, true);
        if (r < 0)
                return r;

        r = sd_bus_message_rewind(m, true);
        if (r < 0)
                return r;

        r = sd_bus_message_copy(copy, m, true);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(copy);
        return 0;
}

int ask_call(sd_bus *bus, sd_bus_message *m, sd_bus_error *error, sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *again = NULL;
        _cleanup_agent_ Agent agent = AGENT_NONE;
        int r;

        r = sd_bus_call(bus, m, UINT64_MAX, error, ret_reply);
        if (r >= 0 || !ask_may_help(error))
                return r;
        if (ask_again(bus, m, &again) < 0)
                return r;

        /* No agent of ours; a desktop may have one. */
        (void) agent_open(&agent);

        sd_bus_error_free(error);
        return sd_bus_call(bus, again, UINT64_MAX, error, ret_reply);
}
