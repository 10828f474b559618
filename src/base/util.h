/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * util — the few macros that every file may use: arrays, ownership, cleanup
 *
 * Ownership shows at the declaration: a variable marked _cleanup_… owns its value until TAKE_PTR() or TAKE_FD()
 * hands it on. Every destructor takes NULL (or -EBADF) and returns NULL.
 *
 * Runs in: everything. Privilege: none. Input: none.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))
#define _cleanup_(fn) __attribute__((__cleanup__(fn)))
#define _printf_(a, b) __attribute__((__format__(__printf__, a, b)))
#define _noreturn_ __attribute__((__noreturn__))
#define _packed_ __attribute__((packed))
#define _unused_ __attribute__((__unused__))

#define MAX(a, b)                                      \
        ({                                             \
                __typeof__(a) _max_a_ = (a);           \
                __typeof__(b) _max_b_ = (b);           \
                _max_a_ > _max_b_ ? _max_a_ : _max_b_; \
        })
#define MIN(a, b)                                      \
        ({                                             \
                __typeof__(a) _min_a_ = (a);           \
                __typeof__(b) _min_b_ = (b);           \
                _min_a_ < _min_b_ ? _min_a_ : _min_b_; \
        })

/* Hand a value on and leave NULL (or -EBADF) behind, so that _cleanup_ does not release it. */
#define TAKE_PTR(p)                          \
        ({                                   \
                __typeof__(p) _taken_ = (p); \
                (p) = NULL;                  \
                _taken_;                     \
        })
#define TAKE_FD(fd)                 \
        ({                          \
                int _taken_ = (fd); \
                (fd) = -EBADF;      \
                _taken_;            \
        })

/* Defines FN##p(), which _cleanup_() wants, for a destructor that takes NULL. */
#define DEFINE_CLEANUP(type, fn)            \
        static inline void fn##p(type *p) { \
                if (*p)                     \
                        fn(*p);             \
        }                                   \
        struct _cleanup_semicolon_

static inline void freep(void *p) { free(*(void **) p); }

/* Closes fd if it is open, keeps errno, returns -EBADF: fd = safe_close(fd). */
static inline int safe_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                (void) close(fd);
                errno = saved;
        }

        return -EBADF;
}

static inline void closep(int *fd) { (void) safe_close(*fd); }

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

#define streq(a, b) (strcmp((a), (b)) == 0)

/* The text after the prefix, or NULL where s does not start with it. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}
