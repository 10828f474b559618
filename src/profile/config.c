/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile/config.h"

#include "base/strv.h"
#include "base/text.h"
#include "profile/names.h"
#include "profile/profile-parse.h"
#include "profile/strict-file.h"
#include "profile/strict-ini.h"

#include <fcntl.h>
#include <libgen.h>

typedef struct ConfigKey ConfigKey;
typedef int (*ConfigParser)(const ConfigKey *key, const char *text, Config *c);

struct ConfigKey {
        const char *section;
        const char *name;
        ConfigParser parse; /* NULL: known, but not supported by this version */
        size_t offset;
        uint64_t min, max;
        bool list;
        const char *default_text;
        const char *syntax;
};

static void *config_field(const ConfigKey *key, Config *c) { return (uint8_t *) c + key->offset; }

static int config_parse_u32(const ConfigKey *key, const char *text, Config *c) {
        uint32_t value;
        int r;

        r = parse_u32(text, &value);
        if (r < 0)
                return r;
        if (value < key->min || value > key->max)
                return -ERANGE;

        *(uint32_t *) config_field(key, c) = value;
        return 0;
}

static int config_parse_usec(const ConfigKey *key, const char *text, Config *c) {
        uint64_t value;
        int r;

        r = parse_usec(text, &value);
        if (r < 0)
                return r;
        if (value < key->min || value > key->max)
                return -ERANGE;

        *(uint64_t *) config_field(key, c) = value;
        return 0;
}

/* The broker never ends for being idle, so a time here would promise what nobody keeps. */
static int config_parse_never(const ConfigKey *key, const char *text, Config *c) {
        uint64_t value;
        int r;

        r = parse_usec(text, &value);
        if (r < 0)
                return r;
        if (value != USEC_INFINITY)
                return -EOPNOTSUPP;

        *(uint64_t *) config_field(key, c) = value;
        return 0;
}

static int config_parse_bool(const ConfigKey *key, const char *text, Config *c) {
        return parse_boolean(text, config_field(key, c));
}

static int config_parse_expired(const ConfigKey *key, const char *text, Config *c) {
        const bool refused = streq(text, "refuse");

        if (!refused && !streq(text, "allow"))
                return -EINVAL;

        *(bool *) config_field(key, c) = refused;
        return 0;
}

static int config_parse_layers(const ConfigKey *key, const char *text, Config *c) {
        _cleanup_strv_ char **words = NULL;
        char ***field = config_field(key, c);
        int r;

        if (!*text) {
                *field = strv_free(*field);
                return 0;
        }

        r = split_words(text, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words)
                if (!layer_name_is_valid(*word))
                        return -EINVAL;
        if (strv_length(*field) + strv_length(words) > key->max)
                return -ERANGE;

        return strv_extend_strv(field, words);
}

#define KEY(s, n, parser, field, lo, hi, l, d, syn)                                                     \
        {                                                                                               \
                .section = s, .name = n, .parse = parser, .offset = offsetof(Config, field), .min = lo, \
                .max = hi, .list = l, .default_text = d, .syntax = syn                                  \
        }
#define LATER(s, n) \
        { .section = s, .name = n }

/* clang-format off */
static const ConfigKey config_keys[] = {
        KEY("Broker", "MaxSandboxes", config_parse_u32, max_sandboxes, 1, 1 << 20, false, "4096", "1…1048576"),
        KEY("Broker", "IdleTimeoutSec", config_parse_never, idle_timeout_usec, 0, 0, false, "infinity", "infinity"),
        KEY("Broker", "Degrade", config_parse_layers, degrade, 0, 64, true, "", "layer…"),
        KEY("Users", "MaxSandboxesPerUser", config_parse_u32, max_sandboxes_per_user, 1, 1 << 16, false, "32",
            "1…65536"),
        KEY("Users", "MaxRequestsInFlight", config_parse_u32, max_requests_in_flight, 1, 1024, false, "8", "1…1024"),
        KEY("Users", "LaunchRateBurst", config_parse_u32, launch_rate_burst, 1, 1 << 20, false, "20", "1…1048576"),
        KEY("Users", "LaunchRateIntervalSec", config_parse_usec, launch_rate_interval_usec, USEC_PER_MSEC,
            USEC_INFINITY - 1, false, "60", "time"),
        KEY("Users", "Expired", config_parse_expired, expired_refused, 0, 1, false, "refuse", "refuse|allow"),
        LATER("Network", "Pool4"),
        LATER("Network", "Pool6"),
        KEY("Audit", "RecordRateBurst", config_parse_u32, record_rate_burst, 1, 1 << 20, false, "100", "1…1048576"),
        KEY("Audit", "RecordRateIntervalSec", config_parse_usec, record_rate_interval_usec, USEC_PER_MSEC,
            USEC_INFINITY - 1, false, "60", "time"),
        KEY("Audit", "LogLaunches", config_parse_bool, log_launches, 0, 1, false, "yes", "yes|no"),
};
/* clang-format on */

void config_done(Config *c) { c->degrade = strv_free(c->degrade); }

static int config_apply(const ConfigKey *key, const char *text, Config *c) {
        return key->parse(key, key->list || *text ? text : key->default_text, c);
}

static int config_defaults(Config *c) {
        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++) {
                int r = config_keys[i].parse ? config_apply(&config_keys[i], "", c) : 0;

                if (r < 0)
                        return r;
        }

        return 0;
}

static const ConfigKey *config_key_find(const char *section, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++)
                if (streq(config_keys[i].section, section) && streq(config_keys[i].name, name))
                        return &config_keys[i];

        return NULL;
}

/* One line. A line that is refused is a finding, and returns 0. */
static int config_line(Config *c, const char *file, const StrictItem *item, Findings *findings) {
        const ConfigKey *key = config_key_find(item->section, item->key);
        char buf[FINDING_VALUE_SIZE];
        int r;

        if (!key)
                return findings_add(
                        findings, file, item->line, item->key, "unknown key in [%s]", item->section);
        if (!key->parse)
                return findings_add(
                        findings, file, item->line, item->key, "is not supported by this version");

        r = config_apply(key, item->value, c);
        if (r == 0 || r == -ENOMEM)
                return r;

        return findings_add(findings,
                            file,
                            item->line,
                            item->key,
                            "“%s” is %s; expected %s",
                            finding_shorten(item->value, buf),
                            finding_of_error(r),
                            key->syntax);
}

/* A scalar stands once in a file. */
static const StrictItem *config_earlier(const StrictItems *lines, size_t i) {
        const StrictItem *item = &lines->items[i];
        const ConfigKey *key = config_key_find(item->section, item->key);

        for (size_t j = 0; key && !key->list && j < i; j++)
                if (streq(lines->items[j].section, item->section) && streq(lines->items[j].key, item->key))
                        return &lines->items[j];

        return NULL;
}

static int config_file(
        Config *c, int dir_fd, const char *name, const char *path, uid_t required_uid, Findings *findings) {
        _cleanup_strict_items_ StrictItems lines = {};
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        if (strict_file_is_mask(dir_fd, name))
                return 0;

        r = strict_file_read(dir_fd, name, path, required_uid, &data, &size, findings);
        if (r == -ENOENT || r == -EBADMSG)
                return 0; /* no file could be read, and the findings say why */
        if (r == 0)
                r = strict_ini_parse(path, data, size, &lines, findings);
        if (r < 0 && r != -EBADMSG)
                return r;

        for (size_t i = 0; i < lines.n_items; i++) {
                const StrictItem *earlier = config_earlier(&lines, i);

                if (earlier)
                        r = findings_add(findings,
                                         path,
                                         lines.items[i].line,
                                         lines.items[i].key,
                                         "is given twice in this file, first in line %u",
                                         earlier->line);
                else
                        r = config_line(c, path, &lines.items[i], findings);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int config_dropins(Config *c, const char *path, uid_t required_uid, Findings *findings) {
        _cleanup_strict_directory_ StrictDirectory d = { .fd = -EBADF };
        _cleanup_free_ char *dir_path = NULL;
        _cleanup_strv_ char **names = NULL;
        int r;

        dir_path = text_printf("%s.d", path);
        if (!dir_path)
                return -ENOMEM;

        r = strict_directory_open(&d, AT_FDCWD, dir_path, dir_path, required_uid);
        if (r == 0 && d.refusal)
                return findings_add_file(findings, dir_path, "%s", d.refusal);
        if (r == 0)
                r = strict_directory_list(&d, ".conf", &names);
        if (r < 0)
                return r == -ENOMEM ? r
                                    : findings_add_file(
                                              findings, dir_path, "cannot be read: %s", strerrordesc_np(-r));

        STRV_FOREACH (name, names) {
                _cleanup_free_ char *shown = NULL, *file = NULL;

                shown = text_escape(*name);
                file = shown ? text_printf("%s/%s", dir_path, shown) : NULL;
                if (!file)
                        return -ENOMEM;
                r = config_file(c, d.fd, *name, file, required_uid, findings);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int config_main_file(Config *c, const char *path, uid_t required_uid, Findings *findings) {
        _cleanup_strict_directory_ StrictDirectory d = { .fd = -EBADF };
        _cleanup_free_ char *copy = NULL, *copy2 = NULL;
        const char *parent;
        int r;

        copy = strdup(path);
        copy2 = strdup(path);
        if (!copy || !copy2)
                return -ENOMEM;

        parent = dirname(copy);
        r = strict_directory_open(&d, AT_FDCWD, parent, parent, required_uid);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return findings_add_file(findings, parent, "cannot be opened: %s", strerrordesc_np(-r));
        if (d.fd < 0)
                return 0;
        if (d.refusal)
                return findings_add_file(findings, parent, "%s", d.refusal);

        return config_file(c, d.fd, basename(copy2), path, required_uid, findings);
}

int config_load(Config *ret, const char *path, uid_t required_uid, Findings *findings) {
        _cleanup_config_ Config c = {};
        size_t n_before = findings->n_items;
        int r;

        r = config_defaults(&c);
        if (r == 0)
                r = config_main_file(&c, path, required_uid, findings);
        if (r == 0)
                r = config_dropins(&c, path, required_uid, findings);
        if (r < 0)
                return r;
        if (findings->n_items > n_before)
                return -EBADMSG;

        *ret = c;
        c = (Config){};
        return 0;
}
