#include "engine/segment.h"

#include "engine/tables.h"

#include <assert.h>
#include <roaring/roaring.h>

/* A set on the stack: the members of `set`, or all others when `negated`. One that would have to ask
 * every friend stays a question (`op`) for as long as somebody else may narrow it down. */
struct operand {
    roaring_bitmap_t *set;         /* own */
    const roaring_bitmap_t *kept;  /* the state's */
    const struct condition_op *op; /* not asked yet */
    bool negated;
};

static const roaring_bitmap_t *
members(const struct operand *operand)
{
    return operand->set != NULL ? operand->set : operand->kept;
}

static struct operand
begin(const struct inquiry *inquiry, const struct condition_op *op, const roaring_bitmap_t *nobody)
{
    const struct bitmap *kept;
    if (op->kind == CONDITION_TRUE) {
        return (struct operand){.kept = nobody, .negated = true};
    }
    if (fact_kept_set(inquiry, op, &kept)) {
        return (struct operand){.kept = kept == NULL ? nobody : (const roaring_bitmap_t *)kept};
    }
    struct bitmap *quick = fact_quick_set(inquiry, op);
    if (quick != NULL) {
        return (struct operand){.set = (roaring_bitmap_t *)quick};
    }
    return (struct operand){.op = op};
}

static void
answer(const struct inquiry *inquiry, struct operand *operand)
{
    if (operand->op != NULL) {
        operand->set = (roaring_bitmap_t *)fact_collect(inquiry, operand->op);
        operand->op = NULL;
    }
}

/* Asks only the members of a set. */
static void
answer_among(const struct inquiry *inquiry, struct operand *operand,
             const roaring_bitmap_t *candidates)
{
    enum { SOME = 1024 };
    uint32_t found[SOME];
    size_t count = 0;
    roaring_bitmap_t *set = roaring_bitmap_create();
    roaring_uint32_iterator_t each;
    assert(set != NULL);
    roaring_init_iterator(candidates, &each);
    for (; each.has_value; roaring_advance_uint32_iterator(&each)) {
        if (fact_holds(inquiry, each.current_value, operand->op)) {
            found[count++] = each.current_value;
            if (count == SOME) {
                roaring_bitmap_add_many(set, count, found);
                count = 0;
            }
        }
    }
    roaring_bitmap_add_many(set, count, found);
    operand->set = set;
    operand->op = NULL;
}

/* Both operands of an `and` become sets. */
static void
answer_both(const struct inquiry *inquiry, struct operand *a, struct operand *b)
{
    if (a->op != NULL && b->op != NULL) {
        answer(inquiry, a);
    }
    struct operand *question = a->op != NULL ? a : b;
    const struct operand *known = question == a ? b : a;
    if (question->op != NULL && !known->negated) {
        answer_among(inquiry, question, members(known));
    }
    answer(inquiry, question);
}

static void
release(struct operand *operand)
{
    if (operand->set != NULL) {
        roaring_bitmap_free(operand->set);
    }
}

/* The algebra in place where there is an own set to do it in. */
static roaring_bitmap_t *
intersect(struct operand *a, struct operand *b)
{
    struct operand *own = a->set != NULL ? a : b;
    const struct operand *other = own == a ? b : a;
    if (own->set == NULL) {
        return roaring_bitmap_and(a->kept, b->kept);
    }
    roaring_bitmap_and_inplace(own->set, members(other));
    roaring_bitmap_t *set = own->set;
    own->set = NULL;
    return set;
}

static roaring_bitmap_t *
unite(struct operand *a, struct operand *b)
{
    struct operand *own = a->set != NULL ? a : b;
    const struct operand *other = own == a ? b : a;
    if (own->set == NULL) {
        return roaring_bitmap_or(a->kept, b->kept);
    }
    roaring_bitmap_or_inplace(own->set, members(other));
    roaring_bitmap_t *set = own->set;
    own->set = NULL;
    return set;
}

static roaring_bitmap_t *
subtract(struct operand *from, const struct operand *what)
{
    if (from->set == NULL) {
        return roaring_bitmap_andnot(from->kept, members(what));
    }
    roaring_bitmap_andnot_inplace(from->set, members(what));
    roaring_bitmap_t *set = from->set;
    from->set = NULL;
    return set;
}

/* a = a and b */
static void
both(const struct inquiry *inquiry, struct operand *a, struct operand *b)
{
    answer_both(inquiry, a, b);
    struct operand result = {.negated = a->negated && b->negated};
    if (result.negated) {
        result.set = unite(a, b); /* neither a nor b: not (a or b) */
    } else if (b->negated) {
        result.set = subtract(a, b);
    } else if (a->negated) {
        result.set = subtract(b, a);
    } else {
        result.set = intersect(a, b);
    }
    assert(result.set != NULL);
    release(a);
    release(b);
    *a = result;
}

/* How many are in a and b. */
static uint64_t
both_count(const struct inquiry *inquiry, struct operand *a, struct operand *b)
{
    answer_both(inquiry, a, b);
    const roaring_bitmap_t *x = members(a), *y = members(b);
    if (a->negated && b->negated) {
        return inquiry->state->friends.count - roaring_bitmap_or_cardinality(x, y);
    }
    return b->negated   ? roaring_bitmap_andnot_cardinality(x, y)
           : a->negated ? roaring_bitmap_andnot_cardinality(y, x)
                        : roaring_bitmap_and_cardinality(x, y);
}

/* Evaluates the first ops; returns how many operands they leave on the stack. */
static uint32_t
run(const struct inquiry *inquiry, const struct condition *condition, uint32_t op_count,
    const roaring_bitmap_t *nobody, struct operand *stack)
{
    uint32_t top = 0;
    for (uint32_t i = 0; i < op_count; i++) {
        const struct condition_op *op = &condition->ops[i];
        if (op->kind == CONDITION_NOT) {
            stack[top - 1].negated = !stack[top - 1].negated;
        } else if (op->kind == CONDITION_AND) {
            top--;
            both(inquiry, &stack[top - 1], &stack[top]);
        } else if (op->kind == CONDITION_OR) { /* a or b: not (not a and not b) */
            top--;
            stack[top - 1].negated = !stack[top - 1].negated;
            stack[top].negated = !stack[top].negated;
            both(inquiry, &stack[top - 1], &stack[top]);
            stack[top - 1].negated = !stack[top - 1].negated;
        } else {
            stack[top++] = begin(inquiry, op, nobody);
        }
    }
    return top;
}

static roaring_bitmap_t *
empty_set(void)
{
    roaring_bitmap_t *nobody = roaring_bitmap_create();
    assert(nobody != NULL);
    return nobody;
}

static const struct condition_op EVERYONE = {.kind = CONDITION_TRUE};

struct bitmap *
segment_members(const struct inquiry *inquiry, const struct condition *condition)
{
    struct operand stack[CONDITION_DEPTH_MAX];
    roaring_bitmap_t *nobody = empty_set();
    if (run(inquiry, condition, condition->op_count, nobody, stack) == 0) {
        stack[0] = begin(inquiry, &EVERYONE, nobody);
    }
    answer(inquiry, &stack[0]);
    roaring_bitmap_t *set =
        stack[0].set != NULL ? stack[0].set : roaring_bitmap_copy(stack[0].kept);
    assert(set != NULL);
    if (stack[0].negated) {
        roaring_bitmap_flip_inplace(set, 0, inquiry->state->friends.count);
    }
    roaring_bitmap_free(nobody);
    return (struct bitmap *)set;
}

uint32_t
segment_count(const struct inquiry *inquiry, const struct condition *condition)
{
    struct operand stack[CONDITION_DEPTH_MAX];
    roaring_bitmap_t *nobody = empty_set();
    uint32_t last = condition->op_count;
    bool negated = false;
    while (last > 0 && condition->ops[last - 1].kind == CONDITION_NOT) {
        negated = !negated;
        last--;
    }
    bool is_or = last > 0 && condition->ops[last - 1].kind == CONDITION_OR;
    bool is_pair = is_or || (last > 0 && condition->ops[last - 1].kind == CONDITION_AND);
    uint32_t top = run(inquiry, condition, is_pair ? last - 1 : last, nobody, stack);
    uint64_t count;
    if (is_pair) {
        assert(top == 2);
        stack[0].negated = stack[0].negated != is_or;
        stack[1].negated = stack[1].negated != is_or;
        count = both_count(inquiry, &stack[0], &stack[1]);
        negated = negated != is_or;
        release(&stack[1]);
    } else {
        stack[0] = top == 0 ? begin(inquiry, &EVERYONE, nobody) : stack[0];
        answer(inquiry, &stack[0]);
        count = roaring_bitmap_get_cardinality(members(&stack[0]));
        negated = negated != stack[0].negated;
    }
    release(&stack[0]);
    roaring_bitmap_free(nobody);
    return (uint32_t)(negated ? inquiry->state->friends.count - count : count);
}

uint32_t
segment_count_reachable(const struct inquiry *inquiry, const struct condition *condition)
{
    roaring_bitmap_t *nobody = empty_set();
    struct operand members_of = {.set = (roaring_bitmap_t *)segment_members(inquiry, condition)};
    struct operand reachable = {.negated = true,
                                .kept = (const roaring_bitmap_t *)inquiry->state->unreachable};
    if (reachable.kept == NULL) {
        reachable.kept = nobody;
    }
    uint64_t count = both_count(inquiry, &members_of, &reachable);
    release(&members_of);
    roaring_bitmap_free(nobody);
    return (uint32_t)count;
}
