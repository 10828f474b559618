/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/place.h"

#include "base/text.h"

#include <limits.h>
#include <stdio.h>

#define NAME_SIZE_MAX 64U

/*
 * An application that can talk to one of these can ask a service outside, as the user, to do what the sandbox denies.
 * The directories above them are forbidden as well, as binding one would bring the socket along. Links to them are
 * not: they lead nowhere inside.
 */
/* clang-format off */
static const struct {
        const char *path;
        bool link;
} forbidden_sources[] = {
        { "/proc",        false },
        { "/sys",         false },
        { "/dev",         false },
        { "/run/dbus",    false },
        { "/run/immured", false },
        { "/run/systemd", false },
        { "/run/user",    false },
        { "/var/run",     true  },
};

/* What the kernel shows in these must be about this sandbox. */
static const char *const own_places[] = { "/proc", "/dev", "/sys" };

/*
 * In /dev, but not device nodes that can be given away: file systems, links, and the terminals, which lead to whoever
 * sits at them.
 */
static const char *const no_devices[] = {
        "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/hugepages", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr",
        "/dev/ptmx", "/dev/console", "/dev/tty", "/dev/log", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg",
};
/* clang-format on */

/* The leading part of a text that is the same whatever its specifiers stand for. False: there is none. */
static bool fixed_part(const char *text, char ret[static PATH_MAX]) {
        const char *rest = startswith(text, "%t");
        size_t n;

        /* The user's directory below /run, for any user. */
        if (rest && snprintf(ret, PATH_MAX, "/run/user/0") > 0)
                return true;

        n = strcspn(text, "%");
        while (n > 0 && text[n] != '\0' && text[n] != '/')
                n--;
        if (n == 0 || n >= PATH_MAX)
                return false;

        (void) snprintf(ret, PATH_MAX, "%.*s", (int) n, text);
        return true;
}

static bool has_specifier(const char *text) { return strchr(text, '%'); }

static const char *refuse_source(const char *path, bool whole) {
        for (size_t i = 0; i < ELEMENTSOF(forbidden_sources); i++) {
                const char *f = forbidden_sources[i].path;

                if (path_is_below(path, f) ||
                    (whole && !forbidden_sources[i].link && path_is_below(f, path)))
                        return "is or contains a file system of the kernel's or a socket that leads out of the "
                               "sandbox";
        }

        return NULL;
}

const char *place_refuse_source(const char *path) { return refuse_source(path, true); }

const char *place_refuse_source_text(const char *text) {
        char part[PATH_MAX];

        if (!has_specifier(text))
                return refuse_source(text, true);

        return fixed_part(text, part) ? refuse_source(part, false) : NULL;
}

const char *place_refuse_target(const char *path) {
        if (streq(path, "/"))
                return "is the root itself, which cannot be replaced";

        for (size_t i = 0; i < ELEMENTSOF(own_places); i++)
                if (path_is_below(path, own_places[i]))
                        return "would cover a part of the sandbox's own /proc, /dev or /sys";

        return NULL;
}

const char *place_refuse_target_text(const char *text) {
        char part[PATH_MAX];

        if (!has_specifier(text))
                return place_refuse_target(text);

        return fixed_part(text, part) ? place_refuse_target(part) : NULL;
}

/* Links of the kernel's, which lead each process to something of its own. */
static const char *const own_links[] = { "/proc/self", "/proc/thread-self", "/proc/mounts", "/proc/net" };

static bool is_own_link(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(own_links); i++)
                if (path_is_below(path, own_links[i]))
                        return true;

        return false;
}

const char *place_refuse_change(const char *path, bool mount_only) {
        bool own = streq(path, "/");

        for (size_t i = 0; i < ELEMENTSOF(own_places); i++)
                own = own || streq(path, own_places[i]);
        if (own)
                return "can be named only in parts: what lies below it";

        if (is_own_link(path))
                return "leads each process to a place of its own";

        return mount_only && path_is_below(path, "/proc") ? "lies below /proc" : NULL;
}

const char *place_refuse_change_text(const char *text, bool mount_only) {
        char part[PATH_MAX];

        if (!has_specifier(text))
                return place_refuse_change(text, mount_only);

        /* More follows, so it does not matter what this part is as a whole. */
        return mount_only && fixed_part(text, part) && path_is_below(part, "/proc") ? "lies below /proc"
                                                                                    : NULL;
}

const char *place_refuse_device(const char *path) {
        if (!startswith(path, "/dev/"))
                return "is no device node below /dev";

        for (size_t i = 0; i < ELEMENTSOF(no_devices); i++)
                if (path_is_below(path, no_devices[i]))
                        return "is no device of its own, or one that leads out of the sandbox";

        return NULL;
}

const char *place_refuse_device_text(const char *text) {
        char part[PATH_MAX];

        if (!has_specifier(text))
                return place_refuse_device(text);
        if (!fixed_part(text, part))
                return NULL;

        return streq(part, "/dev") ? NULL : place_refuse_device(part);
}

bool place_name_is_valid(const char *s) {
        static const char letters[] = ASCII_LOWER ASCII_UPPER ASCII_DIGITS "_";

        return name_is_valid(s, letters, ASCII_LOWER ASCII_UPPER ASCII_DIGITS "._-", NAME_SIZE_MAX);
}
