/* The form that the log keeps gives the same set again, and no bytes at all, of a file or of it, break the compiler. */
#include "tests/proto/definition_shop.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the canonical form --- */

static struct definitions *
replay(const struct definitions *definitions)
{
    struct definitions *again = NULL;
    ck_assert_int_eq(definition_from_canonical(definitions->canonical, FIXTURE_ZONES, &again),
                     RC_OK);
    ck_assert_int_eq(memcmp(again->hash, definitions->hash, sizeof(again->hash)), 0);
    ck_assert(span_equal(again->canonical, definitions->canonical));
    return again;
}

static void
assert_names_equal(const struct names *a, const struct names *b)
{
    ck_assert_uint_eq(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        ck_assert_str_eq(a->items[i].text, b->items[i].text);
        ck_assert_int_eq(a->items[i].in_force, b->items[i].in_force);
    }
}

static void
assert_sets_equal(const struct definitions *a, const struct definitions *b)
{
    assert_names_equal(&a->tag_names, &b->tag_names);
    assert_names_equal(&a->field_names, &b->field_names);
    assert_names_equal(&a->template_names, &b->template_names);
    assert_names_equal(&a->lane_names, &b->lane_names);
    assert_names_equal(&a->scenario_names, &b->scenario_names);
    assert_names_equal(&a->button_names, &b->button_names);
    assert_names_equal(&a->auto_reply_names, &b->auto_reply_names);
    for (uint32_t i = 0; i < a->field_names.count; i++) {
        ck_assert_int_eq(a->fields[i].type, b->fields[i].type);
        ck_assert_int_eq(a->fields[i].start, b->fields[i].start);
        ck_assert_int_eq(a->fields[i].has_min, b->fields[i].has_min);
    }
    for (uint32_t i = 0; i < a->template_names.count; i++) {
        ck_assert_uint_eq(a->templates[i].object_count, b->templates[i].object_count);
        ck_assert_uint_eq(a->templates[i].insertion_count, b->templates[i].insertion_count);
        for (uint32_t j = 0; j <= a->templates[i].insertion_count; j++) {
            ck_assert(span_equal(a->templates[i].parts[j], b->templates[i].parts[j]));
        }
    }
    for (uint32_t i = 0; i < a->scenario_names.count; i++) {
        ck_assert(scenario_same_schedule(&a->scenarios[i], &b->scenarios[i]));
        assert_names_equal(&a->scenarios[i].step_names, &b->scenarios[i].step_names);
        for (uint32_t j = 0; j < a->scenarios[i].step_count; j++) {
            const struct step *x = &a->scenarios[i].steps[j];
            const struct step *y = &b->scenarios[i].steps[j];
            ck_assert_int_eq(x->window.open_min, y->window.open_min);
            ck_assert_int_eq(x->grace_ms, y->grace_ms);
            ck_assert_int_eq(x->message_class, y->message_class);
            ck_assert_int_eq(x->priority, y->priority);
        }
    }
    ck_assert_uint_eq(a->auto_reply_count, b->auto_reply_count);
}

START_TEST(what_the_log_kept_compiles_to_the_same_set)
{
    struct fixture shop = compile_text(SHOP);
    struct definitions *again = replay(shop.definitions);
    assert_sets_equal(shop.definitions, again);
    assert_shop_described(again);
    definitions_release(again);
    fixture_fini(&shop);
}
END_TEST

START_TEST(the_same_files_give_the_same_hash_and_layout_does_not_count)
{
    struct fixture a = compile_text("tags: {x: [a]}\n");
    struct fixture b = compile_text("# a comment\ntags:\n  x:\n    - 'a'\n");
    struct fixture c = compile_text("tags: {x: [b]}\n");
    ck_assert_int_eq(memcmp(a.definitions->hash, b.definitions->hash, 16), 0);
    ck_assert_int_ne(memcmp(a.definitions->hash, c.definitions->hash, 16), 0);
    fixture_fini(&a);
    fixture_fini(&b);
    fixture_fini(&c);
}
END_TEST

START_TEST(ids_stay_with_their_names_through_edits)
{
    static const char *const EDITS[] = {
        "tags: {x: [a, b]}\ntemplates: {T1: eins, T2: 'zwei {{name}}'}\nfields: {n: number}\n"
        "scenarios: {S: {steps: {k: {when: now, send: T1}, l: {when: now, send: T2}}}}\n",
        "tags: {x: [c, b]}\ntemplates: {T3: drei}\n"
        "scenarios: {R: {lane: q, steps: {k: {when: now, send: T3}}},"
        " S: {steps: {m: {when: now, send: T3}, l: {when: now, send: T3}}}}\n",
        "tags: {x: [a]}\ntemplates: {T2: neu, T3: drei}\n"
        "scenarios: {S: {steps: {k: {when: now, send: {text: hier}}}}}\n"};
    struct fixture sets[3];
    for (int i = 0; i < 3; i++) {
        sets[i] = compile_span(span_cstr(EDITS[i]), i == 0 ? NULL : sets[i - 1].definitions);
        ck_assert_str_eq(buf_cstr(&sets[i].printed), "");
        struct definitions *again = replay(sets[i].definitions);
        assert_sets_equal(sets[i].definitions, again);
        definitions_release(again);
    }
    const struct definitions *last = sets[2].definitions;
    static const char *const TAGS[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_str_eq(last->tag_names.items[i].text, TAGS[i]);
        ck_assert_int_eq(last->tag_names.items[i].in_force, i == 0);
    }
    ck_assert_uint_eq(names_find(&last->tag_names, span_cstr("b")), NO_ID);
    ck_assert_uint_eq(names_find(&last->scenario_names, span_cstr("S")), 0);
    ck_assert_uint_eq(last->scenarios[1].step_count, 0); /* R is gone, its name is not */
    ck_assert_str_eq(last->scenarios[1].step_names.items[0].text, "k");
    static const char *const STEPS[] = {"k", "l", "m"};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_str_eq(last->scenarios[0].step_names.items[i].text, STEPS[i]);
    }
    ck_assert_int_eq(last->fields[0].type, FIELD_NUMBER); /* removed, and still readable */
    /* A removed template stays rendered as it was last, a changed one is new. */
    ck_assert(
        span_equal_cstr(last->templates[0].parts[0], "{\"type\":\"text\",\"text\":\"eins\"}"));
    ck_assert(!last->template_names.items[0].in_force);
    ck_assert(span_equal_cstr(last->templates[1].parts[0], "{\"type\":\"text\",\"text\":\"neu\"}"));
    const struct template *removed = &sets[1].definitions->templates[1];
    ck_assert_uint_eq(removed->insertion_count, 1);
    ck_assert(span_equal_cstr(removed->parts[0], "{\"type\":\"text\",\"text\":\"zwei "));
    for (int i = 0; i < 3; i++) {
        fixture_fini(&sets[i]);
    }
}
END_TEST

START_TEST(a_zone_that_has_gone_falls_back_on_replay_only)
{
    static const char GONE[] =
        "{\"version\":1,\"ids\":{\"tags\":[],\"fields\":[],\"templates\":[],\"lanes\":[\"main\"],"
        "\"scenarios\":[\"S\"],\"buttons\":[],\"auto_replies\":[],"
        "\"steps\":{\"S\":[\"a\"]}},"
        "\"types\":[],\"removed\":{},\"tree\":{\"account\":{\"zone\":\"Etc/UTC\"},\"scenarios\":{"
        "\"S\":{\"zone\":\"Mars/Olympus\",\"steps\":{\"a\":{\"when\":\"now\",\"do\":[]}}}}}}";
    struct definitions *definitions = NULL;
    ck_assert_int_eq(definition_from_canonical(span_cstr(GONE), FIXTURE_ZONES, &definitions),
                     RC_OK);
    ck_assert_str_eq(definitions->scenarios[0].zone->name, "Etc/UTC");
    definitions_release(definitions);
}
END_TEST

static const struct zone *
no_zone(void *context, struct span name)
{
    (void)context;
    (void)name;
    return NULL;
}

START_TEST(without_any_zone_files_what_the_log_kept_still_compiles)
{
    struct fixture shop = compile_text(SHOP);
    struct definitions *again = NULL;
    struct zone_source none = {.lookup = no_zone};
    ck_assert_int_eq(definition_from_canonical(shop.definitions->canonical, none, &again), RC_OK);
    ck_assert_str_eq(again->account.zone->name, "Asia/Tokyo");
    assert_shop_described(again);
    definitions_release(again);
    fixture_fini(&shop);
}
END_TEST

START_TEST(what_is_no_canonical_form_is_corrupt)
{
    static const struct {
        const char *text;
        enum rc rc;
    } ROWS[] = {{"", RC_CORRUPT},
                {"{}", RC_CORRUPT},
                {"[]", RC_CORRUPT},
                {"{\"version\":2}", RC_NEWER},
                {"{\"version\":1}", RC_CORRUPT},
                {"{\"version\":1,\"ids\":{\"tags\":[1]}}", RC_CORRUPT}};
    struct definitions *definitions = NULL;
    ck_assert_int_eq(
        definition_from_canonical(span_cstr(ROWS[_i].text), FIXTURE_ZONES, &definitions),
        ROWS[_i].rc);
    ck_assert_ptr_null(definitions);
}
END_TEST

/* --- hostile files --- */

static uint64_t
draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* A byte lost, changed, doubled or swapped for one that means something. */
static size_t
mutate(uint64_t *seed, char *text, size_t len)
{
    static const char MEANING[] = "{}[]:-#'\"|>&*!%@\n\t \\\xff\xe3(),=+";
    size_t at = draw(seed) % len;
    switch (draw(seed) % 4) {
    case 0:
        memmove(text + at, text + at + 1, len - at - 1);
        return len - 1;
    case 1:
        text[at] = (char)draw(seed);
        return len;
    case 2:
        memmove(text + at + 1, text + at, len - at);
        return len + 1;
    default:
        text[at] = MEANING[draw(seed) % (sizeof(MEANING) - 1)];
        return len;
    }
}

START_TEST(a_file_with_changed_bytes_is_compiled_or_refused_with_its_places)
{
    enum { ROUNDS = 150 };
    uint64_t seed = (uint64_t)_i + 1;
    char text[sizeof(SHOP) + 64];
    for (int round = 0; round < ROUNDS; round++) {
        size_t len = sizeof(SHOP) - 1;
        memcpy(text, SHOP, len);
        for (uint64_t changes = 1 + draw(&seed) % 8; changes > 0; changes--) {
            len = mutate(&seed, text, len);
        }
        struct fixture fixture = compile_span(span_of(text, len), NULL);
        ck_assert_msg((fixture.rc == RC_OK) == (fixture.diagnostics.error_count == 0),
                      "seed %d round %d", _i + 1, round);
        for (uint32_t i = 0; i < fixture.diagnostics.count; i++) {
            ck_assert_uint_gt(fixture.diagnostics.items[i].line, 0);
            ck_assert_uint_gt(fixture.diagnostics.items[i].column, 0);
        }
        if (fixture.rc == RC_OK) {
            struct definitions *again = replay(fixture.definitions);
            assert_sets_equal(fixture.definitions, again);
            definitions_release(again);
        }
        fixture_fini(&fixture);
    }
}
END_TEST

START_TEST(a_canonical_form_with_changed_bytes_is_taken_or_corrupt)
{
    uint64_t seed = (uint64_t)_i + 1000;
    struct fixture shop = compile_text(SHOP);
    struct span canonical = shop.definitions->canonical;
    char *text = malloc(canonical.len + 64);
    for (int round = 0; round < 100; round++) {
        size_t len = canonical.len;
        memcpy(text, canonical.data, len);
        for (uint64_t changes = 1 + draw(&seed) % 4; changes > 0; changes--) {
            len = mutate(&seed, text, len);
        }
        struct definitions *definitions = NULL;
        enum rc rc = definition_from_canonical(span_of(text, len), FIXTURE_ZONES, &definitions);
        ck_assert_msg((rc == RC_OK) == (definitions != NULL), "seed %d round %d", _i + 1000, round);
        definitions_release(definitions);
    }
    free(text);
    fixture_fini(&shop);
}
END_TEST

START_TEST(a_file_full_of_mistakes_is_answered_soon)
{
    static const char *const PIECES[] = {"  T%d: '{{f}} {{g}} {{f}}'\n", "  T%d: {{x}}\n",
                                         "  T%d: [{text: a, quick: {x: b}}]\n"};
    struct buf text = {0};
    buf_append_cstr(&text, "fields: {f: text}\ntemplates:\n");
    for (int i = 0; text.len < 900 * 1000; i++) {
        char number[16];
        snprintf(number, sizeof(number), "%d", i);
        const char *at = strstr(PIECES[_i], "%d");
        buf_append(&text, PIECES[_i], (size_t)(at - PIECES[_i]));
        buf_append_cstr(&text, number);
        buf_append_cstr(&text, at + 2);
    }
    struct fixture fixture = compile_span(buf_span(&text), NULL);
    ck_assert_int_eq(fixture.rc, RC_INVALID);
    fixture_fini(&fixture);
    buf_fini(&text);
}
END_TEST

START_TEST(many_names_and_many_wrong_references_are_answered_soon)
{
    struct buf text = {0};
    buf_append_cstr(&text, "tags:\n  x:\n");
    for (int i = 0; i < 20000; i++) {
        buf_printf(&text, "   - a_rather_long_tag_name_%d\n", i);
    }
    buf_append_cstr(&text, "friend_add:\n  new:\n    do:\n");
    for (int i = 0; text.len < 1000 * 1000; i++) {
        buf_printf(&text, "     - {tag: +a_rather_long_tug_name_%d, if: 'tag:nome_%d'}\n", i, i);
    }
    struct fixture fixture = compile_span(buf_span(&text), NULL);
    ck_assert_int_eq(fixture.rc, RC_INVALID);
    ck_assert_uint_gt(fixture.diagnostics.error_count, 10000);
    fixture_fini(&fixture);
    buf_fini(&text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("definition_canonical");
    TCase *canonical = tcase_create("canonical");
    tcase_add_test(canonical, what_the_log_kept_compiles_to_the_same_set);
    tcase_add_test(canonical, the_same_files_give_the_same_hash_and_layout_does_not_count);
    tcase_add_test(canonical, ids_stay_with_their_names_through_edits);
    tcase_add_test(canonical, a_zone_that_has_gone_falls_back_on_replay_only);
    tcase_add_test(canonical, without_any_zone_files_what_the_log_kept_still_compiles);
    tcase_add_loop_test(canonical, what_is_no_canonical_form_is_corrupt, 0, 6);
    suite_add_tcase(s, canonical);
    TCase *hostile = tcase_create("hostile");
    tcase_set_timeout(hostile, 60);
    tcase_add_loop_test(hostile, a_file_with_changed_bytes_is_compiled_or_refused_with_its_places,
                        0, 8);
    tcase_add_loop_test(hostile, a_canonical_form_with_changed_bytes_is_taken_or_corrupt, 0, 4);
    tcase_add_test(hostile, many_names_and_many_wrong_references_are_answered_soon);
    tcase_add_loop_test(hostile, a_file_full_of_mistakes_is_answered_soon, 0, 3);
    suite_add_tcase(s, hostile);
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
