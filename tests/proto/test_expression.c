#include "proto/describe.h"
#include "tests/proto/definition_fixture.h"

#include <check.h>
#include <stdlib.h>

static struct fixture shop;
static struct arena *arena;

static void
setup(void)
{
    shop = compile_text(
        "tags:\n  x: [a, b, c, 購入済]\n"
        "fields: {area: text, 年齢: number, born: date, goal: datetime}\n"
        "buttons: {q1: {choices: [dry], send: {text: x}}}\n"
        "templates: {T_a: x}\n"
        "scenarios: {S: {steps: {one: {when: now, send: T_a}}}}\n"
        "forms: {F: {questions: {q: {ask: x, type: text}, n: {ask: x, type: number}}}}\n"
        "calendars: {nails: {slot: 1h, capacity: 1}}\n"
        "conversions: {CV: {do: []}}\n"
        "routes: {tube: {do: []}}\n"
        "links: {L: {to: 'https://example.jp'}}\n");
    ck_assert_int_eq(shop.rc, RC_OK);
    arena = arena_new();
}

static void
teardown(void)
{
    arena_free(arena);
    fixture_fini(&shop);
}

/* A plain twin of the engine's evaluation: bit i of facts is tag i. */
static bool
evaluate(const struct condition *condition, unsigned facts)
{
    bool stack[CONDITION_DEPTH_MAX];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < condition->op_count; i++) {
        const struct condition_op *op = &condition->ops[i];
        switch (op->kind) {
        case CONDITION_TRUE:
            stack[depth++] = true;
            break;
        case CONDITION_TAG:
        case CONDITION_MARK: /* none in these conditions */
            ck_assert_uint_lt(depth, CONDITION_DEPTH_MAX);
            stack[depth++] = (facts >> op->id & 1) != 0;
            break;
        case CONDITION_AND:
            depth--;
            stack[depth - 1] = stack[depth - 1] && stack[depth];
            break;
        case CONDITION_OR:
            depth--;
            stack[depth - 1] = stack[depth - 1] || stack[depth];
            break;
        case CONDITION_NOT:
            stack[depth - 1] = !stack[depth - 1];
            break;
        case CONDITION_IN:
        case CONDITION_FINISHED:
        case CONDITION_TAPPED:
        case CONDITION_RECEIVED:
        case CONDITION_COMPARE:
        case CONDITION_ANSWERED:
        case CONDITION_CONVERTED:
        case CONDITION_BOOKED:
        case CONDITION_ROUTE:
        case CONDITION_CLICKED:
        case CONDITION_RANK:
        case CONDITION_RICH_MENU:
            ck_abort_msg("judged in tests/engine");
        }
    }
    ck_assert_uint_eq(depth, 1);
    return stack[0];
}

static struct condition
parse(const char *text)
{
    struct condition condition = {0};
    struct buf error = {0};
    enum rc rc = definition_condition(span_cstr(text), shop.definitions, arena, &condition, &error);
    ck_assert_msg(rc == RC_OK, "%s: %s", text, buf_cstr(&error));
    buf_fini(&error);
    return condition;
}

START_TEST(and_binds_stronger_than_or_and_not_strongest)
{
    struct condition condition = parse("tag:a or not tag:b and tag:c");
    for (unsigned facts = 0; facts < 8; facts++) {
        bool a = (facts & 1) != 0;
        bool b = (facts & 2) != 0;
        bool c = (facts & 4) != 0;
        ck_assert_int_eq(evaluate(&condition, facts), a || (!b && c));
    }
}
END_TEST

START_TEST(parentheses_bind_first)
{
    struct condition condition = parse("not (tag:a or tag:b) and (tag:c)");
    for (unsigned facts = 0; facts < 8; facts++) {
        bool expected = (facts & 3) == 0 && (facts & 4) != 0;
        ck_assert_int_eq(evaluate(&condition, facts), expected);
    }
}
END_TEST

START_TEST(everyone_holds_for_everyone)
{
    struct condition condition = parse("everyone");
    ck_assert(evaluate(&condition, 0));
}
END_TEST

START_TEST(mistakes_are_told_with_their_word)
{
    static const char *const ROWS[][2] = {
        {"tag:d", "'tag:d': no tag 'd'; every tag used must be listed under 'tags'"},
        {"tag:購入", "'tag:購入': no tag '購入' - did you mean '購入済'?"},
        {"tag:zzz", "'tag:zzz': no tag 'zzz'; every tag used must be listed under 'tags'"},
        {"tga:a", "'tga:a': unknown condition 'tga' - did you mean 'tag'?"},
        {"購入済", "'購入済': not a condition; write 'tag:購入済'"},
        {"tag:a and", "'and': expected a condition after this"},
        {"and tag:a", "'and': expected a condition before 'and'"},
        {"(tag:a", "'(': this '(' is never closed"},
        {"tag:a)", "')': this ')' closes nothing"},
        {"tag:a tag:b", "'tag:b': expected 'and' or 'or' before this"},
        {"", "'': expected a condition here"},
        {"tag:xx and tag:yy", "'tag:xx': no tag 'xx'; every tag used must be listed under 'tags'; "
                              "'tag:yy': no tag 'yy'; every tag used must be listed under 'tags'"},
        {"rank:x", "'rank:x': no rank 'x'"},
        {"route:x", "'route:x': no route 'x'"},
        {"answered:F within 10m of delivery",
         "'answered:F': only 'clicked' is counted from a delivery"},
        {"clicked:L within 10m", "'10m': write 'within last 10m', or 'within 10m of delivery'"},
        {"tag:a within 2026-01-01..",
         "'within': 'tag:a' has no instant; only answered, tapped, clicked, received, converted, "
         "booked and route lie within a period"},
        {"answered:G", "'answered:G': no form 'G'"},
        {"answered:F within last week", "'week': not a duration; write 'within last 7d'"},
        {"answered:F within", "'within': not a period; write 'within 2026-03-01..2026-03-10', one "
                              "end may be missing, or 'within last 7d'"},
        {"booked:nail", "'booked:nail': no calendar or event 'nail' - did you mean 'nails'?"},
        {"answer:n >= x", "'x': 'n' is a number; 'x' is none"},
        {"answer:F/x = 1", "'answer:F/x': no question 'x'"},
        {"profile:age = 20",
         "'profile:age': of a profile only profile:language and profile:picture are known"},
        {"score", "'score': expected a comparison: write 'score = ...', with one of = != < <= > >= "
                  "contains, 'is empty', 'within'"},
        {"score >=", "'>=': the value is missing after this"},
        {"score >= three", "'three': 'score' is a number; 'three' is none"},
        {"field:年齢 >= 二十", "'二十': '年齢' is a number; '二十' is none"},
        {"field:aera = 関東", "'field:aera': no field 'aera' - did you mean 'area'?"},
        {"area = 関東", "'area': not a condition; write 'field:area = ...'"},
        {"field:born = soon", "'soon': 'field:born' is a date; 'soon' is none: write 2026-06-01"},
        {"field:born = score", "'score': 'field:born' and 'score' cannot be compared"},
        {"score contains 3", "'score': 'score' is no text; only texts contain something"},
        {"name = ''", "'''': nothing equals an empty text; write 'name is empty'"},
        {"name is full", "'is': write 'name is empty'"},
        {"name within 2026-01-01..", "'name': 'name' is no date; only dates lie within a period"},
        {"today within 2026-02-01..2026-01-01",
         "'2026-02-01..2026-01-01': not a period; write 2026-03-01..2026-03-10, one end may be "
         "missing"},
        {"tapped:q2", "'tapped:q2': no button 'q2' - did you mean 'q1'?"},
        {"in:S/two", "'in:S/two': no step 'two'"},
        {"received:T_b", "'received:T_b': no template 'T_b' - did you mean 'T_a'?"},
        {"scroe >= 3", "'scroe': unknown condition 'scroe' - did you mean 'score'?"},
    };
    struct condition condition;
    struct buf error = {0};
    ck_assert_int_eq(
        definition_condition(span_cstr(ROWS[_i][0]), shop.definitions, arena, &condition, &error),
        RC_INVALID);
    ck_assert_str_eq(buf_cstr(&error), ROWS[_i][1]);
    buf_fini(&error);
}
END_TEST

START_TEST(comparisons_and_facts_read_back_as_they_were_written)
{
    static const char *const ROWS[][2] = {
        {"score >= 3", NULL},
        {"score>=3 and score<5", "score >= 3 and score < 5"},
        {"score != 3", "not score = 3"},
        {"field:area = '関 東'", NULL},
        {"field:area contains 東", NULL},
        {"choice = draw:hand", NULL},
        {"field:born within ..2026-01-31", NULL},
        {"added within 2026-01-01..", NULL},
        {"field:goal < 2026-06-13 14:00", NULL},
        {"field:goal < '2026-06-13 14:00'", "field:goal < 2026-06-13 14:00"},
        {"today = field:born", NULL},
        {"not memo is empty", "not field:memo is empty"},
        {"answered:F within last 7d and not booked:nails", NULL},
        {"converted:CV within 2026-01-01.. or booked:nails within ..2026-02-01", NULL},
        {"route:tube and clicked:L within 10m of delivery", NULL},
        {"answer:F/n > 3 and answer:q = はい", NULL},
        {"profile:language = ja and not profile:picture is empty", NULL},
        {"in:S/one or finished:S and tapped:q1 and received:T_a", NULL},
    };
    struct condition condition = parse(ROWS[_i][0]);
    struct buf text = {0};
    describe_condition(shop.definitions, &condition, &text);
    ck_assert_str_eq(buf_cstr(&text), ROWS[_i][1] == NULL ? ROWS[_i][0] : ROWS[_i][1]);
    buf_fini(&text);
}
END_TEST

/* "a and (a and (a and ..." keeps every operand waiting. */
static void
nest(struct buf *out_text, int levels)
{
    for (int i = 1; i < levels; i++) {
        buf_append_cstr(out_text, "tag:a and (");
    }
    buf_append_cstr(out_text, "tag:a");
    for (int i = 1; i < levels; i++) {
        buf_append_cstr(out_text, ")");
    }
}

START_TEST(nesting_is_bounded_by_the_engines_stack)
{
    struct buf text = {0};
    struct buf error = {0};
    struct condition condition;
    nest(&text, CONDITION_DEPTH_MAX);
    condition = parse(buf_cstr(&text));
    ck_assert(evaluate(&condition, 1));
    buf_clear(&text);
    nest(&text, CONDITION_DEPTH_MAX + 1);
    ck_assert_int_eq(
        definition_condition(buf_span(&text), shop.definitions, arena, &condition, &error),
        RC_INVALID);
    buf_fini(&text);
    buf_fini(&error);
}
END_TEST

START_TEST(a_long_flat_condition_needs_little_stack)
{
    struct buf text = {0};
    for (int i = 0; i < 20000; i++) {
        buf_append_cstr(&text, i == 0 ? "tag:a" : i % 2 == 0 ? " and tag:b" : " or not tag:c");
    }
    struct condition condition = parse(buf_cstr(&text));
    ck_assert(evaluate(&condition, 1));
    buf_fini(&text);
}
END_TEST

static uint64_t
draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *seed >> 33;
}

static void
random_text(uint64_t *seed, int depth, struct buf *out)
{
    static const char *const FACTS[] = {"tag:a", "tag:b", "tag:c", "everyone"};
    buf_append_cstr(out, draw(seed) % 3 == 0 ? "not " : "");
    if (depth == 0 || draw(seed) % 3 == 0) {
        buf_append_cstr(out, FACTS[draw(seed) % 4]);
        return;
    }
    buf_append_cstr(out, "(");
    random_text(seed, depth - 1, out);
    buf_append_cstr(out, draw(seed) % 2 == 0 ? " and " : " or ");
    random_text(seed, depth - 1, out);
    buf_append_cstr(out, draw(seed) % 2 == 0 ? " and " : " or ");
    random_text(seed, depth - 1, out);
    buf_append_cstr(out, ")");
}

START_TEST(what_is_described_is_read_the_same_again)
{
    uint64_t seed = (uint64_t)_i;
    struct buf text = {0};
    struct buf described = {0};
    random_text(&seed, 3, &text);
    struct condition first = parse(buf_cstr(&text));
    describe_condition(shop.definitions, &first, &described);
    struct condition second = parse(buf_cstr(&described));
    for (unsigned facts = 0; facts < 8; facts++) {
        ck_assert_msg(evaluate(&first, facts) == evaluate(&second, facts), "seed %d: %s became %s",
                      _i, buf_cstr(&text), buf_cstr(&described));
    }
    buf_fini(&text);
    buf_fini(&described);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("expression");
    TCase *tc = tcase_create("expression");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, and_binds_stronger_than_or_and_not_strongest);
    tcase_add_test(tc, parentheses_bind_first);
    tcase_add_test(tc, everyone_holds_for_everyone);
    tcase_add_loop_test(tc, mistakes_are_told_with_their_word, 0, 41);
    tcase_add_loop_test(tc, comparisons_and_facts_read_back_as_they_were_written, 0, 18);
    tcase_add_test(tc, nesting_is_bounded_by_the_engines_stack);
    tcase_add_test(tc, a_long_flat_condition_needs_little_stack);
    tcase_add_loop_test(tc, what_is_described_is_read_the_same_again, 0, 200);
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
