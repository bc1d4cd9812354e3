#include "daemon/station.h"

#include "daemon/erasing.h"
#include "daemon/report.h"
#include "daemon/service.h"

#include <assert.h>
#include <ev.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STOP_PATIENCE_S 10.0 /* for what is in flight when we are told to stop */
#define ASK_AGAIN_MIN_S 1.0
#define ASK_AGAIN_MAX_S 60.0
enum {
    HEARTBEAT_MS = 1000,
    ROOM_LOOK_US = 100000, /* while something is written; else once a heartbeat */
    JUMP_MS = 2000,        /* a step of the wall clock worth a line */
};

enum stop_phase { STOP_NOT_ASKED, STOP_DRAINING, STOP_RECORDED };

struct station {
    struct station_options options;
    struct ev_prepare pass;
    struct ev_io log;     /* the log has become durable further on */
    struct ev_idle again; /* active: do not sleep, run the pass again */
    struct ev_timer due;  /* the next instant with work, on a real clock */
    struct ev_timer heartbeat;
    struct ev_timer ask_again; /* for the bot's user id */
    struct ev_timer patience;
    struct ev_signal terminate, interrupt;
    double ask_again_s;
    int64_t wall_minus_mono_ms; /* moves only when the wall clock is set */
    bool clock_held;
    char clock_why[120];
    int64_t room_looked_us;
    uint64_t room_looked_seq;
    enum stop_phase stop;
    enum rc result;
};

/* ---- the bot's own user id ---- */

static void ask_bot_info(struct station *station);

static void
on_ask_again(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    ask_bot_info(timer->data);
}

static void
ask_later(struct station *station, const char *why, unsigned status)
{
    report(REPORT_WARNING,
           "LINE does not tell who the bot is; asking again why=%s status=%u in_s=%.0f", why,
           status, station->ask_again_s);
    ev_timer_set(&station->ask_again, station->ask_again_s, 0.0);
    ev_timer_start(station->options.loop, &station->ask_again);
    station->ask_again_s *= 2;
    if (station->ask_again_s > ASK_AGAIN_MAX_S) {
        station->ask_again_s = ASK_AGAIN_MAX_S;
    }
}

static void
on_bot_info(void *context, const struct line_answer *answer)
{
    struct station *station = context;
    if (answer->transport != LINE_ANSWERED || answer->status != 200) {
        const char *why = answer->status == 401   ? "the channel access token is refused"
                          : answer->error != NULL ? answer->error
                                                  : "refused";
        ask_later(station, why, (unsigned)answer->status);
        return;
    }
    json_t *body = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);
    const char *user_id = json_string_value(json_object_get(body, "userId"));
    size_t room = sizeof(station->options.standing->bot_user_id);
    if (user_id == NULL || *user_id == '\0' || strlen(user_id) >= room) {
        ask_later(station, "its answer has no userId", (unsigned)answer->status);
    } else {
        snprintf(station->options.standing->bot_user_id, room, "%s", user_id);
        report(REPORT_INFO, "LINE knows this bot bot_user_id=%s", user_id);
    }
    json_decref(body);
}

static void
ask_bot_info(struct station *station)
{
    struct line_request request = {.endpoint = LINE_BOT_INFO,
                                   .now_ms = clock_now_ms(core_clock(station->options.core))};
    station->options.client->send(station->options.client, &request, on_bot_info, station);
}

static void
fail(struct station *station)
{
    report(REPORT_ERROR,
           "the log cannot be written and memory has run ahead of it; stopping. Nothing "
           "acknowledged is lost: a new start goes on from the log error=%s",
           core_error(station->options.core));
    station->result = RC_IO;
    ev_break(station->options.loop, EVBREAK_ALL);
}

/* ---- what nothing is sent for: the room, the clock ---- */

/* What nothing is sent for, in the order in which it matters. */
static void
judge_hold(struct station *station)
{
    struct standing *standing = station->options.standing;
    const struct room *room = station->options.room;
    bool no_room = room != NULL && room->is_short;
    standing->read_only = no_room;
    snprintf(standing->held, sizeof(standing->held), "%s",
             no_room ? room->why : station->clock_why);
    delivery_hold(station->options.desk,
                  no_room || station->clock_held || station->stop != STOP_NOT_ASKED);
}

/* SPEC T6: a clock behind what is already recorded is wrong, so nothing is sent by it. */
static void
judge_clock(struct station *station)
{
    bool behind = core_clock_behind(station->options.core);
    if (behind) {
        int64_t by_ms = core_newest_found_ms(station->options.core) -
                        clock_now_ms(core_clock(station->options.core));
        snprintf(station->clock_why, sizeof(station->clock_why),
                 "clock is behind the newest event by %lld s", (long long)((by_ms + 999) / 1000));
    }
    if (behind && !station->clock_held) {
        report(REPORT_ERROR, "nothing is sent: %s; set the clock, sending then goes on by itself",
               station->clock_why);
    } else if (!behind && station->clock_held) {
        report(REPORT_INFO, "the clock has passed the newest event; sending goes on");
        station->clock_why[0] = '\0';
    }
    station->clock_held = behind;
    judge_hold(station);
}

/* A daemon that was started without room becomes the log's writer only now. */
static void
claim_late(struct station *station)
{
    if (core_claim(station->options.core) != RC_OK) {
        fail(station);
        return;
    }
    delivery_resume(station->options.desk);
}

/* DESIGN 5, room to stop: read-only before an append can fail, and back by itself. */
static void
judge_room(struct station *station)
{
    struct room *room = station->options.room;
    if (room == NULL) {
        return;
    }
    station->room_looked_us = clock_mono_us();
    station->room_looked_seq = core_state(station->options.core)->seq;
    bool changed = room_look(room, core_log(station->options.core));
    if (changed && room->is_short) {
        report(REPORT_ERROR,
               "read-only: %s; until then webhooks are answered 503 and nothing is sent",
               room->why);
        advance_cancel(station->options.advance); /* its dues are not sent: it cannot arrive */
    } else if (changed) {
        report(REPORT_INFO, "there is room again; taking in and sending go on");
        if (!core_claimed(station->options.core) && station->stop == STOP_NOT_ASKED) {
            claim_late(station);
        }
    }
    judge_hold(station);
}

/* What is written between two looks must fit below the watermark. */
static bool
room_wants_a_look(const struct station *station)
{
    return core_state(station->options.core)->seq != station->room_looked_seq &&
           clock_mono_us() - station->room_looked_us >= ROOM_LOOK_US;
}

static void
watch_jumps(struct station *station)
{
    int64_t offset_ms = clock_wall_ms() - clock_mono_us() / 1000;
    int64_t by_ms = offset_ms - station->wall_minus_mono_ms;
    station->wall_minus_mono_ms = offset_ms;
    if (by_ms > JUMP_MS) {
        report(REPORT_WARNING,
               "the clock jumped forward by_ms=%lld; what came due meanwhile goes now",
               (long long)by_ms);
    } else if (by_ms < -JUMP_MS) {
        report(REPORT_WARNING,
               "the clock was set back by_ms=%lld; nothing is due until it has caught up",
               (long long)-by_ms);
    }
}

static void
on_heartbeat(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    struct station *station = timer->data;
    (void)loop;
    (void)events;
    judge_room(station);
    if (!core_clock(station->options.core)->virtual_time) {
        judge_clock(station);
        watch_jumps(station);
    }
    service_alive();
}

/* ---- the pass ---- */

static void
arm_due(struct station *station)
{
    struct ev_loop *loop = station->options.loop;
    struct clock *clock = core_clock(station->options.core);
    ev_timer_stop(loop, &station->due);
    int64_t next_ms = delivery_next(station->options.desk);
    if (clock->virtual_time || next_ms == INT64_MAX || station->clock_held) {
        return; /* a virtual clock moves by advance only */
    }
    int64_t wait_ms = next_ms - clock_now_ms(clock);
    if (wait_ms > HEARTBEAT_MS) {
        return; /* the heartbeat comes first and its pass arms again: the wall clock may be set */
    }
    ev_now_update(loop);
    ev_timer_set(&station->due, wait_ms > 0 ? (double)wait_ms / 1000.0 : 0.0, 0.0);
    ev_timer_start(loop, &station->due);
}

/* A clean stop is the last event; then the log has to say that it is durable. */
static void
stop_pass(struct station *station)
{
    struct core *core = station->options.core;
    bool drained =
        delivery_in_flight(station->options.desk) == 0 || !ev_is_active(&station->patience);
    if (station->stop == STOP_DRAINING && drained && !core_claimed(core)) {
        station->stop = STOP_RECORDED; /* not ours to write to */
    } else if (station->stop == STOP_DRAINING && drained) {
        struct input input = {.kind = INPUT_STOP, .at_ms = clock_now_ms(core_clock(core))};
        uint32_t event_count;
        (void)core_input(core, &input, &event_count);
        station->stop = STOP_RECORDED;
    }
}

static void
on_pass(struct ev_loop *loop, struct ev_prepare *prepare, int events)
{
    struct station *station = prepare->data;
    struct core *core = station->options.core;
    (void)events;
    if (room_wants_a_look(station)) {
        judge_room(station);
    }
    bool more = false;
    if (station->stop != STOP_RECORDED) {
        more = delivery_pump(station->options.desk);
        more = (!station->options.standing->read_only && erasing_pump(core)) || more;
    }
    if (station->stop != STOP_NOT_ASKED) {
        stop_pass(station);
    }
    if (core_flush(core) != RC_OK || core_failed(core)) {
        fail(station);
        return;
    }
    if (station->stop == STOP_RECORDED && log_durable(core_log(core)) >= core_state(core)->seq) {
        station->result = RC_OK;
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    if (!more) {
        more = advance_pass(station->options.advance);
    }
    if (more) {
        ev_idle_start(loop, &station->again);
    } else {
        ev_idle_stop(loop, &station->again);
        arm_due(station);
    }
}

static void
on_log(struct ev_loop *loop, struct ev_io *watcher, int events)
{
    struct station *station = watcher->data;
    (void)loop;
    (void)events;
    if (core_poll(station->options.core) != RC_OK) {
        fail(station);
    }
}

/* Watchers that only wake the loop: the pass does the work. */
static void
on_wake_idle(struct ev_loop *loop, struct ev_idle *idle, int events)
{
    (void)loop;
    (void)idle;
    (void)events;
}

static void
on_wake_timer(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

/* ---- signals ---- */

static void
on_signal(struct ev_loop *loop, struct ev_signal *watcher, int events)
{
    struct station *station = watcher->data;
    (void)events;
    if (station->stop != STOP_NOT_ASKED) {
        report(REPORT_WARNING, "told twice: stopping at once");
        _exit(128 + watcher->signum);
    }
    report(REPORT_INFO, "stopping in_flight=%u", delivery_in_flight(station->options.desk));
    station->stop = STOP_DRAINING;
    station->options.standing->stopping = true;
    delivery_hold(station->options.desk, true);
    advance_cancel(station->options.advance);
    ev_timer_start(loop, &station->patience);
    service_stopping();
}

/* ---- life ---- */

/* Often enough for the service manager's watchdog as well. */
static double
heartbeat_s(void)
{
    int64_t watchdog_ms = service_watchdog_ms();
    return watchdog_ms > 0 && watchdog_ms < HEARTBEAT_MS ? (double)watchdog_ms / 1000.0
                                                         : HEARTBEAT_MS / 1000.0;
}

static void
start_watchers(struct station *station)
{
    struct ev_loop *loop = station->options.loop;
    ev_prepare_init(&station->pass, on_pass);
    ev_idle_init(&station->again, on_wake_idle);
    int log_fd = log_wake_fd(core_log(station->options.core));
    ev_io_init(&station->log, on_log, log_fd, EV_READ);
    station->log.data = station;
    if (log_fd >= 0) {
        ev_io_start(loop, &station->log);
    }
    ev_timer_init(&station->due, on_wake_timer, 0.0, 0.0);
    ev_timer_init(&station->heartbeat, on_heartbeat, heartbeat_s(), heartbeat_s());
    ev_timer_init(&station->ask_again, on_ask_again, 0.0, 0.0);
    ev_timer_init(&station->patience, on_wake_timer, STOP_PATIENCE_S, 0.0);
    ev_signal_init(&station->terminate, on_signal, SIGTERM);
    ev_signal_init(&station->interrupt, on_signal, SIGINT);
    station->pass.data = station;
    station->heartbeat.data = station;
    station->ask_again.data = station;
    station->terminate.data = station;
    station->interrupt.data = station;
    ev_prepare_start(loop, &station->pass);
    ev_timer_start(loop, &station->heartbeat);
    ev_signal_start(loop, &station->terminate);
    ev_signal_start(loop, &station->interrupt);
}

struct station *
station_new(const struct station_options *options)
{
    struct station *station = calloc(1, sizeof(*station));
    assert(station != NULL);
    station->options = *options;
    station->ask_again_s = ASK_AGAIN_MIN_S;
    station->wall_minus_mono_ms = clock_wall_ms() - clock_mono_us() / 1000;
    start_watchers(station);
    judge_hold(station); /* before the first pass takes anything */
    if (!core_clock(options->core)->virtual_time) {
        judge_clock(station);
    }
    return station;
}

void
station_free(struct station *station)
{
    if (station == NULL) {
        return;
    }
    struct ev_loop *loop = station->options.loop;
    ev_prepare_stop(loop, &station->pass);
    ev_io_stop(loop, &station->log);
    ev_idle_stop(loop, &station->again);
    ev_timer_stop(loop, &station->due);
    ev_timer_stop(loop, &station->heartbeat);
    ev_timer_stop(loop, &station->ask_again);
    ev_timer_stop(loop, &station->patience);
    ev_signal_stop(loop, &station->terminate);
    ev_signal_stop(loop, &station->interrupt);
    free(station);
}

enum rc
station_run(struct station *station)
{
    ask_bot_info(station);
    ev_run(station->options.loop, 0);
    return station->result;
}
