#include "daemon/report.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A line never exceeds PIPE_BUF (4096), so that a pipe which polls writable takes it whole. */
enum { TEXT_BYTES_MAX = 2048, LINE_BYTES_MAX = 2304 };

static enum report_level level_max = REPORT_INFO;
static uint64_t dropped_count;
static uint64_t dropped_told; /* how many of them the reader has been told of */

void
report_set_level(enum report_level level)
{
    level_max = level;
}

uint64_t
report_dropped(void)
{
    return dropped_count;
}

static const char *
level_name(enum report_level level)
{
    switch (level) {
    case REPORT_ERROR:
        return "error";
    case REPORT_WARNING:
        return "warning";
    case REPORT_INFO:
        return "info";
    case REPORT_DEBUG:
        return "debug";
    }
    return "?";
}

/* JOURNAL_STREAM is inherited by every child, also by those whose stderr was redirected since: only
 * where device and inode agree does the journal read what we write. */
static bool
stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0) {
        return false;
    }
    char own[64];
    snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, own) == 0;
}

static size_t
put_prefix(char *line, size_t room, enum report_level level)
{
    if (stderr_is_journal()) {
        return (size_t)snprintf(line, room, "<%d>", (int)level);
    }
    struct timespec now;
    struct tm utc;
    char second[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &utc);
    return (size_t)snprintf(line, room, "%s.%03dZ %s ", second, (int)(now.tv_nsec / 1000000),
                            level_name(level));
}

/* Copies text with control characters made visible: C0, DEL and, since terminals obey them too, C1.
 * Stops where another character would not fit. */
static size_t
put_escaped(char *out, size_t room, const char *text)
{
    size_t used = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        char piece[8];
        size_t len = 1;
        piece[0] = (char)*at;
        if (*at == '\n') {
            len = (size_t)snprintf(piece, sizeof(piece), "\\n");
        } else if (*at < 0x20 || *at == 0x7f) {
            len = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", *at);
        } else if (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) {
            len = (size_t)snprintf(piece, sizeof(piece), "\\u%04x", at[1]);
            at++;
        } else if (*at >= 0xc0) { /* a character's bytes go together or not at all */
            while (len < 4 && (at[1] & 0xc0) == 0x80) {
                piece[len++] = (char)*++at;
            }
        }
        if (used + len > room) {
            break;
        }
        memcpy(out + used, piece, len);
        used += len;
    }
    return used;
}

/* Writes the line whole or not at all, and never waits. stderr stays as blocking as it was found:
 * O_NONBLOCK would belong to everybody who shares the terminal or pipe. */
static bool
write_without_waiting(const char *line, size_t len)
{
    struct pollfd sink = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&sink, 1, 0) != 1 || sink.revents != POLLOUT) {
        return false;
    }
    ssize_t written = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno == ENOTSOCK) {
        written = write(STDERR_FILENO, line, len);
    }
    return written == (ssize_t)len;
}

static bool
put_line(enum report_level level, const char *text)
{
    char line[LINE_BYTES_MAX];
    size_t len = put_prefix(line, sizeof(line), level);
    len += put_escaped(line + len, sizeof(line) - len - 1, text);
    line[len++] = '\n';
    return write_without_waiting(line, len);
}

void
report(enum report_level level, const char *format, ...)
{
    if (level > level_max) {
        return;
    }
    if (dropped_count > dropped_told) {
        char note[64];
        uint64_t count = dropped_count - dropped_told;
        snprintf(note, sizeof(note), "lines dropped count=%" PRIu64, count);
        if (put_line(REPORT_WARNING, note)) {
            dropped_told = dropped_count;
        }
    }

    char text[TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (!put_line(level, text)) {
        dropped_count++;
    }
}
