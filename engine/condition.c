/* A condition judged of one friend: its postfix over a stack of truths (SPEC R24). */
#include "engine/turn.h"

bool
condition_holds_of(const struct inquiry *inquiry, uint32_t friend,
                   const struct condition *condition)
{
    bool stack[CONDITION_DEPTH_MAX];
    uint32_t top = 0;
    if (condition->op_count == 0) {
        return true;
    }
    for (uint32_t i = 0; i < condition->op_count; i++) {
        const struct condition_op *op = &condition->ops[i];
        if (op->kind == CONDITION_AND) {
            top--;
            stack[top - 1] = stack[top - 1] && stack[top];
        } else if (op->kind == CONDITION_OR) {
            top--;
            stack[top - 1] = stack[top - 1] || stack[top];
        } else if (op->kind == CONDITION_NOT) {
            stack[top - 1] = !stack[top - 1];
        } else {
            stack[top++] = fact_holds(inquiry, friend, op);
        }
    }
    return stack[0];
}

bool
condition_holds(const struct turn *turn, uint32_t friend, const struct condition *condition)
{
    struct inquiry inquiry = {turn->state, turn->now_ms, &turn->act};
    return condition_holds_of(&inquiry, friend, condition);
}

bool
condition_is_empty(const struct condition *condition)
{
    return condition->op_count == 0;
}
