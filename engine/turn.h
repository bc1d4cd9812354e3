/* turn - one decision under way: emits events, each applied before the next is thought of.
 *
 * Shape    decide functions read turn->state (const) and call turn_emit(); nothing else changes the
 *          state. What an act of a friend causes to be sent gathers in turn->answer and is planned at the
 *          act's end, packed (SPEC R10).
 * Units    UTC milliseconds; now_ms is the instant of the whole turn.
 * Errors   none.
 * Owner    lives on the stack of engine_handle() and engine_take(); lists live in the events' arena.
 */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "engine/engine.h"
#include "engine/fact.h"

/* Templates on their way to one friend, in the order produced. */
struct outbox {
    struct delivery_item *items;
    uint32_t count;
};

struct answer {
    bool open; /* an act of `friend` is being answered */
    uint32_t friend;
    struct span reply_token;
    struct outbox outbox;
};

/* The enrolments whose bodies are being run, the innermost first: none of them may be cancelled or
 * restarted by what it does itself. */
struct running {
    uint32_t enrolment;
    const struct running *outer;
};

/* What has happened and starts triggers (engine/trigger.h), in order. */
struct fired {
    struct happening {
        uint32_t friend;
        struct trigger_on on;
    } * items;
    uint32_t count;
};

struct turn {
    struct engine *engine;
    const struct state *state;
    int64_t now_ms;
    struct events *out;
    struct answer answer;
    struct act_values act;
    bool resuming;          /* what a pause left behind is not made up for (SPEC R22) */
    bool restart_scenarios; /* SPEC R14: starts override re-entry */
    bool leave_scenarios;   /* SPEC R28: a route starts its own instead */
    int64_t start_ms;       /* the instant from which a start counts (SPEC R41) */
    uint32_t depth;         /* of cascades; bounded by TURN_DEPTH_MAX */
    bool quiet;             /* fires no triggers */
    uint32_t menus_settled; /* events of `out` after which rich menus are decided (engine/menu.h) */
    uint32_t starts;        /* bounded by TURN_STARTS_MAX */
    uint32_t links;         /* of what is being run (struct enrolment); bounded by TURN_LINKS_MAX */
    const struct running *running;
    struct fired fired; /* what happened in this turn and has to start triggers yet */
};
enum { TURN_DEPTH_MAX = 16, TURN_STARTS_MAX = 256, TURN_LINKS_MAX = 16 };

/* Numbers the event, chains it to the friend's last, applies it; returns the copy in turn->out. */
struct event *turn_emit(struct turn *turn, const struct event *event);

/* What links to pages begin with. */
struct span engine_public_url(const struct engine *engine);

/* The checksum of the body that an intent's items and words render to. */
uint64_t engine_body_hash(const struct engine *engine, const struct event *intent);

/* A text as `fold: yes` compares it (SPEC R29). */
struct span engine_fold(const struct engine *engine, struct span text, struct arena *arena);

/* The signed token of a friend's own address of a link; its secret is the first run id of the log. */
struct span engine_link_token(const struct engine *engine, uint32_t friend, uint32_t link,
                              struct arena *arena);

int64_t engine_draw(const struct engine *engine, const struct draw *draw);

/* delivery.c: values as they are at this moment (SPEC R26) */
struct span pattern_text(struct turn *turn, uint32_t friend, const struct pattern *pattern);

void outbox_add(struct turn *turn, struct outbox *outbox, const struct delivery_item *item);
/* How many of the items from `from` on fit into one request (SPEC R9, R10): at least one. */
uint32_t outbox_fit(const struct turn *turn, const struct outbox *outbox, uint32_t from);

/* condition.c: now, with what the act under way knows (SPEC R24) */
bool condition_holds(const struct turn *turn, uint32_t friend, const struct condition *condition);
bool condition_is_empty(const struct condition *condition); /* it always holds */
/* The first term of a condition that does not hold, counted from 0 as they stand there. */
uint32_t condition_first_false(const struct turn *turn, uint32_t friend,
                               const struct condition *condition);

/* act.c */
void act_put(struct turn *turn, struct span name, struct span value); /* replaces */

/* draw.c (SPEC R18, R24) */
void draw_word(struct turn *turn, uint32_t friend, const struct action *action,
               struct source source);
const struct body *draw_split(struct turn *turn, uint32_t friend, const struct action *action,
                              struct source source);

/* field.c (SPEC R18) */
bool text_is_number(struct span text, int64_t *out_number); /* "-12" */
void field_run(struct turn *turn, uint32_t friend, const struct action *action,
               struct source source);

/* once.c: true the first time for that friend, which is recorded (SPEC R27) */
bool once_take(struct turn *turn, uint32_t friend, uint64_t key, struct source source);
void once_apply(struct state *state, const struct event *event);

/* score.c (SPEC R37) */
void score_add(struct turn *turn, uint32_t friend, int64_t by, struct source source);
void score_apply(struct state *state, const struct event *event);

/* pressure.c: what keeps a message back though it is due (SPEC R7, R11-R13) */
struct message {
    uint32_t friend;
    enum message_class message_class;
    bool push;         /* a reply is bound by its scenario's cap alone */
    bool begun;        /* the rest of what has gone in part: neither window nor frequency */
    uint32_t scenario; /* NO_ID: not a scenario's */
    struct window window;
    const struct zone *zone;
    int64_t stale_ms;
};
struct pressure {
    enum reason reason; /* REASON_NONE: it may go */
    int64_t until_ms; /* WINDOW, FREQUENCY: when it may; QUOTA, SCENARIO_CAP: when it goes stale */
};
struct pressure pressure_on(const struct turn *turn, const struct message *message);
/* Is that reason one to hold for, and does it hold still? Neither: false. */
bool pressure_holds(const struct state *state, enum reason reason, enum message_class message_class,
                    uint32_t scenario);
bool pressure_is_hold(enum reason reason);
/* The step must wait for its scenario's cap; true when it was held. */
bool pressure_hold_answer(struct turn *turn, uint32_t enrolment);
/* Counting turns to the month of now, if it has not. */
void pressure_begin_month(struct turn *turn);
void pressure_decide_line(struct turn *turn, const struct input *input);
void pressure_decide(struct turn *turn, const struct input *input, struct source source);
/* Tells of the scenarios that stop themselves with this delivery. */
void pressure_delivered(struct turn *turn, const struct delivery *row);
/* A push that was counted as having come did not. */
void pressure_give_back(struct state *state, uint32_t month, const struct delivery_item *items,
                        uint32_t item_count);
/* What an operator says of deliveries whose outcome is unknown (SPEC R48). */
void unknown_decide(struct turn *turn, const struct input *input, struct source author);

/* apply, one function a concept; engine_apply() routes to them. */
void friend_apply(struct state *state, const struct event *event);
void enrolment_apply(struct state *state, const struct event *event);
void claim_apply(struct state *state, const struct event *event);
void forget_apply(struct state *state, const struct event *event);
void delivery_apply(struct state *state, const struct event *event);
void edit_begin(struct state *state, struct definitions *after);
void edit_apply(struct state *state);
void pressure_apply(struct state *state, const struct event *event);
/* The counters follow a delivery's life; the row is as it was before the event. */
void pressure_count(struct state *state, const struct delivery *row, const struct event *event);
/* New definitions take back what operators said about numbers that they change. */
void pressure_redefine(struct state *state, const struct definitions *before,
                       const struct definitions *after);

/* claim.c: opening the log to write, and letting a copy of it send (SPEC R45) */
bool claim_is_of(const struct claim_row *last, const struct input *input);
void claim_decide(struct turn *turn, const struct input *input);
void release_decide(struct turn *turn, const struct input *input);

/* forget.c: words that are to go (SPEC R50, R51) */
void forget_decide(struct turn *turn, const struct input *input);
void unsend_decide(struct turn *turn, const struct input *input);

/* friend.c: follow, unfollow, message, postback, noted (SPEC R14-R17, R41, R49) */
void friend_decide(struct turn *turn, const struct input *input);
/* auto_reply.c, button.c: what a message and a tap set off (SPEC R29, R31) */
void auto_reply_decide(struct turn *turn, uint32_t friend, struct span text);
void button_understand(const struct definitions *definitions, struct span data,
                       uint32_t *out_button, uint32_t *out_choice);
/* What stands behind the colon of postback data; empty: nothing. */
struct span button_choice(struct span data);
uint64_t button_choice_hash(struct span choice);
/* Judged before the tap is recorded, in the account's dates. */
bool button_is_over_limit(const struct turn *turn, uint32_t friend, uint32_t button,
                          uint64_t choice_hash);
void button_decide(struct turn *turn, uint32_t friend, const struct event *tapped,
                   struct span choice);

/* action.c: runs a body top to bottom (SPEC R27); what it sends goes to the outbox. True when
 * something was done or sent. */
bool action_run(struct turn *turn, uint32_t friend, const struct body *body, struct source source,
                uint32_t enrolment, struct outbox *outbox);
/* The same, but what it fires is left to the caller, who runs turn->fired from where it was. */
bool action_run_list(struct turn *turn, uint32_t friend, const struct body *body,
                     struct source source, uint32_t enrolment, struct outbox *outbox);
void action_set_tag(struct turn *turn, uint32_t friend, uint32_t tag, bool add,
                    struct source source);
/* The value of a number, date or datetime field is the number, of the others the text. */
void action_set_field(struct turn *turn, uint32_t friend, uint32_t field, int64_t number,
                      struct span text, struct source source);
void action_clear_field(struct turn *turn, uint32_t friend, uint32_t field, struct source source);

/* scenario.c: starting, planning and ending enrolments (SPEC R2, R3, R20-R22) */
void scenario_start(struct turn *turn, uint32_t friend, uint32_t scenario, uint32_t at_step,
                    struct source source);
void scenario_stop(struct turn *turn, uint32_t enrolment, enum reason reason, struct source source);
/* A friend who finished it before stepd knew them. */
void scenario_note_finished(struct turn *turn, uint32_t friend, uint32_t scenario,
                            struct source source);
/* Plans the step after row->step, counted from prev_ms; ends the enrolment after the last. */
void scenario_advance(struct turn *turn, uint32_t enrolment, int64_t prev_ms);
/* The zone in which a friend's steps lie (SPEC R1). */
const struct zone *scenario_zone(const struct state *state, const struct scenario *scenario,
                                 uint32_t friend);
/* The friend says another one: what is planned by the clock is planned anew. */
void scenario_zone_changed(struct turn *turn, uint32_t friend);
/* Would the step after row->step be due now, if row->step were delivered now? */
bool scenario_next_is_due(const struct turn *turn, uint32_t enrolment);
/* Starts one that lives in no lane: a reminder, trigger or date. NO_ID: refused, and said. */
struct enrolling { /* as in EVENT_ENROLMENT_STARTED */
    int64_t start_ms, goal_ms;
    uint64_t key;
    uint32_t links;
};
uint32_t scenario_enrol(struct turn *turn, uint32_t friend, uint32_t scenario,
                        const struct enrolling *as, struct source source);
/* Plans a step; what may go with the act that is being answered goes at once (SPEC R10). */
void scenario_plan(struct turn *turn, uint32_t enrolment, const struct step *step, int64_t due_ms,
                   int64_t base_ms);
/* The end of an enrolment that has nothing more to do. */
void scenario_finish(struct turn *turn, uint32_t enrolment);
void scenario_refuse(struct turn *turn, uint32_t friend, uint32_t scenario, enum reason reason,
                     struct source source);
/* An event about a step of an enrolment. */
struct event scenario_step_event(const struct turn *turn, enum event_kind kind, uint32_t enrolment,
                                 uint32_t step, int64_t due_ms, enum reason reason);

/* enter.c: `start: once for`, who of the friends there are is asked a slice a pass (SPEC R54) */
void enter_begin(struct state *state); /* after new definitions */
bool enter_slice(struct turn *turn);   /* True: there is more */
void enter_apply(struct state *state, const struct event *event);

/* date.c: a friend's own dates (SPEC R34) */
void date_field_changed(struct turn *turn, uint32_t friend, uint32_t field);
/* The date came, and is over: the next year's, or the end. */
void date_advance(struct turn *turn, uint32_t enrolment);
/* Plans the dates of new definitions for some more friends (SPEC R26). False: all are done. */
bool date_look_through(struct turn *turn);
bool date_is_pending(const struct state *state);

/* mark.c: response marks (SPEC R43) */
void mark_set(struct turn *turn, uint32_t friend, uint32_t mark, struct source source);

/* What follows the step under way: a later step, or (NO_ID) the end. */
void scenario_redirect(struct turn *turn, uint32_t enrolment, uint32_t step);

/* pause.c (SPEC R22) */
void pause_enrolment(struct turn *turn, uint32_t enrolment, struct source source);
void pause_resume_enrolment(struct turn *turn, uint32_t enrolment, bool shift,
                            struct source source);
void pause_scenario(struct turn *turn, uint32_t scenario, bool paused, struct source source);
/* After new definitions: those switched on again. */
void pause_definitions_changed(struct turn *turn, const struct definitions *before);
void pause_apply(struct state *state, const struct event *event);
/* Skips, for a row paused no more, what would have gone out by now. */
void scenario_catch_up(struct turn *turn, uint32_t enrolment);
void step_skip(struct turn *turn, uint32_t enrolment, enum reason reason);

/* The first step that is not decided, planned as the newest definitions have it, if that is new; what
 * it counts from is moved by shift_ms. `reason` says why it is planned anew. */
void scenario_replan(struct turn *turn, uint32_t enrolment, int64_t shift_ms, enum reason reason);
/* The undecided step of a version that comes first, but for one; NULL when there is none. */
const struct step *scenario_next_step(const struct state *state, const struct scenario *version,
                                      uint32_t enrolment, uint32_t but_step);

/* broadcast.c: one message to many at an instant (SPEC R33, R11) */
/* When it is to be looked at; INT64_MAX when never again, or when it works already. */
int64_t broadcast_wake(const struct state *state, uint32_t broadcast);
void broadcast_take(struct turn *turn, uint32_t broadcast);
/* A bounded share of choosing and sending; true when there is more. */
bool broadcast_slice(struct turn *turn);
bool broadcast_has_work(const struct state *state);
bool broadcast_is_held(const struct state *state); /* some broadcast is */
void broadcast_decide(struct turn *turn, const struct input *input, struct source source);
void broadcast_planned(struct state *state, const struct event *planned);
void broadcast_apply(struct state *state, const struct event *event);
void broadcast_redefine(struct state *state, const struct definitions *before, int64_t at_ms);

/* edit.c: moving enrolments to the newest definitions (SPEC R26) */
/* Cancels the steps that were taken out; false when the whole scenario was. */
bool edit_cancel_removed(struct turn *turn, uint32_t enrolment);
/* The enrolment is where the newest definitions have it, afterwards; it may have ended. */
void edit_follow(struct turn *turn, uint32_t enrolment);
/* A bounded share of all enrolments; true when there are more. */
bool edit_slice(struct turn *turn, uint32_t *cursor);

/* step.c: judging a due step (SPEC R6, R7, R23, R25). Returns the delivery now intended, or 0. */
uint64_t step_take(struct turn *turn, uint32_t enrolment);
/* The two halves of it: may it go now, and going. */
bool step_judge(struct turn *turn, uint32_t enrolment);
uint64_t step_go(struct turn *turn, uint32_t enrolment);
/* An immediate step inside an act: judged, and its messages gathered into the answer. */
void step_answer(struct turn *turn, uint32_t enrolment);

/* delivery.c: answers, intents and outcomes (SPEC R10, R40) */
void delivery_plan_answer(struct turn *turn);
/* Intends items now, the first request at once; what does not fit is planned behind it. */
uint64_t delivery_intend_items(struct turn *turn, uint32_t friend, const struct outbox *outbox,
                               enum message_class message_class, int64_t due_ms);
/* Plans items as deliveries that are due now, in requests that hold as much as fits. */
void delivery_plan_items(struct turn *turn, uint32_t friend, const struct outbox *outbox,
                         enum message_class message_class, int64_t due_ms);
uint64_t delivery_take(struct turn *turn, uint32_t delivery);
bool delivery_judge(struct turn *turn, uint32_t delivery);
uint64_t delivery_go(struct turn *turn, uint32_t delivery);
/* What comes after an outcome: `row` as it was before. */
void delivery_follow(struct turn *turn, const struct delivery *row, enum delivery_result result);
void delivery_decide_outcome(struct turn *turn, const struct input *input);
/* Books the friend's request in flight, if any, as one of which nobody will learn what became. */
void delivery_give_up(struct turn *turn, uint32_t friend, enum reason reason);
void delivery_cancel_planned(struct turn *turn, uint32_t friend, enum reason reason);
/* The value of an insertion at this moment, in what an item's source says to the friend. */
struct span delivery_insertion(struct turn *turn, uint32_t friend,
                               const struct insertion *insertion, const struct delivery_item *item);

/* An act that came without a reply token (form, booking, conversion): what it causes to be sent
 * gathers and goes as pushes of class response, packed alike (SPEC R10). */
void turn_open_answer(struct turn *turn, uint32_t friend);
void turn_close_answer(struct turn *turn);
/* The body of something that happened inside an action: what it sends joins the answer under way, or
 * is one of its own. Bodies that set each other off end at TURN_DEPTH_MAX. */
void turn_run(struct turn *turn, uint32_t friend, const struct body *body, struct source source);

/* notice.c: `notify:` (SPEC R43) */
void notice_tell(struct turn *turn, uint32_t friend, struct span text, uint32_t to,
                 struct source source);
void notice_run(struct turn *turn, uint32_t friend, const struct action *action,
                struct source source);

#endif
