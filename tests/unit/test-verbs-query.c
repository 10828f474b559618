/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* list, status, stop, kill, profiles, plan, launch, reload, …: the calls they make, and how the answers are shown */

#include "fake-broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NO_SANDBOX "org.immured.Broker1.Error.NoSuchSandbox"

static int answer_list(sd_bus_message *m) {
        static const struct {
                const char *id, *state;
                uint32_t leader;
        } rows[] = { { "web.4294967294.1", "running", 1234 }, { "web.4294967294.2", "failed", 0 } };
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssussuo)");
        for (size_t i = 0; i < ELEMENTSOF(rows) && r >= 0; i++)
                r = sd_bus_message_append(reply,
                                          "(ssussuo)",
                                          rows[i].id,
                                          "web",
                                          4294967294U,
                                          "",
                                          rows[i].state,
                                          rows[i].leader,
                                          "/sandbox/x");
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int answer_profiles(sd_bus_message *m) {
        return sd_bus_reply_method_return(
                m, "a(ssbo)", 2, "web", "A \033[1mserver", 1, "/profile/web", "db", "", 0, "/profile/db");
}

/* clang-format off */
/* One of each type that a property may have, and a shape that JSON is not asked to carry. */
static int answer_properties(sd_bus_message *m) {
        return sd_bus_reply_method_return(m,
                                          "a{sv}",
                                          12,
                                          "Id", "s", "web.1.1",
                                          "State", "s", "failed",
                                          "Result", "s", "signal",
                                          "User", "s", "nobody\033",
                                          "UID", "u", 4294967294U,
                                          "ExecMainCode", "i", 2,
                                          "ExecMainStatus", "i", 15,
                                          "MemoryCurrent", "t", UINT64_C(1048576),
                                          "MemoryPeak", "t", UINT64_MAX,
                                          "Enforced", "as", 2, "seccomp", "memory",
                                          "LoadError", "(ss)", "a", "b",
                                          "Deep", "aas", 1, 1, "x");
}
/* clang-format on */

/* For one sandbox: every id but "gone" is there. What was asked for shows in the error text where the id says so. */
static int answer_one(sd_bus_message *m) {
        const char *id, *whom = "";
        int32_t signo = 0;
        int r;

        r = sd_bus_message_read(m, "s", &id);
        if (r >= 0 && sd_bus_message_is_method_call(m, NULL, "Kill"))
                r = sd_bus_message_read(m, "si", &whom, &signo);
        if (r < 0)
                return r;

        if (streq(id, "echo"))
                return sd_bus_reply_method_errorf(
                        m, NO_SANDBOX, "%s %s %i", sd_bus_message_get_member(m), whom, (int) signo);
        if (streq(id, "gone"))
                return sd_bus_reply_method_errorf(m, NO_SANDBOX, "There is no sandbox '%s'", id);

        return sd_bus_message_is_method_call(m, NULL, "GetSandbox")
                       ? sd_bus_reply_method_return(m, "o", "/sandbox/x")
                       : sd_bus_reply_method_return(m, NULL);
}

static int answer_launch(sd_bus_message *m) {
        return sd_bus_reply_method_return(m, "so", "web.1.1", "/sandbox/x");
}

static int answer_plan(sd_bus_message *m) {
        sd_bus_message *reply = NULL;
        uint8_t hash[32];
        int r;

        memset(hash, 0xab, sizeof(hash));
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "{\"profile\":\"web\",\"uid\":1}");
        if (r >= 0)
                r = sd_bus_message_append_array(reply, 'y', hash, sizeof(hash));
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int answer_faults(sd_bus_message *m) {
        return sd_bus_reply_method_return(m,
                                          "a(tssttas)",
                                          4,
                                          UINT64_C(1000000),
                                          "MemoryMax",
                                          "user",
                                          UINT64_C(1048576),
                                          UINT64_C(2097152),
                                          2,
                                          "7 hog\033",
                                          "8 cat",
                                          UINT64_C(2000000),
                                          "CPUQuota",
                                          "sandbox",
                                          UINT64_C(1500000),
                                          UINT64_C(500000),
                                          0,
                                          UINT64_C(3000000),
                                          "OOM",
                                          "system",
                                          UINT64_C(1024),
                                          UINT64_C(0),
                                          0,
                                          UINT64_C(4000000),
                                          "Newer",
                                          "sandbox",
                                          UINT64_C(12),
                                          UINT64_C(13),
                                          0);
}

static int answer_nothing(sd_bus_message *m) { return sd_bus_reply_method_return(m, NULL); }

static const struct {
        const char *member;
        FakeHandler answer;
} answers[] = {
        { "ListSandboxes", answer_list }, { "ListProfiles", answer_profiles },
        { "GetAll", answer_properties },  { "GetSandbox", answer_one },
        { "Stop", answer_one },           { "Kill", answer_one },
        { "Restart", answer_one },        { "Freeze", answer_one },
        { "Thaw", answer_one },           { "ResetFailed", answer_one },
        { "Launch", answer_launch },      { "Plan", answer_plan },
        { "Reload", answer_nothing },     { "GetFaults", answer_faults },
};

static int answer(sd_bus_message *m) {
        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                if (sd_bus_message_is_method_call(m, NULL, answers[i].member))
                        return answers[i].answer(m);

        return -EBADRQC;
}

#define HASH_16 "abababababababab"
#define HASH HASH_16 HASH_16 HASH_16 HASH_16

/* NULL in out: anything. */
static const struct {
        const char *words[6];
        int status;
        const char *out, *err;
} cases[] = {
        { { "list" },
          0,
          "ID                USER        INSTANCE  STATE    LEADER\n"
          "web.4294967294.1  4294967294  -         running    1234\n"
          "web.4294967294.2  4294967294  -         failed        0\n"
          "\n2 sandboxes.\n",
          "" },
        { { "list", "--no-legend", "*.1" }, 0, "web.4294967294.1  4294967294  -  running  1234\n", "" },
        { { "list", "-q" }, 0, "web.4294967294.1\nweb.4294967294.2\n", "" },
        { { "list", "db.*" }, 0, "No sandboxes.\n", "" },
        { { "list", "db.*", "--json=short" }, 0, "[]\n", "" },
        { { "list", "*.2", "--json=short" },
          0,
          "[{\"id\":\"web.4294967294.2\",\"profile\":\"web\","
          "\"uid\":4294967294,\"instance\":\"\",\"state\":\"failed\","
          "\"leader\":0,\"path\":\"/sandbox/x\",\"user\":\"4294967294\"}]\n",
          "" },
        { { "profiles" },
          0,
          "PROFILE  LAUNCH  DESCRIPTION\n"
          "web      yes     A \\x1b[1mserver\n"
          "db       no      -\n"
          "\n2 profiles.\n",
          "" },
        { { "profiles", "-q", "d*" }, 0, "db\n", "" },
        { { "status", "web.1.1" },
          0,
          "● web.1.1\n"
          "      State: failed\n"
          "     Result: signal (killed, status=15/SIGTERM)\n"
          "    Meaning: SIGTERM ended it: it was asked to end.\n"
          "       User: nobody\\x1b (4294967294)\n"
          "     Memory: 1M\n"
          "   Enforced: seccomp memory\n",
          "" },
        { { "status", "gone" }, 1, "", "immurectl: There is no sandbox 'gone'\n" },
        { { "status", "--json=short", "gone" }, 1, "[]\n", "immurectl: There is no sandbox 'gone'\n" },
        { { "status", "--json=short", "web.1.1" },
          0,
          "[{\"Id\":\"web.1.1\",\"State\":\"failed\",\"Result\":\"signal\",\"User\":\"nobody\\u001B\","
          "\"UID\":4294967294,"
          "\"ExecMainCode\":2,\"ExecMainStatus\":15,\"MemoryCurrent\":1048576,\"MemoryPeak\":\"infinity\","
          "\"Enforced\":[\"seccomp\",\"memory\"],\"LoadError\":[\"a\",\"b\"],\"Deep\":null}]\n",
          "" },
        { { "stop", "web.1.1" }, 0, "", "" },
        { { "stop", "gone", "web.1.1", "--json=short" },
          1,
          "[{\"id\":\"gone\",\"done\":false},{\"id\":\"web.1.1\",\"done\":true}]\n",
          "immurectl: There is no sandbox 'gone'\n" },
        { { "stop", "echo" }, 1, "", "immurectl: Stop  0\n" },
        { { "kill", "echo" }, 1, "", "immurectl: Kill all 15\n" },
        { { "kill", "--signal=HUP", "--whom=main", "echo" }, 1, "", "immurectl: Kill main 1\n" },
        { { "restart", "echo" }, 1, "", "immurectl: Restart  0\n" },
        { { "freeze", "echo" }, 1, "", "immurectl: Freeze  0\n" },
        { { "thaw", "echo" }, 1, "", "immurectl: Thaw  0\n" },
        { { "faults", "a" },
          0,
          "ID  TIME                 RESOURCE   LEVEL       VALUE  LIMIT  PROCESSES\n"
          "a   1970-01-01 00:00:01  MemoryMax  user           1M     2M  7 hog\\x1b 8 cat\n"
          "a   1970-01-01 00:00:02  CPUQuota   sandbox  1s 500ms    50%  -\n"
          "a   1970-01-01 00:00:03  OOM        system         1K      -  -\n"
          "a   1970-01-01 00:00:04  Newer      sandbox        12     13  -\n"
          "\n4 hits of limits.\n",
          "" },
        { { "reset-failed", "echo" }, 1, "", "immurectl: ResetFailed  0\n" },
        { { "reset-failed", "--json=short" }, 0, "[{\"id\":\"web.4294967294.2\",\"done\":true}]\n", "" },
        { { "launch", "web" }, 0, "web.1.1\n", "" },
        { { "launch", "-q", "web" }, 0, "", "" },
        { { "launch", "--json=short", "web" }, 0, "{\"id\":\"web.1.1\",\"path\":\"/sandbox/x\"}\n", "" },
        { { "plan", "web" }, 0, "{\n    \"profile\": \"web\",\n    \"uid\": 1\n}\nPlanHash=" HASH "\n", "" },
        { { "plan", "web", "-q" }, 0, HASH "\n", "" },
        { { "plan", "web", "--json=short" },
          0,
          "{\"PlanHash\":\"" HASH "\",\"Plan\":{\"profile\":\"web\",\"uid\":1}}\n",
          "" },
        { { "reload" }, 0, "", "" },
        { { "reload", "--json=short" }, 0, "{\"done\":true}\n", "" },
        { { "launch", "\xff" }, 1, "", NULL },
};

static FakeBroker fake;

static int set_up(void **state) {
        assert_int_equal(setenv("TZ", "UTC", 1), 0);
        fake_broker_start(&fake, answer);
        return 0;
}

static int tear_down(void **state) {
        fake_broker_stop(&fake);
        return 0;
}

static void answers_are_shown(void **state) {
        static char out[CTL_TEXT_MAX], err[CTL_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int status = ctl_run(cases[i].words, out, err);

                if (status != cases[i].status)
                        fail_msg("case %zu (%s …): exit status %i, %s", i, cases[i].words[0], status, err);
                assert_string_equal(out, cases[i].out);
                if (cases[i].err)
                        assert_string_equal(err, cases[i].err);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(answers_are_shown),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
