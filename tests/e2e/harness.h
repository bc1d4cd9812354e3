/* harness - a small world for end-to-end tests: the real programs in a temporary directory.
 *
 * Shape    world_open() makes the directory and its credentials and starts fakeline; world_start() and
 *          world_kill() start and kill the daemon as often as a test likes; the rest is HTTP by libcurl
 *          and JSON by jansson. Ports are chosen by the kernel, so tests run side by side. Templates
 *          of a test say their own name, so that what fakeline accepted can be compared by name.
 * Units    local instants are texts ("2031-06-02 09:00:00", Asia/Tokyo); milliseconds end in _ms.
 * Errors   a broken world fails the Check test at once, with the daemon's own words; what a test may
 *          want to see (an HTTP status, an exit code, a daemon that died) is returned.
 * Owner    the caller embeds struct world; json_t results are the caller's to decref. A test that
 *          fails leaves its directory in /tmp for a look; one that passes leaves nothing.
 */
#ifndef TESTS_E2E_HARNESS_H
#define TESTS_E2E_HARNESS_H

#include "engine/base/buf.h"
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define E2E_SECRET "e2e-channel-secret"
#define E2E_BOT "Ue2e0000000000000000000000000000b"
#define E2E_START "2031-06-01 10:00:00" /* where every world's virtual clock begins */

struct world {
    char dir[64];  /* holds all of the below; removed by world_close() */
    char data[96]; /* the daemon's data directory */
    char socket[96];
    pid_t line, daemon; /* 0: not running */
    int line_port, daemon_port;
    char bot[40];                      /* the bot that fakeline says it is */
    int fault_at;                      /* > 0: the daemon is killed at that point (fault_shim.c) */
    const char *fault_call, *fault_do; /* the shim's other kinds of places; NULL: its first */
    const char *fault_after;           /* count them while this file exists; NULL: always */
    bool no_sync;                      /* the daemon's syncs do nothing (fault_shim.c) */
    bool has_disk;                     /* the daemon is started on the disk of disk_shim.c */
    long file_bytes_max; /* > 0: no file of the daemon's may grow larger (ulimit -f) */
    const char *more[8]; /* further flags of the daemon, ended by NULL */
    char at[32];         /* the local time the test has reached; restarts come back to it */
    int webhook_count;   /* makes webhook ids unique within the world */
};

void world_open(struct world *world);
void world_close(struct world *world); /* takes a zeroed world, too */
/* Starts fakeline anew on a fresh port, forgetting all; world_open() has done it once. */
void world_start_line(struct world *world);
/* Starts the daemon and waits until it answers and knows its bot. False: it died first. */
bool world_start(struct world *world);
/* Starts it without waiting for anything. */
void world_spawn(struct world *world);
/* Starts it where it is to refuse: returns its exit code, and its words in out_words. */
int world_start_refused(struct world *world, struct buf *out_words);
void world_kill(struct world *world); /* kill -9 */
int world_stop(struct world *world);  /* SIGTERM; its exit code */
/* True when the daemon has ended by itself (killed by the shim, or stopped by the failure that the shim made:
 * then not with 0); it is then reaped. */
bool world_died(struct world *world);
/* The same, with patience: a connection breaks before the process can be reaped. */
bool world_dies(struct world *world);
/* Waits until the daemon has ended by itself, as is expected; its exit code. */
int world_ends(struct world *world);
/* What the disk of the next write is like, in disk_shim.c's words; NULL: a good one. */
void world_disk(const struct world *world, const char *word);
/* What the programs wrote so far, for a failing test; borrowed until the next call. */
const char *programs_said(const struct world *world);
void world_forget_programs_said(const struct world *world);
/* A fresh data directory for the next start. */
void world_forget_data(struct world *world);

/* One call of the daemon's API, or of fakeline's own door. Status 0: no answer came. */
json_t *api(struct world *world, const char *method, const char *path, json_t *body,
            int *out_status);
json_t *line_door(struct world *world, const char *method, const char *path, json_t *body,
                  int *out_status);
/* POST /webhook with these bytes, signed (or signed wrongly). Returns the status, 0 for none. */
int post_webhook(struct world *world, const void *body, size_t bytes, bool signed_well);

/* The daemon's figures by a dotted path, "webhooks.duplicates". */
int64_t status_number(struct world *world, const char *path);
/* The digest the daemon reports, as 16 hex digits. */
void status_digest(struct world *world, char out_digest[17]);

/* Applies definitions given as one YAML text; returns the HTTP status. */
int apply_yaml(struct world *world, const char *yaml);
/* Moves the virtual clock; returns the HTTP status. */
int advance(struct world *world, const char *local);

/* One event of a friend as LINE would send it at world->at: kind is "follow", "unblock", "unfollow",
 * "message" (text) or "postback" (data). The caller sends it with send_event(), again after a crash. */
json_t *make_event(struct world *world, const char *user, const char *kind, const char *text);
/* Through fakeline, which signs it and knows its reply token. Status 0: the daemon gave no answer. */
int send_event(struct world *world, json_t *event, bool again);
/* Moves the clock, makes and sends one event, and wants 200. */
void act(struct world *world, const char *local, const char *user, const char *kind,
         const char *text);

/* What fakeline accepted and delivered, one line each, sorted:
 * "2031-06-01 10:15:00 A T_form+T_gift reply\n". The friend is the letter of its user id. */
void accepted_lines(struct world *world, struct buf *out_lines);
/* Fails with a diff when what was accepted is not this (NULL-ended, any order). */
void expect_accepted(struct world *world, const char *const *lines);

/* Local time (Asia/Tokyo) to UTC milliseconds and back. */
int64_t local_ms(const char *local);
void local_text(int64_t at_ms, char out[32]);

/* The LINE user id of a friend with a one-letter name. */
const char *user_id(const char *letter, char out[40]);

/* Runs a program of build/bin to its end; its output (both streams) goes to out. Returns its code. */
int run_tool(struct buf *out, const char *const *argv);
/* `steplog replay` on the world's data: its digest; fails when there is none. */
void replay_digest(struct world *world, char out_digest[17]);

#endif
