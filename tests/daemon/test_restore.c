/* A state restored from a checkpoint and the log after it is the one that ran; whatever is wrong with a
 * checkpoint, an older one or the whole log is used instead (RELIABILITY C14); a log that lost events is
 * not started (C15). */
#include "daemon/restore.h"
#include "engine/base/checksum.h"
#include "proto/event.h"
#include "tests/daemon/fixture.h"
#include "tests/scratch.h"
#include "tests/store/checkpoint_file.h"
#include "tests/store/raw_log.h"

#include <unistd.h>

static char directory[64];
static struct buf notes, error;
static struct engine *engine;
static struct restored restored;
static const struct engine_calls NO_CALLS;

static const char SHOP[] = "account: {zone: Asia/Tokyo, window: off}\n"
                           "tags: {all: [vip]}\n"
                           "fields: {size: text}\n"
                           "templates: {T_hello: 'こんにちは', T_later: 'また明日'}\n"
                           "friend_add: {new: {do: [ {send: T_hello}, {start: S} ]}}\n"
                           "scenarios: {S: {steps: {a: {when: 1h after start, send: T_later}}}}\n";

static void
setup(void)
{
    strcpy(directory, "restore-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    fixture_open();
    apply_yaml(SHOP);
    follows("U1");
}

static void
teardown(void)
{
    engine_free(engine);
    fixture_close();
    buf_fini(&notes);
    buf_fini(&error);
    scratch_remove(directory);
}

static void
note(void *context, const char *text)
{
    (void)context;
    buf_printf(&notes, "%s\n", text);
}

static struct restore_options
options_of(struct log *log)
{
    return (struct restore_options){
        .log = log, .zones = zones_source(fixture.zones), .directory = directory, .note = note};
}

static uint64_t
save(void)
{
    uint64_t bytes = 0;
    const struct restore_options options = options_of(core_log(fixture.core));
    enum rc rc = restore_save(&options, core_engine(fixture.core), &bytes, &error);
    ck_assert_msg(rc == RC_OK, "%s", buf_cstr(&error));
    ck_assert_uint_gt(bytes, 0);
    return core_state(fixture.core)->seq;
}

static enum rc
restore(struct log *log)
{
    const struct restore_options options = options_of(log);
    engine_free(engine);
    engine = engine_new(&NO_CALLS);
    buf_clear(&notes);
    buf_clear(&error);
    return restore_run(&options, engine, &restored, &error);
}

/* From the live log; the state must be the live one. */
static void
restore_live(uint64_t from_checkpoint, const char *noted)
{
    enum rc rc = restore(core_log(fixture.core));
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), buf_cstr(&error));
    ck_assert_uint_eq(state_digest(engine_state(engine)), state_digest(core_state(fixture.core)));
    ck_assert_uint_eq(restored.checkpoint_seq, from_checkpoint);
    ck_assert_uint_eq(restored.tail_events, core_state(fixture.core)->seq - from_checkpoint);
    ck_assert_msg(strstr(buf_cstr(&notes), noted) != NULL, "no '%s' in '%s'", noted,
                  buf_cstr(&notes));
    ck_assert_msg(noted[0] != '\0' || notes.len == 0, "%s", buf_cstr(&notes));
}

START_TEST(the_state_comes_from_the_newest_checkpoint_and_the_tail)
{
    restore_live(0, "");
    uint64_t first = save();
    restore_live(first, "");
    follows("U2");
    restore_live(first, "");
    uint64_t second = save();
    follows("U3");
    restore_live(second, "");
    ck_assert_uint_eq(engine_state(engine)->friends.count, 3);
}
END_TEST

START_TEST(without_a_directory_the_whole_log_is_replayed)
{
    save();
    struct restore_options options = options_of(core_log(fixture.core));
    options.directory = NULL;
    engine = engine_new(&NO_CALLS);
    ck_assert_int_eq(restore_run(&options, engine, &restored, &error), RC_OK);
    ck_assert_uint_eq(restored.checkpoint_seq, 0);
    ck_assert_uint_eq(state_digest(engine_state(engine)), state_digest(core_state(fixture.core)));
}
END_TEST

START_TEST(a_follower_keeps_up_with_the_log)
{
    const struct restore_options options = options_of(core_log(fixture.core));
    save();
    ck_assert_int_eq(restore(core_log(fixture.core)), RC_OK);
    for (int i = 0; i < 3; i++) {
        char who[8];
        snprintf(who, sizeof(who), "V%d", i);
        follows(who);
        ck_assert_int_eq(restore_follow(&options, engine, &error), RC_OK);
        ck_assert_int_eq(restore_follow(&options, engine, &error), RC_OK); /* nothing new */
        ck_assert_uint_eq(state_digest(engine_state(engine)),
                          state_digest(core_state(fixture.core)));
    }
}
END_TEST

/* Reads the checkpoint at `seq`, changes it, writes it again whole. */
static void
rewrite(uint64_t seq, void (*change)(struct checkpoint *, struct span *))
{
    struct buf bytes = {0};
    struct checkpoint checkpoint;
    const char *why = "";
    ck_assert_int_eq(checkpoint_file_read(directory, seq, &bytes, &checkpoint, &why), RC_OK);
    struct span image = buf_span(&bytes);
    change(&checkpoint, &image);
    ck_assert_int_eq(checkpoint_file_write(directory, &checkpoint, image, &error), RC_OK);
    buf_fini(&bytes);
}

static void
other_version(struct checkpoint *checkpoint, struct span *image)
{
    (void)image;
    checkpoint->state_version++;
}

static void
other_log(struct checkpoint *checkpoint, struct span *image)
{
    (void)image;
    checkpoint->batch_checksum ^= 1;
}

static void
other_digest(struct checkpoint *checkpoint, struct span *image)
{
    (void)image;
    checkpoint->digest ^= 1;
}

static void
shorter_image(struct checkpoint *checkpoint, struct span *image)
{
    (void)checkpoint;
    image->len--;
}

static void
later_than_a_replaced_log(struct checkpoint *checkpoint, struct span *image)
{
    (void)image;
    checkpoint->seq += 1000;
    checkpoint->run_id[0] ^= 1;
}

static void
later_than_its_own_log(struct checkpoint *checkpoint, struct span *image)
{
    (void)image;
    checkpoint->seq += 1000;
}

static const struct {
    void (*change)(struct checkpoint *, struct span *);
    const char *noted;
} CHANGES[] = {
    {other_version, "is passed over: it holds the state of another version"},
    {other_log, "is passed over: it was made from another log"},
    {other_digest, "is passed over: its digest is not that of its state"},
    {shorter_image, "is passed over: it ends before it is complete"},
    {later_than_a_replaced_log, "is passed over: it is later than this log"},
};

START_TEST(a_checkpoint_that_does_not_fit_gives_way_to_an_older_one)
{
    uint64_t older = save();
    follows("U2");
    uint64_t newer = save();
    rewrite(newer, CHANGES[_i].change);
    if (CHANGES[_i].change == later_than_a_replaced_log) {
        save(); /* the older one went when the later one was written as a third */
        older = newer;
    }
    restore_live(older, CHANGES[_i].noted);
}
END_TEST

static void
damage(uint64_t seq)
{
    struct buf path = {0};
    checkpoint_path(directory, seq, &path);
    ck_assert_int_eq(truncate(buf_cstr(&path), 100), 0);
    buf_fini(&path);
}

START_TEST(damaged_and_missing_checkpoints_lose_nothing)
{
    uint64_t older = save();
    follows("U2");
    uint64_t newer = save();
    follows("U3");
    damage(newer);
    restore_live(older, "is passed over: it does not hold what its name and header say");
    damage(older);
    restore_live(0, "is passed over: it does not hold what its name and header say");
    uint32_t count;
    ck_assert_int_eq(checkpoint_drop(directory, UINT64_MAX, &count), RC_OK);
    restore_live(0, "");
}
END_TEST

START_TEST(a_log_that_ends_before_its_own_checkpoint_is_refused)
{
    uint64_t seq = save();
    rewrite(seq, later_than_its_own_log);
    ck_assert_int_eq(restore(core_log(fixture.core)), RC_CORRUPT);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "durable events are gone"));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "delete the checkpoints"));
}
END_TEST

/* Copies the live log to disk, without the batch that begins at `without`; the one at `strange` says that
 * it follows another batch than it does, and is the last. */
struct copying {
    struct raw_log raw;
    uint64_t without, strange;
};

static void
copy_batch(void *context, uint64_t key, struct span bytes)
{
    enum { AT_CHECKSUM_BEFORE = 42, SUM_BYTES = 8 };
    struct copying *copying = context;
    if (key == copying->without || (copying->strange != 0 && key > copying->strange)) {
        return;
    }
    struct buf copy = {0};
    buf_append_span(&copy, bytes);
    if (key == copying->strange) {
        size_t end = bytes.len - SUM_BYTES;
        copy.data[AT_CHECKSUM_BEFORE] ^= 1;
        big_endian_put(copy.data + end, checksum_of(copy.data, end), SUM_BYTES);
    }
    raw_log_batch(&copying->raw, key, buf_span(&copy));
    buf_fini(&copy);
}

static void
copy_content(void *context, uint64_t seq, struct span row)
{
    struct copying *copying = context;
    raw_log_content(&copying->raw, seq, row);
}

static void
refused_copy(struct copying copying, const char *why)
{
    raw_log_begin(&copying.raw, directory);
    raw_log_read(core_log(fixture.core), copy_batch, copy_content, &copying);
    raw_log_end(&copying.raw);
    struct log *log = NULL;
    const struct log_options options = {.mode = LOG_READ};
    ck_assert_int_eq(log_open(directory, &options, &log), RC_OK);
    ck_assert_int_eq(restore(log), RC_CORRUPT);
    ck_assert_msg(strstr(buf_cstr(&error), why) != NULL, "%s", buf_cstr(&error));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "after the checkpoint of event"));
    log_close(log);
}

START_TEST(a_tail_that_does_not_continue_the_checkpoint_is_found)
{
    uint64_t seq = save();
    follows("U2");
    follows("U3");
    if (_i == 0) {
        refused_copy((struct copying){.without = seq + 1}, "events before it are missing");
    } else {
        refused_copy((struct copying){.strange = seq + 1},
                     "it does not continue the batch before it");
    }
}
END_TEST

static void
append_stop(uint64_t digest, uint32_t state_version)
{
    struct log *log = core_log(fixture.core);
    struct event stopped = {.kind = EVENT_STOPPED, .friend = NO_ID, .seq = log_newest(log) + 1};
    stopped.u.stopped.digest = digest;
    stopped.u.stopped.state_version = state_version;
    struct buf one = {0}, framed = {0}, row = {0};
    const uint8_t salt[EVENT_SALT_BYTES] = {0};
    event_encode(&stopped, salt, &one, &row);
    log_events_add(&framed, buf_span(&one));
    const struct log_batch batch = {
        .time_ms = FIXTURE_START_MS, .event_count = 1, .events = buf_span(&framed)};
    ck_assert_int_eq(log_append(log, &batch, stopped.seq), RC_OK);
    buf_fini(&one);
    buf_fini(&framed);
    buf_fini(&row);
}

START_TEST(the_digest_of_every_stop_on_the_way_is_checked)
{
    const struct {
        uint64_t wrong_by;
        uint32_t state_version;
        enum rc rc;
    } rows[] = {
        {0, STATE_VERSION, RC_OK},
        {1, STATE_VERSION, RC_CORRUPT},
        {0, 0, RC_OK}, /* recorded before versions were */
        {1, 0, STATE_VERSION == 1 ? RC_CORRUPT : RC_OK},
        {1, STATE_VERSION + 1, RC_OK}, /* says nothing to this version */
    };
    uint64_t seq = save();
    uint64_t digest = state_digest(core_state(fixture.core));
    append_stop(digest ^ rows[_i].wrong_by, rows[_i].state_version);
    ck_assert_int_eq(restore(core_log(fixture.core)), rows[_i].rc);
    if (rows[_i].rc != RC_OK) {
        char place[64];
        snprintf(place, sizeof(place), "event %llu: the stop recorded digest",
                 (unsigned long long)seq + 1);
        ck_assert_msg(strstr(buf_cstr(&error), place) != NULL, "%s", buf_cstr(&error));
        ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "--checkpoints no"));
        uint32_t count; /* nor is it passed without checkpoints */
        ck_assert_int_eq(checkpoint_drop(directory, UINT64_MAX, &count), RC_OK);
        ck_assert_int_eq(restore(core_log(fixture.core)), RC_CORRUPT);
    }
}
END_TEST

START_TEST(an_open_request_keeps_its_definitions_through_a_checkpoint)
{
    static const char greeting_by_field[] =
        "account: {zone: Asia/Tokyo, window: off}\n"
        "tags: {all: [vip]}\n"
        "fields: {size: text}\n"
        "templates: {T_hello: '{{size}}をどうぞ', T_later: 'また明日'}\n"
        "friend_add: {new: {do: [ {send: T_hello}, {start: S} ]}}\n"
        "scenarios: {S: {steps: {a: {when: 1h after start, send: T_later}}}}\n";
    apply_yaml(greeting_by_field);
    ck_assert_uint_eq(post_webhook(event_body("U9", "follow", "")), 200);
    fixture_pass(&fixture); /* intended, and LINE has not answered */
    ck_assert_uint_gt(fixture.call_count, 0);
    apply_yaml(SHOP);
    uint64_t seq = save();
    restore_live(seq, "");
    const struct state *state = engine_state(engine), *live = core_state(fixture.core);
    uint32_t open = 0;
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        if (state_delivery(state, i)->phase == DELIVERY_INTENDED) {
            open++;
            ck_assert(span_equal(state_delivery(state, i)->definitions->canonical,
                                 state_delivery(live, i)->definitions->canonical));
            ck_assert(!span_equal(state_delivery(state, i)->definitions->canonical,
                                  state->definitions->canonical));
            ck_assert_uint_eq(state_delivery(state, i)->value_count, 1);
        }
    }
    ck_assert_uint_eq(open, 1);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("restore");
    TCase *tc = tcase_create("restore");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_state_comes_from_the_newest_checkpoint_and_the_tail);
    tcase_add_test(tc, without_a_directory_the_whole_log_is_replayed);
    tcase_add_test(tc, a_follower_keeps_up_with_the_log);
    tcase_add_loop_test(tc, a_checkpoint_that_does_not_fit_gives_way_to_an_older_one, 0,
                        (int)(sizeof(CHANGES) / sizeof(CHANGES[0])));
    tcase_add_test(tc, damaged_and_missing_checkpoints_lose_nothing);
    tcase_add_test(tc, a_log_that_ends_before_its_own_checkpoint_is_refused);
    tcase_add_loop_test(tc, a_tail_that_does_not_continue_the_checkpoint_is_found, 0, 2);
    tcase_add_loop_test(tc, the_digest_of_every_stop_on_the_way_is_checked, 0, 5);
    tcase_add_test(tc, an_open_request_keeps_its_definitions_through_a_checkpoint);
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
