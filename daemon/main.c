/* stepd - settings, secrets, zones, the log, the core, LINE, the doors; then the loop until a stop. */
#include "daemon/advance.h"
#include "daemon/credentials.h"
#include "daemon/doors.h"
#include "daemon/held.h"
#include "daemon/line_client_curl.h"
#include "daemon/random.h"
#include "daemon/report.h"
#include "daemon/service.h"
#include "daemon/settings.h"
#include "daemon/station.h"
#include "daemon/zones.h"
#include "store/map_fault.h"

#include <assert.h>
#include <ev.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };
enum { CONNECT_TIMEOUT_MS = 5000, DEADLINE_MS = 10000 };

struct stepd {
    struct settings settings;
    struct secret *channel_secret, *channel_token;
    struct zones *zones;
    struct clock clock;
    struct room room;
    char *directory; /* real path of the data directory */
    struct ev_loop *loop;
    struct core *core;
    struct line_client *client;
    struct delivery_desk *desk;
    struct webhook *webhook;
    struct api *api;
    struct advance advance;
    struct standing standing;
    struct station *station;
    struct doors *doors;
};

static bool
read_secrets(struct stepd *stepd)
{
    struct buf error = {0};
    const char *directory = stepd->settings.credentials;
    enum rc rc = secret_read(directory, "channel_secret", &stepd->channel_secret, &error);
    if (rc == RC_OK) {
        rc = secret_read(directory, "channel_token", &stepd->channel_token, &error);
    }
    if (rc != RC_OK) {
        report(REPORT_ERROR, "%s", buf_cstr(&error));
    }
    buf_fini(&error);
    return rc == RC_OK;
}

static void
report_log_refused(const char *directory, enum rc rc)
{
    const char *why = log_error(NULL);
    switch (rc) {
    case RC_BUSY:
        report(REPORT_ERROR,
               "the data directory is held by another process; stop that one, or give this one a "
               "directory of its own: %s data_dir=%s",
               why, directory);
        return;
    case RC_CORRUPT:
        report(
            REPORT_ERROR,
            "the log does not hold together and is left as it is: %s; 'steplog verify' shows the "
            "place, a backup restores it data_dir=%s",
            why, directory);
        return;
    case RC_NEWER:
        report(REPORT_ERROR,
               "the log was written by a newer stepd: %s; start that version data_dir=%s", why,
               directory);
        return;
    default:
        report(REPORT_ERROR, "the log cannot be opened: %s error=%s data_dir=%s", why, rc_name(rc),
               directory);
        return;
    }
}

/* A virtual clock begins where it is told, but never before what is recorded. */
static void
start_clock(struct stepd *stepd, int64_t now_ms, const struct log *log)
{
    if (!stepd->settings.virtual_clock) {
        clock_init_real(&stepd->clock);
        return;
    }
    int64_t newest_ms = log_newest_time(log);
    clock_init_virtual(&stepd->clock, now_ms > newest_ms ? now_ms : newest_ms);
}

/* The console's line: who and where to. The words are in the log, not in the journal. */
static void
report_notice(void *context, const struct event *event, const struct definitions *definitions)
{
    (void)context;
    if (event->kind == EVENT_FIELD_SET) {
        report(REPORT_WARNING, "tz is no time zone, the account's is used friend=%u event=%llu",
               event->friend, (unsigned long long)event->seq);
        return;
    }
    report(REPORT_INFO, "notice friend=%u to=%s event=%llu", event->friend,
           event->u.notified.to == NO_ID
               ? "all"
               : names_text(&definitions->notify_names, event->u.notified.to),
           (unsigned long long)event->seq);
}

static void
report_held(struct stepd *stepd)
{
    struct held_gap gap;
    struct arena *arena = arena_new();
    if (held_look(stepd->core, arena, &gap) == RC_OK) {
        struct buf text = {0};
        held_text(&gap, core_state(stepd->core)->definitions->account.zone, &text);
        report(REPORT_WARNING, "nothing is sent: %s", buf_cstr(&text));
        buf_fini(&text);
    }
    arena_free(arena);
}

static void
note_checkpoint(void *context, const char *text)
{
    (void)context;
    report(REPORT_WARNING, "%s", text);
}

static bool
open_core(struct stepd *stepd)
{
    const struct settings *settings = &stepd->settings;
    int64_t now_ms = settings->has_clock_start ? settings->clock_start_ms : clock_wall_ms();
    struct buf holder = {0};
    buf_printf(&holder, "stepd, process %ld, socket %s", (long)getpid(), settings->socket);
    const struct log_options log_options = {.mode = LOG_CLAIM,
                                            .holder = buf_cstr(&holder),
                                            .now_ms = now_ms,
                                            .map_bytes = settings->map_bytes,
                                            .writer_thread = true,
                                            .mono_us = clock_mono_us};
    struct log *log = NULL;
    enum rc rc = log_open(settings->data_dir, &log_options, &log);
    buf_fini(&holder);
    if (rc != RC_OK) {
        report_log_refused(settings->data_dir, rc);
        return false;
    }
    start_clock(stepd, now_ms, log);
    room_init(&stepd->room, settings->data_dir, settings->room_min_bytes, NULL, NULL);
    if (room_look(&stepd->room, log)) {
        report(REPORT_ERROR, "starting read-only: %s; until then nothing is taken in or sent",
               stepd->room.why);
    }
    stepd->directory = realpath(settings->data_dir, NULL); /* until the claim, maybe much later */
    int64_t began_us = clock_mono_us();
    const struct core_options options = {
        .log = log,
        .clock = &stepd->clock,
        .zones = zones_source(stepd->zones),
        .directory = stepd->directory != NULL ? stepd->directory : "",
        .public_url = settings->public_url,
        .notice = report_notice,
        .checkpoints = settings->checkpoints ? settings->data_dir : NULL,
        .note = note_checkpoint,
        .claim_later = stepd->room.is_short,
        .random = random_draw};
    rc = core_open(&options, &stepd->core);
    if (rc != RC_OK) {
        report(REPORT_ERROR,
               "the log cannot be replayed and nothing is started: %s; 'steplog verify' shows the "
               "place error=%s data_dir=%s",
               core_error(stepd->core), rc_name(rc), settings->data_dir);
        return false;
    }
    const struct state *state = core_state(stepd->core);
    const struct restored *restored = core_restored(stepd->core);
    report(REPORT_INFO, "log replayed events=%llu friends=%u checkpoint=%llu tail=%llu ms=%lld",
           (unsigned long long)state->seq, state->friends.count,
           (unsigned long long)restored->checkpoint_seq, (unsigned long long)restored->tail_events,
           (long long)((clock_mono_us() - began_us) / 1000));
    report_held(stepd);
    return true;
}

static bool
open_line(struct stepd *stepd)
{
    const struct settings *settings = &stepd->settings;
    const struct line_client_curl_options client_options = {
        .base_url = settings->line_url,
        .token = secret_text(stepd->channel_token),
        .virtual_time = settings->virtual_clock,
        .connections_max = settings->in_flight_max,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .deadline_ms = DEADLINE_MS};
    enum rc rc = line_client_curl_new(stepd->loop, &client_options, &stepd->client);
    if (rc != RC_OK) {
        report(REPORT_ERROR, "requests to LINE cannot be made error=%s line_url=%s", rc_name(rc),
               settings->line_url);
        return false;
    }
    struct delivery_options options = {.core = stepd->core,
                                       .client = stepd->client,
                                       .in_flight_max = settings->in_flight_max,
                                       .per_second =
                                           {
                                               [LINE_PUSH] = settings->push_per_second,
                                               [LINE_MULTICAST] = settings->multicast_per_second,
                                               [LINE_REPLY] = settings->reply_per_second,
                                           },
                                       .fetch_profiles = settings->fetch_profiles,
                                       .read_quota = true};
    random_draw(NULL, &options.jitter_seed, sizeof(options.jitter_seed));
    stepd->desk = delivery_new(&options);
    if (core_claimed(stepd->core)) {
        delivery_resume(stepd->desk);
    }
    return true;
}

static bool
open_doors(struct stepd *stepd)
{
    const struct settings *settings = &stepd->settings;
    const struct doors_options options = {.loop = stepd->loop,
                                          .core = stepd->core,
                                          .api = stepd->api,
                                          .webhook = stepd->webhook,
                                          .advance = &stepd->advance,
                                          .standing = &stepd->standing,
                                          .listen = settings->listen,
                                          .socket_path = settings->socket,
                                          .socket_mode = settings->socket_mode,
                                          .webhook_wait_us = DOORS_WEBHOOK_WAIT_US};
    const char *failed;
    enum rc rc = doors_open(&options, &stepd->doors, &failed);
    if (rc != RC_OK) {
        report(REPORT_ERROR, "cannot listen on %s: %s error=%s", failed,
               rc == RC_EXISTS    ? "it is in use; stop who uses it, or choose another"
               : rc == RC_REFUSED ? "not permitted; choose another port or path"
                                  : "the system refuses it",
               rc_name(rc));
        return false;
    }
    /* The port the kernel chose, where 0 was asked for. */
    const char *colon = strrchr(settings->listen, ':');
    snprintf(stepd->standing.listen, sizeof(stepd->standing.listen), "%.*s:%u",
             (int)(colon - settings->listen), settings->listen, doors_port(stepd->doors));
    return true;
}

static void
build(struct stepd *stepd)
{
    const struct station_options station_options = {.loop = stepd->loop,
                                                    .core = stepd->core,
                                                    .desk = stepd->desk,
                                                    .client = stepd->client,
                                                    .advance = &stepd->advance,
                                                    .room = &stepd->room,
                                                    .standing = &stepd->standing};
    stepd->webhook =
        webhook_new(stepd->core, &stepd->standing, span_cstr(secret_text(stepd->channel_secret)));
    const struct api_options api_options = {.core = stepd->core,
                                            .desk = stepd->desk,
                                            .webhook = stepd->webhook,
                                            .standing = &stepd->standing,
                                            .zones = zones_source(stepd->zones)};
    stepd->api = api_new(&api_options);
    advance_init(&stepd->advance, stepd->core, stepd->desk);
    stepd->station = station_new(&station_options);
}

static bool
open_all(struct stepd *stepd)
{
    if (!read_secrets(stepd)) {
        return false;
    }
    stepd->zones = zones_new(NULL);
    stepd->loop = ev_default_loop(EVFLAG_AUTO);
    assert(stepd->loop != NULL);
    if (!open_core(stepd) || !open_line(stepd)) {
        return false;
    }
    build(stepd);
    return open_doors(stepd);
}

/* In the order in which each lets go of the next: the doors answer what waits, LINE is not called back. */
static void
close_all(struct stepd *stepd)
{
    doors_close(stepd->doors);
    station_free(stepd->station);
    api_free(stepd->api);
    webhook_free(stepd->webhook);
    if (stepd->client != NULL) {
        stepd->client->free(stepd->client);
    }
    delivery_free(stepd->desk);
    core_close(stepd->core);
    zones_free(stepd->zones);
    secret_free(stepd->channel_secret);
    secret_free(stepd->channel_token);
    free(stepd->directory);
    settings_fini(&stepd->settings);
}

static int
run(struct stepd *stepd)
{
    if (!open_all(stepd)) {
        return EXIT_FAILED;
    }
    report(REPORT_INFO, "ready version=%s listen=%s socket=%s clock=%s", STEPD_VERSION,
           stepd->standing.listen, stepd->settings.socket,
           stepd->settings.virtual_clock ? "virtual" : "real");
    if (core_state(stepd->core)->definitions_seq == 0) {
        report(REPORT_INFO, "no definitions are in force yet: 'stepctl apply' puts them there");
    }
    service_ready();
    enum rc rc = station_run(stepd->station);
    if (rc == RC_OK) {
        report(REPORT_INFO, "stopped events=%llu",
               (unsigned long long)core_state(stepd->core)->seq);
    }
    return rc == RC_OK ? EXIT_STOPPED : EXIT_FAILED;
}

int
main(int argc, char **argv)
{
    struct stepd stepd = {0};
    struct buf message = {0};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file over its limit is an error of its write */
    map_fault_explain();
    umask(0077);
    enum rc rc = settings_read(&stepd.settings, argc, argv, &message);
    if (rc != RC_OK) {
        fputs(buf_cstr(&message), rc == RC_END ? stdout : stderr);
        settings_fini(&stepd.settings);
        buf_fini(&message);
        return rc == RC_END ? EXIT_STOPPED : EXIT_USAGE;
    }
    buf_fini(&message);
    report_set_level(stepd.settings.log_level);
    credentials_protect_process();
    int code = run(&stepd);
    close_all(&stepd);
    return code;
}
