/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/call/audit-kernel.h"

#include "base/buffer.h"
#include "base/log.h"

#if HAVE_AUDIT

#include <libaudit.h>

/* name=value, encoded where the value has blanks, quotes or control characters. */
static int append(Buffer *b, const char *name, const char *value) {
        _cleanup_free_ char *pair = NULL;

        if (!value)
                return 0;

        pair = audit_encode_nv_string(name, value, 0);
        if (!pair)
                return -ENOMEM;

        buffer_printf(b, " %s", pair);
        return 0;
}

/* The line, without what the kernel and libaudit add. Caller frees. -ENOMEM. */
static int
record_to_text(const char *verb, uid_t caller, const char *error, const AuditNote *note, char **ret) {
        const struct {
                const char *name, *value;
        } pairs[] = {
                { "sandbox", note->id },
                { "profile", note->profile },
                { "profile_hash", note->profile_hash },
                { "acct", note->user },
                { "invocation", note->invocation_id },
                { "reason", error },
        };
        _cleanup_buffer_ Buffer b = {};
        int r;

        /* Neither is anybody's text. */
        buffer_printf(&b, "op=immured-%s caller_uid=%u", verb, caller);
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                r = append(&b, pairs[i].name, pairs[i].value);
                if (r < 0)
                        return r;
        }

        *ret = buffer_take_text(&b);
        return *ret ? 0 : -ENOMEM;
}

/* error is an errno, or 0 where there was no answer at all. */
static void give_up(int *fd, int error, const char *what) {
        /* That a kernel or a container has no audit is nothing to warn of. */
        static const int usual[] = { 0, EINVAL, EPROTONOSUPPORT, EAFNOSUPPORT, ECONNREFUSED };
        bool is_usual = false;

        for (size_t i = 0; i < ELEMENTSOF(usual); i++)
                is_usual = is_usual || usual[i] == error;
        if (!is_usual)
                (void) log_errno(-error, "%s; requests are recorded in the journal alone", what);

        audit_kernel_close(fd);
        *fd = -ENOTSUP;
}

void audit_kernel_write(int *fd, const char *verb, uid_t caller, const char *error, const AuditNote *note) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (*fd == -ENOTSUP)
                return;
        if (*fd < 0)
                *fd = audit_open();
        if (*fd < 0) {
                give_up(fd, errno, "The kernel's audit log cannot be opened");
                return;
        }

        if (record_to_text(verb, caller, error, note, &text) < 0) {
                (void) log_oom();
                return;
        }

        /* For some failures libaudit sets errno to the negative number that it returns. */
        r = audit_log_user_message(*fd, AUDIT_TRUSTED_APP, text, NULL, NULL, NULL, !error);
        if (r <= 0)
                give_up(fd, errno > 0 ? errno : -MIN(r, 0), "The kernel's audit log takes no record");
}

#else

void audit_kernel_write(int *fd, const char *verb, uid_t caller, const char *error, const AuditNote *note) {}

#endif

void audit_kernel_close(int *fd) { *fd = safe_close(*fd); }
