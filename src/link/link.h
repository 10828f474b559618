/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * link — the private connection between broker and keeper: its members, names and addresses
 *
 * A peer-to-peer sd-bus connection over LINK_SOCKET. The keeper connects and calls Hello on the broker's object; the
 * broker then calls the keeper's methods. Both ends check that the other is root (SO_PEERCRED).
 *
 *   broker's object  LINK_BROKER_PATH, interface LINK_BROKER_INTERFACE
 *       Hello(a{sv} hello, aa{sv} records) -> (a{sv} facts)   all that this keeper holds; again after each reconnect
 *           hello: hello.h. facts: Link u, the version that is spoken from here on; 0: there is none in common
 *       StartApp()                       from a keeper of one application: launch it; replies when that is done, or
 *                                        refused
 *   keeper's object  LINK_KEEPER_PATH, interface LINK_KEEPER_INTERFACE
 *       Launch(s id, a{sv} facts, h plan, a(uh) streams, b lease) -> (a{sv} record, ah lease)
 *           facts: InvocationID s; Wait b, false: not for READY=1; PlanHash s, the property; PlanDigest s, hex of
 *           the SHA-256 of what plan holds, which is in the highest version that both know; Streams u, since version
 *           4: those that the client sends on the lease (plan/client-streams.h). streams: empty; up to version 3 the
 *           streams themselves. lease: one descriptor or none. Replies when the launch is done as the plan's type
 *           says; with Streams at once, and what becomes of it is told on the lease.
 *       Stop(s id)                       replies when the sandbox has ended
 *       Kill(s id, s whom, i signal)     whom: "main", "all"
 *       Restart(s id)                    replies when the next run is running
 *       Freeze(s id), Thaw(s id)         reply when the kernel says so
 *       SetLimits(s id, a(sss) limits)   file of the cgroup, value, layer: all or none, and for later runs, too
 *       GetProcesses(s id) -> (a(sus))   as the public method
 *       GetFaults(s id) -> (a(tssttas))  likewise
 *       ResetFailed(s id)                forgets an ended sandbox
 *     signals
 *       SandboxChanged(a{sv} record)     after every change of state
 *       SandboxRemoved(s id, s result, i code, i status)
 *       Event(s id, s name, a{sv} details)   see sandbox-event.h; names that are not known are passed over
 *       LimitHit(s id, s resource, s level, t value, t limit)   the one event of version 2
 *
 * Whoever asks calls link_x() and the other end has link_answer_x(); link_tell_x() sends a signal that link_hear_x()
 * takes.
 *
 * Broker and keeper may be of different versions, either of them the older one: the highest that both speak is
 * spoken. What is added to a dictionary needs no new version; a new member does, and a row in hello.c.
 *
 * Errors carry the names of the public interface (org.immured.Broker1.Error.…), so that the broker hands them on.
 *
 * Runs in: keeper, broker. Privilege: none. Input: the other end, trusted to be root, not to be right.
 */

#include "link/sandbox-record.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

/*
 * Version 2 is understood by the broker alone: its keepers said Hello(u version, u uid, s app, aa{sv} records), on
 * LINK_BROKER_INTERFACE_2, and nothing of what they read. They read plans of version 4.
 */
#define LINK_VERSION (4U + IMMURED_NEXT)
#define LINK_VERSION_KEEPER 3U  /* the oldest that a keeper speaks */
#define LINK_VERSION_BROKER 2U  /* likewise the broker */
#define LINK_VERSION_STREAMS 4U /* the first whose keepers know of streams on a lease */
#define LINK_UID_UNKNOWN UINT32_MAX
#define LINK_ENDED_MAX 16U /* ended sandboxes that are remembered of a user */
#define LINK_SOCKET "/run/immured/keeper.sock"
#define LINK_BROKER_PATH "/org/immured/KeeperLink1"
#define LINK_BROKER_INTERFACE "org.immured.KeeperLink2"
#define LINK_BROKER_INTERFACE_2 "org.immured.KeeperLink1"
#define LINK_KEEPER_PATH "/org/immured/Keeper1"
#define LINK_KEEPER_INTERFACE "org.immured.Keeper1"

/* Names of bus errors, public and private link alike. */
#define ERROR_PREFIX "org.immured.Broker1.Error."
#define ERROR_NO_SUCH_PROFILE ERROR_PREFIX "NoSuchProfile"
#define ERROR_NO_SUCH_SANDBOX ERROR_PREFIX "NoSuchSandbox"
#define ERROR_NO_SUCH_USER ERROR_PREFIX "NoSuchUser"
#define ERROR_PROFILE_DISABLED ERROR_PREFIX "ProfileDisabled"
#define ERROR_BAD_SETTING ERROR_PREFIX "BadSetting"
#define ERROR_SANDBOX_EXISTS ERROR_PREFIX "SandboxExists"
#define ERROR_SANDBOX_NOT_RUNNING ERROR_PREFIX "SandboxNotRunning"
#define ERROR_QUOTA_EXCEEDED ERROR_PREFIX "QuotaExceeded"
#define ERROR_RATE_LIMITED ERROR_PREFIX "RateLimited"
#define ERROR_ARGUMENT_REJECTED ERROR_PREFIX "ArgumentRejected"
#define ERROR_SETTING_NOT_PERMITTED ERROR_PREFIX "SettingNotPermitted"
#define ERROR_LAYER_UNAVAILABLE ERROR_PREFIX "LayerUnavailable"
#define ERROR_SETUP_FAILED ERROR_PREFIX "SetupFailed"
#define ERROR_VERIFICATION_FAILED ERROR_PREFIX "VerificationFailed"
#define ERROR_BUSY ERROR_PREFIX "Busy"
#define ERROR_SHUTTING_DOWN ERROR_PREFIX "ShuttingDown"
