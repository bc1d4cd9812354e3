/* A state becomes bytes and comes back: with the same digest, and with the same life before it. Bytes
 * that were cut or changed are refused or read as something else, and never do harm. */
#include "engine/tables.h"
#include "tests/engine/image_buf.h"
#include "tests/engine/random_life.h"

#include <check.h>

static struct definitions *others[2]; /* sets applied later: edits of the first */

/* Canonical forms stand in for proto's: a name each. */
static enum rc
find_definitions(void *context, struct span canonical, struct definitions **out_definitions)
{
    (void)context;
    struct definitions *const known[] = {shop.definitions, others[0], others[1]};
    for (size_t i = 0; i < 3; i++) {
        if (known[i] != NULL && span_equal(canonical, known[i]->canonical)) {
            *out_definitions = definitions_retain(known[i]);
            return RC_OK;
        }
    }
    return RC_CORRUPT;
}

static const struct engine_calls calls = {.body_hash = shop_body_hash};

static enum rc
load(struct engine *engine, struct span bytes, const char **out_why)
{
    const struct image_source source = {.bytes = image_span_source(&bytes),
                                        .definitions = find_definitions};
    return engine_load(engine, &source, out_why);
}

static struct engine *
loaded_from(struct span bytes)
{
    struct engine *engine = engine_new(&calls);
    const char *why = "";
    enum rc rc = load(engine, bytes, &why);
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), why);
    return engine;
}

/* The same set under another name, as an edit of a text would make it. */
static struct definitions *
edited(const char *name)
{
    struct definitions *set = definitions_new();
    struct arena *arena = set->arena;
    *set = *shop.definitions;
    set->arena = arena;
    set->references = 1;
    set->canonical = arena_span(arena, span_cstr(name));
    memcpy(set->hash, name, 4);
    return set;
}

static void
apply_edit(uint32_t n)
{
    shop_input(&shop, (struct input){.kind = INPUT_DEFINITIONS,
                                     .u.definitions = {.definitions = others[n]}});
}

static void
act_of_friend(uint64_t *seed)
{
    char text[32];
    uint32_t friend_count = engine_state(shop.engine)->friends.count;
    if (friend_count == 0) {
        return;
    }
    uint32_t friend = (uint32_t)(next_random(seed) % friend_count);
    snprintf(text, sizeof(text), "word %d", (int)(next_random(seed) % 1000));
    if (next_random(seed) % 2) {
        shop_input(&shop,
                   (struct input){
                       .kind = INPUT_PROFILE,
                       .u.profile = {.friend = friend, .found = true, .name = span_cstr(text)}});
    } else {
        bool clear = next_random(seed) % 3 == 0;
        shop_input(&shop, (struct input){.kind = INPUT_FIELD,
                                         .u.field = {friend, (uint32_t)(next_random(seed) % 4),
                                                     clear, 7, span_cstr(clear ? "" : text)}});
    }
}

/* A life with names, values, claims, open deliveries and definitions that change under them. */
static void
live(uint64_t *seed, int steps)
{
    random_shop(seed);
    others[0] = edited("edit one");
    others[1] = edited("edit two");
    for (int i = 0; i < steps; i++) {
        random_step(seed);
        act_of_friend(seed);
        if (next_random(seed) % 16 == 0) {
            apply_edit((uint32_t)(next_random(seed) % 2));
        }
        if (next_random(seed) % 16 == 0) {
            struct input claim = {.kind = INPUT_CLAIM};
            memset(claim.u.claim.run_id, i + 1, sizeof(claim.u.claim.run_id));
            shop_input(&shop, claim);
        }
        if (next_random(seed) % 4 == 0) {
            (void)shop_take(&shop); /* left without an outcome */
        }
    }
}

static void
end_life(void)
{
    shop_close(&shop);
    definitions_release(others[0]);
    definitions_release(others[1]);
}

START_TEST(an_image_gives_back_a_state_of_the_same_digest_at_every_point)
{
    uint64_t first_seed = (uint64_t)_i * 7919 + 1, seed = first_seed;
    live(&seed, 0);
    for (int i = 0; i < 60; i++) {
        random_step(&seed);
        act_of_friend(&seed);
        (void)shop_take(&shop);
        struct buf image = {0};
        image_to_buf(engine_state(shop.engine), &image);
        struct engine *loaded = loaded_from(buf_span(&image));
        ck_assert_msg(state_digest(engine_state(loaded)) == state_digest(engine_state(shop.engine)),
                      "seed %llu: the digests differ", (unsigned long long)first_seed);
        struct buf again = {0};
        image_to_buf(engine_state(loaded), &again);
        ck_assert_msg(span_equal(buf_span(&image), buf_span(&again)),
                      "seed %llu: the image of the image differs", (unsigned long long)first_seed);
        buf_fini(&again);
        buf_fini(&image);
        engine_free(loaded);
    }
    end_life();
}
END_TEST

static uint32_t
deliver_for_a_month(struct engine *engine, int64_t from_ms, uint64_t *out_digest)
{
    struct engine *live_one = shop.engine;
    shop.engine = engine;
    shop.now_ms = from_ms;
    struct state const *state = engine_state(engine);
    for (uint32_t i = 0; i < state->deliveries.count; i++) { /* what a restart would repeat */
        if (state_delivery(state, i)->phase == DELIVERY_INTENDED) {
            shop_outcome(&shop, state_delivery(state, i), RESULT_SENT);
        }
    }
    uint32_t count = shop_until(&shop, from_ms + 30 * MS_PER_DAY);
    shop_act(&shop, INPUT_FOLLOW, "Unew", NULL); /* rows are taken in the same order */
    count += shop_until(&shop, from_ms + 60 * MS_PER_DAY);
    *out_digest = state_digest(engine_state(engine));
    shop.engine = live_one;
    return count;
}

START_TEST(an_engine_loaded_from_an_image_goes_on_as_one_that_was_replayed)
{
    uint64_t first_seed = (uint64_t)_i * 15485863 + 1, seed = first_seed;
    live(&seed, 60);
    struct engine *replayed = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        engine_apply(replayed, &shop.events.items[i]);
    }
    struct buf image = {0};
    image_to_buf(engine_state(shop.engine), &image);
    struct engine *loaded = loaded_from(buf_span(&image));
    int64_t now_ms = shop.now_ms;
    uint64_t digests[2];
    engine_wake(replayed, now_ms);
    engine_wake(loaded, now_ms);
    uint32_t one = deliver_for_a_month(replayed, now_ms, &digests[0]);
    uint32_t two = deliver_for_a_month(loaded, now_ms, &digests[1]);
    ck_assert_msg(one == two && digests[0] == digests[1], "seed %llu: %u deliveries, %u loaded",
                  (unsigned long long)first_seed, one, two);
    buf_fini(&image);
    engine_free(replayed);
    engine_free(loaded);
    end_life();
}
END_TEST

START_TEST(a_tail_applied_to_an_image_ends_where_the_whole_log_ends)
{
    uint64_t first_seed = (uint64_t)_i * 104729 + 1, seed = first_seed;
    live(&seed, 40);
    uint32_t cut = shop.events.count;
    struct buf image = {0};
    image_to_buf(engine_state(shop.engine), &image);
    for (int i = 0; i < 40; i++) {
        random_step(&seed);
        act_of_friend(&seed);
    }
    struct engine *loaded = loaded_from(buf_span(&image));
    for (uint32_t i = cut; i < shop.events.count; i++) {
        engine_apply(loaded, &shop.events.items[i]);
    }
    ck_assert_msg(state_digest(engine_state(loaded)) == state_digest(engine_state(shop.engine)),
                  "seed %llu: the digests differ", (unsigned long long)first_seed);
    buf_fini(&image);
    engine_free(loaded);
    end_life();
}
END_TEST

START_TEST(definitions_of_open_deliveries_come_back_and_are_held_once)
{
    random_shop(&(uint64_t){5});
    others[0] = edited("edit one");
    others[1] = NULL;
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop_act(&shop, INPUT_FOLLOW, "U2", NULL);
    const struct state *state = engine_state(shop.engine);
    for (uint32_t friend = 0; friend < 2; friend ++) {
        shop_input(&shop, (struct input){
                              .kind = INPUT_START_SCENARIO,
                              .u.scenario = {.friend = friend, .scenario = 1, .at_step = NO_ID}});
    }
    uint32_t intended = 0;
    for (int i = 0; i < 200 && intended < 2; i++) {
        shop.now_ms += MS_PER_HOUR;
        intended += shop_take(&shop) == NULL ? 0 : shop.friend_count;
    }
    ck_assert_uint_eq(intended, 2);
    apply_edit(0);
    struct buf image = {0};
    image_to_buf(state, &image);
    struct engine *loaded = loaded_from(buf_span(&image));
    const struct state *back = engine_state(loaded);
    ck_assert_ptr_eq(back->definitions, others[0]);
    uint32_t of_before = 0;
    for (uint32_t i = 0; i < back->deliveries.count; i++) {
        if (state_delivery(back, i)->phase == DELIVERY_INTENDED) {
            of_before += state_delivery(back, i)->definitions == shop.definitions;
        }
    }
    ck_assert_uint_eq(of_before, 2);
    uint32_t references = shop.definitions->references;
    engine_free(loaded);
    ck_assert_uint_eq(shop.definitions->references, references - 2); /* none is left behind */
    buf_fini(&image);
    shop_close(&shop);
    definitions_release(others[0]);
}
END_TEST

/* One decided, one not. */
START_TEST(outcomes_that_nobody_knows_come_back_with_what_was_decided)
{
    random_shop(&(uint64_t){5});
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop_act(&shop, INPUT_FOLLOW, "U2", NULL);
    for (uint32_t friend = 0; friend < 2; friend ++) {
        shop_input(&shop, (struct input){
                              .kind = INPUT_START_SCENARIO,
                              .u.scenario = {.friend = friend, .scenario = 1, .at_step = NO_ID}});
    }
    const struct state *state = engine_state(shop.engine);
    for (int i = 0; i < 200 && state->unknowns.count < 2; i++) {
        shop.now_ms += MS_PER_HOUR;
        (void)shop_take(&shop);
        for (uint32_t j = 0; j < state->deliveries.count; j++) {
            const struct delivery *row = state_delivery(state, j);
            if (row->phase == DELIVERY_INTENDED) {
                shop_input(&shop, (struct input){.kind = INPUT_OUTCOME,
                                                 .u.outcome = {.friend = row->friend,
                                                               .delivery = row->seq,
                                                               .bad = NO_ID,
                                                               .result = RESULT_UNKNOWN}});
            }
        }
    }
    ck_assert_uint_ge(state->unknowns.count, 2);
    uint64_t undecided = state_digest(state);
    shop_input(&shop, (struct input){.kind = INPUT_UNKNOWN,
                                     .u.unknown = {.delivery = state->unknowns.rows[0].delivery,
                                                   .friend = state->unknowns.rows[0].friend,
                                                   .decision = RESULT_FAILED}});
    ck_assert_uint_ne(state_digest(state), undecided);
    struct buf image = {0};
    image_to_buf(state, &image);
    struct engine *loaded = loaded_from(buf_span(&image));
    const struct state *back = engine_state(loaded);
    ck_assert_uint_eq(state_digest(back), state_digest(state));
    ck_assert_uint_eq(back->unknowns.count, state->unknowns.count);
    ck_assert_int_eq(back->unknowns.rows[0].decision, RESULT_FAILED);
    ck_assert_int_eq(back->unknowns.rows[1].decision, 0);
    engine_free(loaded);
    buf_fini(&image);
    shop_close(&shop);
}
END_TEST

START_TEST(texts_that_were_erased_stay_erased)
{
    random_shop(&(uint64_t){5});
    others[0] = others[1] = NULL;
    shop_act(&shop, INPUT_FOLLOW, "U1", NULL);
    shop_act(&shop, INPUT_FOLLOW, "U2", NULL);
    struct engine *erased = engine_new(&calls);
    for (uint32_t i = 0; i < shop.events.count; i++) {
        struct event event = shop.events.items[i];
        if (event.friend == 0 && event.kind != EVENT_DEFINITIONS_APPLIED) {
            event.word_count = 0;
            event.words_erased = true;
        }
        engine_apply(erased, &event);
    }
    struct buf image = {0};
    image_to_buf(engine_state(erased), &image);
    struct engine *loaded = loaded_from(buf_span(&image));
    const struct state *state = engine_state(loaded);
    ck_assert_ptr_null(state_line_id(state, 0, (char[LINE_ID_ROOM]){0}));
    ck_assert_uint_eq(state_find_friend(state, span_cstr("U1")), NO_ID);
    ck_assert_uint_eq(state_find_friend(state, span_cstr("U2")), 1);
    engine_free(loaded);
    engine_free(erased);
    buf_fini(&image);
    shop_close(&shop);
}
END_TEST

START_TEST(tags_of_few_and_of_many_friends_come_back)
{
    enum { FRIENDS = 3000 };
    random_shop(&(uint64_t){9});
    others[0] = others[1] = NULL;
    for (uint32_t i = 0; i < FRIENDS; i++) {
        char who[16];
        snprintf(who, sizeof(who), "U%u", i);
        shop_act(&shop, INPUT_UNFOLLOW, who, NULL);
        if (i % 200 == 7 || i % 3 == 0) {
            shop_input(&shop,
                       (struct input){.kind = INPUT_TAG,
                                      .u.tag = {i, i % 3 == 0 ? TAG_BOUGHT : TAG_VIP, true}});
        }
    }
    struct buf image = {0};
    image_to_buf(engine_state(shop.engine), &image);
    struct engine *loaded = loaded_from(buf_span(&image));
    const struct state *before = engine_state(shop.engine), *after = engine_state(loaded);
    ck_assert_uint_gt(state_tag_count(before, TAG_VIP), 0);
    ck_assert_uint_lt(state_tag_count(before, TAG_VIP), 20);
    ck_assert_uint_ge(state_tag_count(before, TAG_BOUGHT), FRIENDS / 3);
    for (uint32_t i = 0; i < FRIENDS; i++) {
        for (uint32_t tag = 0; tag < TAG_COUNT; tag++) {
            ck_assert_int_eq(state_has_tag(after, i, tag), state_has_tag(before, i, tag));
        }
        char who[16];
        snprintf(who, sizeof(who), "U%u", i);
        ck_assert_uint_eq(state_find_friend(after, span_cstr(who)), i);
    }
    ck_assert_uint_eq(state_digest(after), state_digest(before));
    engine_free(loaded);
    buf_fini(&image);
    shop_close(&shop);
}
END_TEST

START_TEST(an_image_that_ends_early_is_refused_wherever_it_ends)
{
    uint64_t seed = 11;
    live(&seed, 25);
    struct buf image = {0};
    image_to_buf(engine_state(shop.engine), &image);
    struct engine *engine = engine_new(&calls);
    for (size_t len = 0; len < image.len; len++) {
        /* A copy of its own, so that a read past its end is seen. */
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, image.data, len);
        const char *why = "";
        enum rc rc = load(engine, span_of(copy, len), &why);
        ck_assert_msg(rc == RC_CORRUPT && why[0] != '\0', "cut at %zu: %s", len, rc_name(rc));
        free(copy);
    }
    ck_assert_uint_eq(engine_state(engine)->seq, 0); /* untouched */
    const char *why = "";
    buf_append_byte(&image, 0);
    ck_assert_int_eq(load(engine, buf_span(&image), &why), RC_CORRUPT);
    ck_assert_str_eq(why, "bytes follow its end");
    engine_free(engine);
    buf_fini(&image);
    end_life();
}
END_TEST

/* Read alone, without the checksum of its file: a changed byte is refused or is another state, and what
 * was read can be walked, woken, written and thrown away. */
START_TEST(an_image_with_a_changed_byte_does_no_harm)
{
    uint64_t seed = (uint64_t)_i * 31 + 3;
    live(&seed, 25);
    struct buf image = {0};
    image_to_buf(engine_state(shop.engine), &image);
    uint32_t refused = 0, read = 0;
    /* Not every place in every round: there are thousands. */
    for (size_t at = next_random(&seed) % 4; at < image.len; at += 1 + next_random(&seed) % 6) {
        uint8_t was = image.data[at];
        image.data[at] ^= (uint8_t)(1U << next_random(&seed) % 8);
        struct engine *engine = engine_new(&calls);
        const char *why = "";
        enum rc rc = load(engine, buf_span(&image), &why);
        if (rc == RC_OK) {
            read++;
            engine_wake(engine, shop.now_ms);
            (void)state_digest(engine_state(engine));
            struct buf again = {0};
            image_to_buf(engine_state(engine), &again);
            buf_fini(&again);
        } else {
            refused++;
            ck_assert(rc == RC_CORRUPT || rc == RC_NEWER);
        }
        engine_free(engine);
        image.data[at] = was;
    }
    ck_assert_uint_gt(refused, 100);
    ck_assert_uint_gt(read, 100);
    buf_fini(&image);
    end_life();
}
END_TEST

static void
assert_refused(const struct state *state, const char *wanted)
{
    struct buf image = {0};
    struct engine *engine = engine_new(&calls);
    const char *why = "";
    image_to_buf(state, &image);
    ck_assert_msg(load(engine, buf_span(&image), &why) == RC_CORRUPT, "read: %s", wanted);
    ck_assert_str_eq(why, wanted);
    engine_free(engine);
    buf_fini(&image);
}

/* Images of states that cannot be: as a program gone wrong would write them, with a good checksum. */
START_TEST(rows_that_do_not_hold_together_are_refused)
{
    static const char lists[] = "a list of rows does not hold together";
    random_shop(&(uint64_t){5});
    others[0] = others[1] = NULL;
    for (uint32_t friend = 0; friend < 40; friend ++) {
        char who[8];
        snprintf(who, sizeof(who), "U%u", friend);
        shop_act(&shop, friend < 3 ? INPUT_FOLLOW : INPUT_UNFOLLOW, who, NULL);
        shop_input(&shop, (struct input){.kind = INPUT_FIELD,
                                         .u.field = {friend, 1, .text = span_cstr("value")}});
    }
    for (uint32_t scenario = 1; scenario < 3; scenario++) {
        shop_input(&shop,
                   (struct input){
                       .kind = INPUT_START_SCENARIO,
                       .u.scenario = {.friend = scenario, .scenario = scenario, .at_step = NO_ID}});
    }
    shop_input(&shop, (struct input){.kind = INPUT_TAG, .u.tag = {39, TAG_VIP, true}});
    struct state *state = (struct state *)(uintptr_t)engine_state(shop.engine);
    struct buf image = {0};
    image_to_buf(state, &image);
    engine_free(loaded_from(buf_span(&image)));
    buf_fini(&image);

    struct friend_row *one = tables_friend(state, 1), *two = tables_friend(state, 2);
    uint32_t first = one->first_enrolment, other = two->first_enrolment;
    ck_assert(first != NO_ID && other != NO_ID);
    one->first_enrolment = other; /* each on the other's list */
    two->first_enrolment = first;
    assert_refused(state, lists);
    two->first_enrolment = NO_ID; /* a row is on no list */
    one->first_enrolment = first;
    assert_refused(state, lists);
    two->first_enrolment = other;
    tables_enrolment(state, first)->next = first; /* a list that never ends */
    assert_refused(state, lists);
    tables_enrolment(state, first)->next = other; /* one row on two lists */
    assert_refused(state, lists);
    tables_enrolment(state, first)->next = NO_ID;
    tables_enrolment(state, first)->scenario = SCENARIOS_MAX;
    assert_refused(state, "an enrolment is in a scenario that its definitions do not have");
    tables_enrolment(state, first)->scenario = 1;

    tables_friend_more(state, 1)->first_tap = 0; /* there are none */
    assert_refused(state, lists);
    tables_friend_more(state, 1)->first_tap = NO_ID;
    uint32_t more = one->more, name = one->name;
    two->more = more; /* two friends have it */
    assert_refused(state, lists);
    two->more = NO_ID;
    one->name = 1 << 20; /* far behind the last */
    assert_refused(state, "a friend's row makes no sense");
    one->name = name;
    columns_put_text(&state->columns, 1, 3, 1 << 20);
    assert_refused(state, "a row has a text that there is not");
    columns_drop(&state->columns, 1, 3);
    columns_put_number(&state->columns, 2, 40, 7); /* friends are 0 to 39 */
    assert_refused(state, "a column is of friends who are none");
    columns_drop(&state->columns, 2, 40);
    tables_set_tag(state, 40, TAG_VIP, true);
    assert_refused(state, "a set has a member that is no friend");
    tables_set_tag(state, 40, TAG_VIP, false);
    image_to_buf(state, &image);
    engine_free(loaded_from(buf_span(&image)));
    buf_fini(&image);
    shop_close(&shop);
}
END_TEST

START_TEST(an_image_of_a_machine_of_another_kind_is_refused_as_such)
{
    uint64_t seed = 3;
    live(&seed, 5);
    struct buf image = {0};
    image_to_buf(engine_state(shop.engine), &image);
    uint8_t mark[4] = {image.data[3], image.data[2], image.data[1], image.data[0]};
    memcpy(image.data, mark, sizeof(mark));
    struct engine *engine = engine_new(&calls);
    const char *why = "";
    ck_assert_int_eq(load(engine, buf_span(&image), &why), RC_NEWER);
    ck_assert_str_eq(why, "it was written on a machine of another kind");
    engine_free(engine);
    buf_fini(&image);
    end_life();
}
END_TEST

START_TEST(an_image_of_another_state_version_is_refused_as_such)
{
    uint64_t seed = 3;
    live(&seed, 5);
    struct buf image = {0};
    image_to_buf(engine_state(shop.engine), &image);
    image.data[4]++;
    struct engine *engine = engine_new(&calls);
    const char *why = "";
    ck_assert_int_eq(load(engine, buf_span(&image), &why), RC_NEWER);
    engine_free(engine);
    buf_fini(&image);
    end_life();
}
END_TEST

START_TEST(a_state_before_the_first_event_has_an_image_too)
{
    struct engine *empty = engine_new(&calls);
    struct buf image = {0};
    image_to_buf(engine_state(empty), &image);
    struct engine *loaded = loaded_from(buf_span(&image));
    ck_assert_uint_eq(state_digest(engine_state(loaded)), state_digest(engine_state(empty)));
    engine_free(empty);
    engine_free(loaded);
    buf_fini(&image);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("image");
    TCase *tcase = tcase_create("image");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, an_image_gives_back_a_state_of_the_same_digest_at_every_point, 0,
                        10);
    tcase_add_loop_test(tcase, an_engine_loaded_from_an_image_goes_on_as_one_that_was_replayed, 0,
                        40);
    tcase_add_loop_test(tcase, a_tail_applied_to_an_image_ends_where_the_whole_log_ends, 0, 20);
    tcase_add_test(tcase, definitions_of_open_deliveries_come_back_and_are_held_once);
    tcase_add_test(tcase, outcomes_that_nobody_knows_come_back_with_what_was_decided);
    tcase_add_test(tcase, texts_that_were_erased_stay_erased);
    tcase_add_test(tcase, tags_of_few_and_of_many_friends_come_back);
    tcase_add_test(tcase, an_image_that_ends_early_is_refused_wherever_it_ends);
    tcase_add_loop_test(tcase, an_image_with_a_changed_byte_does_no_harm, 0, 4);
    tcase_add_test(tcase, rows_that_do_not_hold_together_are_refused);
    tcase_add_test(tcase, an_image_of_a_machine_of_another_kind_is_refused_as_such);
    tcase_add_test(tcase, an_image_of_another_state_version_is_refused_as_such);
    tcase_add_test(tcase, a_state_before_the_first_event_has_an_image_too);
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
