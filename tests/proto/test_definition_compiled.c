/* What a file becomes: templates as LINE gets them, steps with what they inherit, whole sets through edits. */
#include "proto/line_message.h"
#include "proto/yaml_tree.h"
#include "tests/proto/definition_shop.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

/* A whole template as LINE would get it, every value replaced by its place. */
static json_t *
render(const struct definitions *definitions, const char *name)
{
    const struct template *template =
        &definitions->templates[names_find(&definitions->template_names, span_cstr(name))];
    struct buf json = {0};
    buf_append_byte(&json, '[');
    for (uint32_t i = 0; i <= template->insertion_count; i++) {
        buf_append_span(&json, template->parts[i]);
        if (i < template->insertion_count) {
            buf_printf(&json, "<%u>", i);
        }
    }
    buf_append_byte(&json, ']');
    json_error_t error;
    json_t *parsed = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(parsed != NULL, "%s: %s", error.text, buf_cstr(&json));
    ck_assert_uint_eq(json_array_size(parsed), template->object_count);
    buf_fini(&json);
    return parsed;
}

static void
assert_renders(const struct definitions *definitions, const char *name, const char *expected)
{
    json_t *got = render(definitions, name);
    json_t *wanted = json_loads(expected, 0, NULL);
    ck_assert_ptr_nonnull(wanted);
    char *shown = json_dumps(got, JSON_COMPACT);
    ck_assert_msg(json_equal(got, wanted), "%s is %s", name, shown);
    free(shown);
    json_decref(got);
    json_decref(wanted);
}

START_TEST(templates_become_the_objects_of_line)
{
    struct fixture shop = compile_text(SHOP);
    ck_assert_str_eq(buf_cstr(&shop.printed), "");
    const struct definitions *d = shop.definitions;
    assert_renders(d, "T_hello",
                   "[{\"type\":\"text\",\"text\":\"こんにちは、<0>さん。<1>点、<2>\\\"\"}]");
    assert_renders(d, "T_intro",
                   "[{\"type\":\"text\",\"text\":\"はじめまして\"},"
                   "{\"type\":\"image\",\"originalContentUrl\":\"https://example.jp/a.jpg\","
                   "\"previewImageUrl\":\"https://example.jp/a_s.jpg\"},"
                   "{\"type\":\"sticker\",\"packageId\":\"446\",\"stickerId\":\"1988\"}]");
    assert_renders(d, "T_q1",
                   "[{\"type\":\"text\",\"text\":\"どんな味?\",\"quickReply\":{\"items\":["
                   "{\"type\":\"action\",\"action\":{\"type\":\"postback\",\"label\":\"辛口\","
                   "\"data\":\"q1:dry\",\"displayText\":\"辛口\"}},"
                   "{\"type\":\"action\",\"action\":{\"type\":\"uri\",\"label\":\"店へ\","
                   "\"uri\":\"https://example.jp/\"}}]}}]");
    assert_renders(
        d, "T_card",
        "[{\"type\":\"flex\",\"altText\":\"<0>さんへ\",\"contents\":{\"type\":\"bubble\","
        "\"body\":{\"type\":\"box\",\"layout\":\"vertical\",\"contents\":[{\"type\":"
        "\"text\",\"text\":\"123\",\"flex\":1,\"wrap\":true}]}}}]");
    assert_renders(d, "S_welcome/nudge", "[{\"type\":\"text\",\"text\":\"まだですか\"}]");
    const struct template *hello =
        &d->templates[names_find(&d->template_names, span_cstr("T_hello"))];
    ck_assert_uint_eq(hello->insertion_count, 3);
    ck_assert_int_eq(hello->insertions[0].kind, INSERTION_NAME);
    ck_assert(span_equal_cstr(hello->insertions[0].fallback, "お客様"));
    ck_assert_int_eq(hello->insertions[1].kind, INSERTION_FIELD);
    ck_assert_uint_eq(hello->insertions[1].field, names_find(&d->field_names, span_cstr("points")));
    ck_assert_uint_eq(hello->insertions[1].fallback.len, 0);
    fixture_fini(&shop);
}
END_TEST

START_TEST(steps_inherit_window_grace_class_and_priority)
{
    struct fixture shop = compile_text(SHOP);
    const struct definitions *d = shop.definitions;
    const struct step *form = step_named(d, "S_welcome", "form");
    const struct step *nudge = step_named(d, "S_welcome", "nudge");
    const struct step *last = step_named(d, "S_welcome", "last");
    const struct step *two = step_named(d, "S_story", "two");
    ck_assert_int_eq(form->message_class, CLASS_MARKETING);
    ck_assert_int_eq(form->window.open_min, 9 * 60); /* the account's */
    ck_assert_int_eq(form->grace_ms, 24 * MS_PER_HOUR);
    ck_assert_int_eq(form->priority, 0);
    ck_assert_int_eq(nudge->message_class, CLASS_TRANSACTIONAL);
    ck_assert_int_eq(nudge->window.open_min, 8 * 60); /* of its class */
    ck_assert_int_eq(last->window.open_min, -1);      /* its own */
    ck_assert_int_eq(last->grace_ms, MS_PER_HOUR);
    ck_assert_int_eq(last->priority, 5);
    ck_assert_int_eq(two->message_class, CLASS_TRANSACTIONAL); /* the scenario's */
    ck_assert_int_eq(two->window.open_min, 22 * 60);
    ck_assert_int_eq(two->grace_ms, 2 * MS_PER_DAY);
    ck_assert_int_eq(two->priority, -1);
    fixture_fini(&shop);
}
END_TEST

START_TEST(an_empty_account_has_the_documented_defaults)
{
    struct fixture fixture =
        compile_text("scenarios: {S: {steps: {a: {when: now, send: {text: x}}}}}\n");
    const struct definitions *d = fixture.definitions;
    ck_assert_ptr_null(d->account.name);
    ck_assert_str_eq(d->account.zone->name, "Asia/Tokyo");
    ck_assert_int_eq(d->account.grace_ms, 48 * MS_PER_HOUR);
    ck_assert(!d->account.reply_unknown_push);
    const struct step *step = step_named(d, "S", "a");
    ck_assert_int_eq(step->window.open_min, -1);
    ck_assert_int_eq(step->otherwise, OTHERWISE_SKIP);
    ck_assert_int_eq(d->scenarios[0].reentry, REENTRY_IF_NOT_ACTIVE);
    ck_assert_int_eq(d->scenarios[0].late_day0, LATE_DAY0_SHIFT);
    ck_assert_str_eq(names_text(&d->lane_names, d->scenarios[0].lane), "main");
    fixture_fini(&fixture);
}
END_TEST

START_TEST(bodies_timings_and_conditions_come_back_as_words)
{
    struct fixture shop = compile_text(SHOP);
    const struct definitions *d = shop.definitions;
    assert_shop_described(d);
    ck_assert_int_eq(step_named(d, "S_welcome", "nudge")->otherwise, OTHERWISE_STOP);
    ck_assert(step_named(d, "S_story", "one")->body.has_message);
    ck_assert(!step_named(d, "S_story", "two")->body.has_message);
    ck_assert_uint_eq(d->friend_unblocked.action_count, 1); /* as `new` */
    ck_assert_uint_eq(d->friend_existing.action_count, 2);
    ck_assert_uint_eq(d->auto_reply_count, 3);
    ck_assert(span_equal_cstr(d->auto_replies[0].texts[0], "AIバーテンダー"));
    ck_assert_int_eq(d->auto_replies[1].match, MATCH_CONTAINS);
    ck_assert_uint_eq(d->auto_replies[1].text_count, 2);
    ck_assert(d->auto_replies[1].continues && !d->auto_replies[2].continues);
    ck_assert_int_eq(d->auto_replies[2].match, MATCH_ANY);
    ck_assert_uint_eq(d->buttons[0].choice_count, 2);
    ck_assert_str_eq(d->buttons[0].choices[1], "sweet");
    fixture_fini(&shop);
}
END_TEST

START_TEST(sections_may_be_spread_over_files_and_ids_may_not)
{
    struct source_file files[] = {
        {.name = span_cstr("10-a.yaml"),
         .text = span_cstr("tags: {x: [a]}\ntemplates: {T: eins}\n")},
        {.name = span_cstr("20-b.yaml"), .text = span_cstr("# none\n")},
        {.name = span_cstr("30-c.yaml"), .text = span_cstr("templates:\n  T2: zwei\n  T: drei\n")}};
    struct fixture two = compile_files(files, 2, NULL);
    ck_assert_int_eq(two.rc, RC_OK);
    struct fixture three = compile_files(files, 3, NULL);
    ck_assert_str_eq(buf_cstr(&three.printed),
                     "30-c.yaml:3:3: error: duplicate template 'T' (first at 10-a.yaml:2)\n"
                     "    3 |   T: drei\n"
                     "      |   ^\n"
                     "30-c.yaml: 1 error; nothing was changed\n");
    files[2].text = span_cstr("templates:\n  T2: zwei\nrehearsal: {any: thing}\n");
    files[0].text = span_cstr("tags: {x: [a]}\nfriend_add: {new: {send: T2}}\n");
    struct fixture spread = compile_files(files, 3, NULL);
    ck_assert_str_eq(buf_cstr(&spread.printed), "");
    fixture_fini(&two);
    fixture_fini(&three);
    fixture_fini(&spread);
}
END_TEST

START_TEST(edits_replace_add_and_remove_whole_things)
{
    static const char FILE_TEXT[] =
        "tags: {x: [a]}\n"
        "templates: {T1: eins, T2: zwei}\n"
        "rehearsal:\n"
        "  v2: {templates: {T1: neu, T2: none, T3: drei}, buttons: {b: {send: T3}}}\n"
        "  v3: {templates: {T3: none}}\n";
    struct source_file file = {.name = span_cstr("shop.yaml"), .text = span_cstr(FILE_TEXT)};
    struct fixture first = compile_files(&file, 1, NULL);
    struct arena *arena = arena_new();
    struct yaml_node *tree = yaml_tree_parse(&file, arena, &first.diagnostics);
    const struct yaml_node *edits[] = {yaml_get(yaml_get(tree, "rehearsal"), "v2"),
                                       yaml_get(yaml_get(tree, "rehearsal"), "v3")};
    struct definitions *second = NULL;
    ck_assert_int_eq(definition_compile_edited(&file, 1, edits, 1, first.definitions, FIXTURE_ZONES,
                                               "rehearsal", &first.diagnostics, &second),
                     RC_OK);
    assert_renders(second, "T1", "[{\"type\":\"text\",\"text\":\"neu\"}]");
    assert_renders(second, "T3", "[{\"type\":\"text\",\"text\":\"drei\"}]");
    ck_assert_uint_eq(names_find(&second->template_names, span_cstr("T2")), NO_ID);
    ck_assert_uint_eq(names_find(&second->button_names, span_cstr("b")), 0);
    struct definitions *third = NULL;
    ck_assert_int_eq(definition_compile_edited(&file, 1, edits, 2, second, FIXTURE_ZONES,
                                               "rehearsal", &first.diagnostics, &third),
                     RC_INVALID); /* button b still sends T3 */
    ck_assert_ptr_null(third);
    ck_assert_uint_eq(first.diagnostics.items[0].line, 4);
    definitions_release(second);
    arena_free(arena);
    fixture_fini(&first);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("definition_compiled");
    TCase *compiled = tcase_create("compiled");
    tcase_add_test(compiled, templates_become_the_objects_of_line);
    tcase_add_test(compiled, steps_inherit_window_grace_class_and_priority);
    tcase_add_test(compiled, an_empty_account_has_the_documented_defaults);
    tcase_add_test(compiled, bodies_timings_and_conditions_come_back_as_words);
    tcase_add_test(compiled, edits_replace_add_and_remove_whole_things);
    tcase_add_test(compiled, sections_may_be_spread_over_files_and_ids_may_not);
    suite_add_tcase(s, compiled);
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
