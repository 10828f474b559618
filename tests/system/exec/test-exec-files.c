/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec-rig.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define BIND (PLAN_NODE_NO_SUID | PLAN_NODE_NO_DEV)
#define USER_BIND (BIND | PLAN_NODE_AS_USER | PLAN_NODE_IDMAP)

/* The fifth and sixth field of a line of mountinfo. */
static bool has_mount(const Run *r, const char *path, const char *options) {
        for (const char *p = r->output; (p = strstr(p, "mount=")); p++) {
                char where[256], how[256];

                if (sscanf(p, "mount=%*s %*s %*s %*s %255s %255s", where, how) == 2 && streq(where, path) &&
                    startswith(how, options))
                        return true;
        }

        return false;
}

static void assert_mount(const Run *r, const char *path, const char *options) {
        if (!has_mount(r, path, options))
                fail_msg("%s is not mounted %s:\n%s", path, options, r->output);
}

static void test_default_tree(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        rig_run(&r, p);

        assert_mount(&r, "/", "ro,nosuid,nodev");
        assert_mount(&r, "/usr", "ro,nosuid,nodev");
        assert_mount(&r, "/probe", "ro,nosuid,nodev");
        assert_mount(&r, "/proc", "rw,nosuid,nodev,noexec");
        assert_mount(&r, "/dev", "ro,nosuid,nodev,noexec");
        assert_mount(&r, "/dev/null", "rw,nosuid,noexec");
        assert_mount(&r, "/dev/pts", "rw,nosuid,noexec");
        assert_mount(&r, "/dev/mqueue", "rw,nosuid,nodev,noexec");
        assert_mount(&r, "/tmp", "rw,nosuid,nodev");
        assert_mount(&r, "/ro", "ro,nosuid,nodev");
        assert_mount(&r, "/ro/masked", "ro,nosuid,nodev,noexec");
        assert_mount(&r, "/ro/masked-file", "ro,nosuid,nodev,noexec");
        assert_null(strstr(r.output, "shared:"));
        assert_null(strstr(r.output, "master:"));
        assert_null(strstr(r.output, "/ro/not-there"));
}

static const char *run_for(const char *words, const char *name) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new(words);
        static Run r;

        rig_run(&r, p);
        return rig_value(&r, name);
}

static void assert_errno(const char *text, int expected) { assert_int_equal(atoi(text), expected); }

static void test_what_can_be_written(void **state) {
        assert_errno(run_for("/probe touch /new", "touch"), EROFS);
        assert_errno(run_for("/probe touch /etc/new", "touch"), EROFS);
        assert_errno(run_for("/probe touch /usr/new", "touch"), EROFS);
        assert_errno(run_for("/probe touch /ro/new", "touch"), EROFS);
        assert_errno(run_for("/probe touch /dev/new", "touch"), EROFS);
        assert_errno(run_for("/probe touch /ro/masked/new", "touch"), EACCES);
        assert_errno(run_for("/probe touch /tmp/new", "touch"), 0);
        assert_errno(run_for("/probe touch /home/alice/new", "touch"), 0);
        assert_errno(run_for("/probe touch /dev/null", "touch"), 0);
}

static void test_what_can_be_read(void **state) {
        assert_string_equal(run_for("/probe read /ro/plain", "read"), "plain");
        assert_string_equal(run_for("/probe read /bin/../../etc/passwd", "read"),
                            "alice:x:3001:3001::/home/alice:/bin/sh");
        assert_string_equal(run_for("/probe read /ro/masked-file", "read"), "errno 13");
        assert_string_equal(run_for("/probe read /ro/masked/secret", "read"), "errno 13");
        assert_string_equal(run_for("/probe read /.nothing-file", "read"), "errno 2");
        assert_string_equal(run_for("/probe read /proc/1/status", "read"), "errno 2");
        assert_string_equal(run_for("/probe read /proc/sys/kernel/ostype", "read"), "errno 2");
}

/* What an application writes through an idmapped mount is its user's on disk. */
static void test_files_stay_the_users(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe touch /data/made");
        static Run r;
        struct stat st;

        rig_make_directory("data");
        rig_add_node(p, PLAN_NODE_BIND, USER_BIND, rig_path("data"), "/data");
        rig_run(&r, p);

        assert_errno(rig_value(&r, "touch"), 0);
        assert_int_equal(stat(rig_path("data/made"), &st), 0);
        assert_int_equal(st.st_uid, RIG_UID);
        assert_int_equal(st.st_gid, RIG_GID);
        assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_missing_source(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;
        PlanNode *n;

        n = rig_add_node(p, PLAN_NODE_BIND, BIND | PLAN_NODE_OPTIONAL, rig_path("none"), "/none");
        rig_run(&r, p);
        assert_false(has_mount(&r, "/none", ""));

        n->flags &= ~(uint32_t) PLAN_NODE_OPTIONAL;
        rig_must_fail(&r, p, NULL, "mounts", LAUNCH_FAILURE_SETUP, "/none: No such file or directory");
}

/* Root could open it, the user cannot. */
static void test_sources_by_the_users_rights(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;
        PlanNode *n;

        rig_make_directory("closed");
        rig_make_directory("closed/inner");
        assert_int_equal(chown(rig_path("closed"), 0, 0), 0);
        n = rig_add_node(p, PLAN_NODE_BIND, USER_BIND, rig_path("closed/inner"), "/inner");
        rig_must_fail(&r, p, NULL, "mounts", LAUNCH_FAILURE_SETUP, "Permission denied");

        /* Optional is what is not there, not what may not be seen. */
        n->flags |= PLAN_NODE_OPTIONAL;
        rig_must_fail(&r, p, NULL, "mounts", LAUNCH_FAILURE_SETUP, "Permission denied");
}

static void test_links_to_sources(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe read /linked");
        static Run r;
        PlanNode *n;

        rig_make_directory("links");
        rig_make_file("target", "through\n");
        assert_int_equal(symlink(rig_path("target"), rig_path("links/users")), 0);
        assert_int_equal(lchown(rig_path("links/users"), RIG_UID, RIG_GID), 0);
        assert_int_equal(symlink("./../target", rig_path("links/roots-in-users")), 0);
        assert_int_equal(symlink("links/../target", rig_path("roots")), 0);
        assert_int_equal(symlink("loop", rig_path("loop")), 0);
        assert_int_equal(symlink("/proc", rig_path("to-proc")), 0);

        n = rig_add_node(p, PLAN_NODE_BIND, USER_BIND, rig_path("roots"), "/linked");
        rig_run(&r, p);
        assert_string_equal(rig_value(&r, "read"), "through");

        static const struct {
                const char *source, *text;
        } bad[] = {
                { "links/users", "links/users is a symbolic link of user 3001, which is not followed" },
                { "links/roots-in-users",
                  "symbolic link in a directory of user 3001, which is not followed" },
                { "loop", "Too many levels of symbolic links" },
                { "to-proc", "leads to /proc" },
                { "to-proc/self/fd", "/proc/self is a symbolic link of the kernel's" },
                { "to-proc/self/root", "/proc/self is a symbolic link of the kernel's" },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char **source = &n->source;

                free(*source);
                *source = strdup(rig_path(bad[i].source));
                assert_non_null(*source);
                rig_must_fail(&r, p, NULL, "mounts", LAUNCH_FAILURE_SETUP, bad[i].text);
        }
}

/* Nothing is made in what belongs to the host, and no user's link says where a mount ends up. */
static void test_mount_points(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;
        PlanNode *n;

        rig_make_directory("bound");
        rig_make_directory("bound/there");
        assert_int_equal(symlink("/etc", rig_path("bound/link")), 0);
        assert_int_equal(lchown(rig_path("bound/link"), RIG_UID, RIG_GID), 0);
        assert_int_equal(symlink("../../../../../../../tmp", rig_path("bound/out")), 0);
        assert_int_equal(lchown(rig_path("bound/out"), RIG_UID, RIG_GID), 0);

        rig_add_node(p, PLAN_NODE_BIND, USER_BIND, rig_path("bound"), "/bound");
        n = rig_add_node(p, PLAN_NODE_TMPFS, BIND, NULL, "/bound/there");
        n->mode = 0755;
        rig_run(&r, p);
        assert_mount(&r, "/bound/there", "rw,nosuid,nodev");

        static const struct {
                const char *target, *text;
        } bad[] = {
                { "/bound/missing", "tmpfs /bound/missing: No such file" },
                { "/bound/missing/deeper", "tmpfs /bound/missing/deeper: No such file" },
                { "/bound/link",
                  "tmpfs /bound/link: /bound/link is a symbolic link of user 3001, which is not followed" },
                { "/bound/out/x", "tmpfs /bound/out/x: /bound/out is a symbolic link of user 3001" },
                { "/usr/missing", "tmpfs /usr/missing: No such file" },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char **target = &n->target;

                free(*target);
                *target = strdup(bad[i].target);
                assert_non_null(*target);
                rig_must_fail(&r, p, NULL, "tree", LAUNCH_FAILURE_SETUP, bad[i].text);
        }

        assert_int_equal(access(rig_path("bound/missing"), F_OK), -1);
}

/* Links that the sandbox's own tree has may be used: they are root's. */
static void test_target_through_a_link(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe read /bin/true");
        static Run r;

        rig_add_node(p, PLAN_NODE_MASK, 0, NULL, "/bin/true");
        rig_run(&r, p);
        assert_string_equal(rig_value(&r, "read"), "errno 13");
}

static void test_remount(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        rig_make_directory("rw");
        rig_make_directory("rw/sub");
        rig_add_node(p, PLAN_NODE_BIND, USER_BIND, rig_path("rw"), "/rw");
        rig_add_node(p,
                     PLAN_NODE_REMOUNT,
                     PLAN_NODE_NO_SUID | PLAN_NODE_READ_ONLY | PLAN_NODE_RECURSIVE,
                     NULL,
                     "/rw/sub");
        rig_add_node(p, PLAN_NODE_REMOUNT, PLAN_NODE_NO_SUID | PLAN_NODE_NO_EXEC, NULL, "/tmp");
        rig_add_node(p, PLAN_NODE_REMOUNT, PLAN_NODE_READ_ONLY | PLAN_NODE_OPTIONAL, NULL, "/absent");
        rig_run(&r, p);

        assert_mount(&r, "/rw", "rw,nosuid,nodev");
        assert_mount(&r, "/rw/sub", "ro,nosuid,nodev");
        assert_mount(&r, "/tmp", "rw,nosuid,nodev,noexec");
}

static void test_whole_proc(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        for (size_t i = 0; i < p->n_nodes; i++)
                if (p->nodes[i].kind == PLAN_NODE_PROC)
                        p->nodes[i].flags &= ~(uint32_t) PLAN_NODE_PID_ONLY;
        rig_run(&r, p);
        assert_mount(&r, "/proc/sys", "ro,");
        assert_mount(&r, "/proc/keys", "ro,nosuid,nodev,noexec");
        assert_mount(&r, "/proc/timer_list", "ro,nosuid,nodev,noexec");

        rig_set_argv(p, "/probe read /proc/keys");
        rig_run(&r, p);
        assert_string_equal(rig_value(&r, "read"), "errno 13");
}

/* Mounts of the host below a bound directory: along or not, and as narrow. */
static void test_recursive(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;
        PlanNode *n;

        rig_make_directory("outer");
        rig_make_directory("outer/below");
        assert_int_equal(mount("none", rig_path("outer/below"), "tmpfs", 0, NULL), 0);

        n = rig_add_node(p,
                         PLAN_NODE_BIND,
                         BIND | PLAN_NODE_READ_ONLY | PLAN_NODE_RECURSIVE,
                         rig_path("outer"),
                         "/outer");
        rig_run(&r, p);
        assert_mount(&r, "/outer/below", "ro,nosuid,nodev");

        n->flags &= ~(uint32_t) PLAN_NODE_RECURSIVE;
        rig_run(&r, p);
        assert_false(has_mount(&r, "/outer/below", ""));

        assert_int_equal(umount(rig_path("outer/below")), 0);
}

static void test_idmap_unavailable(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        rig_make_directory("ramfs");
        assert_int_equal(mount("none", rig_path("ramfs"), "ramfs", 0, NULL), 0);
        rig_add_node(p, PLAN_NODE_BIND, USER_BIND, rig_path("ramfs"), "/data");
        rig_must_fail(
                &r, p, NULL, "mounts", LAUNCH_FAILURE_LAYER, "idmap: file system ramfs at /tmp/test-exec.");
        assert_int_equal(umount(rig_path("ramfs")), 0);
}

static void test_devices(void **state) {
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        static Run r;

        for (size_t i = 0; i < p->n_nodes; i++)
                if (streq(p->nodes[i].target, "/dev/zero")) {
                        free(p->nodes[i].source);
                        p->nodes[i].source = strdup("/dev/kmsg");
                        assert_non_null(p->nodes[i].source);
                }
        rig_must_fail(&r, p, NULL, "mounts", LAUNCH_FAILURE_SETUP, "Device /dev/kmsg is not one of those");
}

/* A plan whose program says that it is ready, and looks at the socket. */
static Plan *speaking_plan(void) {
        Plan *p = rig_plan_new("/probe notify READY=1");
        PlanNode *n;

        assert_int_equal(strv_extend(&p->environment, "NOTIFY_SOCKET=" PLAN_NOTIFY_SOCKET), 0);
        p->terms.notify_access = NOTIFY_ACCESS_MAIN;

        n = rig_add_node(p,
                         PLAN_NODE_TMPFS,
                         BIND | PLAN_NODE_READ_ONLY | PLAN_NODE_NO_EXEC,
                         NULL,
                         PLAN_NOTIFY_DIRECTORY);
        n->mode = 0755;
        rig_add_node(p, PLAN_NODE_SOCKET, 0, NULL, PLAN_NOTIFY_SOCKET)->mode = 0222;
        return p;
}

static int new_socket(void) {
        static const int on = 1;
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
        return fd;
}

/* The sender's pid as we count; 0: nothing came. */
static pid_t hear_ready(int fd) {
        uint8_t control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
        char text[64];
        struct iovec iov = { text, sizeof(text) };
        struct msghdr m = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        struct ucred sender;

        if (recvmsg(fd, &m, 0) != 7 || memcmp(text, "READY=1", 7) != 0)
                return 0;

        memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(sender));
        return sender.pid;
}

static void test_the_socket_leads_out(void **state) {
        _cleanup_(plan_freep) Plan *p = speaking_plan();
        _cleanup_close_ int fd = new_socket();
        static Run r;

        r.notify_fd = fd;
        rig_run(&r, p);
        assert_string_equal(rig_value(&r, "mode"), "140222 65534");
        assert_int_equal(hear_ready(fd), r.verification.main);
        assert_int_equal(hear_ready(fd), 0);
}

static void test_socket_and_plan_go_together(void **state) {
        _cleanup_(plan_freep) Plan *with = speaking_plan(), *without = rig_plan_new("/probe facts");
        _cleanup_close_ int fd = new_socket();
        static Run r;

        r.notify_fd = 0;
        rig_must_fail(&r, with, NULL, "plan", LAUNCH_FAILURE_SETUP, "socket for notifications");
        r.notify_fd = fd;
        rig_must_fail(&r, without, NULL, "plan", LAUNCH_FAILURE_SETUP, "socket for notifications");
        r.notify_fd = 0;
}

static int setup(void **state) {
        /* What the tests mount is nobody else's business. */
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        rig_setup();
        return 0;
}

static int teardown(void **state) {
        rig_teardown();
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default_tree),
                cmocka_unit_test(test_what_can_be_written),
                cmocka_unit_test(test_what_can_be_read),
                cmocka_unit_test(test_files_stay_the_users),
                cmocka_unit_test(test_missing_source),
                cmocka_unit_test(test_sources_by_the_users_rights),
                cmocka_unit_test(test_links_to_sources),
                cmocka_unit_test(test_mount_points),
                cmocka_unit_test(test_target_through_a_link),
                cmocka_unit_test(test_remount),
                cmocka_unit_test(test_whole_proc),
                cmocka_unit_test(test_recursive),
                cmocka_unit_test(test_idmap_unavailable),
                cmocka_unit_test(test_devices),
                cmocka_unit_test(test_the_socket_leads_out),
                cmocka_unit_test(test_socket_and_plan_go_together),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
