/* The daemon itself: status and clock. */
#include "daemon/api_call.h"
#include "daemon/instant.h"
#include "daemon/replay.h"
#include "engine/tables.h"
#include "proto/signature.h"

/* The state does not keep it: the log does. */
static int64_t
applied_ms(struct api_call *call)
{
    struct api *api = call->api;
    struct event event;
    if (call->state->definitions_seq > log_durable(core_log(api->options.core))) {
        return INSTANT_NONE; /* a status does not wait for the disk */
    }
    if (api->applied_seq != call->state->definitions_seq) {
        api->applied_seq = call->state->definitions_seq;
        enum rc rc =
            replay_read_event(core_log(api->options.core), api->applied_seq, api->arena, &event);
        api->applied_ms = rc == RC_OK ? event.at_ms : INSTANT_NONE;
    }
    return api->applied_ms;
}

static json_t *
definitions_json(struct api_call *call)
{
    if (call->state->definitions_seq == 0) {
        return json_null();
    }
    char hash[2 * sizeof(call->definitions->hash) + 1];
    hex_encode(span_of(call->definitions->hash, sizeof(call->definitions->hash)), hash);
    return json_pack("{s:I,s:s,s:o}", "seq", (json_int_t)call->state->definitions_seq, "hash", hash,
                     "applied_at", api_instant(call, applied_ms(call)));
}

static json_t *
due_json(struct api_call *call)
{
    const struct engine *engine = core_engine(call->api->options.core);
    json_t *due = json_object();
    for (int i = 0; i < CLASS_COUNT; i++) {
        enum message_class message_class = (enum message_class)i;
        json_object_set_new(due, class_name(message_class),
                            json_integer(engine_due_count(engine, message_class)));
    }
    return due;
}

static json_t *
webhooks_json(const struct api_call *call)
{
    struct webhook_counts counts = webhook_counts(call->api->options.webhook);
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "accepted", (json_int_t)counts.accepted, "events",
        (json_int_t)counts.events, "duplicates", (json_int_t)counts.duplicates, "refused_signature",
        (json_int_t)counts.refused_signature, "refused_size", (json_int_t)counts.refused_size,
        "refused_busy", (json_int_t)counts.refused_busy, "unreadable",
        (json_int_t)counts.unreadable, "foreign", (json_int_t)counts.foreign);
}

static json_t *
deliveries_json(const struct api_call *call)
{
    struct delivery_counts counts = delivery_counts(call->api->options.desk);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "intended", (json_int_t)counts.intended,
                     "sent_reply", (json_int_t)counts.sent_reply, "sent_push",
                     (json_int_t)counts.sent_push, "failed", (json_int_t)counts.failed, "unknown",
                     (json_int_t)counts.unknown, "returned", (json_int_t)counts.returned,
                     "repeated", (json_int_t)counts.repeated);
}

static json_t *
friends_json(const struct api_call *call)
{
    const struct bitmap *unreachable = call->state->unreachable;
    return json_pack("{s:I,s:I}", "count", (json_int_t)call->state->friends.count, "unreachable",
                     (json_int_t)(unreachable == NULL ? 0 : set_count(unreachable)));
}

static json_int_t
enrolments_running(const struct api_call *call)
{
    json_int_t running = 0;
    for (uint32_t i = 0; i < call->state->scenario_capacity; i++) {
        running += call->state->scenario_counts[i].running;
    }
    return running;
}

static json_t *
log_json(const struct api_call *call)
{
    const struct core *core = call->api->options.core;
    const struct log *log = core_log(call->api->options.core);
    struct log_backlog backlog = log_backlog(log);
    uint64_t used_bytes, map_bytes;
    log_map(log, &used_bytes, &map_bytes);
    return json_pack("{s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I,s:b}}", "newest", (json_int_t)log_newest(log),
                     "durable", (json_int_t)log_durable(log), "batches",
                     (json_int_t)core_batch_count(core), "bytes", (json_int_t)used_bytes, "backlog",
                     "batches", (json_int_t)backlog.batches, "bytes", (json_int_t)backlog.bytes,
                     "oldest_ms", (json_int_t)(backlog.oldest_wait_us / 1000), "slow",
                     (int)core_log_slow(core));
}

void
api_get_status(struct api_call *call)
{
    const struct api_options *options = &call->api->options;
    int64_t now_ms = api_now_ms(call);
    struct buf copied_text = {0};
    json_t *copied = api_copied(call, &copied_text);
    const char *held = options->standing->held, *bot = options->standing->bot_user_id;

    json_t *body = json_object();
    json_object_set_new(body, "version", json_string(STEPD_VERSION));
    json_object_set_new(body, "account", api_text(call->definitions->account.name));
    json_object_update_new(body, api_clock(call->api));
    if (*held == '\0' && !json_is_null(copied)) {
        held = buf_cstr(&copied_text);
    }
    json_object_set_new(body, "held", api_text(*held == '\0' ? NULL : held));
    json_object_set_new(body, "copied", copied);
    json_object_set_new(body, "read_only", json_boolean(options->standing->read_only));
    json_object_set_new(body, "listen", api_text(options->standing->listen));
    json_object_set_new(body, "bot_user_id", api_text(*bot == '\0' ? NULL : bot));
    json_object_set_new(body, "definitions", definitions_json(call));
    json_object_set_new(body, "log", log_json(call));
    json_object_set_new(body, "friends", friends_json(call));
    uint32_t forgetting = call->state->forgetting.friend;
    json_object_set_new(body, "forgetting",
                        forgetting == NO_ID ? json_null() : json_integer(forgetting));
    json_object_set_new(body, "enrolments", json_integer(enrolments_running(call)));
    json_object_set_new(body, "due", due_json(call));
    json_object_set_new(body, "in_flight", json_integer(delivery_in_flight(options->desk)));
    json_object_set_new(body, "resting", json_integer(delivery_resting(options->desk)));
    json_object_set_new(body, "next_due",
                        api_instant(call, engine_next_due(core_engine(options->core), now_ms)));
    json_object_set_new(body, "deliveries", deliveries_json(call));
    json_object_set_new(body, "webhooks", webhooks_json(call));
    buf_fini(&copied_text);
    api_ok(call, API_NOW, body);
}

json_t *
api_clock(const struct api *api)
{
    struct clock *clock = core_clock(api->options.core);
    int64_t now_ms = clock_now_ms(clock);
    char now[INSTANT_TEXT_BYTES];
    return json_pack("{s:s,s:I,s:b}", "now", instant_print(now_ms, api_zone(api), now), "now_ms",
                     (json_int_t)now_ms, "virtual", (int)clock->virtual_time);
}

void
api_get_clock(struct api_call *call)
{
    api_ok(call, API_NOW, api_clock(call->api));
}

void
api_post_clock(struct api_call *call)
{
    static const char *const KEYS[] = {"advance_to", NULL};
    if (!api_body_keys(call, KEYS)) {
        return;
    }
    if (!core_clock(call->api->options.core)->virtual_time) {
        api_error(call->reply, API_REFUSED, "start stepd with --clock virtual",
                  "the clock is the real one; only a virtual clock can be moved");
        return;
    }
    const json_t *to = json_object_get(call->body, "advance_to");
    int64_t to_ms = json_integer_value(to);
    struct span text = span_of(json_string_value(to), json_string_length(to));
    bool read = json_is_integer(to) ? instant_in_range(to_ms)
                                    : json_is_string(to) &&
                                          instant_parse(text, api_zone(call->api), &to_ms) == RC_OK;
    if (!read) {
        api_error(call->reply, API_INVALID, "\"2026-06-02 09:00:00\", or UTC milliseconds",
                  "'advance_to' is to be an instant before the year 2200");
        return;
    }
    if (to_ms < api_now_ms(call)) {
        api_error(call->reply, API_INVALID, NULL, "the clock goes forward only");
        return;
    }
    call->reply->status = 200;
    call->reply->when = API_WHEN_ADVANCED;
    call->reply->advance_to_ms = to_ms;
    call->reply->body = json_object();
}
