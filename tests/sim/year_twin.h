/* year_twin - the rules of a shop in their simplest words: what a simulated year is held against.
 *
 * Shape    a sorted array of plans, one a friend and scenario, each with the step it waits for; and the
 *          editions of the shop's files, the newest of which everybody follows at once. twin_until()
 *          lets it all happen and notes what is sent.
 * Units    UTC milliseconds; Tokyo has no summer time, so local time is arithmetic.
 * Errors   a failed check aborts the test.
 * Owner    static: one year at a time.
 */
#ifndef TESTS_SIM_YEAR_TWIN_H
#define TESTS_SIM_YEAR_TWIN_H

#include "tests/engine/shop.h"

#include <check.h>
#include <string.h>

enum { FRIENDS_MAX = 3000, EDITIONS_MAX = 128, STEP_IDS_MAX = 192 };

static struct shop shop;

/* ---- what the shop's files say, edition by edition ---- */

struct edition {
    struct definitions *set;
    struct scenario *scenarios; /* as the set has them */
    struct step *steps[SCENARIOS_MAX];
};

static struct edition editions[EDITIONS_MAX];
static uint32_t edition_count;
static uint32_t step_ids[SCENARIOS_MAX]; /* ever given */

static inline const struct scenario *
scenario_now(uint32_t scenario)
{
    return &editions[edition_count - 1].set->scenarios[scenario];
}

static inline const struct step *
step_now(uint32_t scenario, uint32_t id)
{
    const struct scenario *row = scenario_now(scenario);
    for (uint32_t i = 0; i < row->step_count; i++) {
        if (row->steps[i].id == id) {
            return &row->steps[i];
        }
    }
    return NULL;
}

/* ---- the twin ---- */

struct plan {
    int64_t wake_ms, due_ms, start_ms;
    uint32_t friend, scenario, step;
    bool deferred;
    bool decided
        [STEP_IDS_MAX]; /* by step id: sent, skipped or removed, and never again (SPEC R26) */
};

struct sent {
    int64_t at_ms;
    uint32_t friend, template;
};

static struct {
    struct plan plans[2 * FRIENDS_MAX]; /* by wake instant; one a friend and scenario */
    uint32_t count;
    bool known[FRIENDS_MAX], blocked[FRIENDS_MAX], vip[FRIENDS_MAX];
    bool paused[SCENARIOS_MAX];
    struct sent *sent;
    uint32_t sent_count, sent_capacity;
} twin;

static inline uint32_t
twin_find(uint32_t friend, uint32_t scenario)
{
    for (uint32_t i = 0; i < twin.count; i++) {
        if (twin.plans[i].friend == friend && twin.plans[i].scenario == scenario) {
            return i;
        }
    }
    return NO_ID;
}

static inline void
twin_remove(uint32_t index)
{
    if (index != NO_ID) {
        twin.count--;
        memmove(&twin.plans[index], &twin.plans[index + 1],
                (twin.count - index) * sizeof(struct plan));
    }
}

static inline void
twin_insert(struct plan plan)
{
    uint32_t low = 0, high = twin.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (twin.plans[middle].wake_ms <= plan.wake_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&twin.plans[low + 1], &twin.plans[low], (twin.count - low) * sizeof(struct plan));
    twin.plans[low] = plan;
    twin.count++;
}

/* Tokyo has no summer time: local time is arithmetic. */
enum { TOKYO_MS = 9 * MS_PER_HOUR };

static inline int64_t
minute_of_day(int64_t at_ms)
{
    return (at_ms + TOKYO_MS) % MS_PER_DAY / MS_PER_MINUTE;
}

static inline int64_t
midnight(int64_t at_ms)
{
    return at_ms - (at_ms + TOKYO_MS) % MS_PER_DAY;
}

/* Finds the first step that is not decided and its due instant; false when there is none. */
static inline bool
twin_next(const struct plan *plan, uint32_t *out_step, int64_t *out_due_ms)
{
    const struct scenario *scenario = scenario_now(plan->scenario);
    for (uint32_t i = 0; i < scenario->step_count; i++) {
        const struct step *step = &scenario->steps[i];
        if (!plan->decided[step->id]) {
            *out_step = step->id;
            *out_due_ms = step->timing.kind == TIMING_AFTER_START
                              ? plan->start_ms + step->timing.delay_ms
                              : midnight(plan->start_ms) + step->timing.days * (int64_t)MS_PER_DAY +
                                    step->timing.at_min * (int64_t)MS_PER_MINUTE;
            return true;
        }
    }
    return false;
}

/* Plans what comes next; nothing when all is decided. */
static inline void
twin_plan(struct plan plan)
{
    if (twin_next(&plan, &plan.step, &plan.due_ms)) {
        plan.wake_ms = plan.due_ms;
        plan.deferred = false;
        twin_insert(plan);
    }
}

static inline void
twin_start(uint32_t friend, uint32_t scenario)
{
    twin_remove(twin_find(friend, scenario));
    twin_plan((struct plan){.start_ms = shop.now_ms, .friend = friend, .scenario = scenario});
}

static inline void
twin_send(int64_t at_ms, const struct plan *plan, const struct step *step)
{
    if (twin.sent_count == twin.sent_capacity) {
        twin.sent_capacity = twin.sent_capacity * 2 + 1024;
        twin.sent = realloc(twin.sent, twin.sent_capacity * sizeof(struct sent));
        ck_assert_ptr_nonnull(twin.sent);
    }
    twin.sent[twin.sent_count++] =
        (struct sent){at_ms, plan->friend, step->body.actions[0].u.send.templates[0]};
}

/* When the window lets it go at the earliest. */
static inline int64_t
twin_opens_ms(const struct step *step, int64_t at_ms)
{
    if (step->window.open_min < 0 || (minute_of_day(at_ms) >= step->window.open_min &&
                                      minute_of_day(at_ms) < step->window.close_min)) {
        return at_ms;
    }
    int64_t opens_ms = midnight(at_ms) + step->window.open_min * (int64_t)MS_PER_MINUTE;
    return opens_ms <= at_ms ? opens_ms + MS_PER_DAY : opens_ms;
}

/* SPEC R6, R7, R23 for one plan whose instant has come. */
static inline void
twin_judge(int64_t now_ms, struct plan plan)
{
    const struct step *step = step_now(plan.scenario, plan.step);
    int64_t opens_ms = twin_opens_ms(step, now_ms);
    int64_t stale_ms = plan.due_ms + step->grace_ms;
    bool wanted = step->condition.op_count == 0 || !twin.vip[plan.friend];
    if (now_ms < stale_ms && (wanted || (opens_ms > now_ms && plan.deferred))) {
        if (opens_ms == now_ms) {
            twin_send(now_ms, &plan, step);
        } else if (opens_ms < stale_ms) {
            plan.wake_ms = opens_ms;
            plan.deferred = true;
            twin_insert(plan);
            return;
        }
    }
    plan.decided[plan.step] = true;
    twin_plan(plan);
}

/* The first that is not paused; NO_ID when there is none. */
static inline uint32_t
twin_first(void)
{
    uint32_t i = 0;
    while (i < twin.count && twin.paused[twin.plans[i].scenario]) {
        i++;
    }
    return i < twin.count ? i : NO_ID;
}

/* A whole scenario goes on: what would have gone out in the pause never does (SPEC R22). */
static inline void
twin_resume(uint32_t scenario)
{
    twin.paused[scenario] = false;
    for (uint32_t i = 0; i < twin.count;) {
        struct plan plan = twin.plans[i];
        int64_t out_ms = plan.deferred
                             ? plan.wake_ms
                             : twin_opens_ms(step_now(plan.scenario, plan.step), plan.wake_ms);
        if (plan.scenario == scenario && out_ms <= shop.now_ms) {
            twin_remove(i);
            plan.decided[plan.step] = true;
            twin_plan(plan); /* behind this place or before it */
            i = 0;
        } else {
            i++;
        }
    }
}

/* Everybody follows the newest edition; who stood where they stand still keeps their place. */
static inline void
twin_follow(uint32_t scenario, const bool removed[STEP_IDS_MAX])
{
    static struct plan moved[FRIENDS_MAX];
    uint32_t moved_count = 0;
    for (uint32_t i = 0; i < twin.count;) {
        struct plan *plan = &twin.plans[i];
        uint32_t step;
        int64_t due_ms;
        for (uint32_t id = 0; plan->scenario == scenario && id < STEP_IDS_MAX; id++) {
            plan->decided[id] = plan->decided[id] || removed[id];
        }
        bool stays = plan->scenario != scenario || (twin_next(plan, &step, &due_ms) &&
                                                    step == plan->step && due_ms == plan->due_ms);
        if (stays) {
            i++;
        } else {
            moved[moved_count++] = *plan;
            twin_remove(i);
        }
    }
    for (uint32_t i = 0; i < moved_count; i++) {
        twin_plan(moved[i]);
    }
}

/* Lets everything happen up to then; what is overdue happens at now_ms. */
static inline void
twin_until(int64_t now_ms, int64_t until_ms)
{
    for (uint32_t i; (i = twin_first()) != NO_ID && twin.plans[i].wake_ms <= until_ms;) {
        struct plan plan = twin.plans[i];
        twin_remove(i);
        now_ms = plan.wake_ms > now_ms ? plan.wake_ms : now_ms;
        twin_judge(now_ms, plan);
    }
}

#endif
