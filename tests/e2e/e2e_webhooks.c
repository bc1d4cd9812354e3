/* Webhook bodies, byte for byte: what is recorded, what is dropped, what is answered. Own bodies stand
 * in tests/e2e/bodies; bodies lifted from LINE's SDKs are read beside the checkout where they are there.
 * Each is used as given, in a fresh data directory at its own time, and again re-keyed (new id, token,
 * time and user, signed anew), all in one run. Every row says exactly what it must leave behind. */
#include "tests/e2e/harness.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A friend who is new, or was there before us, gets one message: so replies count who was seen. */
static const char DEFINITIONS[] = "templates: {T_new: T_new, T_back: T_back}\n"
                                  "friend_add:\n"
                                  "  new: {send: T_new}\n"
                                  "  existing: {send: T_back}\n";

enum { KIND_COUNT = 7 };
static const char *const KINDS[KIND_COUNT] = {
    "followed",      "unfollowed",         "message_received", "tapped",
    "webhook_noted", "webhook_unreadable", "webhook_foreign",
};

struct row {
    const char *file;
    int duplicates;
    int kinds[KIND_COUNT]; /* events of each kind in the log */
    int friends;           /* known afterwards */
    int messages;          /* sent to them: T_new or T_back */
    bool as_given_only;    /* no strict JSON, or its point is lost when re-keyed */
};

static const struct row OWN[] = {
    {"follow.json", 0, {1}, 1, 1, false},
    {"follow-unblocked.json", 0, {1}, 1, 1, false},
    {"unfollow.json", 0, {0, 1}, 1, 0, false},
    {"message-text.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-sticker.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-group.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"message-standby.json", 0, {0, 0, 1}, 1, 0, false},
    {"postback-date.json", 0, {0, 0, 0, 1}, 1, 1, false},
    {"two-friends.json", 0, {1, 0, 1}, 2, 2, false},
    {"same-event-twice.json", 1, {0, 0, 1}, 1, 1, false},
    {"unknown-type.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"no-events.json", 0, {0}, 0, 0, false},
    {"lone-surrogate.json", 0, {0, 0, 1}, 1, 1, true},
    {"twice-the-same-key.json", 0, {0, 0, 1}, 1, 1, true},
    {"cut-off.json", 0, {0, 0, 0, 0, 0, 1}, 0, 0, true},
    {"foreign.json", 0, {0, 0, 0, 0, 0, 0, 1}, 0, 0, true},
};

static const struct row OTHERS[] = {
    {"account-link-ok.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"activated.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"batch-three-users.json", 0, {1, 1, 1}, 3, 2, false},
    {"beacon-enter.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"beacon-stay-dm.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"bot-suspended.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"delivery-pnp.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"duplicate-event-in-one-body.json", 1, {0, 0, 1}, 1, 1, false},
    {"follow-added.json", 0, {1}, 1, 1, false},
    {"follow-unblocked.json", 0, {1}, 1, 1, false},
    {"join-group.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"leave-group.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"member-joined.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"member-left.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"membership-joined.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"message-audio-line.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-file.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-image-set.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-location.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-sticker-text-keywords.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-sticker.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-text-emoji.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-text-escaped-surrogates.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-text-group.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"message-text-mention-all-emoji.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"message-text-quote-readtoken.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-text-redelivery.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-text-room.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"message-text-standby.json", 0, {0, 0, 1}, 1, 0, false},
    {"message-text-user.json", 0, {0, 0, 1}, 1, 1, false},
    {"message-video-external.json", 0, {0, 0, 1}, 1, 1, false},
    {"module-attached.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"postback-date.json", 0, {0, 0, 0, 1}, 1, 1, false},
    {"postback-datetime.json", 0, {0, 0, 0, 1}, 1, 1, false},
    {"postback-plain.json", 0, {0, 0, 0, 1}, 1, 1, false},
    {"postback-richmenuswitch-failed.json", 0, {0, 0, 0, 1}, 1, 1, false},
    {"postback-richmenuswitch.json", 0, {0, 0, 0, 1}, 1, 1, false},
    {"postback-time.json", 0, {0, 0, 0, 1}, 1, 1, false},
    {"unfollow.json", 0, {0, 1}, 1, 0, false},
    {"unknown-event-type.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"unsend.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
    {"verify-empty-events.json", 0, {0}, 0, 0, false},
    {"video-play-complete.json", 0, {0, 0, 0, 0, 1}, 0, 0, false},
};

struct set {
    const char *name;
    const struct row *rows;
    size_t count;
};
static const struct set SETS[] = {
    {"own bodies", OWN, sizeof(OWN) / sizeof(OWN[0])},
    {"bodies of LINE's SDKs", OTHERS, sizeof(OTHERS) / sizeof(OTHERS[0])},
};

/* Where a set's files are; false when they are not there at all. */
static bool
set_folder(int set, char out[512])
{
    const char *shared = getenv("STEPD_SHARED");
    if (set == 0) {
        snprintf(out, 512, "%s/tests/e2e/bodies", STEPD_SOURCE_DIR);
    } else if (shared != NULL) {
        snprintf(out, 512, "%s/line/webhook-examples", shared);
    } else {
        snprintf(out, 512, "%s/../shared/line/webhook-examples", STEPD_SOURCE_DIR);
    }
    if (access(out, R_OK) == 0) {
        return true;
    }
    ck_assert_int_ne(set, 0);
    printf("skipped: %s are not there (%s)\n", SETS[set].name, out);
    return false;
}

static void
read_body(const char *folder, const char *file, struct buf *out)
{
    char path[640], block[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *stream = fopen(path, "rb");
    ck_assert_msg(stream != NULL, "%s cannot be read", path);
    size_t got;
    while ((got = fread(block, 1, sizeof(block), stream)) > 0) {
        buf_append(out, block, got);
    }
    fclose(stream);
}

static int
event_count(const struct row *row)
{
    int count = row->duplicates;
    for (int i = 0; i < KIND_COUNT; i++) {
        count += row->kinds[i];
    }
    return count;
}

/* Events of a kind in the log's listing. */
static int
count_kind(const char *listing, const char *kind)
{
    char quoted[48];
    snprintf(quoted, sizeof(quoted), "\"kind\":\"%s\"", kind);
    int count = 0;
    for (const char *at = listing; (at = strstr(at, quoted)) != NULL; at += strlen(quoted)) {
        count++;
    }
    return count;
}

static void
compare_log(struct world *world, const struct row *wanted, const char *about)
{
    struct buf listing = {0};
    int code = run_tool(&listing, (const char *[]){"steplog", "tail", world->data, "-n", "100000",
                                                   "-o", "json", NULL});
    ck_assert_msg(code == 0, "steplog tail ended with %d:\n%s", code, buf_cstr(&listing));
    for (int i = 0; i < KIND_COUNT; i++) {
        int got = count_kind(buf_cstr(&listing), KINDS[i]);
        ck_assert_msg(got == wanted->kinds[i], "%s: %d events %s, expected %d\n%s", about, got,
                      KINDS[i], wanted->kinds[i], buf_cstr(&listing));
    }
    buf_fini(&listing);
}

static void
compare_status(struct world *world, const char *about, const char *path, int wanted)
{
    int64_t got = status_number(world, path);
    ck_assert_msg(got == wanted, "%s: %s is %d, expected %d", about, path, (int)got, wanted);
}

/* The time of the body's first event, so that nothing in it is old. */
static void
set_time(struct world *world, const struct buf *body)
{
    json_t *json = json_loadb((const char *)body->data, body->len, 0, NULL);
    const json_t *first = json_array_get(json_object_get(json, "events"), 0);
    json_int_t at_ms = json_integer_value(json_object_get(first, "timestamp"));
    if (at_ms > 0) {
        local_text(at_ms - at_ms % 1000 + 1000, world->at);
    }
    json_decref(json);
}

START_TEST(a_body_as_given_leaves_exactly_what_its_row_says)
{
    char folder[512];
    const struct set *set = &SETS[_i];
    if (!set_folder(_i, folder)) {
        return;
    }
    struct world world;
    world_open(&world);
    for (size_t i = 0; i < set->count; i++) {
        const struct row *row = &set->rows[i];
        struct buf body = {0};
        read_body(folder, row->file, &body);
        if (_i == 1 && i == 0) { /* theirs are all for one bot */
            json_t *json = json_loadb((const char *)body.data, body.len, 0, NULL);
            snprintf(world.bot, sizeof(world.bot), "%s",
                     json_string_value(json_object_get(json, "destination")));
            json_decref(json);
            world_start_line(&world);
        }
        world_forget_data(&world);
        set_time(&world, &body);
        ck_assert(world_start(&world));
        ck_assert_int_eq(apply_yaml(&world, DEFINITIONS), 200);

        ck_assert_int_eq(post_webhook(&world, body.data, body.len, false), 401);
        ck_assert_int_eq(post_webhook(&world, body.data, body.len, true), 200);
        compare_status(&world, row->file, "webhooks.refused_signature", 1);
        compare_status(&world, row->file, "webhooks.accepted", 1);
        compare_status(&world, row->file, "webhooks.duplicates", row->duplicates);
        compare_status(&world, row->file, "webhooks.unreadable", row->kinds[5]);
        compare_status(&world, row->file, "webhooks.foreign", row->kinds[6]);
        compare_status(&world, row->file, "friends.count", row->friends);
        ck_assert_int_eq(advance(&world, world.at), 200); /* what it caused is done */
        compare_status(&world, row->file, "deliveries.sent_push", row->messages);
        compare_log(&world, row, row->file);
        world_kill(&world);
        buf_fini(&body);
        world_forget_programs_said(&world);
    }
    printf("%s: %zu used as given\n", set->name, set->count);
    world_close(&world);
}
END_TEST

/* New ids, tokens, times and users; events that shared an id or a user still do. */
static json_t *
rekey(struct world *world, const struct buf *body, int file)
{
    json_t *json = json_loadb((const char *)body->data, body->len, 0, NULL);
    ck_assert_ptr_nonnull(json);
    json_object_set_new(json, "destination", json_string(world->bot));
    json_t *ids = json_object(), *users = json_object();
    size_t index;
    json_t *event;
    json_array_foreach(json_object_get(json, "events"), index, event)
    {
        const char *old = json_string_value(json_object_get(event, "webhookEventId"));
        char text[64];
        json_t *known = json_object_get(ids, old == NULL ? "" : old);
        if (known == NULL) {
            snprintf(text, sizeof(text), "01REKEY%010d%09d", file, (int)index);
            known = json_string(text);
            json_object_set_new(ids, old == NULL ? "" : old, known);
        }
        json_object_set(event, "webhookEventId", known);
        json_object_set_new(event, "timestamp", json_integer(local_ms(world->at)));
        if (json_object_get(event, "replyToken") != NULL) {
            snprintf(text, sizeof(text), "%032d", file * 100 + (int)index);
            json_object_set_new(event, "replyToken", json_string(text));
        }
        json_t *source = json_object_get(event, "source");
        const char *user = json_string_value(json_object_get(source, "userId"));
        if (user != NULL) {
            if (json_object_get(users, user) == NULL) {
                snprintf(text, sizeof(text), "U%032d", file * 100 + (int)json_object_size(users));
                json_object_set_new(users, user, json_string(text));
            }
            json_object_set(source, "userId", json_object_get(users, user));
        }
    }
    json_decref(ids);
    json_decref(users);
    return json;
}

static void
add_row(struct row *sum, const struct row *row)
{
    sum->duplicates += row->duplicates;
    sum->friends += row->friends;
    sum->messages += row->messages;
    for (int i = 0; i < KIND_COUNT; i++) {
        sum->kinds[i] += row->kinds[i];
    }
}

START_TEST(rekeyed_bodies_act_once_and_are_duplicates_ever_after)
{
    char folder[512];
    const struct set *set = &SETS[_i];
    if (!set_folder(_i, folder)) {
        return;
    }
    struct world world;
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, DEFINITIONS), 200);
    struct row sum = {0};
    int bodies = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < set->count; i++) {
            if (set->rows[i].as_given_only) {
                continue;
            }
            struct buf body = {0};
            read_body(folder, set->rows[i].file, &body);
            json_t *json = rekey(&world, &body, (int)i + 1);
            char *text = json_dumps(json, JSON_COMPACT);
            ck_assert_int_eq(post_webhook(&world, text, strlen(text), true), 200);
            free(text);
            json_decref(json);
            buf_fini(&body);
            if (round == 0) {
                add_row(&sum, &set->rows[i]);
                bodies++;
            }
        }
    }
    ck_assert_int_eq(advance(&world, "2031-06-01 10:00:01"), 200);

    int applied = event_count(&sum) - sum.duplicates;
    compare_status(&world, set->name, "webhooks.accepted", 2 * bodies);
    compare_status(&world, set->name, "webhooks.duplicates", 2 * sum.duplicates + applied);
    compare_status(&world, set->name, "friends.count", sum.friends);
    /* fakeline never gave out these reply tokens and refuses them, so each answer becomes a push. */
    compare_status(&world, set->name, "deliveries.sent_reply", 0);
    compare_status(&world, set->name, "deliveries.sent_push", sum.messages);
    compare_log(&world, &sum, set->name);
    printf("%s: %d bodies re-keyed, %d events applied, %d dropped as duplicates\n", set->name,
           bodies, applied, 2 * sum.duplicates + applied);
    ck_assert_int_gt(applied, 0);
    world_close(&world);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_webhooks");
    TCase *tc = tcase_create("webhooks");
    tcase_set_timeout(tc, 250);
    tcase_add_loop_test(tc, a_body_as_given_leaves_exactly_what_its_row_says, 0, 2);
    tcase_add_loop_test(tc, rekeyed_bodies_act_once_and_are_duplicates_ever_after, 0, 2);
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
