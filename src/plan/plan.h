/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * plan — everything immured-exec must do, resolved: no name to look up later, no choice still open
 *
 * Made by plan_compile() in the broker, carried as bytes in a sealed memfd to the keeper and on to immured-exec, both
 * of which decode it as if it were hostile. What belongs to one run only (sandbox id, invocation id, the picked host
 * ids, descriptors) travels beside it, so that equal requests have equal plans and equal hashes.
 *
 * Runs in: broker (compile, encode), keeper and exec (decode). Privilege: none. Input of the decoder: hostile.
 */

#include "base/sha256.h"
#include "base/util.h"
#include "profile/profile.h"

/* Ids inside and outside; outside counts from the picked base under PRIVATE_USERS_PICK, from 0 otherwise. */
typedef struct PlanIdMap {
        uint32_t inside, outside, count;
} PlanIdMap;

/* What a node of the tree is. On the wire: never renumber. */
typedef enum PlanNodeKind {
        PLAN_NODE_DIRECTORY = 0, /* mkdir, unless there */
        PLAN_NODE_SYMLINK = 1,   /* source is the text of the link */
        PLAN_NODE_FILE = 2,      /* data */
        PLAN_NODE_TMPFS = 3,     /* size, mode */
        PLAN_NODE_BIND = 4,      /* source on the host */
        PLAN_NODE_PROC = 5,
        PLAN_NODE_DEVICE = 6, /* source: a device node of the host */
        PLAN_NODE_DEVPTS = 7,
        PLAN_NODE_MQUEUE = 8,
        PLAN_NODE_MASK = 9,     /* an empty file or directory with mode 0 in front of the target */
        PLAN_NODE_REMOUNT = 10, /* the target bound on itself with these flags added */
        PLAN_NODE_OVERLAY = 11, /* the root: a directory of the host below a layer in memory; size */
        PLAN_NODE_SOCKET = 12,  /* the socket for notifications, which the keeper holds */
        _PLAN_NODE_KIND_MAX,
} PlanNodeKind;

enum {
        PLAN_NODE_READ_ONLY = 1 << 0,
        PLAN_NODE_NO_SUID = 1 << 1,
        PLAN_NODE_NO_DEV = 1 << 2,
        PLAN_NODE_NO_EXEC = 1 << 3,
        PLAN_NODE_RECURSIVE = 1 << 4,
        PLAN_NODE_OPTIONAL = 1 << 5,     /* a source or target that does not exist is passed over */
        PLAN_NODE_AS_USER = 1 << 6,      /* the source is opened with the user's credentials */
        PLAN_NODE_IDMAP = 1 << 7,        /* through an idmapped mount of the sandbox's user namespace */
        PLAN_NODE_OWNED = 1 << 8,        /* belongs to the user, not to root */
        PLAN_NODE_HIDE_PIDS = 1 << 9,    /* proc: hidepid=invisible */
        PLAN_NODE_PID_ONLY = 1 << 10,    /* proc: subset=pid */
        PLAN_NODE_LOCK_PIDS = 1 << 11,   /* proc: hidepid=noaccess */
        PLAN_NODE_TRACED_PIDS = 1 << 12, /* proc: hidepid=ptraceable */
        PLAN_NODE_STATE =
                1 << 13, /* the source is a directory of the user's that is made where there is none */
        _PLAN_NODE_FLAGS_ALL = (1 << 14) - 1,

        /* In no plan on its way: what a launch found out. */
        PLAN_NODE_ABSENT = 1 << 14, /* optional, and its source is not there */
};

/* Below these lie the directories that sandboxes keep, as UID/PROFILE/…: root's all but the last, the user's. */
#define PLAN_STATE_ROOT "/var/lib/immured"
#define PLAN_CACHE_ROOT "/var/cache/immured"

/* Where an application finds the socket for its notifications; nothing else is in that directory. */
#define PLAN_NOTIFY_DIRECTORY "/run/immured"
#define PLAN_NOTIFY_SOCKET PLAN_NOTIFY_DIRECTORY "/notify"

/* EXTEND_TIMEOUT_USEC= of sd_notify(3) prolongs a timeout to at most this many times its length. */
#define PLAN_EXTENSION_MAX 10U

/*
 * Nodes are made in their order; target is absolute and normalized, inside the sandbox. Parents come first. Below a
 * bind nothing is ever created, as that would be on the host: a place to mount on must exist there. Remounts come
 * last, mixed with binds that open a part of a read-only path again, and masks after these.
 */
typedef struct PlanNode {
        uint8_t kind;   /* PlanNodeKind */
        uint32_t flags; /* an overlay's IDMAP: what is root's in the directory is the application's */
        char *source;   /* NULL where the kind has none */
        char *target;
        char *data;
        uint64_t size;
        uint32_t mode;
} PlanNode;

typedef struct PlanRlimit {
        uint8_t resource; /* RLIMIT_* */
        uint64_t soft, hard;
} PlanRlimit;

/*
 * One value for the sandbox's cgroup, written by the keeper as it stands; but for "io.max", where the value begins
 * with a path ("/dev/vda rbps=1048576") that the keeper replaces by the MAJ:MIN of its device, or of the one it is on.
 */
typedef struct PlanCgroupValue {
        char *file;  /* "memory.max" */
        char *value; /* "67108864" */
        char *layer; /* the controller, as Degrade= names it: "memory" */
} PlanCgroupValue;

typedef struct Plan {
        /* for whom, and by which profile */
        char *profile;
        char *profile_hash;
        char *user;
        uint32_t uid, gid;
        uint32_t *groups; /* supplementary, as inside; gid is among them */
        size_t n_groups;
        char *instance;

        /* what runs */
        char **argv;
        char **environment;
        char *working_directory;
        uint8_t standard_input, standard_output, standard_error; /* StreamKind */
        uint32_t umask;
        bool nice_set, oom_score_adjust_set;
        int32_t nice, oom_score_adjust;
        PlanRlimit *rlimits;
        size_t n_rlimits;
        bool init; /* an init of ours as pid 1, the application as its child */

        /* where */
        uint8_t private_users; /* PrivateUsers */
        PlanIdMap *uid_map, *gid_map;
        size_t n_uid_map, n_gid_map;
        char *hostname;
        PlanNode *nodes;
        size_t n_nodes;
        bool host_devices; /* more nodes are made where it runs: the devices that the user may use */
        uint8_t network;   /* NetworkMode */

        /* with which rights */
        uint64_t bounding_set, ambient_set; /* bit N: capability N */
        uint8_t *seccomp;                   /* struct sock_filter[] */
        size_t n_seccomp;                   /* bytes */
        bool landlock;                      /* a second wall behind the tree */
        bool landlock_no_tcp;               /* which nothing passes by TCP either */
        bool no_exec_memory;    /* files in memory are not executed, nor memory written through /proc */
        char *apparmor_profile; /* NULL: none */
        char *selinux_context;  /* NULL: none */

        /* with which resources */
        PlanCgroupValue *cgroup;
        size_t n_cgroup;
        char **degrade; /* layers that may be missing */

        Terms terms; /* its life */

        /* its log */
        char *syslog_identifier;
        int32_t log_level_max;
        int32_t syslog_level;
        bool syslog_level_prefix;

#if IMMURED_NEXT
        bool next; /* stands for what the version after this one will have */
#endif
} Plan;

Plan *plan_free(Plan *p); /* takes NULL, returns NULL */
DECLARE_CLEANUP(Plan *, plan_free);

/* Whether it is the file system that all devices are in. */
bool plan_node_is_dev(const PlanNode *n);

/* Whether the application may write to the root itself: in memory, and thrown away. */
bool plan_root_is_writable(const Plan *p);

/* Whether the application is in that group, by the id inside. */
bool plan_has_group(const Plan *p, uint32_t gid);

/* Largest encoded plan; a decoder refuses more. */
#define PLAN_SIZE_MAX (4U * 1024 * 1024)

/*
 * The versions of the encoding that are written and read; PlanHash is that of the newest. A keeper may be older or
 * newer than the broker: it says at its Hello which ones it reads (link/hello.h).
 */
#define PLAN_VERSION_FIRST 4U
#define PLAN_VERSION (5U + IMMURED_NEXT)

/* The newest encoding; caller frees. -E2BIG: over PLAN_SIZE_MAX; -ENOMEM. */
int plan_encode(const Plan *p, uint8_t **ret, size_t *ret_size);

/*
 * That of another version, which plan_to_memfd() writes; public for tests and fuzzers, which compare the bytes.
 * -EPROTONOSUPPORT: it cannot say all that this plan does; *ret_unsaid is the field, static.
 * A field is only left out where the version does by itself what the plan asks for, so that nothing is ever weakened.
 */
int plan_encode_for(
        uint32_t version, const Plan *p, uint8_t **ret, size_t *ret_size, const char **ret_unsaid);

/*
 * The plan these bytes say, in any of these versions, checked as if hostile: magic, version, every length and count,
 * every enumeration, flag, path and name; nothing may be left over. -EBADMSG for whatever does not hold, -ENOMEM.
 */
int plan_decode(const void *data, size_t size, Plan **ret);

/*
 * Encodes as above into a sealed memfd, for plan_recent_read(); returns the fd. ret_digest, that of its bytes, may be
 * NULL.
 */
int plan_to_memfd(uint32_t version, const Plan *p, uint8_t ret_digest[SHA256_SIZE], const char **ret_unsaid);

/* The whole plan as one JSON object, for people and immurectl; caller frees. */
int plan_to_json(const Plan *p, char **ret);
