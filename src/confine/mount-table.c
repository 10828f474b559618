/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine/mount-table.h"

#include "base/fd.h"
#include "base/text.h"
#include "confine/mountfd.h"

#define MOUNT_TABLE_MAX (4U * 1024 * 1024)

void mount_table_done(MountTable *t) {
        free(t->text);
        free(t->lines);
        *t = (MountTable){};
}

/* The device may be empty. */
static int line_parse(char *line, MountLine *ret) {
        char *rest = NULL, *fields[6], *tail;
        uint64_t id, parent_id;
        const char *type;

        tail = strstr(line, " - ");
        if (!tail)
                return -EBADMSG;
        *tail = '\0';
        tail += strlen(" - ");
        type = strsep(&tail, " ");
        (void) strsep(&tail, " ");
        if (!tail)
                return -EBADMSG;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                fields[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
                if (!fields[i])
                        return -EBADMSG;
        }
        if (parse_u64(fields[0], &id) < 0 || parse_u64(fields[1], &parent_id) < 0)
                return -EBADMSG;

        text_unescape_octal(fields[4]);
        *ret = (MountLine){
                .id = id,
                .parent_id = parent_id,
                .root = fields[3],
                .path = fields[4],
                .options = fields[5],
                .type = type,
                .type_options = tail,
        };
        return 0;
}

int mount_table_read(int dir_fd, const char *path, MountTable *ret) {
        _cleanup_mount_table_ MountTable t = {};
        size_t n_lines = 0;
        char *rest = NULL;
        int r;

        r = file_read_full(dir_fd, path, MOUNT_TABLE_MAX, &t.text, NULL);
        if (r < 0)
                return r;

        for (const char *p = t.text; *p != '\0'; p++)
                n_lines += *p == '\n';
        t.lines = calloc(n_lines + 1, sizeof(*t.lines));
        if (!t.lines)
                return -ENOMEM;

        for (char *line = strtok_r(t.text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                r = line_parse(line, &t.lines[t.n++]);
                if (r < 0)
                        return r;
        }

        *ret = t;
        t = (MountTable){};
        return 0;
}

const MountLine *mount_table_find(const MountTable *t, int fd) {
        uint64_t id;

        if (mount_identify(fd, &id, NULL) < 0)
                return NULL;

        for (size_t i = 0; i < t->n; i++)
                if (t->lines[i].id == id)
                        return &t->lines[i];

        return NULL;
}

const MountLine *mount_table_above(const MountTable *t, const char *path) {
        const MountLine *nearest = NULL;

        for (size_t i = 0; i < t->n; i++)
                if (path_is_below(path, t->lines[i].path) &&
                    (!nearest || path_is_below(t->lines[i].path, nearest->path)))
                        nearest = &t->lines[i];

        return nearest;
}

bool mount_has_option(const char *options, const char *option) {
        const size_t n = strlen(option);

        for (const char *p = options; *p != '\0'; p += strcspn(p, ","), p += *p == ',')
                if (strcspn(p, ",") == n && strncmp(p, option, n) == 0)
                        return true;

        return false;
}

bool mount_is_private(const MountLine *m) {
        return startswith(m->type, "fuse") && !mount_has_option(m->type_options, "allow_other");
}
