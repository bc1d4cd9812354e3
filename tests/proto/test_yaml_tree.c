#include "proto/yaml_tree.h"

#include <check.h>
#include <stdlib.h>

static struct arena *arena;
static struct diagnostics diagnostics;
static struct source_file file;

static void
setup(void)
{
    arena = arena_new();
    diagnostics_init(&diagnostics);
}

static void
teardown(void)
{
    diagnostics_fini(&diagnostics);
    arena_free(arena);
}

static struct yaml_node *
parse_span(struct span text)
{
    file = (struct source_file){.name = span_cstr("shop.yaml"), .text = text};
    return yaml_tree_parse(&file, arena, &diagnostics);
}

static struct yaml_node *
parse(const char *text)
{
    return parse_span(span_cstr(text));
}

/* The one diagnostic there must be, at its place. */
static void
assert_error(uint32_t line, uint32_t column, const char *message)
{
    ck_assert_uint_eq(diagnostics.error_count, 1);
    ck_assert_str_eq(diagnostics.items[0].message, message);
    ck_assert_uint_eq(diagnostics.items[0].line, line);
    ck_assert_uint_eq(diagnostics.items[0].column, column);
}

START_TEST(every_scalar_is_text)
{
    struct yaml_node *tree = parse("a: 10:00\nb: no\nc: 0120\nd: ~\ne: 1e3\n");
    ck_assert_uint_eq(diagnostics.error_count, 0);
    ck_assert(span_equal_cstr(yaml_get(tree, "a")->text, "10:00"));
    ck_assert(span_equal_cstr(yaml_get(tree, "b")->text, "no"));
    ck_assert(span_equal_cstr(yaml_get(tree, "c")->text, "0120"));
    ck_assert(span_equal_cstr(yaml_get(tree, "d")->text, "~"));
    ck_assert(span_equal_cstr(yaml_get(tree, "e")->text, "1e3"));
    ck_assert_ptr_null(yaml_get(tree, "f"));
}
END_TEST

START_TEST(mappings_keep_their_order_and_places_count_characters)
{
    struct yaml_node *tree = parse("z: 1\n名前: [一, {二: 三}]\n");
    ck_assert(span_equal_cstr(tree->pairs[0].key, "z"));
    ck_assert(span_equal_cstr(tree->pairs[1].key, "名前"));
    struct yaml_node *list = tree->pairs[1].value;
    ck_assert_int_eq(list->kind, YAML_LIST);
    ck_assert_uint_eq(list->items[1]->mark.line, 2);
    ck_assert_uint_eq(list->items[1]->mark.column, 9);
    ck_assert_uint_eq(yaml_get(list->items[1], "二")->mark.column, 13);
}
END_TEST

START_TEST(the_first_of_two_keys_alike_is_kept)
{
    struct yaml_node *tree = parse("a: one\nb: two\na: three\n");
    assert_error(3, 1, "duplicate section 'a' (first at line 1)");
    ck_assert_uint_eq(tree->count, 2);
    ck_assert(span_equal_cstr(tree->pairs[0].value->text, "one"));
    ck_assert(span_equal_cstr(tree->pairs[1].key, "b"));
}
END_TEST

START_TEST(a_byte_order_mark_is_passed_over)
{
    struct yaml_node *tree = parse("\xef\xbb\xbf"
                                   "a: b\n");
    ck_assert_uint_eq(diagnostics.error_count, 0);
    ck_assert_uint_eq(tree->pairs[0].key_mark.column, 1);
}
END_TEST

START_TEST(an_empty_file_is_no_error)
{
    ck_assert_ptr_null(parse("# nothing yet\n"));
    ck_assert_uint_eq(diagnostics.error_count, 0);
}
END_TEST

START_TEST(what_yaml_has_beyond_texts_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *message;
    } ROWS[] = {
        {"a: &x b\n", 1, 4, "YAML anchors (&x) are not supported; write the value out"},
        {"a: b\nc: *x\n", 2, 4, "YAML aliases (*x) are not supported; write the value out"},
        {"a: !!str b\n", 1, 4,
         "YAML tags (!) are not supported; every value is text, put it in quotes"},
        {"a:\n  <<: b\n", 2, 3, "merge keys are not supported; write the keys out"},
        {"a: b\n---\nc: d\n", 2, 1,
         "a file holds one document; put the second into a file of its own"},
        {"%YAML 1.1\n---\na: b\n", 1, 1, "YAML directives (%) are not supported"},
        {"a:\n\tb: c\n", 2, 1, "a tab; write blanks"},
        {"a: b\n\ta: c\n", 2, 1, "a tab; write blanks"},
        {"? [a]\n: b\n", 1, 3, "a key must be a text"},
        {"a: \"x\\0y\"\n", 1, 4, "a text cannot hold \\0"},
        {"a: 'never closed\nb: c\n", 1, 4, "this quote is never closed"},
        {"a: b: c\n", 1, 5, "a second ': ' here; a text that holds ': ' must be in quotes"},
        {"a: @b\n", 1, 4, "a text cannot begin with this character; put it in quotes"},
        {"a: [b\nc: d\n", 2, 2, "expected ',' or ']' in this list"},
        {"a: b\xff\n", 1, 5,
         "byte 0xff is not UTF-8; is the file in Shift_JIS (CP932)? Save it as UTF-8"},
        {"a: \x83\x65\n", 1, 4,
         "byte 0x83 is not UTF-8; is the file in Shift_JIS (CP932)? Save it as UTF-8"},
        {"x: #a\n", 1, 4,
         "empty value: what follows '#' is a comment; a text with '#' must be in quotes"},
        {"x:\ny: b\n", 1, 3, "empty value"},
        {"x: {a: b, c}\n", 1, 12, "empty value; a text with a comma inside { } must be in quotes"},
        {"a: b\nc: d\na: e\n", 3, 1, "duplicate section 'a' (first at line 1)"},
        {"templates:\n  T: a\n  T: b\n", 3, 3, "duplicate template 'T' (first at line 2)"},
        {"scenarios:\n  S:\n    steps:\n      n: {when: now}\n      n: {when: now}\n", 5, 7,
         "duplicate step 'n' in scenario 'S' (first at line 4)"},
    };
    parse(ROWS[_i].text);
    if (_i == 7) { /* a blank for the tab: the second line then continues the first */
        ck_assert_uint_ge(diagnostics.error_count, 1);
        ck_assert_str_eq(diagnostics.items[0].message, ROWS[_i].message);
        return;
    }
    assert_error(ROWS[_i].line, ROWS[_i].column, ROWS[_i].message);
}
END_TEST

START_TEST(an_insertion_without_quotes_hides_no_other_mistake)
{
    struct yaml_node *tree = parse("a: {{name}}さん、こんにちは # x\n"
                                   "b: [{{area}}, c]\n"
                                   "d: {text: {{x|y}}だ, quick: z}\n"
                                   "e: {{name}}\n"
                                   "f: #\n");
    ck_assert_uint_eq(diagnostics.error_count, 5);
    ck_assert_ptr_nonnull(tree);
    ck_assert(span_equal_cstr(yaml_get(tree, "a")->text, "{{name}}さん、こんにちは"));
    ck_assert(span_equal_cstr(yaml_get(tree, "b")->items[0]->text, "{{area}}"));
    ck_assert(span_equal_cstr(yaml_get(yaml_get(tree, "d"), "text")->text, "{{x|y}}だ"));
    ck_assert(span_equal_cstr(yaml_get(tree, "e")->text, "{{name}}"));
    bool hinted = false;
    for (uint32_t i = 0; i < diagnostics.count; i++) {
        hinted = hinted || (diagnostics.items[i].line == 1 && diagnostics.items[i].column == 4 &&
                            strcmp(diagnostics.items[i].message,
                                   "a text with {{...}} here must be in quotes: "
                                   "\"{{name}}さん、こんにちは\"") == 0);
    }
    ck_assert(hinted);
}
END_TEST

START_TEST(a_block_text_may_hold_what_looks_like_a_mistake)
{
    struct yaml_node *tree = parse("a: |\n  - {{name}}\n  x: #y\nb: c\n");
    ck_assert_uint_eq(diagnostics.error_count, 0);
    ck_assert(span_equal_cstr(yaml_get(tree, "a")->text, "- {{name}}\nx: #y\n"));
}
END_TEST

START_TEST(a_piece_of_a_text_is_found_in_any_style)
{
    static const struct {
        const char *text;
        uint32_t line, column;
    } ROWS[] = {{"a: 年x年x\n", 1, 7},
                {"a: '年x''年x'\n", 1, 10},
                {"a: |\n  年x\n  年x\n", 3, 4},
                {"a: >-\n  年x\n  年x\n", 3, 4}};
    struct yaml_node *value = yaml_get(parse(ROWS[_i].text), "a");
    const uint8_t *second = memchr(value->text.data, 'x', value->text.len);
    second = memchr(second + 1, 'x', value->text.len);
    struct yaml_mark mark = yaml_mark_of(value, span_of(second, 1));
    ck_assert_uint_eq(mark.line, ROWS[_i].line);
    ck_assert_uint_eq(mark.column, ROWS[_i].column);
}
END_TEST

START_TEST(a_file_over_one_mebibyte_is_refused)
{
    size_t len = YAML_FILE_BYTES_MAX + 1;
    char *text = malloc(len);
    memset(text, '#', len);
    ck_assert_ptr_null(parse_span(span_of(text, len)));
    assert_error(1, 1, "larger than 1 MiB");
    free(text);
}
END_TEST

/* Each row fills a mebibyte; none may take long, crash, or nest without end. */
START_TEST(a_mebibyte_of_anything_is_answered)
{
    static const char *const ROWS[] = {
        "[",  "{",   "- ",  "{{a}}\n", "a: {{b}}\n", "? ",        "'", "\"", "&a ", "x: #\n",
        "\t", "a\n", "[a,", "- a\n",   "%",          "a: [{{b\n", "!", "|",  "{},"};
    size_t len = YAML_FILE_BYTES_MAX;
    size_t piece = strlen(ROWS[_i]);
    char *text = malloc(len);
    for (size_t i = 0; i < len; i++) {
        text[i] = ROWS[_i][i % piece];
    }
    text[0] = _i == 18 ? '[' : text[0];
    parse_span(span_of(text, len));
    ck_assert_uint_le(diagnostics.count, 1000);
    free(text);
}
END_TEST

START_TEST(depth_33_is_refused)
{
    char text[128] = {0};
    memset(text, '[', 33);
    parse(text);
    assert_error(1, 33, "nested deeper than 32 levels");
}
END_TEST

START_TEST(many_keys_alike_are_found_quickly)
{
    struct buf text = {0};
    for (int i = 0; i < 100000; i++) {
        buf_printf(&text, "k%d: v\n", i % 99999);
    }
    parse_span(buf_span(&text));
    assert_error(100000, 1, "duplicate section 'k0' (first at line 1)");
    buf_fini(&text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("yaml_tree");
    TCase *tc = tcase_create("yaml_tree");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 20);
    tcase_add_test(tc, every_scalar_is_text);
    tcase_add_test(tc, mappings_keep_their_order_and_places_count_characters);
    tcase_add_test(tc, the_first_of_two_keys_alike_is_kept);
    tcase_add_test(tc, a_byte_order_mark_is_passed_over);
    tcase_add_test(tc, an_empty_file_is_no_error);
    tcase_add_loop_test(tc, what_yaml_has_beyond_texts_is_refused_with_its_place, 0, 22);
    tcase_add_test(tc, an_insertion_without_quotes_hides_no_other_mistake);
    tcase_add_test(tc, a_block_text_may_hold_what_looks_like_a_mistake);
    tcase_add_loop_test(tc, a_piece_of_a_text_is_found_in_any_style, 0, 4);
    tcase_add_test(tc, a_file_over_one_mebibyte_is_refused);
    tcase_add_loop_test(tc, a_mebibyte_of_anything_is_answered, 0, 19);
    tcase_add_test(tc, depth_33_is_refused);
    tcase_add_test(tc, many_keys_alike_are_found_quickly);
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
