/* The desk against a LINE with whole bad days: what LINE accepted is counted by LINE, a friend at a time. */
#include "daemon/delivery.h"
#include "daemon/zones.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRIENDS = 3000, OPEN_MAX = 128, ROUND_TRIP_MS = 30, IN_FLIGHT = 64 };
#define START_MS INT64_C(1780272000000) /* 2026-06-01 09:00 in Tokyo */

static const char SHOP[] = "account: {zone: Asia/Tokyo}\n"
                           "templates: {hello: hello, news: '%s', ans: answer}\n"
                           "friend_add: {new: {do: [ {start: S} ]}}\n"
                           "scenarios:\n"
                           "  S:\n"
                           "    steps:\n"
                           "      a: {when: day 1 at 10:00, send: news}\n"
                           "auto_replies:\n"
                           "  q: {exact: q, send: ans}\n";

struct asked {
    struct line_request request;
    char *to; /* "[\"U1\",\"U2\"]" */
    char key[48];
    int64_t answer_ms;
    line_done_fn done;
    void *context;
};

struct world {
    struct line_client client; /* first: send() finds the world by it */
    struct clock clock;
    struct zones *zones;
    struct log *log;
    struct core *core;
    struct delivery_desk *desk;
    struct asked asked[OPEN_MAX];
    uint32_t asked_count;
    uint32_t requests, at_once_max;
    int64_t down_from_ms, down_until_ms;
    struct line_answer down; /* what LINE says meanwhile */
    uint8_t accepted[FRIENDS];
    char keys[FRIENDS][48];
    uint32_t replies;
    int64_t reply_asked_ms;
    bool read_quota;
    uint32_t quota,
        elsewhere;    /* messages of the month, and what staff has used of them; 0: no limit */
    uint32_t refused; /* 429 for the quota */
};

static struct world world;

static void
fill_random(void *context, void *out, size_t bytes)
{
    static uint8_t next;
    (void)context;
    memset(out, ++next, bytes);
}

static void
fake_send(struct line_client *client, const struct line_request *request, line_done_fn done,
          void *context)
{
    (void)client;
    ck_assert_uint_lt(world.asked_count, OPEN_MAX);
    struct asked *asked = &world.asked[world.asked_count++];
    *asked = (struct asked){.request = *request,
                            .answer_ms = world.clock.now_ms + ROUND_TRIP_MS,
                            .done = done,
                            .context = context};
    const char *body = (const char *)request->body.data;
    const char *end =
        request->body.len == 0 ? NULL : memmem(body, request->body.len, "\"messages\"", 10);
    asked->to = end == NULL ? strdup("") : strndup(body, (size_t)(end - body));
    snprintf(asked->key, sizeof(asked->key), "%.*s", span_fmt(request->retry_key));
    world.requests++;
    if (world.asked_count > world.at_once_max) {
        world.at_once_max = world.asked_count;
    }
    if (request->endpoint == LINE_REPLY) {
        world.reply_asked_ms = world.clock.now_ms;
    }
}

static bool
line_is_down(void)
{
    return world.clock.now_ms >= world.down_from_ms && world.clock.now_ms < world.down_until_ms;
}

static uint32_t
friends_accepted(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FRIENDS; i++) {
        count += world.accepted[i];
    }
    return count;
}

/* Of the month: what it has, and what is used of it, also by staff in LINE's manager. */
static struct line_answer
tell_quota(const struct asked *asked)
{
    static char body[100];
    if (asked->request.endpoint == LINE_CONSUMPTION) {
        snprintf(body, sizeof(body), "{\"totalUsage\":%u}", friends_accepted() + world.elsewhere);
    } else if (world.quota == 0) {
        snprintf(body, sizeof(body), "{\"type\":\"none\"}");
    } else {
        snprintf(body, sizeof(body), "{\"type\":\"limited\",\"value\":%u}", world.quota);
    }
    return (struct line_answer){
        .transport = LINE_ANSWERED, .status = 200, .body = span_cstr(body), .retry_after_s = -1};
}

static bool
goes_beyond_quota(const struct asked *asked)
{
    uint32_t count = 0;
    for (const char *at = strchr(asked->to, 'U'); at != NULL; at = strchr(at + 1, 'U')) {
        count++;
    }
    return world.quota > 0 && friends_accepted() + world.elsewhere + count > world.quota;
}

static struct line_answer
judge(const struct asked *asked)
{
    struct line_answer answer = {
        .transport = LINE_ANSWERED, .status = 200, .body = span_cstr("{}"), .retry_after_s = -1};
    if (line_is_down()) {
        return world.down;
    }
    if (asked->request.endpoint == LINE_REPLY) {
        world.replies++;
        return answer;
    }
    if (asked->request.endpoint == LINE_QUOTA || asked->request.endpoint == LINE_CONSUMPTION) {
        return tell_quota(asked);
    }
    if (goes_beyond_quota(asked)) {
        world.refused++;
        answer.status = 429;
        answer.body = span_cstr("{\"message\":\"You have reached your monthly limit.\"}");
        return answer;
    }
    for (const char *at = strchr(asked->to, 'U'); at != NULL; at = strchr(at + 1, 'U')) {
        unsigned friend = FRIENDS;
        ck_assert_int_eq(sscanf(at, "U%u", &friend), 1);
        ck_assert_uint_lt(friend, FRIENDS);
        if (world.accepted[friend] > 0 && strcmp(world.keys[friend], asked->key) == 0) {
            answer.status = 409; /* for all of them */
            return answer;
        }
        world.accepted[friend]++;
        snprintf(world.keys[friend], sizeof(world.keys[friend]), "%s", asked->key);
    }
    return answer;
}

static void
start(void)
{
    struct core_options options = {.log = world.log,
                                   .clock = &world.clock,
                                   .zones = zones_source(world.zones),
                                   .directory = "",
                                   .random = fill_random};
    ck_assert_int_eq(core_open(&options, &world.core), RC_OK);
    struct delivery_options delivery = {.core = world.core,
                                        .client = &world.client,
                                        .in_flight_max = IN_FLIGHT,
                                        .read_quota = world.read_quota,
                                        .jitter_seed = 11};
    world.desk = delivery_new(&delivery);
    delivery_resume(world.desk);
    ck_assert_int_eq(core_flush(world.core), RC_OK);
}

/* kill -9: LINE's answers are never heard. */
static void
kill_and_start(void)
{
    while (world.asked_count > 0) {
        free(world.asked[--world.asked_count].to);
    }
    delivery_free(world.desk);
    world.log = core_release_log(world.core);
    core_close(world.core);
    start();
}

static void
apply_shop(const char *news)
{
    struct diagnostics diagnostics;
    struct definitions *definitions = NULL;
    char shop[1000];
    snprintf(shop, sizeof(shop), SHOP, news);
    struct source_file file = {span_cstr("shop.yaml"), span_cstr(shop)};
    diagnostics_init(&diagnostics);
    enum rc rc = definition_compile(&file, 1, NULL, zones_source(world.zones), NULL, &diagnostics,
                                    &definitions);
    ck_assert_msg(rc == RC_OK, "%s",
                  diagnostics.count > 0 ? diagnostics.items[0].message : rc_name(rc));
    struct input input = {.kind = INPUT_DEFINITIONS,
                          .at_ms = world.clock.now_ms,
                          .u.definitions = {.definitions = definitions}};
    uint32_t count;
    (void)core_input(world.core, &input, &count);
    definitions_release(definitions);
    diagnostics_fini(&diagnostics);
}

static void
act(enum input_kind kind, uint32_t friend, const char *text)
{
    char who[16];
    snprintf(who, sizeof(who), "U%u", friend);
    struct input input = {.kind = kind,
                          .at_ms = world.clock.now_ms,
                          .u.act = {.user_id = span_cstr(who),
                                    .reply_token = span_cstr("token"),
                                    .line_at_ms = world.clock.now_ms,
                                    .type = span_cstr("text"),
                                    .text = span_cstr(text)}};
    uint32_t count;
    (void)core_input(world.core, &input, &count);
}

static void
answer_what_is_due(void)
{
    for (uint32_t i = 0; i < world.asked_count;) {
        struct asked asked = world.asked[i];
        if (asked.answer_ms > world.clock.now_ms) {
            i++;
            continue;
        }
        world.asked[i] = world.asked[--world.asked_count];
        struct line_answer answer = judge(&asked);
        asked.done(asked.context, &answer);
        free(asked.to);
    }
}

static int64_t
next_instant(void)
{
    int64_t next_ms = delivery_next(world.desk);
    for (uint32_t i = 0; i < world.asked_count; i++) {
        next_ms = world.asked[i].answer_ms < next_ms ? world.asked[i].answer_ms : next_ms;
    }
    return next_ms;
}

static void
go_to(int64_t until_ms)
{
    for (;;) {
        while (delivery_pump(world.desk)) {
        }
        ck_assert_int_eq(core_flush(world.core), RC_OK);
        int64_t next_ms = next_instant();
        if (next_ms > until_ms) {
            break;
        }
        if (next_ms > world.clock.now_ms) {
            ck_assert_int_eq(clock_set(&world.clock, next_ms), RC_OK);
        }
        answer_what_is_due();
    }
    ck_assert_int_eq(clock_set(&world.clock, until_ms), RC_OK);
}

static uint32_t
accepted_by(uint8_t times)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FRIENDS; i++) {
        count += world.accepted[i] == times;
    }
    return count;
}

/* All friends follow; each is due the next day at 10:00, with these news. */
static void
open_world_with(const char *news)
{
    bool read_quota = world.read_quota;
    world = (struct world){
        .client = {.send = fake_send}, .down_from_ms = INT64_MAX, .read_quota = read_quota};
    clock_init_virtual(&world.clock, START_MS);
    world.zones = zones_new(NULL);
    struct log_options options = {.mode = LOG_CLAIM, .now_ms = START_MS};
    ck_assert_int_eq(log_open(NULL, &options, &world.log), RC_OK);
    start();
    apply_shop(news);
    for (uint32_t i = 0; i < FRIENDS; i++) {
        act(INPUT_FOLLOW, i, "");
    }
    go_to(START_MS + MS_PER_HOUR);
    ck_assert_uint_eq(friends_accepted(), 0);
    world.requests = 0;
}

static void
open_world(void)
{
    open_world_with("{{name|you}}, news"); /* each their own */
}

static void
open_common_world(void)
{
    open_world_with("news"); /* the same for all */
}

static void
open_world_that_asks(void)
{
    world.read_quota = true;
    open_world_with("{{name|you}}, news");
}

static void
close_world(void)
{
    delivery_free(world.desk);
    core_close(world.core);
    zones_free(world.zones);
}

#define DUE_MS (START_MS + 25 * MS_PER_HOUR)

START_TEST(on_a_good_day_all_go_at_lines_rate)
{
    go_to(DUE_MS + FRIENDS * 1000 / 2000 + 200);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
    ck_assert_uint_eq(world.requests, FRIENDS);
}
END_TEST

static const struct line_answer OUTAGES[] = {
    {.transport = LINE_ANSWERED, .status = 503, .retry_after_s = -1},
    {.transport = LINE_UNCERTAIN, .error = "no answer", .retry_after_s = -1},
    {.transport = LINE_NOT_SENT, .error = "connection refused", .retry_after_s = -1},
    {.transport = LINE_ANSWERED, .status = 401, .retry_after_s = -1},
};
enum { OUTAGE_COUNT = sizeof(OUTAGES) / sizeof(OUTAGES[0]) };

START_TEST(four_hours_of_outage_cost_few_requests_and_lose_nothing)
{
    world.down = OUTAGES[_i];
    world.down_from_ms = DUE_MS + 500; /* it begins in the middle */
    world.down_until_ms = DUE_MS + 4 * MS_PER_HOUR;
    go_to(world.down_from_ms);
    uint32_t before = accepted_by(1);
    ck_assert_uint_gt(before, 500);
    uint32_t asked_before = world.requests;
    go_to(world.down_until_ms - 1);
    ck_assert_uint_lt(world.requests - asked_before, IN_FLIGHT + 4 * 120 + 20);
    ck_assert_uint_le(delivery_resting(world.desk), IN_FLIGHT + 10);

    world.at_once_max = 0;
    go_to(world.down_until_ms + 3 * MS_PER_MINUTE); /* noticed within a minute, then in seconds */
    ck_assert_uint_eq(delivery_resting(world.desk), 0);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
}
END_TEST

START_TEST(line_down_at_a_restart_is_no_other_matter)
{
    world.down = OUTAGES[_i];
    world.down_from_ms = DUE_MS + 500;
    world.down_until_ms = DUE_MS + MS_PER_HOUR;
    go_to(world.down_from_ms + MS_PER_MINUTE);
    kill_and_start();
    go_to(world.down_from_ms + 10 * MS_PER_MINUTE);
    kill_and_start();
    go_to(world.down_until_ms + 3 * MS_PER_MINUTE);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
}
END_TEST

/* The clock jumps over the end of the keys' life while requests of unknown fate wait: never sent blindly. */
START_TEST(a_clock_jump_in_an_outage_sends_nothing_twice)
{
    world.down = (struct line_answer){
        .transport = LINE_UNCERTAIN, .error = "no answer", .retry_after_s = -1};
    world.down_from_ms = DUE_MS;
    world.down_until_ms = DUE_MS + 23 * MS_PER_HOUR;
    go_to(DUE_MS + MS_PER_MINUTE);
    uint32_t doubtful = delivery_resting(world.desk) + delivery_in_flight(world.desk);
    ck_assert_uint_gt(doubtful, 0);
    ck_assert_int_eq(clock_set(&world.clock, DUE_MS + 25 * MS_PER_HOUR), RC_OK);
    go_to(DUE_MS + 26 * MS_PER_HOUR);
    ck_assert_uint_eq(accepted_by(1), FRIENDS - doubtful);
    ck_assert_uint_eq(accepted_by(0), doubtful);
    ck_assert_uint_eq(delivery_counts(world.desk).unknown, doubtful);
}
END_TEST

/* What LINE refused each time for a day was never accepted: it is due again, not unknown. */
START_TEST(what_was_refused_for_a_day_is_not_unknown)
{
    world.down = (struct line_answer){
        .transport = LINE_NOT_SENT, .error = "connection refused", .retry_after_s = -1};
    world.down_from_ms = DUE_MS;
    world.down_until_ms = DUE_MS + 24 * MS_PER_HOUR;
    go_to(DUE_MS + 25 * MS_PER_HOUR);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
    ck_assert_uint_eq(delivery_counts(world.desk).unknown, 0);
}
END_TEST

START_TEST(a_reply_waits_for_no_flood_of_marketing)
{
    go_to(DUE_MS + 300);
    ck_assert_uint_gt(accepted_by(0), 1000); /* the flood is under way */
    int64_t asked_ms = world.clock.now_ms;
    act(INPUT_MESSAGE, 0, "q"); /* who has had the news */
    go_to(asked_ms + 10);
    ck_assert_int_gt(world.reply_asked_ms, 0);
    ck_assert_int_le(world.reply_asked_ms - asked_ms, 1);
    go_to(DUE_MS + 3 * MS_PER_MINUTE);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
    ck_assert_uint_eq(world.replies, 1);
}
END_TEST

START_TEST(a_flood_of_marketing_leaves_requests_to_others)
{
    world.at_once_max = 0;
    go_to(DUE_MS + 3 * MS_PER_MINUTE);
    ck_assert_uint_le(world.at_once_max, IN_FLIGHT - IN_FLIGHT / 8);
}
END_TEST

/* One user has had too much (429 of the unpublished kind): the others are not slowed down. */
START_TEST(too_many_messages_to_one_user_concern_nobody_else)
{
    world.down = (struct line_answer){.transport = LINE_ANSWERED,
                                      .status = 429,
                                      .body = span_cstr("{\"message\":\"too many for this one\"}"),
                                      .retry_after_s = -1};
    world.down_from_ms = DUE_MS;
    world.down_until_ms = DUE_MS + ROUND_TRIP_MS + 1; /* the first few requests */
    go_to(DUE_MS + FRIENDS * 1000 / 2000 + 300);
    uint32_t resting = delivery_resting(world.desk);
    ck_assert_uint_gt(resting, 0);
    ck_assert_uint_eq(accepted_by(1), FRIENDS - resting);
    go_to(DUE_MS + 2 * MS_PER_MINUTE);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
}
END_TEST

START_TEST(what_is_the_same_for_all_goes_in_requests_of_500)
{
    go_to(DUE_MS + 200);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
    ck_assert_uint_eq(world.requests, FRIENDS / 500);
}
END_TEST

START_TEST(chunks_keep_their_key_through_an_outage)
{
    world.down = OUTAGES[_i];
    world.down_from_ms = DUE_MS + ROUND_TRIP_MS / 2;
    world.down_until_ms = DUE_MS + 4 * MS_PER_HOUR;
    go_to(DUE_MS + MS_PER_MINUTE);
    kill_and_start();
    go_to(world.down_until_ms + 3 * MS_PER_MINUTE);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
}
END_TEST

static uint32_t
held_for_quota(void)
{
    const struct state *state = core_state(world.core);
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        count += state_enrolment(state, i)->phase == ENROLMENT_WAITING &&
                 state_enrolment(state, i)->deferred == REASON_QUOTA;
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        count += state_delivery(state, i)->phase == DELIVERY_PLANNED &&
                 state_delivery(state, i)->deferred == REASON_QUOTA;
    }
    return count;
}

/* The plan is larger than what all of them need, until staff uses it from LINE's own manager. */
START_TEST(a_quota_used_up_elsewhere_in_the_middle_holds_the_rest)
{
    world.quota = FRIENDS + 500;
    go_to(DUE_MS + 500);
    world.elsewhere = 2000;
    go_to(DUE_MS + MS_PER_MINUTE);
    uint32_t accepted = friends_accepted();
    ck_assert_uint_le(accepted + world.elsewhere, world.quota);
    ck_assert_uint_gt(accepted, 500);
    ck_assert_uint_eq(accepted + held_for_quota(), FRIENDS);
    ck_assert_uint_le(world.refused, 2 * IN_FLIGHT); /* what was at LINE; then none is tried */
    ck_assert_uint_gt(world.refused, 0);

    act(INPUT_MESSAGE, 0, "q"); /* replies are free */
    go_to(DUE_MS + 2 * MS_PER_MINUTE);
    ck_assert_uint_eq(world.replies, 1);

    world.quota = FRIENDS + 5000; /* the plan is raised, and noticed within ten minutes */
    go_to(DUE_MS + 13 * MS_PER_MINUTE);
    ck_assert_uint_eq(accepted_by(1), FRIENDS);
    ck_assert_uint_eq(held_for_quota(), 0);
}
END_TEST

START_TEST(a_quota_that_line_tells_is_kept_to_without_being_refused)
{
    world.quota = 1000;
    go_to(START_MS + 24 * MS_PER_HOUR); /* asked every six hours */
    go_to(DUE_MS + MS_PER_MINUTE);
    ck_assert_uint_eq(friends_accepted(), 1000);
    ck_assert_uint_eq(held_for_quota(), FRIENDS - 1000);
    ck_assert_uint_eq(world.refused, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("delivery");
    TCase *tcase = tcase_create("days");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_test(tcase, on_a_good_day_all_go_at_lines_rate);
    tcase_add_loop_test(tcase, four_hours_of_outage_cost_few_requests_and_lose_nothing, 0,
                        OUTAGE_COUNT);
    tcase_add_loop_test(tcase, line_down_at_a_restart_is_no_other_matter, 0, OUTAGE_COUNT);
    tcase_add_test(tcase, a_clock_jump_in_an_outage_sends_nothing_twice);
    tcase_add_test(tcase, what_was_refused_for_a_day_is_not_unknown);
    tcase_add_test(tcase, a_reply_waits_for_no_flood_of_marketing);
    tcase_add_test(tcase, a_flood_of_marketing_leaves_requests_to_others);
    tcase_add_test(tcase, too_many_messages_to_one_user_concern_nobody_else);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("quota");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_world_that_asks, close_world);
    tcase_add_test(tcase, a_quota_used_up_elsewhere_in_the_middle_holds_the_rest);
    tcase_add_test(tcase, a_quota_that_line_tells_is_kept_to_without_being_refused);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("common");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_common_world, close_world);
    tcase_add_test(tcase, what_is_the_same_for_all_goes_in_requests_of_500);
    tcase_add_loop_test(tcase, chunks_keep_their_key_through_an_outage, 0, OUTAGE_COUNT);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
