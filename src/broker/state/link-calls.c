/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/state/link-calls.h"

#include "base/clock.h"

/* For what needs nothing but the keeper's attention. */
#define ATTENTION_USEC (30 * USEC_PER_SEC)

/* Each method's first argument is the sandbox's id. */
static int new_call(KeeperEntry *keeper, const char *member, const char *id, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = keeper_entry_new_call(keeper, member, &m);
        if (r < 0)
                return r;

        r = sd_bus_message_append_basic(m, 's', id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

static int call_by_id(KeeperEntry *keeper,
                      const char *member,
                      const char *id,
                      LinkReplyHandler handler,
                      void *userdata,
                      uint64_t timeout_usec) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(keeper, member, id, &m);
        if (r < 0)
                return r;

        return keeper_entry_call(keeper, m, handler, userdata, timeout_usec);
}

int link_ask(
        KeeperEntry *keeper, const char *member, const char *id, LinkReplyHandler handler, void *userdata) {
        return call_by_id(keeper, member, id, handler, userdata, ATTENTION_USEC);
}

int link_await(
        KeeperEntry *keeper, const char *member, const char *id, LinkReplyHandler handler, void *userdata) {
        return call_by_id(keeper, member, id, handler, userdata, UINT64_MAX);
}

int link_kill(KeeperEntry *keeper,
              const char *id,
              const char *whom,
              int32_t signo,
              LinkReplyHandler handler,
              void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(keeper, "Kill", id, &m);
        if (r < 0)
                return r;

        r = sd_bus_message_append(m, "si", whom, signo);
        if (r < 0)
                return r;

        return keeper_entry_call(keeper, m, handler, userdata, ATTENTION_USEC);
}

int link_set_limits(KeeperEntry *keeper,
                    const char *id,
                    const LiveLimit *limits,
                    size_t n_limits,
                    LinkReplyHandler handler,
                    void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(keeper, "SetLimits", id, &m);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(m, 'a', "(sss)");
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_limits; i++) {
                r = sd_bus_message_append(m, "(sss)", limits[i].file, limits[i].value, limits[i].layer);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;

        return keeper_entry_call(keeper, m, handler, userdata, ATTENTION_USEC);
}

static int append_streams(sd_bus_message *m, const int streams[static 3]) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(uh)");
        if (r < 0)
                return r;

        for (uint32_t i = 0; i < 3; i++)
                if (streams[i] >= 0) {
                        r = sd_bus_message_append(m, "(uh)", i, streams[i]);
                        if (r < 0)
                                return r;
                }

        return sd_bus_message_close_container(m);
}

/* A plan as it goes to a keeper: its bytes, what they hash to, and the hash that the sandbox shows. */
typedef struct SentPlan {
        int fd;
        char digest[SHA256_HEX_SIZE], hash[SHA256_HEX_SIZE];
} SentPlan;

/* Encoded a second time only for a keeper of another version, as the hash is that of the newest encoding. */
static int encode_plan(const KeeperEntry *keeper, const Plan *plan, SentPlan *ret, const char **ret_unsaid) {
        uint32_t version = keeper_entry_plan_version(keeper);
        _cleanup_free_ uint8_t *newest = NULL;
        uint8_t digest[SHA256_SIZE];
        size_t size;
        int r;

        ret->fd = plan_to_memfd(version, plan, digest, ret_unsaid);
        if (ret->fd < 0)
                return ret->fd;
        sha256_hex(digest, ret->digest);

        if (version != PLAN_VERSION) {
                r = plan_encode(plan, &newest, &size);
                if (r < 0)
                        return r;
                sha256(newest, size, digest);
        }

        sha256_hex(digest, ret->hash);
        return 0;
}

static int append_facts(sd_bus_message *m, const LinkLaunch *launch, const SentPlan *sent) {
        return sd_bus_message_append(m,
                                     "a{sv}",
                                     4,
                                     "InvocationID",
                                     "s",
                                     launch->invocation_id,
                                     "Wait",
                                     "b",
                                     launch->wait,
                                     "PlanHash",
                                     "s",
                                     sent->hash,
                                     "PlanDigest",
                                     "s",
                                     sent->digest);
}

static void sent_plan_done(SentPlan *sent) { (void) safe_close(sent->fd); }

int link_launch(KeeperEntry *keeper,
                const LinkLaunch *launch,
                LinkReplyHandler handler,
                void *userdata,
                uint64_t timeout_usec,
                const char **ret_unsaid) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(sent_plan_done) SentPlan sent = { .fd = -EBADF };
        int r;

        *ret_unsaid = "Launch";
        r = new_call(keeper, "Launch", launch->id, &m);
        if (r >= 0)
                r = encode_plan(keeper, launch->plan, &sent, ret_unsaid);
        if (r >= 0)
                r = append_facts(m, launch, &sent);
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 'h', &sent.fd);
        if (r >= 0)
                r = append_streams(m, launch->streams);
        if (r >= 0)
                r = sd_bus_message_append(m, "b", launch->lease);
        if (r < 0)
                return r;

        return keeper_entry_call(keeper, m, handler, userdata, timeout_usec);
}

int link_launch_read(sd_bus_message *reply, const char *id, bool lease, int *ret_lease) {
        _cleanup_(sandbox_record_freep) SandboxRecord *record = NULL;
        int fd = -EBADF, r;

        r = sandbox_record_read(reply, &record);
        if (r < 0)
                return r;
        if (!streq(record->id, id))
                return -EBADMSG;

        r = sd_bus_message_enter_container(reply, 'a', "h");
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;

        r = sd_bus_message_read_basic(reply, 'h', &fd);
        if (r < 0)
                return r;
        if (lease && r == 0)
                return -EBADMSG;

        *ret_lease = fd;
        return 0;
}
