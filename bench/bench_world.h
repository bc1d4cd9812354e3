/* bench_world - fakeline and stepd in a directory of their own, and an HTTP pump, for benches.
 *
 * Shape    bench_open() starts fakeline; bench_start()/bench_stop() run stepd on fresh data, on a virtual
 *          or the real clock; bench_pump() sends many requests over keep-alive connections at once.
 * Units    microseconds of the monotonic clock, or of the wall clock where the name says so; MiB.
 * Errors   a bench that cannot be what it says it is ends the program with a line on stderr.
 * Owner    the caller embeds struct bench_world; bench_close() ends the programs and removes the files.
 */
#ifndef BENCH_BENCH_WORLD_H
#define BENCH_BENCH_WORLD_H

#include "engine/base/buf.h"
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define BENCH_SECRET "bench-channel-secret"
#define BENCH_TOKEN "bench-channel-token"
#define BENCH_BOT "U0000000000000000000000000000be7c"
#define BENCH_START "2031-06-01 10:00:00"     /* of a virtual clock */
#define BENCH_START_MS INT64_C(1938042000000) /* the same instant */

struct bench_world {
    char dir[192], bin[512], data[256], socket[256], webhook_url[96];
    pid_t line, daemon;
    int line_port;
};

enum bench_clock { BENCH_VIRTUAL, BENCH_REAL };

/* program: argv[0], beside which stepd and fakeline are found. parent: where the directory is made. */
void bench_open(struct bench_world *world, const char *program, const char *parent);
void bench_close(struct bench_world *world);
void bench_start(struct bench_world *world, enum bench_clock clock);
void bench_stop(struct bench_world *world);

void bench_apply(struct bench_world *world, const char *yaml);
/* A number of /v1/status by its dotted path. */
int64_t bench_status(struct bench_world *world, const char *path);
/* Asks again until that number is reached. */
void bench_wait(struct bench_world *world, const char *path, int64_t wanted, int64_t patience_ms);
double bench_rss_mib(const struct bench_world *world);
/* Wall time in µs at which fakeline accepted the push to user first + i, into out[i]. Returns how many. */
size_t bench_accepted_us(struct bench_world *world, unsigned first, unsigned count, int64_t *out);

struct request {
    struct buf body;
    char signature[64];     /* empty: no such header */
    char authorization[64]; /* the same */
};
typedef void (*request_fn)(void *context, unsigned i, struct request *request);
/* POSTs requests 0 .. count - 1 to one URL; each must be answered 200. Returns the µs it took. */
int64_t bench_pump(const char *url, unsigned count, unsigned connections, request_fn make,
                   void *context);

struct bench_machine {
    char cpu[128], kernel[128];
    int cores;
};
void bench_machine(struct bench_machine *out);

int64_t bench_now_us(void);
/* The processor's time of this process: what others do on the machine does not count. For scenes of one thread
 * that wait for nothing. */
int64_t bench_cpu_us(void);
int64_t bench_wall_us(void);
void bench_check(bool holds, const char *what);

#endif
