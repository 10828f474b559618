/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each system call of a launch fails once: what comes of it is an error or the whole sandbox, and nothing is left.
 *
 * INJECT= in the environment says which: "each" is every call with one error of four in turn, "all" with each of them,
 * and PROCESS:CALL:ERROR, as a failure is told, one alone. Without it a few are looked at.
 */
#include "exec-rig.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/text.h"
#include "confine/landlock.h"
#include "inject.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

/* Every how many-th, for whoever waits for the unit tests. */
#define SAMPLE 16

static DEFINE_CLEANUP(DIR *, closedir);

static const struct {
        const char *name;
        int error;
} errors[] = {
        { "ENOMEM", ENOMEM },
        { "EPERM", EPERM },
        { "EMFILE", EMFILE },
        { "ENOSYS", ENOSYS },
};

/* What of ours a launch could leave on the host, but for processes, which rig_finish() counts. */
static char *look_for_remains(void) {
        _cleanup_(closedirp) DIR *d = opendir("/proc/self/fd");
        _cleanup_free_ char *mounts = NULL;
        _cleanup_buffer_ Buffer b = {};

        assert_non_null(d);
        assert_int_equal(file_read_full(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mounts, NULL), 0);
        for (struct dirent *e; (e = readdir(d));) {
                char target[256];
                ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target));

                if (n >= 0)
                        buffer_printf(&b, "%s %.*s\n", e->d_name, (int) n, target);
        }
        buffer_append_text(&b, mounts);
        return buffer_take_text(&b);
}

/* Numbers that no two launches share, and what depends on when one looks. */
static bool line_varies(const char *line) {
        static const char *const prefixes[] = {
                "ns/",        "status=Vm",     "status=Rss",          "status=Hugetlb",
                "status=Cpu", "status=SigQ",   "status=TracerPid",    "status=voluntary",
                "status=Mem", "status=THP_en", "status=nonvoluntary", "session-keyring=",
        };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (startswith(line, prefixes[i]))
                        return true;

        return false;
}

/* mountinfo without the numbers of the mounts, their devices and their peers. */
static void append_mount(Buffer *b, char *line) {
        char *rest = line, *word;

        for (unsigned i = 0; (word = strsep(&rest, " ")); i++)
                if (i >= 3 && !startswith(word, "master:"))
                        buffer_printf(b, " %s", word);
        buffer_append_text(b, "\n");
}

/* All that the application found, comparable. */
static char *facts_of(const Run *r) {
        _cleanup_free_ char *copy = strdup(r->output);
        _cleanup_buffer_ Buffer b = {};

        assert_non_null(copy);
        for (char *rest = copy, *line; (line = strsep(&rest, "\n"));)
                if (startswith(line, "mount="))
                        append_mount(&b, line);
                else if (!line_varies(line))
                        buffer_printf(&b, "%s\n", line);

        return buffer_take_text(&b);
}

/* Not told by its verification, but by what it sees. */
static void assert_own_namespaces(const Run *r) {
        static const char *const names[] = { "user", "pid", "mnt", "net", "ipc", "uts", "cgroup" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char path[32], name[16], host[64];
                ssize_t n;

                (void) snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
                (void) snprintf(name, sizeof(name), "ns/%s", names[i]);
                n = readlink(path, host, sizeof(host) - 1);
                assert_true(n > 0);
                host[n] = '\0';
                assert_int_equal(strncmp(rig_value(r, name), names[i], strlen(names[i])), 0);
                assert_string_not_equal(rig_value(r, name), host);
        }
}

/* Not at the first one, as each takes its time to find: how many there were decides in the end. */
static unsigned n_complaints;

#define complain(...)                     \
        do {                              \
                print_error(__VA_ARGS__); \
                n_complaints++;           \
        } while (false)

static void expect_same_text(const char *what, const char *found, const char *expected) {
        size_t line = 0;

        for (size_t i = 0; found[i] == expected[i]; i++) {
                if (found[i] == '\0')
                        return;
                if (found[i] == '\n')
                        line = i + 1;
        }

        complain("%s: \"%.*s\", and not \"%.*s\"\n",
                 what,
                 (int) strcspn(found + line, "\n"),
                 found + line,
                 (int) strcspn(expected + line, "\n"),
                 expected + line);
}

typedef struct Reference {
        char *facts, *enforced, *remains;
        unsigned n_calls[_ROLE_MAX];
} Reference;

static void reference_done(Reference *ref) {
        free(ref->facts);
        free(ref->enforced);
        free(ref->remains);
}

static void
launch(Run *r, const Plan *p, const Injection *injection, const char *what, InjectReport *report) {
        Tracer tracer;

        inject_start(&tracer, injection);
        *r = (Run){ .tracer = &tracer };
        rig_start(r, p, NULL, NULL);
        rig_wait_executed(r);
        rig_finish(r);
        *report = (InjectReport){};
        if (!inject_finish(&tracer, report))
                complain("%s: the launch came to no end\n", what);
}

static void take_reference(Reference *ref, const Plan *p) {
        static Run r;
        InjectReport report;

        ref->remains = look_for_remains();
        launch(&r, p, &(Injection){ 0 }, "Undisturbed", &report);
        assert_false(r.failed);
        assert_true(r.verified && report.executed);
        assert_own_namespaces(&r);
        ref->facts = facts_of(&r);
        ref->enforced = strdup(r.verification.text);
        assert_true(ref->facts && ref->enforced && ref->remains);
        memcpy(ref->n_calls, report.n_calls, sizeof(ref->n_calls));
}

/* Whether it was the whole sandbox, and no error. */
static bool judge(const Run *r, const Reference *ref, const InjectReport *report, const char *what) {
        _cleanup_free_ char *facts = NULL, *left = look_for_remains();

        expect_same_text(what, left, ref->remains);
        if (r->n_loose > 0)
                complain("%s: a process came loose\n", what);
        /* Its streams are no witness: libc complains there when it cannot start. */
        if (r->failed || !r->verified) {
                if (report->executed)
                        complain("%s: the application was executed after a failure\n", what);
                return false;
        }
        if (!report->executed) {
                complain("%s: nothing was executed, and nobody told why\n", what);
                return false;
        }

        facts = facts_of(r);
        expect_same_text(what, facts, ref->facts);
        expect_same_text(what, r->verification.text, ref->enforced);
        assert_own_namespaces(r);
        if (!r->has_result || r->result != 0 || r->leader_status != 0)
                complain("%s: the result is lost\n", what);
        return true;
}

typedef struct Count {
        unsigned n_errors, n_whole, n_missed;
} Count;

/* One launch with one fault. */
static void inject(const Plan *p, const Reference *ref, Role role, unsigned n, size_t error, Count *count) {
        InjectReport report;
        static Run r;
        char what[96];

        (void) snprintf(what, sizeof(what), "%s:%u:%s", role_name(role), n, errors[error].name);
        launch(&r, p, &(Injection){ role, n, errors[error].error }, what, &report);
        if (!report.hit) {
                count->n_missed++;
                return;
        }

        (void) snprintf(what + strlen(what), sizeof(what) - strlen(what), " (system call %ld)", report.call);
        if (judge(&r, ref, &report, what))
                count->n_whole++;
        else
                count->n_errors++;
}

static bool is_wanted(Role role, unsigned n, size_t error) {
        const char *wanted = getenv("INJECT");
        char text[64];

        if (!wanted)
                return n % SAMPLE == 0 && n / SAMPLE % ELEMENTSOF(errors) == error;
        if (streq(wanted, "each"))
                return n % ELEMENTSOF(errors) == error;

        (void) snprintf(text, sizeof(text), "%s:%u:%s", role_name(role), n, errors[error].name);
        return streq(wanted, "all") || streq(wanted, text);
}

static void test_each_call_that_fails(void **state) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(plan_freep) Plan *p = rig_plan_new("/probe facts");
        Count sum = {};

        p->landlock = landlock_version() >= LANDLOCK_VERSION_LEAST;
        take_reference(&ref, p);

        for (Role role = 0; role < _ROLE_MAX; role++) {
                Count count = {};

                /* A little further than the undisturbed came: one launch may make more calls than another. */
                for (unsigned n = 1; n <= ref.n_calls[role] + ELEMENTSOF(errors); n++)
                        for (size_t error = 0; error < ELEMENTSOF(errors); error++)
                                if (is_wanted(role, n, error))
                                        inject(p, &ref, role, n, error, &count);

                print_message("%s: %u calls, %u errors, %u whole sandboxes\n",
                              role_name(role),
                              ref.n_calls[role],
                              count.n_errors,
                              count.n_whole);
                sum.n_errors += count.n_errors;
                sum.n_whole += count.n_whole;
        }

        assert_int_equal(n_complaints, 0);
        assert_true(sum.n_errors > 0);
}

static int setup(void **state) {
        /* What others mount meanwhile was not left behind by us. */
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        rig_setup();
        return 0;
}

static int teardown(void **state) {
        rig_teardown();
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_call_that_fails),
        };

        if (geteuid() != 0)
                return 77;
        return cmocka_run_group_tests(tests, setup, teardown);
}
