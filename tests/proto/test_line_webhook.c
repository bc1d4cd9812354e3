/* Webhook bodies to inputs: the shapes LINE sends, the shapes nobody should send, and noise. */
#include "engine/base/arena.h"
#include "proto/line_webhook.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BOT "U8e742f61d673b39c7fff3cecb7536ef0"
#define FRIEND "U3d3edab4f36c6292e6d8a8131f141b8b"
#define NOW_MS INT64_C(1763769601000)
#define HEAD "{\"destination\":\"" BOT "\",\"events\":["
#define TAIL "]}"
#define COMMON                                                                                     \
    "\"mode\":\"active\",\"timestamp\":1763769600010,\"webhookEventId\":\"01KAMQ7Z00AAAA\","       \
    "\"deliveryContext\":{\"isRedelivery\":false},"
#define USER "\"source\":{\"type\":\"user\",\"userId\":\"" FRIEND "\"},"
#define TOKEN "\"replyToken\":\"85cbe770fa8b4f45\","
#define TEXT(text) "\"message\":{\"type\":\"text\",\"id\":\"468789577898262530\",\"text\":" text "}"

static struct arena *arena;

static void
setup(void)
{
    arena = arena_new();
}

static void
teardown(void)
{
    arena_free(arena);
}

static struct line_webhook
parse_bytes(const void *body, size_t len)
{
    /* An exact copy, so that a sanitizer sees a read past the end. */
    uint8_t *exact = malloc(len + (len == 0));
    memcpy(exact, body, len);
    struct line_webhook webhook;
    line_webhook_parse(span_of(exact, len), span_cstr(BOT), NOW_MS, arena, &webhook);
    free(exact);
    return webhook;
}

static struct line_webhook
parse(const char *body)
{
    return parse_bytes(body, strlen(body));
}

static const struct input *
parse_one(const char *body)
{
    struct line_webhook webhook = parse(body);
    ck_assert_uint_eq(webhook.input_count, 1);
    ck_assert_int_eq(webhook.inputs[0].at_ms, NOW_MS);
    return &webhook.inputs[0];
}

static void
assert_span(struct span span, const char *text)
{
    ck_assert_msg(span_equal_cstr(span, text), "\"%.*s\" instead of \"%s\"", span_fmt(span), text);
}

START_TEST(no_events_are_no_inputs)
{
    struct line_webhook webhook = parse(HEAD TAIL);
    ck_assert_uint_eq(webhook.input_count, 0);
    ck_assert(!webhook.lenient);
}
END_TEST

START_TEST(a_follow_says_who_and_whether_unblocked)
{
    const struct input *input =
        parse_one(HEAD "{\"type\":\"follow\"," COMMON USER TOKEN
                       "\"follow\":{\"isUnblocked\":true},\"newField\":[{}]}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_FOLLOW);
    assert_span(input->u.act.user_id, FRIEND);
    assert_span(input->u.act.webhook_id, "01KAMQ7Z00AAAA");
    assert_span(input->u.act.reply_token, "85cbe770fa8b4f45");
    ck_assert_int_eq(input->u.act.line_at_ms, 1763769600010);
    ck_assert(input->u.act.unblocked);
    ck_assert(!input->u.act.standby);
    ck_assert(!input->u.act.redelivered);
    /* Old payloads have no "follow". */
    input = parse_one(HEAD "{\"type\":\"follow\"," COMMON USER "\"x\":0}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_FOLLOW);
    ck_assert(!input->u.act.unblocked);
}
END_TEST

START_TEST(an_unfollow_has_no_reply_token)
{
    const struct input *input =
        parse_one(HEAD "{\"type\":\"unfollow\"," COMMON USER "\"x\":0}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_UNFOLLOW);
    assert_span(input->u.act.reply_token, "");
}
END_TEST

START_TEST(a_text_message_carries_its_words)
{
    const struct input *input = parse_one(
        HEAD "{\"type\":\"message\"," COMMON USER TOKEN TEXT("\"予約\\uD83E\\uDD28\"") "}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_MESSAGE);
    assert_span(input->u.act.type, "text");
    assert_span(input->u.act.message_id, "468789577898262530");
    assert_span(input->u.act.text, "予約🤨");
}
END_TEST

START_TEST(other_messages_keep_their_type_only)
{
    const struct input *input = parse_one(
        HEAD "{\"type\":\"message\"," COMMON USER TOKEN
             "\"message\":{\"type\":\"sticker\",\"id\":\"3\",\"text\":\"Just sticker\"}}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_MESSAGE);
    assert_span(input->u.act.type, "sticker");
    assert_span(input->u.act.message_id, "3");
    assert_span(input->u.act.text, "");
}
END_TEST

START_TEST(a_postback_carries_its_data)
{
    const struct input *input = parse_one(HEAD "{\"type\":\"postback\"," COMMON USER TOKEN
                                               "\"postback\":{\"data\":\"b=1&c=2\"}}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_POSTBACK);
    assert_span(input->u.act.data, "b=1&c=2");
}
END_TEST

START_TEST(unsend_names_the_message)
{
    const struct input *input = parse_one(HEAD "{\"type\":\"unsend\"," COMMON USER
                                               "\"unsend\":{\"messageId\":\"325708\"}}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_UNSEND);
    assert_span(input->u.act.message_id, "325708");
    assert_span(input->u.act.user_id, FRIEND);
    ck_assert_uint_eq(input->u.act.message, 0); /* the daemon looks for it */
}
END_TEST

START_TEST(standby_and_redelivery_are_told)
{
    const struct input *input = parse_one(
        HEAD "{\"type\":\"unfollow\",\"mode\":\"standby\",\"timestamp\":5,"
             "\"deliveryContext\":{\"isRedelivery\":true}," USER "\"webhookEventId\":7}" TAIL);
    ck_assert_int_eq(input->kind, INPUT_UNFOLLOW);
    ck_assert(input->u.act.standby);
    ck_assert(input->u.act.redelivered);
    assert_span(input->u.act.webhook_id, ""); /* an id that is no text is no id */
}
END_TEST

struct noted_case {
    const char *event, *type;
    enum reason reason;
};

#define GROUP "\"source\":{\"type\":\"group\",\"groupId\":\"C1\",\"userId\":\"" FRIEND "\"},"
static const struct noted_case NOTED[] = {
    {"{\"type\":\"unsend\"," COMMON USER "\"unsend\":{\"messageId\":1}}", "unsend",
     REASON_UNKNOWN_TYPE},
    {"{\"type\":\"unsend\"," COMMON GROUP "\"unsend\":{\"messageId\":\"1\"}}", "unsend",
     REASON_GROUP},
    {"{\"type\":\"botSuspended\"," COMMON "\"x\":0}", "botSuspended", REASON_UNKNOWN_TYPE},
    {"{\"type\":\"join\"," COMMON "\"source\":{\"type\":\"group\",\"groupId\":\"C1\"}}", "join",
     REASON_GROUP},
    {"{\"type\":\"message\"," COMMON GROUP TEXT("\"hello\"") "}", "message", REASON_GROUP},
    {"{\"type\":\"message\"," COMMON
     "\"source\":{\"type\":\"room\",\"roomId\":\"R1\"}," TEXT("\"hello\"") "}",
     "message", REASON_GROUP},
    {"{\"type\":\"message\"," COMMON TEXT("\"hello\"") "}", "message", REASON_NO_SOURCE},
    {"{\"type\":\"follow\"," COMMON "\"source\":{\"type\":\"user\"}}", "follow", REASON_NO_SOURCE},
    {"{\"type\":\"follow\"," COMMON "\"source\":{\"type\":\"user\",\"userId\":12}}", "follow",
     REASON_NO_SOURCE},
    {"{\"type\":\"follow\"," COMMON "\"source\":\"user\"}", "follow", REASON_NO_SOURCE},
    /* Known types of another shape. */
    {"{\"type\":\"message\"," COMMON USER "\"message\":[]}", "message", REASON_UNKNOWN_TYPE},
    {"{\"type\":\"message\"," COMMON USER "\"x\":0}", "message", REASON_UNKNOWN_TYPE},
    {"{\"type\":\"message\"," COMMON USER TEXT("5") "}", "message", REASON_UNKNOWN_TYPE},
    {"{\"type\":\"message\"," COMMON USER "\"message\":{\"type\":\"text\"}}", "message",
     REASON_UNKNOWN_TYPE},
    {"{\"type\":\"postback\"," COMMON USER "\"postback\":{\"data\":null}}", "postback",
     REASON_UNKNOWN_TYPE},
    {"{\"type\":\"postback\"," COMMON USER "\"postback\":\"data\"}", "postback",
     REASON_UNKNOWN_TYPE},
    /* Without a time nobody could say what is newer. */
    {"{\"type\":\"follow\"," USER "\"x\":0}", "follow", REASON_UNKNOWN_TYPE},
    {"{\"type\":\"follow\"," USER "\"timestamp\":\"5\"}", "follow", REASON_UNKNOWN_TYPE},
    {"{\"type\":\"follow\"," USER "\"timestamp\":-5}", "follow", REASON_UNKNOWN_TYPE},
    {"{\"type\":\"follow\"," USER "\"timestamp\":9223372036854775807}", "follow",
     REASON_UNKNOWN_TYPE},
    /* No type, no object. */
    {"{\"type\":[\"follow\"]," COMMON USER "\"x\":0}", "", REASON_UNKNOWN_TYPE},
    {"{}", "", REASON_UNKNOWN_TYPE},
    {"[]", "", REASON_UNKNOWN_TYPE},
    {"null", "", REASON_UNKNOWN_TYPE},
    {"\"follow\"", "", REASON_UNKNOWN_TYPE},
};
enum { NOTED_COUNT = sizeof(NOTED) / sizeof(NOTED[0]) };

START_TEST(what_starts_nothing_is_noted_with_its_reason)
{
    const struct noted_case *c = &NOTED[_i];
    char body[2048];
    snprintf(body, sizeof(body), HEAD "%s" TAIL, c->event);
    struct line_webhook webhook = parse(body);
    ck_assert(!webhook.lenient);
    ck_assert_uint_eq(webhook.input_count, 1);
    const struct input *input = &webhook.inputs[0];
    ck_assert_int_eq(input->kind, INPUT_NOTED);
    ck_assert_int_eq(input->u.act.reason, c->reason);
    assert_span(input->u.act.type, c->type);
    assert_span(input->u.act.text, "");
    assert_span(input->u.act.message_id, "");
    ck_assert_int_ge(input->u.act.line_at_ms, 0);
}
END_TEST

START_TEST(an_event_of_a_group_still_names_its_author)
{
    char body[1024];
    snprintf(body, sizeof(body), HEAD "%s" TAIL, NOTED[1].event);
    assert_span(parse_one(body)->u.act.user_id, FRIEND);
}
END_TEST

START_TEST(events_keep_their_order)
{
    struct line_webhook webhook = parse(HEAD "{\"type\":\"message\"," COMMON USER TEXT(
        "\"one\"") "},7,"
                   "{\"type\":\"message\"," COMMON USER TEXT(
                       "\"two\"") "},"
                                  "{\"type\":\"unfollow\"," COMMON USER "\"x\":0}" TAIL);
    ck_assert_uint_eq(webhook.input_count, 4);
    assert_span(webhook.inputs[0].u.act.text, "one");
    ck_assert_int_eq(webhook.inputs[1].kind, INPUT_NOTED);
    assert_span(webhook.inputs[2].u.act.text, "two");
    ck_assert_int_eq(webhook.inputs[3].kind, INPUT_UNFOLLOW);
}
END_TEST

START_TEST(a_body_for_another_bot_is_one_foreign_input)
{
    const char *body = "{\"destination\":\"Uother\",\"events\":[{},{\"type\":\"follow\"}]}";
    const struct input *input = parse_one(body);
    ck_assert_int_eq(input->kind, INPUT_FOREIGN);
    assert_span(input->u.webhook.destination, "Uother");
    ck_assert_uint_eq(input->u.webhook.event_count, 2);
    ck_assert_uint_ne(input->u.webhook.sha256[0] | input->u.webhook.sha256[1], 0);

    struct line_webhook unchecked;
    line_webhook_parse(span_cstr(body), (struct span){0}, NOW_MS, arena, &unchecked);
    ck_assert_uint_eq(unchecked.input_count, 2);
    /* A body that names nobody is not another's. */
    ck_assert_uint_eq(parse("{\"events\":[]}").input_count, 0);
}
END_TEST

/* ---- the lenient reading ---- */

struct lenient_case {
    const char *literal; /* of the text, as it stands in the JSON */
    size_t len;
    const char *text;
    size_t text_len;
};
#define LENIENT(literal, text)                                                                     \
    {                                                                                              \
        literal, sizeof(literal) - 1, text, sizeof(text) - 1                                       \
    }
static const struct lenient_case LENIENT_TEXTS[] = {
    LENIENT("\"a\\uD83Eb\"", "a\xEF\xBF\xBD"
                             "b"),
    LENIENT("\"\\uDD28\\uD83E\"", "\xEF\xBF\xBD\xEF\xBF\xBD"),
    LENIENT("\"\\uD83E\\uD83E\\uDD28\"", "\xEF\xBF\xBD🤨"),
    LENIENT("\"\\ud83e\\u0041\"", "\xEF\xBF\xBD"
                                  "A"),
    LENIENT("\"a\\u0000b\"", "a\0b"),
    LENIENT("\"a\0b\"", "a\0b"),
    LENIENT("\"a\nb\"", "a\nb"),
    LENIENT("\"\xED\xA0\xBE\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"),
    LENIENT("\"caf\xE9\"", "caf\xEF\xBF\xBD"),
    LENIENT("\"\xE4\xBA\"", "\xEF\xBF\xBD\xEF\xBF\xBD"),
    LENIENT("\"\\\\uD83E \\\" \\uD83E\"", "\\uD83E \" \xEF\xBF\xBD"),
};
enum { LENIENT_COUNT = sizeof(LENIENT_TEXTS) / sizeof(LENIENT_TEXTS[0]) };

START_TEST(damaged_text_is_repaired)
{
    const struct lenient_case *c = &LENIENT_TEXTS[_i];
    const char before[] = HEAD "{\"type\":\"message\"," COMMON USER
                               "\"message\":{\"type\":\"text\",\"id\":\"1\",\"text\":";
    const char after[] = "}}" TAIL;
    uint8_t body[1024];
    size_t len = sizeof(before) - 1;
    memcpy(body, before, len);
    memcpy(body + len, c->literal, c->len);
    len += c->len;
    memcpy(body + len, after, sizeof(after) - 1);
    len += sizeof(after) - 1;

    struct line_webhook webhook = parse_bytes(body, len);
    ck_assert(webhook.lenient);
    ck_assert_uint_eq(webhook.input_count, 1);
    ck_assert_int_eq(webhook.inputs[0].kind, INPUT_MESSAGE);
    struct span text = webhook.inputs[0].u.act.text;
    ck_assert_msg(span_equal(text, span_of(c->text, c->text_len)), "\"%.*s\"", span_fmt(text));
}
END_TEST

START_TEST(the_last_of_two_equal_keys_wins)
{
    struct line_webhook webhook =
        parse(HEAD "{\"type\":\"follow\",\"type\":\"unfollow\"," COMMON USER "\"x\":0}" TAIL);
    ck_assert(webhook.lenient);
    ck_assert_uint_eq(webhook.input_count, 1);
    ck_assert_int_eq(webhook.inputs[0].kind, INPUT_UNFOLLOW);
}
END_TEST

START_TEST(a_body_that_cannot_be_read_is_kept_whole)
{
    const char *const bad[] = {"",
                               "{",
                               "hello",
                               "[]",
                               "{\"destination\":\"" BOT "\"}",
                               "{\"events\":{}}",
                               HEAD "}",
                               HEAD TAIL "x",
                               HEAD "{\"type\":\"\\uD83\"}" TAIL,
                               HEAD "1e999" TAIL,
                               "\xFF\xFE{",
                               "\"\\"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct input *input = parse_one(bad[i]);
        ck_assert_msg(input->kind == INPUT_UNREADABLE, "%s", bad[i]);
        assert_span(input->u.webhook.bytes, bad[i]);
    }
    /* SHA-256 of nothing. */
    const struct input *input = parse_one("");
    ck_assert_uint_eq(input->u.webhook.sha256[0], 0xe3);
    ck_assert_uint_eq(input->u.webhook.sha256[31], 0x55);
}
END_TEST

START_TEST(deep_nesting_ends_as_unreadable)
{
    enum { DEPTH = 500000 };
    char *body = malloc(DEPTH);
    memset(body, _i == 0 ? '[' : '"', DEPTH);
    if (_i == 2) {
        for (size_t i = 0; i + 5 <= DEPTH; i += 5) {
            memcpy(body + i, "{\"a\":", 5);
        }
    }
    struct line_webhook webhook = parse_bytes(body, DEPTH);
    ck_assert_uint_eq(webhook.input_count, 1);
    ck_assert_int_eq(webhook.inputs[0].kind, INPUT_UNREADABLE);
    ck_assert_uint_eq(webhook.inputs[0].u.webhook.bytes.len, DEPTH);
    free(body);
}
END_TEST

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

START_TEST(mutated_bodies_always_give_sound_inputs)
{
    static const char whole[] = HEAD "{\"type\":\"message\"," COMMON USER TOKEN TEXT(
        "\"予\\uD83E\\uDD28\"") "},"
                                "{\"type\":\"postback\"," COMMON USER
                                "\"postback\":{\"data\":\"b\"}},"
                                "{\"type\":\"follow\"," COMMON USER
                                "\"follow\":{\"isUnblocked\":true}}" TAIL;
    static const char noise[] = "\"\\{}[]:,u0Dd8\x00\xE4\xFF\n";
    uint64_t seed = (uint64_t)time(NULL) << 8 | (uint64_t)_i;
    printf("seed %llu\n", (unsigned long long)seed);
    uint64_t random = seed;
    int by_kind[INPUT_FOREIGN + 1] = {0};
    for (int round = 0; round < 3000; round++) {
        uint8_t body[sizeof(whole)];
        size_t len = sizeof(whole) - 1;
        memcpy(body, whole, len);
        for (uint64_t changes = 1 + random_next(&random) % 4; changes > 0; changes--) {
            size_t at = random_next(&random) % len;
            body[at] = random_next(&random) % 2 == 0
                           ? (uint8_t)noise[random_next(&random) % (sizeof(noise) - 1)]
                           : (uint8_t)random_next(&random);
        }
        if (random_next(&random) % 8 == 0) {
            len = random_next(&random) % len;
        }
        struct line_webhook webhook = parse_bytes(body, len);
        ck_assert_uint_ge(webhook.input_count, webhook.lenient ? 0 : 1);
        for (uint32_t i = 0; i < webhook.input_count; i++) {
            const struct input *input = &webhook.inputs[i];
            ck_assert(input->kind >= INPUT_FOLLOW && input->kind <= INPUT_FOREIGN);
            by_kind[input->kind]++;
            if (input->kind == INPUT_FOLLOW || input->kind == INPUT_MESSAGE) {
                ck_assert_uint_gt(input->u.act.user_id.len, 0);
            }
        }
        arena_reset(arena);
    }
    /* The noise reaches every door. */
    ck_assert_int_gt(by_kind[INPUT_MESSAGE], 100);
    ck_assert_int_gt(by_kind[INPUT_NOTED], 100);
    ck_assert_int_gt(by_kind[INPUT_UNREADABLE], 100);
    ck_assert_int_gt(by_kind[INPUT_FOREIGN], 10);
}
END_TEST

/* ---- the folder of examples, where there is one ---- */

struct example {
    const char *name;
    int follows, unfollows, messages, postbacks, noted;
    enum reason reason; /* of the noted ones */
};

static const struct example EXAMPLES[] = {
    {"account-link-ok.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"activated.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"batch-three-users.json", .follows = 1, .messages = 1, .unfollows = 1},
    {"beacon-enter.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"beacon-stay-dm.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"bot-suspended.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"delivery-pnp.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"duplicate-event-in-one-body.json", .messages = 2},
    {"follow-added.json", .follows = 1},
    {"follow-unblocked.json", .follows = 1},
    {"join-group.json", .noted = 1, .reason = REASON_GROUP},
    {"leave-group.json", .noted = 1, .reason = REASON_GROUP},
    {"member-joined.json", .noted = 1, .reason = REASON_GROUP},
    {"member-left.json", .noted = 1, .reason = REASON_GROUP},
    {"membership-joined.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"message-audio-line.json", .messages = 1},
    {"message-file.json", .messages = 1},
    {"message-image-set.json", .messages = 1},
    {"message-location.json", .messages = 1},
    {"message-sticker-text-keywords.json", .messages = 1},
    {"message-sticker.json", .messages = 1},
    {"message-text-emoji.json", .messages = 1},
    {"message-text-escaped-surrogates.json", .messages = 1},
    {"message-text-group.json", .noted = 1, .reason = REASON_GROUP},
    {"message-text-mention-all-emoji.json", .noted = 1, .reason = REASON_GROUP},
    {"message-text-quote-readtoken.json", .messages = 1},
    {"message-text-redelivery.json", .messages = 1},
    {"message-text-room.json", .noted = 1, .reason = REASON_GROUP},
    {"message-text-standby.json", .messages = 1},
    {"message-text-user.json", .messages = 1},
    {"message-video-external.json", .messages = 1},
    {"module-attached.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"postback-date.json", .postbacks = 1},
    {"postback-datetime.json", .postbacks = 1},
    {"postback-plain.json", .postbacks = 1},
    {"postback-richmenuswitch-failed.json", .postbacks = 1},
    {"postback-richmenuswitch.json", .postbacks = 1},
    {"postback-time.json", .postbacks = 1},
    {"unfollow.json", .unfollows = 1},
    {"unknown-event-type.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
    {"unsend.json", .noted = 1, .reason = REASON_GROUP},
    {"verify-empty-events.json", .noted = 0},
    {"video-play-complete.json", .noted = 1, .reason = REASON_UNKNOWN_TYPE},
};
enum { EXAMPLE_COUNT = sizeof(EXAMPLES) / sizeof(EXAMPLES[0]) };

START_TEST(example_bodies_become_the_inputs_they_should)
{
    const struct example *example = &EXAMPLES[_i];
    const char *folder = getenv("STEPD_SHARED");
    char path[4096];
    snprintf(path, sizeof(path), "%s/line/webhook-examples/%s",
             folder != NULL ? folder : STEPD_SOURCE_DIR "/../shared", example->name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("skipped: no %s\n", path);
        return;
    }
    static char body[65536];
    size_t len = fread(body, 1, sizeof(body), file);
    fclose(file);

    struct line_webhook webhook = parse_bytes(body, len);
    int by_kind[INPUT_FOREIGN + 1] = {0};
    ck_assert(!webhook.lenient);
    for (uint32_t i = 0; i < webhook.input_count; i++) {
        const struct input *input = &webhook.inputs[i];
        by_kind[input->kind]++;
        ck_assert_int_gt(input->u.act.line_at_ms, 0);
        ck_assert_uint_gt(input->u.act.webhook_id.len, 0);
        if (input->kind == INPUT_NOTED) {
            ck_assert_int_eq(input->u.act.reason, example->reason);
            ck_assert_uint_gt(input->u.act.type.len, 0);
        } else {
            ck_assert_uint_gt(input->u.act.user_id.len, 0);
        }
        if (input->kind == INPUT_MESSAGE && span_equal_cstr(input->u.act.type, "text")) {
            ck_assert_uint_gt(input->u.act.text.len, 0);
        }
    }
    ck_assert_int_eq(by_kind[INPUT_FOLLOW], example->follows);
    ck_assert_int_eq(by_kind[INPUT_UNFOLLOW], example->unfollows);
    ck_assert_int_eq(by_kind[INPUT_MESSAGE], example->messages);
    ck_assert_int_eq(by_kind[INPUT_POSTBACK], example->postbacks);
    ck_assert_int_eq(by_kind[INPUT_NOTED], example->noted);
    ck_assert_int_eq(by_kind[INPUT_UNREADABLE], 0);
    ck_assert_int_eq(by_kind[INPUT_FOREIGN], 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("line_webhook");
    TCase *tc = tcase_create("line_webhook");
    tcase_set_timeout(tc, 30);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, no_events_are_no_inputs);
    tcase_add_test(tc, a_follow_says_who_and_whether_unblocked);
    tcase_add_test(tc, an_unfollow_has_no_reply_token);
    tcase_add_test(tc, a_text_message_carries_its_words);
    tcase_add_test(tc, other_messages_keep_their_type_only);
    tcase_add_test(tc, a_postback_carries_its_data);
    tcase_add_test(tc, unsend_names_the_message);
    tcase_add_test(tc, standby_and_redelivery_are_told);
    tcase_add_loop_test(tc, what_starts_nothing_is_noted_with_its_reason, 0, NOTED_COUNT);
    tcase_add_test(tc, an_event_of_a_group_still_names_its_author);
    tcase_add_test(tc, events_keep_their_order);
    tcase_add_test(tc, a_body_for_another_bot_is_one_foreign_input);
    tcase_add_loop_test(tc, damaged_text_is_repaired, 0, LENIENT_COUNT);
    tcase_add_test(tc, the_last_of_two_equal_keys_wins);
    tcase_add_test(tc, a_body_that_cannot_be_read_is_kept_whole);
    tcase_add_loop_test(tc, deep_nesting_ends_as_unreadable, 0, 3);
    tcase_add_loop_test(tc, mutated_bodies_always_give_sound_inputs, 0, 3);
    tcase_add_loop_test(tc, example_bodies_become_the_inputs_they_should, 0, EXAMPLE_COUNT);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
