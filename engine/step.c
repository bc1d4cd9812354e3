/* A due step, judged: stale, condition, pressure, then done or on its way (SPEC R6, R7, R23, R25). */
#include "engine/reminder.h"
#include "engine/trigger.h"

static struct event
judged(const struct turn *turn, enum event_kind kind, uint32_t enrolment, enum reason reason)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    return (struct event){.kind = kind,
                          .friend = row->friend,
                          .u.step = {.enrolment = enrolment,
                                     .scenario = row->scenario,
                                     .step = row->step,
                                     .due_ms = row->due_ms,
                                     .reason = reason}};
}

void
step_skip(struct turn *turn, uint32_t enrolment, enum reason reason)
{
    struct event skipped = judged(turn, EVENT_STEP_SKIPPED, enrolment, reason);
    turn_emit(turn, &skipped);
    scenario_advance(turn, enrolment, skipped.u.step.due_ms);
}

static void
condition_failed(struct turn *turn, uint32_t enrolment, const struct step *step)
{
    if (step->otherwise == OTHERWISE_STOP) {
        struct event skipped = judged(turn, EVENT_STEP_SKIPPED, enrolment, REASON_CONDITION);
        turn_emit(turn, &skipped); /* this one is skipped; what would have followed is cancelled */
        scenario_stop(turn, enrolment, REASON_CONDITION, (struct source){0});
    } else {
        if (step->otherwise == OTHERWISE_GOTO) {
            scenario_redirect(turn, enrolment, step->otherwise_step);
        }
        step_skip(turn, enrolment, REASON_CONDITION);
    }
}

static const struct step *
step_of(const struct turn *turn, uint32_t enrolment)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    return scenario_step(&turn->state->definitions->scenarios[row->scenario], row->step, NULL);
}

/* Runs the body; afterwards the enrolment may have been ended by its own step. What it fires runs behind
 * it here, or is left to the caller. */
static bool
run(struct turn *turn, uint32_t enrolment, const struct step *step, struct outbox *outbox,
    bool fires)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    struct source source = {SOURCE_STEP, row->scenario, step->id};
    const struct running running = {.enrolment = enrolment, .outer = turn->running};
    turn->running = &running;
    bool did_something = (fires ? action_run : action_run_list)(turn, row->friend, &step->body,
                                                                source, enrolment, outbox);
    turn->running = running.outer;
    return did_something;
}

/* True while the row is still the life it was before the body ran. */
static bool
still_there(const struct turn *turn, uint32_t enrolment, uint64_t started_seq)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    return row->phase != ENROLMENT_FREE && row->started_seq == started_seq;
}

static void
done_without_message(struct turn *turn, uint32_t enrolment, bool did_something)
{
    if (!did_something) {
        step_skip(turn, enrolment, REASON_CONDITION); /* no case of `choose` held */
        return;
    }
    struct event done = judged(turn, EVENT_STEP_DONE, enrolment, REASON_NONE);
    turn_emit(turn, &done);
    scenario_advance(turn, enrolment, turn->now_ms);
}

/* What the step fires follows it: it is on its way by then, or done. */
uint64_t
step_go(struct turn *turn, uint32_t enrolment)
{
    const struct enrolment row = *state_enrolment(turn->state, enrolment);
    const struct step *step = step_of(turn, enrolment);
    uint32_t fired = turn->fired.count;
    uint64_t intended = 0;
    struct outbox outbox = {0};
    bool did_something = run(turn, enrolment, step, &outbox, false);
    if (outbox.count > 0) {
        intended =
            delivery_intend_items(turn, row.friend, &outbox, step->message_class, row.due_ms);
    } else if (still_there(turn, enrolment, row.started_seq)) {
        done_without_message(turn, enrolment, did_something || !step->body.has_message);
    }
    trigger_run_fired(turn, fired);
    return intended;
}

static int64_t
stale_of(const struct state *state, const struct enrolment *row, const struct step *step)
{
    bool reminder = state->definitions->scenarios[row->scenario].kind == KIND_REMINDER;
    return reminder ? reminder_stale_ms(state, row, step) : row->due_ms + step->grace_ms;
}

static struct pressure
pressure_of(const struct turn *turn, const struct enrolment *row, const struct step *step,
            int64_t stale_ms)
{
    const struct message message = {
        .friend = row->friend,
        .message_class = step->message_class,
        .push = true,
        .scenario = row->scenario,
        .window = step->window,
        .zone = scenario_zone(turn->state, &turn->state->definitions->scenarios[row->scenario],
                              row->friend),
        .stale_ms = stale_ms};
    return pressure_on(turn, &message);
}

static void
wait_or_skip(struct turn *turn, uint32_t enrolment, const struct pressure *pressure)
{
    if (pressure->reason == REASON_STALE || pressure->reason == REASON_STALE_CAP) {
        step_skip(turn, enrolment, pressure->reason);
        return;
    }
    enum event_kind kind =
        pressure_is_hold(pressure->reason) ? EVENT_STEP_HELD : EVENT_STEP_DEFERRED;
    struct event waits = judged(turn, kind, enrolment, pressure->reason);
    waits.u.step.until_ms = pressure->until_ms;
    turn_emit(turn, &waits);
}

bool
step_judge(struct turn *turn, uint32_t enrolment)
{
    const struct enrolment *row = state_enrolment(turn->state, enrolment);
    uint64_t started_seq = row->started_seq, seq = turn->state->seq;
    edit_follow(turn, enrolment); /* its timer came before the edit's job did */
    if (turn->state->seq != seq && (!still_there(turn, enrolment, started_seq) ||
                                    state_wake(turn->state, row) > turn->now_ms)) {
        return false;
    }
    const struct step *step = step_of(turn, enrolment);
    if (step == NULL) {
        scenario_advance(turn, enrolment, row->due_ms); /* removed: ends the enrolment */
        return false;
    }
    if (row->due_ms < turn->state->claim.released_ms) {
        step_skip(turn, enrolment,
                  REASON_RESTORED); /* the life before has done it, or had its reasons */
        return false;
    }
    bool sends = step->body.has_message; /* one without is bound by nothing (SPEC R7) */
    int64_t stale_ms = stale_of(turn->state, row, step);
    /* Only a step without delay can be a link in a chain that takes no time. */
    turn->links = row->due_ms == row->start_ms ? state_enrolment_more(turn->state, row)->links : 0;
    if (state_is_blocked(turn->state, row->friend)) {
        step_skip(
            turn, enrolment,
            state_block_reason(turn->state, row->friend)); /* a date, which goes on (SPEC R15) */
        return false;
    }
    if (sends && turn->now_ms >= stale_ms) {
        step_skip(turn, enrolment, REASON_STALE);
        return false;
    }
    struct pressure pressure =
        sends ? pressure_of(turn, row, step, stale_ms) : (struct pressure){0};
    bool first_look = row->deferred == REASON_NONE;
    bool free = pressure.reason == REASON_NONE;
    /* At the due instant, and again at the real send, not in between (SPEC R23). */
    if ((first_look || free) && !condition_holds(turn, row->friend, &step->condition)) {
        condition_failed(turn, enrolment, step);
        return false;
    }
    if (!free) {
        wait_or_skip(turn, enrolment, &pressure);
        return false;
    }
    return true;
}

uint64_t
step_take(struct turn *turn, uint32_t enrolment)
{
    return step_judge(turn, enrolment) ? step_go(turn, enrolment) : 0;
}

/* Does the outbox hold a message of this step's, from there on? */
static bool
carries(const struct outbox *outbox, uint32_t from, uint32_t enrolment)
{
    for (uint32_t i = from; i < outbox->count; i++) {
        if (outbox->items[i].enrolment == enrolment) {
            return true;
        }
    }
    return false;
}

void
step_answer(struct turn *turn, uint32_t enrolment)
{
    const struct enrolment row = *state_enrolment(turn->state, enrolment);
    const struct step *step = step_of(turn, enrolment);
    if (!condition_holds(turn, row.friend, &step->condition)) {
        condition_failed(turn, enrolment, step);
        return;
    }
    if (pressure_hold_answer(turn, enrolment)) {
        return;
    }
    uint32_t before = turn->answer.outbox.count;
    bool did_something = run(turn, enrolment, step, &turn->answer.outbox, true);
    if (!still_there(turn, enrolment, row.started_seq)) {
        return;
    }
    if (!carries(&turn->answer.outbox, before, enrolment)) {
        done_without_message(turn, enrolment, did_something || !step->body.has_message);
        return;
    }
    /* The step is on its way with the answer. What comes next and needs no waiting for its delivery
     * goes along (SPEC R2 "immediate further down", R10). */
    if (scenario_next_is_due(turn, enrolment)) {
        scenario_advance(turn, enrolment, turn->now_ms);
    }
}
