/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/hold.h"

#include "base/fd.h"
#include "confine/caps.h"
#include "confine/seccomp.h"
#include "confine/streams.h"
#include "plan/client-streams.h"
#include "plan/launch.h"

#include <signal.h>
#include <sys/prctl.h>

static int drop_privileges(Problem *problem) {
        int r;

        /* Not to be looked into, and not to outlive a keeper that is killed. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        (void) prctl(PR_SET_NAME, "immured-streams");

        r = caps_apply(0, 0, problem);
        return r < 0 ? r : seccomp_no_new_privileges(problem);
}

static int lend(int to, uint32_t streams) {
        char packet[CLIENT_STREAMS_PACKET_MAX];
        const size_t size = client_streams_write(streams, packet);
        int fds[CLIENT_STREAMS_N];
        size_t n = 0;

        for (int i = 0; i < CLIENT_STREAMS_N; i++)
                if (streams & CLIENT_STREAM(i))
                        fds[n++] = i;

        return fd_send_packet(to, packet, size, fds, n);
}

/* A run that has ended meanwhile is no reason not to wait for the next. 0: the keeper needs us no more. */
static int serve(uint32_t streams) {
        for (;;) {
                int to = -EBADF;
                size_t n_fds = 1;
                ssize_t n;
                char c;

                n = fd_receive_packet(LAUNCH_FD_HOLDER, &c, sizeof(c), &to, &n_fds, NULL);
                if (n <= 0)
                        return (int) n;
                if (n_fds != 1)
                        return -EBADMSG;

                (void) lend(to, streams);
                (void) safe_close(to);
        }
}

int hold_main(void) {
        Problem problem = {};
        uint32_t streams = 0;
        int r;

        r = streams_await(LAUNCH_FD_HOLDER, &streams);
        if (r >= 0)
                r = drop_privileges(&problem);
        if (r >= 0)
                r = streams_receive(LAUNCH_FD_STREAMS, streams, &problem);
        if (r >= 0)
                r = streams_check(&problem);
        if (r < 0)
                return EXIT_FAILURE; /* the run that waits for them sees the end of its socket */

        /* The keeper's end of a lease must not live on in here. */
        (void) close(LAUNCH_FD_STREAMS);
        return serve(streams) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
