/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* enable, disable: applications that their own units start at boot */

#include "base/text.h"
#include "ctl/app-unit.h"
#include "ctl/client.h"
#include "ctl/lint.h"
#include "ctl/systemd.h"
#include "ctl/verb.h"
#include "plan/account-lookup.h"

#include <stdio.h>

static int check_root(const char *verb) {
        return geteuid() == 0 ? 0 : ctl_error(-EPERM, "Only root may %s applications", verb);
}

static int look_up(const char *user, Account **ret) {
        uid_t uid;

        return parse_id(user, &uid) >= 0 ? account_look_up(NULL, uid, ret) : account_look_up(user, 0, ret);
}

/* Says now what the broker would refuse at boot. It checks again then, as the files may have changed. */
static int check_app(const Account *account, const char *name) {
        _cleanup_(profile_unrefp) Profile *profile = NULL;
        int r;

        r = lint_profile(name, &profile);
        if (r < 0)
                return r;
        if (profile->abstract)
                return ctl_error(-EINVAL, "Profile %s is abstract: only others inherit from it", name);
        if (!profile->enabled)
                return ctl_error(-EINVAL, "Profile %s has Enabled=no", name);
        if (account->uid != 0 && !account_is_admitted(account, profile))
                return ctl_error(-EACCES,
                                 "User %s may not run profile %s: its section [Access] does not allow it",
                                 account->name,
                                 name);

        return 0;
}

/* Opens the bus, or none if systemd is not running, as when an image is built. */
static int open_systemd(const Options *o, sd_bus **ret) {
        if (systemd_is_there())
                return systemd_open(ret);
        if (o->now)
                return ctl_error(-EHOSTDOWN, "--now: systemd is not running here");

        return 0;
}

static int reload(sd_bus *bus) { return systemd_call(bus, "cannot reload", "Reload", NULL); }

static int link_unit(sd_bus *bus, const char *unit) {
        const char *template;
        int r;

        if (bus) {
                r = systemd_call(
                        bus, "cannot enable the unit", "EnableUnitFiles", "asbb", 1, unit, false, false);
                return r < 0 ? r : reload(bus);
        }

        template = app_unit_find_template();
        if (!template)
                return ctl_error(-ENOENT, "There is no " APP_UNIT_TEMPLATE " where systemd looks for units");

        r = app_unit_link(APP_UNIT_DIRECTORY, unit, template);
        return r < 0 ? ctl_error(r, "Cannot link %s: %s", unit, strerror(-r)) : 0;
}

int verb_enable(const Options *o, int n, char **args) {
        _cleanup_(account_freep) Account *account = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        char unit[APP_UNIT_SIZE];
        int r;

        r = check_root("enable");
        if (r < 0)
                return r;

        r = look_up(args[0], &account);
        if (r < 0)
                return ctl_error(
                        r, "User %s: %s", args[0], r == -ENOENT ? "there is no such user" : strerror(-r));

        r = check_app(account, args[1]);
        if (r >= 0)
                r = open_systemd(o, &bus);
        if (r < 0)
                return r;

        /* The slice first: outside of it the unit would escape the user's limits, and so refuses to run. */
        app_unit_name(account->name, account->uid, args[1], unit);
        r = app_unit_set_slice(APP_UNIT_DIRECTORY, unit, account->uid);
        if (r < 0)
                return ctl_error(r, "Cannot write the slice of %s: %s", unit, strerror(-r));

        r = link_unit(bus, unit);
        if (r < 0)
                return r;

        if (!o->quiet)
                printf("%s is enabled.\n", unit);
        if (o->now) {
                r = systemd_run_job(bus, "StartUnit", unit);
                if (r < 0)
                        return r;
        }

        return output_flush();
}

/* Also for a user or a profile that does not exist any more. */
static int name_unit(const char *user, const char *profile, char ret[static APP_UNIT_SIZE]) {
        _cleanup_(account_freep) Account *account = NULL;
        uid_t uid = 0;

        if (!profile_name_is_valid(profile))
                return ctl_error(-EINVAL, "'%s' is no name of a profile", profile);

        if (look_up(user, &account) >= 0)
                app_unit_name(account->name, account->uid, profile, ret);
        else if (parse_id(user, &uid) >= 0 || account_name_is_valid(user))
                app_unit_name(user, uid, profile, ret);
        else
                return ctl_error(-EINVAL, "'%s' is no name of a user", user);

        return 0;
}

static int unlink_unit(sd_bus *bus, const char *unit) {
        int r;

        if (bus)
                return systemd_call(
                        bus, "cannot disable the unit", "DisableUnitFiles", "asb", 1, unit, false);

        r = app_unit_unlink(APP_UNIT_DIRECTORY, unit);
        return r < 0 ? ctl_error(r, "Cannot remove the link of %s: %s", unit, strerror(-r)) : 0;
}

int verb_disable(const Options *o, int n, char **args) {
        _cleanup_bus_ sd_bus *bus = NULL;
        char unit[APP_UNIT_SIZE];
        int r;

        r = check_root("disable");
        if (r >= 0)
                r = name_unit(args[0], args[1], unit);
        if (r >= 0)
                r = open_systemd(o, &bus);
        if (r >= 0 && o->now)
                r = systemd_run_job(bus, "StopUnit", unit);
        if (r >= 0)
                r = unlink_unit(bus, unit);
        if (r < 0)
                return r;

        r = app_unit_unset_slice(APP_UNIT_DIRECTORY, unit);
        if (r < 0)
                return ctl_error(r, "Cannot remove the slice of %s: %s", unit, strerror(-r));
        if (bus) {
                r = reload(bus);
                if (r < 0)
                        return r;
        }

        if (!o->quiet)
                printf("%s is disabled.\n", unit);
        return output_flush();
}
