#include "tools/steplog/progress.h"

#include "daemon/clock.h"

#include <stdio.h>
#include <unistd.h>

void
progress_begin(struct progress *progress, const char *doing, uint64_t total)
{
    *progress =
        (struct progress){.doing = doing, .total = total, .visible = isatty(STDERR_FILENO) != 0};
}

void
progress_show(struct progress *progress, uint64_t done, uint64_t bytes)
{
    enum { PAUSE_US = 100000, WIDTH = 30 };
    static const char bar[] = "##############################";
    int64_t now_us = progress->visible ? clock_mono_us() : 0;
    if (!progress->visible || now_us - progress->shown_us < PAUSE_US) {
        return;
    }
    progress->shown_us = now_us;
    done = done < progress->total ? done : progress->total;
    uint64_t total = progress->total == 0 ? 1 : progress->total;
    int filled = (int)(done * WIDTH / total);
    fprintf(stderr, "\r%s [%-*.*s] %3d %%", progress->doing, WIDTH, filled, bar,
            (int)(done * 100 / total));
    if (bytes > 0) {
        fprintf(stderr, "  %.1f MB", (double)bytes / 1e6);
    }
    fputs("\033[K", stderr);
}

void
progress_end(struct progress *progress)
{
    if (progress->visible) {
        fputs("\r\033[K", stderr);
    }
}
