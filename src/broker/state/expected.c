/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/expected.h"

#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "broker/state/cgroups.h"
#include "link/app-name.h"

#include <dirent.h>
#include <stdio.h>

/* A keeper connects within some 0.1 s; one that takes longer is stuck, and others are not to wait for it. */
#define EXPECTED_MAX_USEC USEC_PER_SEC

DEFINE_CLEANUP(DIR *, closedir);

struct Expected {
        char **units;
        sd_event_source *wake; /* at the latest then */
        void (*handler)(void *userdata);
        void *userdata;
};

static bool is_keeper_unit(const char *name) {
        const char *suffix = strrchr(name, '.');

        return suffix && streq(suffix, ".service") &&
               (startswith(name, "immured-user@") || startswith(name, APP_UNIT_PREFIX));
}

/* Two levels: slices of users, and units in them. */
static int look(Expected *e, const char *path, bool in_slice) {
        _cleanup_(closedirp) DIR *d = opendir(path);
        int r = 0;

        if (!d)
                return errno == ENOENT ? 0 : -errno;

        for (struct dirent *entry; r >= 0 && (entry = readdir(d));) {
                _cleanup_free_ char *child = NULL;

                if (entry->d_type != DT_DIR ||
                    !(in_slice ? is_keeper_unit(entry->d_name) : !!startswith(entry->d_name, "immured-")))
                        continue;

                child = text_printf("%s/%s", path, entry->d_name);
                if (!child)
                        return -ENOMEM;
                if (!in_slice)
                        r = look(e, child, true);
                else if (cgroup_has_processes(child, "keeper"))
                        r = strv_extend(&e->units, entry->d_name);
        }

        return r;
}

static int on_wake(sd_event_source *s, uint64_t usec, void *userdata) {
        Expected *e = userdata;

        STRV_FOREACH (name, e->units)
                log_warning("%s has not said what it keeps: its sandboxes are not known yet", *name);

        e->units = strv_free(e->units);
        e->handler(e->userdata);
        return 0;
}

int expected_new(Expected **ret,
                 sd_event *event,
                 const char *hierarchy,
                 void (*handler)(void *userdata),
                 void *userdata) {
        _cleanup_free_ char *top = text_printf("%s/immured.slice", hierarchy ?: "");
        _cleanup_(expected_freep) Expected *e = NULL;
        int r;

        if (!top)
                return -ENOMEM;

        e = calloc(1, sizeof(*e));
        if (!e)
                return -ENOMEM;
        e->handler = handler;
        e->userdata = userdata;

        r = hierarchy ? look(e, top, false) : 0;
        if (r < 0)
                return r;

        if (e->units) {
                r = sd_event_add_time_relative(
                        event, &e->wake, CLOCK_MONOTONIC, EXPECTED_MAX_USEC, 1, on_wake, e);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(e);
        return 0;
}

Expected *expected_free(Expected *e) {
        if (!e)
                return NULL;

        (void) sd_event_source_disable_unref(e->wake);
        (void) strv_free(e->units);
        free(e);
        return NULL;
}

bool expected_any(const Expected *e) { return e->units && e->units[0]; }

void expected_heard(Expected *e, uid_t uid, const char *app) {
        char name[sizeof(APP_UNIT_PREFIX ".service") + APP_NAME_SIZE];

        if (*app)
                (void) snprintf(name, sizeof(name), APP_UNIT_PREFIX "%s.service", app);
        else
                (void) snprintf(name, sizeof(name), "immured-user@%u.service", uid);

        if (!expected_any(e))
                return;

        for (char **unit = e->units; *unit; unit++)
                if (streq(*unit, name)) {
                        char **last = e->units + strv_length(e->units) - 1;

                        free(*unit);
                        *unit = *last;
                        *last = NULL;
                        break;
                }
        /* From the loop, as whoever waited goes on then, and this keeper is still speaking. */
        if (!expected_any(e))
                (void) sd_event_source_set_time_relative(e->wake, 0);
}
