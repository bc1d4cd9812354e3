/* A condition asked of everybody at once and of each friend alone gives the same answer. */
#include "engine/deed.h"
#include "engine/segment.h"
#include "engine/tables.h"
#include "tests/engine/random_life.h"

#include <check.h>

enum { FRIENDS = 400, IDS = 4, OPS_MAX = 24, ROUNDS = 60 };
enum { F_TEXT, F_NUMBER, F_POINTS, F_DAY, F_INSTANT, FIELD_COUNT };

static const struct field FIELDS[] = {
    [F_TEXT] = {.type = FIELD_TEXT},
    [F_NUMBER] = {.type = FIELD_NUMBER},
    [F_DAY] = {.type = FIELD_DATE},
    [F_INSTANT] = {.type = FIELD_DATETIME},
    [F_POINTS] = {FIELD_NUMBER, .has_start = true, .start = 3},
};
static const char *const WORDS[] = {"関東", "関西", "", "3", "-1", "東"};
enum { WORD_COUNT = sizeof(WORDS) / sizeof(WORDS[0]) };

static struct state state;

static uint32_t
below(uint64_t *seed, uint32_t bound)
{
    return (uint32_t)(next_random(seed) % bound);
}

static int64_t
random_number(uint64_t *seed)
{
    switch (below(seed, 12)) {
    case 0:
        return INT64_MAX;
    case 1:
        return INT64_MIN;
    default:
        return (int64_t)below(seed, 9) - 4;
    }
}

/* A day or an instant near the others, so that borders of days are met. */
static int64_t
random_time(uint64_t *seed, enum field_type type)
{
    int64_t day = civil_local_day(&tokyo, jst(6, 1, 0, 0, 0)) + (int64_t)below(seed, 4);
    if (type == FIELD_DATE) {
        return day;
    }
    return civil_instant(&tokyo, day, 0) + (int64_t)below(seed, 3) - 1;
}

static void
random_values(uint64_t *seed, uint32_t friend)
{
    for (uint32_t field = 0; field < FIELD_COUNT; field++) {
        if (below(seed, 3) == 0) {
            continue;
        }
        enum field_type type = FIELDS[field].type;
        if (type == FIELD_TEXT) {
            tables_put_text(&state, friend, field, span_cstr(WORDS[below(seed, WORD_COUNT)]));
        } else {
            tables_put_number(&state, friend, field,
                              type == FIELD_NUMBER ? random_number(seed) : random_time(seed, type));
        }
    }
}

static void
random_friend(uint64_t *seed)
{
    char id[16];
    uint32_t friend = state.friends.count;
    snprintf(id, sizeof(id), "U%u", friend);
    tables_add_friend(&state, span_cstr(id));
    tables_friend(&state, friend)->added_ms = random_time(seed, FIELD_DATETIME);
    tables_friend_more(&state, friend)->score = random_number(seed);
    tables_friend(&state, friend)->has_picture = below(seed, 2);
    tables_friend(&state, friend)->language =
        tables_language(&state, span_cstr(WORDS[below(seed, 3)]));
    tables_friend_more(&state, friend)->mark = below(seed, 3) == 0 ? NO_ID : below(seed, IDS);
    tables_set_name(&state, friend, span_cstr(WORDS[below(seed, WORD_COUNT)]));
    random_values(seed, friend);
    for (uint32_t id_of = 0; id_of + 1 < IDS; id_of++) { /* the last one has nobody */
        uint32_t what = below(seed, 256);
        tables_set_tag(&state, friend, id_of, what & 1);
        if (what & 2) {
            tables_set_finished(&state, friend, id_of);
        }
        if (what & 4) {
            tables_set_tapped(&state, friend, id_of);
        }
        if (what & 8) {
            tables_set_received(&state, friend, id_of);
        }
        if (what & 16) {
            uint32_t index = tables_next_enrolment(&state);
            struct enrolment *row = tables_add_enrolment(&state, index, friend);
            row->scenario = id_of;
            row->step = below(seed, 2);
            row->phase = what & 32 ? ENROLMENT_WAITING : ENROLMENT_IN_DELIVERY;
            if (what >= 224) {
                tables_free_enrolment(&state, index);
            }
        }
    }
}

/* What friends did and were sent: told as events, as the log tells it. */
static void
random_deeds(uint64_t *seed, uint32_t friend)
{
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t id = below(seed, IDS - 1);
        struct event event = {.friend = friend, .at_ms = random_time(seed, FIELD_DATETIME)};
        switch (below(seed, 5)) {
        case 0:
            event.kind = EVENT_FORM_ANSWERED;
            event.u.form.form = id;
            tables_form_tally(&state, friend, id)->times++;
            break;
        case 1:
            event.kind = EVENT_TAPPED;
            event.u.act.button = id;
            tables_set_tapped(&state, friend, id);
            break;
        case 2:
            event.kind = EVENT_CONVERTED;
            event.u.conversion.conversion = id;
            event.u.conversion.counted = true;
            tables_set_converted(&state, friend, id);
            break;
        case 3: {
            uint32_t index = tables_next_booking(&state, friend, id);
            struct booking *row = tables_add_booking(&state, index, friend);
            row->calendar = id;
            row->at_ms = event.at_ms;
            row->phase = below(seed, 3) == 0 ? BOOKING_CANCELLED : BOOKING_OPEN;
            break;
        }
        default:
            event.kind = EVENT_DELIVERY_OUTCOME;
            event.u.delivery.result = RESULT_SENT;
            event.u.delivery.item_count = 1;
            event.u.delivery.items[0].template = id;
            tables_set_received(&state, friend, id);
            break;
        }
        deed_apply(&state, &event);
    }
}

static void
random_state(uint64_t *seed)
{
    state_init(&state);
    state.definitions->account.zone = &tokyo;
    state.definitions->fields = FIELDS;
    state.definitions->field_names.count = FIELD_COUNT;
    for (int i = 0; i < FRIENDS; i++) {
        random_friend(seed);
        random_deeds(seed, state.friends.count - 1);
    }
}

static struct value
random_value(uint64_t *seed)
{
    static const struct value KNOWN[] = {
        {.kind = VALUE_SCORE, .type = FIELD_NUMBER},  {.kind = VALUE_NAME, .type = FIELD_TEXT},
        {.kind = VALUE_ADDED, .type = FIELD_DATE},    {.kind = VALUE_TODAY, .type = FIELD_DATE},
        {.kind = VALUE_ACT, .type = FIELD_TEXT},      {.kind = VALUE_PICTURE, .type = FIELD_TEXT},
        {.kind = VALUE_LANGUAGE, .type = FIELD_TEXT},
    };
    uint32_t which = below(seed, 14);
    if (which < sizeof(KNOWN) / sizeof(KNOWN[0])) {
        return KNOWN[which];
    }
    uint32_t field = below(seed, FIELD_COUNT);
    return (struct value){.kind = VALUE_FIELD, .type = FIELDS[field].type, .field = field};
}

static struct value
random_literal(uint64_t *seed, enum field_type beside)
{
    struct value literal = {.kind = VALUE_LITERAL, .type = beside};
    if (beside == FIELD_TEXT) {
        literal.text = span_cstr(WORDS[below(seed, WORD_COUNT)]);
    } else if (beside == FIELD_NUMBER) {
        literal.number = random_number(seed);
    } else {
        literal.type = below(seed, 2) ? FIELD_DATE : FIELD_DATETIME;
        literal.number = random_time(seed, literal.type);
    }
    return literal;
}

static void
random_comparison(uint64_t *seed, struct comparison *out)
{
    *out = (struct comparison){.kind = (enum comparison_kind)below(seed, COMPARE_WITHIN + 1)};
    out->left = random_value(seed);
    out->right = below(seed, 3) == 0 ? random_value(seed) : random_literal(seed, out->left.type);
    out->first_day = below(seed, 3) == 0 ? INT64_MIN : random_time(seed, FIELD_DATE);
    out->last_day = below(seed, 3) == 0 ? INT64_MAX : out->first_day + (int64_t)below(seed, 3);
    if (out->first_day == INT64_MIN && out->last_day != INT64_MAX) {
        out->last_day = random_time(seed, FIELD_DATE);
    }
}

static struct comparison comparisons[OPS_MAX];
static struct within withins[OPS_MAX];

static bool
happens(enum condition_op_kind kind)
{
    return kind == CONDITION_TAPPED || kind == CONDITION_RECEIVED || kind == CONDITION_ANSWERED ||
           kind == CONDITION_CONVERTED || kind == CONDITION_BOOKED;
}

static void
random_within(uint64_t *seed, struct within *out)
{
    *out = (struct within){.kind = below(seed, 2) ? WITHIN_LAST : WITHIN_PERIOD};
    out->ms = (int64_t)below(seed, 4) * MS_PER_HOUR * 12;
    out->first_day = below(seed, 3) == 0 ? INT64_MIN : random_time(seed, FIELD_DATE);
    out->last_day = below(seed, 3) == 0 ? INT64_MAX : random_time(seed, FIELD_DATE);
}

/* Postfix as the compiler writes it: never more on the stack than it allows, one value at the end. */
static struct condition
random_condition(uint64_t *seed, struct condition_op *ops)
{
    uint32_t wanted = below(seed, OPS_MAX - 8), count = 0, stack = 0;
    while (count < wanted || stack > 1) {
        struct condition_op *op = &ops[count];
        *op = (struct condition_op){.sub = NO_ID};
        uint32_t what = below(seed, 10);
        if (stack >= 2 && (what < 4 || count >= wanted)) {
            op->kind = what % 2 ? CONDITION_AND : CONDITION_OR;
            stack--;
        } else if (stack >= 1 && what < 5) {
            op->kind = CONDITION_NOT;
        } else if (stack < 8) {
            static const enum condition_op_kind KINDS[] = {
                CONDITION_TRUE,     CONDITION_TAG,   CONDITION_IN,       CONDITION_FINISHED,
                CONDITION_TAPPED,   CONDITION_MARK,  CONDITION_COMPARE,  CONDITION_COMPARE,
                CONDITION_RECEIVED, CONDITION_TAG,   CONDITION_ANSWERED, CONDITION_CONVERTED,
                CONDITION_BOOKED,   CONDITION_ROUTE, CONDITION_CLICKED,
            };
            op->kind = KINDS[below(seed, sizeof(KINDS) / sizeof(KINDS[0]))];
            op->id = below(seed, IDS);
            op->sub = below(seed, 2) ? NO_ID : below(seed, 2);
            random_comparison(seed, &comparisons[count]);
            op->comparison = &comparisons[count];
            if (happens(op->kind) && below(seed, 2)) {
                random_within(seed, &withins[count]);
                op->within = &withins[count];
            }
            stack++;
        } else {
            continue;
        }
        count++;
        if (count + stack >= OPS_MAX) {
            wanted = 0;
        }
    }
    return (struct condition){ops, count};
}

static void
print_condition(uint64_t seed, const struct condition *condition)
{
    fprintf(stderr, "seed %llu:", (unsigned long long)seed);
    for (uint32_t i = 0; i < condition->op_count; i++) {
        const struct condition_op *op = &condition->ops[i];
        fprintf(stderr, " %d/%u", (int)op->kind, op->id);
        if (op->kind == CONDITION_COMPARE) {
            fprintf(stderr, "(%d %d.%u %d.%u)", (int)op->comparison->kind,
                    (int)op->comparison->left.kind, op->comparison->left.field,
                    (int)op->comparison->right.kind, op->comparison->right.field);
        }
    }
    fprintf(stderr, "\n");
}

START_TEST(everybody_at_once_is_each_one_alone)
{
    uint64_t seed = 0x5e9 + (uint64_t)_i * 7919, started = seed;
    random_state(&seed);
    struct inquiry inquiry = {.state = &state, .now_ms = jst(6, 2, 12, 0, 0)};
    for (int round = 0; round < ROUNDS; round++) {
        struct condition_op ops[OPS_MAX + 1];
        struct condition condition = random_condition(&seed, ops);
        struct bitmap *members = segment_members(&inquiry, &condition);
        uint32_t count = 0, next = set_next(members, 0);
        for (uint32_t friend = 0; friend < FRIENDS; friend ++) {
            bool alone = condition_holds_of(&inquiry, friend, &condition);
            bool together = next == friend;
            if (alone != together) {
                print_condition(started, &condition);
            }
            ck_assert_msg(alone == together, "friend %u alone: %d", friend, (int)alone);
            count += alone;
            next = together ? set_next(members, friend + 1) : next;
        }
        ck_assert_uint_eq(next, NO_ID); /* nobody who does not exist */
        if (segment_count(&inquiry, &condition) != count) {
            print_condition(started, &condition);
        }
        ck_assert_uint_eq(segment_count(&inquiry, &condition), count);
        set_free(members);
    }
    state_fini(&state);
}
END_TEST

START_TEST(nobody_is_a_member_where_nobody_is)
{
    const struct condition_op ops[] = {{.kind = CONDITION_TAG, .id = 9}, {.kind = CONDITION_NOT}};
    struct condition none = {0}, untagged = {ops, 2};
    state_init(&state);
    struct inquiry inquiry = {.state = &state};
    ck_assert_uint_eq(segment_count(&inquiry, &none), 0);
    ck_assert_uint_eq(segment_count(&inquiry, &untagged), 0);
    struct bitmap *members = segment_members(&inquiry, &untagged);
    ck_assert_uint_eq(set_next(members, 0), NO_ID);
    set_free(members);
    state_fini(&state);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("segment");
    TCase *tc = tcase_create("segment");
    tcase_add_loop_test(tc, everybody_at_once_is_each_one_alone, 1, 41);
    tcase_add_test(tc, nobody_is_a_member_where_nobody_is);
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
