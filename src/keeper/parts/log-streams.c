/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keeper/parts/log-streams.h"

#include "base/fd.h"
#include "base/journal.h"
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

#define READ_SIZE ((size_t) 16384)
/* As much as a pipe can hold (pipe-max-size is root's to raise, and sandboxes are not root). */
#define DRAIN_MAX ((size_t) 2 * 1024 * 1024)

typedef struct Stream {
        LogStreams *owner;
        int fd;
        int number;
        sd_event_source *event;
        char *rest; /* the beginning of a line whose end was not read yet */
        size_t n_rest;
} Stream;

struct LogStreams {
        sd_event *event;
        char *id;
        Buffer fields; /* what every entry of this sandbox carries */
        char object_pid[32];
        int level, level_max;
        bool level_prefix;
        uint64_t interval_begin;
        unsigned n_in_interval, n_suppressed;
        Stream streams[2]; /* output, error */
};

int stream_line_priority(const char **line, size_t *length, int level, bool prefix) {
        const char *s = *line;

        if (!prefix || *length < 3 || s[0] != '<' || s[1] < '0' || s[1] > '7' || s[2] != '>')
                return level;

        *line += 3;
        *length -= 3;
        /* journald may write what is above err to all terminals (ForwardToWall=), and the application is hostile. */
        return MAX(s[1] - '0', MIN(level, LOG_ERR));
}

int log_streams_new(LogStreams **ret, sd_event *event, const SandboxRecord *record, const LogTerms *terms) {
        _cleanup_(log_streams_freep) LogStreams *s = NULL;
        char uid[16];
        const char *const fields[][2] = {
                { "IMMURED_ID", record->id },
                { "IMMURED_PROFILE", record->profile },
                { "IMMURED_USER", record->user },
                { "IMMURED_UID", uid },
                { "INVOCATION_ID", record->invocation_id },
                { "SYSLOG_IDENTIFIER", terms->identifier ?: record->profile },
        };

        (void) snprintf(uid, sizeof(uid), "%u", record->uid);
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(event);
        s->level = terms->level;
        s->level_max = terms->level_max;
        s->level_prefix = terms->level_prefix;
        for (size_t i = 0; i < ELEMENTSOF(s->streams); i++)
                s->streams[i] = (Stream){ .owner = s, .fd = -EBADF, .number = (int) i + 1 };

        s->id = strdup(record->id);
        if (!s->id)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                journal_append_text(&s->fields, fields[i][0], fields[i][1]);
        if (buffer_error(&s->fields) < 0)
                return buffer_error(&s->fields);

        *ret = TAKE_PTR(s);
        return 0;
}

static void stream_close(Stream *stream) {
        stream->event = sd_event_source_disable_unref(stream->event);
        stream->fd = safe_close(stream->fd);
        free(stream->rest);
        stream->rest = NULL;
        stream->n_rest = 0;
}

LogStreams *log_streams_free(LogStreams *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(s->streams); i++)
                stream_close(s->streams + i);

        (void) sd_event_unref(s->event);
        buffer_done(&s->fields);
        free(s->id);
        free(s);
        return NULL;
}

DEFINE_CLEANUP(LogStreams *, log_streams_free);

/* A line may hold any byte but a newline, so that the simple form of the journal's protocol will do. */
static void write_entry(LogStreams *s, int number, int priority, const char *line, size_t length) {
        static const char message[] = "MESSAGE=";
        char head[64];
        int n = snprintf(head,
                         sizeof(head),
                         "PRIORITY=%d\nIMMURED_STREAM=%s\n",
                         priority,
                         number == 1 ? "stdout" : "stderr");
        const struct iovec entry[] = {
                { s->fields.data, s->fields.size },
                { s->object_pid, strlen(s->object_pid) },
                { head, (size_t) n },
                { (char *) message, sizeof(message) - 1 },
                { (char *) line, length },
                { (char *) "\n", 1 },
        };

        /* The journal may come and go: that is found out anew each time. */
        if (journal_send(entry, ELEMENTSOF(entry)) == -ENOENT)
                log_message(priority, "%s: %.*s", s->id, (int) length, line);
}

/* False: this line is one too many. The first line of the next interval says how many were dropped. */
static bool within_rate(LogStreams *s, int number) {
        uint64_t now = 0;

        (void) sd_event_now(s->event, CLOCK_MONOTONIC, &now);
        if (now >= s->interval_begin + STREAM_INTERVAL_USEC) {
                char text[64];

                s->interval_begin = now;
                s->n_in_interval = 0;
                if (s->n_suppressed > 0) {
                        (void) snprintf(text, sizeof(text), "%u lines suppressed", s->n_suppressed);
                        write_entry(s, number, LOG_NOTICE, text, strlen(text));
                        s->n_suppressed = 0;
                }
        }

        if (s->n_in_interval >= STREAM_BURST) {
                s->n_suppressed++;
                return false;
        }

        s->n_in_interval++;
        return true;
}

static void log_line(Stream *stream, const char *line, size_t length) {
        LogStreams *s = stream->owner;
        int priority;

        priority = stream_line_priority(&line, &length, s->level, s->level_prefix);
        if (length > 0 && priority <= s->level_max && within_rate(s, stream->number))
                write_entry(s, stream->number, priority, line, length);
}

static void flush_rest(Stream *stream) {
        _cleanup_free_ char *rest = TAKE_PTR(stream->rest);
        size_t n = stream->n_rest;

        stream->n_rest = 0;
        if (n > 0)
                log_line(stream, rest, n);
}

/* Keeps the beginning of a line; allocated only while there is one, as most sandboxes are silent most of the time. */
static void keep_rest(Stream *stream, const char *data, size_t size) {
        if (!stream->rest)
                stream->rest = malloc(STREAM_LINE_MAX);
        if (!stream->rest) {
                (void) log_oom();
                return;
        }

        while (size > 0) {
                size_t n = MIN(size, STREAM_LINE_MAX - stream->n_rest);

                memcpy(stream->rest + stream->n_rest, data, n);
                stream->n_rest += n;
                data += n;
                size -= n;

                if (stream->n_rest == STREAM_LINE_MAX) {
                        log_line(stream, stream->rest, stream->n_rest);
                        stream->n_rest = 0;
                }
        }
}

static void take_chunk(Stream *stream, const char *data, size_t size) {
        while (size > 0) {
                const char *end = memchr(data, '\n', size);
                size_t length = end ? (size_t) (end - data) : size;

                if (end && stream->n_rest == 0 && length <= STREAM_LINE_MAX)
                        log_line(stream, data, length);
                else {
                        keep_rest(stream, data, length);
                        if (end)
                                flush_rest(stream);
                }

                length += end ? 1 : 0;
                data += length;
                size -= length;
        }
}

/* One read. Returns its size; 0: nothing more will come. -EAGAIN: nothing now. */
static ssize_t stream_read(Stream *stream) {
        static char chunk[READ_SIZE];
        ssize_t n;

        n = read(stream->fd, chunk, sizeof(chunk));
        if (n < 0)
                return -errno;

        take_chunk(stream, chunk, (size_t) n);
        return n;
}

/* One chunk a time, and after everything else: a flood of lines must not keep the keeper from stopping its source. */
static int on_stream(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Stream *stream = userdata;
        ssize_t n = stream_read(stream);

        if (n > 0 || n == -EAGAIN || n == -EINTR)
                return 0;

        flush_rest(stream);
        stream_close(stream);
        return 0;
}

int log_streams_open(LogStreams *s, int number) {
        Stream *stream = s->streams + number - 1;
        _cleanup_close_ int reading = -EBADF, writing = -EBADF;
        int pair[2], r;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        reading = pair[0];
        writing = pair[1];

        r = fd_set_nonblock(reading, true);
        if (r >= 0)
                r = sd_event_add_io(s->event, &stream->event, reading, EPOLLIN, on_stream, stream);
        if (r >= 0)
                r = sd_event_source_set_priority(stream->event, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;

        stream->fd = TAKE_FD(reading);
        return TAKE_FD(writing);
}

void log_streams_set_main_pid(LogStreams *s, pid_t pid) {
        if (s)
                (void) snprintf(s->object_pid, sizeof(s->object_pid), "OBJECT_PID=%d\n", pid);
}

void log_streams_drain(LogStreams *s) {
        if (!s)
                return;

        for (size_t i = 0; i < ELEMENTSOF(s->streams); i++) {
                Stream *stream = s->streams + i;
                size_t done = 0;

                while (stream->fd >= 0 && done < DRAIN_MAX) {
                        ssize_t n = stream_read(stream);

                        if (n <= 0)
                                break;
                        done += (size_t) n;
                }

                flush_rest(stream);
                stream_close(stream);
        }
}
