/* The terms of a condition: what its `and` and `or` join. Every kind of operand pushes one value, so the
 * tree can be found again from the end without knowing the kinds. */
#include "engine/turn.h"

#include <assert.h>

struct range { /* of ops: one whole value */
    uint32_t from, to;
};

/* Where the value that ends before `to` begins. */
static uint32_t
value_begins(const struct condition *condition, uint32_t to)
{
    uint32_t wanted = 1;
    while (wanted > 0) {
        assert(to > 0);
        to--;
        enum condition_op_kind kind = condition->ops[to].kind;
        if (kind == CONDITION_AND || kind == CONDITION_OR) {
            wanted++;
        } else if (kind != CONDITION_NOT) {
            wanted--;
        }
    }
    return to;
}

static bool
is_joined(const struct condition *condition, struct range range)
{
    enum condition_op_kind kind = condition->ops[range.to - 1].kind;
    return kind == CONDITION_AND || kind == CONDITION_OR;
}

static void
split(const struct condition *condition, struct range range, struct range *out_left,
      struct range *out_right)
{
    uint32_t middle = value_begins(condition, range.to - 1);
    *out_left = (struct range){range.from, middle};
    *out_right = (struct range){middle, range.to - 1};
}

static struct condition
part(const struct condition *condition, struct range range)
{
    return (struct condition){condition->ops + range.from, range.to - range.from};
}

static uint32_t
count_terms(const struct condition *condition, struct range range)
{
    uint32_t count = 1;
    while (is_joined(condition, range)) {
        struct range left, right;
        split(condition, range, &left, &right);
        count += count_terms(condition, right);
        range = left;
    }
    return count;
}

uint32_t
condition_first_false(const struct turn *turn, uint32_t friend, const struct condition *condition)
{
    struct range range = {0, condition->op_count};
    uint32_t before = 0;
    if (condition->op_count == 0) {
        return 0;
    }
    while (is_joined(condition, range)) {
        struct range left, right;
        split(condition, range, &left, &right);
        struct condition first = part(condition, left);
        if (condition_holds(turn, friend, &first)) {
            before += count_terms(condition, left);
            range = right;
        } else {
            range = left;
        }
    }
    return before;
}

struct condition
condition_term(const struct condition *condition, uint32_t n)
{
    struct range range = {0, condition->op_count};
    if (condition->op_count == 0) {
        return *condition;
    }
    while (is_joined(condition, range)) {
        struct range left, right;
        split(condition, range, &left, &right);
        uint32_t in_left = count_terms(condition, left);
        if (n < in_left) {
            range = left;
        } else {
            n -= in_left;
            range = right;
        }
    }
    return part(condition, range);
}
