/* engine - the pure state machine: inputs become events, events become state, due steps are taken.
 *
 * Shape    engine_handle() decides one input: it emits events and applies each as it is produced, so
 *          that a cascade (follow, tag, scenario, first step) runs in one pass, in SPEC's order.
 *          engine_apply() folds one event that was read back; replay is nothing else. What is due waits
 *          in queues by class until engine_take() asks for one: only then is it judged (SPEC R23) and
 *          its intent recorded (DESIGN 6). engine_wake() must follow a replay before the first take.
 * Units    UTC milliseconds, given with every call; never read from a clock.
 * Errors   none from deciding. Out of memory ends the process (docs/adr/0001).
 * Owner    engine_new()/engine_free(). Events emitted are copied into the caller's struct events.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/base/rc.h"
#include "engine/image.h"
#include "engine/input.h"
#include "engine/state.h"

struct engine;

/* A question to the random source. Its answer goes into an event and is never asked for again. */
enum draw_kind {
    DRAW_NUMBER, /* low..high, both included; the answer is the number */
    DRAW_WORD,   /* one of `words`, each as likely; the answer is its index */
    DRAW_CASE,   /* one of `shares`, as likely as it is large; the answer is its index */
};
struct draw {
    enum draw_kind kind;
    int64_t low, high;
    const struct span *words;
    const uint32_t *shares;
    uint32_t count; /* of words or shares */
};
/* The answer that 64 random bits give. */
int64_t draw_answer(const struct draw *draw, uint64_t random);

/* What the engine needs from outside. */
struct engine_calls {
    /* The checksum of the body that these items and values render to (proto/line_message.h). */
    uint64_t (*body_hash)(const struct definitions *definitions, const struct delivery_item *items,
                          uint32_t item_count, const struct span *values, uint32_t value_count);
    /* A text as `fold: yes` compares it (proto/fold.h); the result is in the arena. */
    struct span (*fold)(struct span text, struct arena *arena);
    /* What makes a link's address one friend's own (proto/link_token.h). */
    struct span (*link_token)(const uint8_t secret[16], uint32_t friend, uint32_t link,
                              struct arena *arena);
    /* The random source; asked by decisions only, never by a replay (SPEC R18). */
    int64_t (*draw)(void *context, const struct draw *draw);
    void *draw_context;
    /* Where friends find the pages of forms and calendars: "https://shop.example". May be empty. */
    struct span public_url;
};

struct engine *engine_new(const struct engine_calls *calls);
void engine_free(struct engine *engine);

const struct state *engine_state(const struct engine *engine);

/* Decides and applies; the events are appended to `out` with their numbers and times. */
void engine_handle(struct engine *engine, const struct input *input, struct events *out);

/* Folds one event. It must be the next by number; words may be erased. */
void engine_apply(struct engine *engine, const struct event *event);

/* Says that the event will be folded soon, so that the rows it is about come into the cache meanwhile. A hint:
 * it may be about friends that are not there yet. */
void engine_expect(const struct engine *engine, const struct event *event);

/* Puts the state of an image (engine/image.h) in place of that of an engine that is not awake; the
 * events after it are then applied as in any replay. On failure the engine is as it was. */
MUST_USE enum rc engine_load(struct engine *engine, const struct image_source *source,
                             const char **out_why);

/* After a replay: arms the wheel and fills the queues from the rows. */
void engine_wake(struct engine *engine, int64_t now_ms);

/* What may be taken: as pacing has it (SPEC R47). */
struct take_permit {
    bool reply, push, multicast;
    enum message_class least_urgent; /* no class behind this one */
    bool alone;                      /* each in a request of its own: the twin of chunks */
};
/* Rows of deliveries that were intended: one, or those that share a request, by friend. */
struct taken {
    const uint32_t *rows; /* in the events' arena */
    uint32_t count;       /* 0: nothing is to be sent */
};

/* Takes the next due owner that may go, in class order, whose friend has no request in flight, judges it and
 * emits what follows. What is the same for many goes with up to 499 others of its content (SPEC R46): each is
 * judged, one event intends them all. RC_OK: something was decided. RC_END: nothing due may go now. */
MUST_USE enum rc engine_take(struct engine *engine, int64_t now_ms,
                             const struct take_permit *permit, struct events *out,
                             struct taken *out_taken);

/* A bounded share of what is to be done beside the due: enrolments that follow an edit (SPEC R26).
 * True when there is more; to be called once a pass. */
bool engine_work(struct engine *engine, int64_t now_ms, struct events *out);

/* Whether the newest claim in the log was made in the place that this INPUT_CLAIM tells of. */
bool engine_is_claimed_at(const struct engine *engine, const struct input *input);

/* The next instant at which something is due; now_ms when something is already; INT64_MAX when nothing is
 * planned. engine_next_work(): the same but for what waits in the queues until it may be taken. */
int64_t engine_next_due(const struct engine *engine, int64_t now_ms);
int64_t engine_next_work(const struct engine *engine, int64_t now_ms);
/* Does something wait in the queues of these classes that such a permit would let go? */
bool engine_has_due(const struct engine *engine, const struct take_permit *permit);

/* The n-th term of a condition as it is written: what stands between its `and` and `or`. */
struct condition condition_term(const struct condition *condition, uint32_t n);
/* What a letter of EVENT_BROADCAST_CHOSEN says about a friend. */
bool broadcast_verdict_is_in(uint8_t letter);
bool broadcast_verdict_term(uint8_t letter, uint32_t *out_term); /* false: no term kept it out */

/* Would new definitions plan the scenario's running enrolments anew (SPEC R26)? */
bool edit_moves(const struct definitions *before, const struct definitions *after,
                uint32_t scenario);
/* When a step of that version of its scenario is due for the enrolment; DUE_UNKNOWN_YET while nobody
 * can say. */
int64_t scenario_step_due(const struct state *state, const struct scenario *version,
                          uint32_t enrolment, const struct step *step);

/* When a step that a running enrolment still has before it is due, as far as that is known;
 * DUE_UNKNOWN_YET where it counts from one not yet delivered. */
int64_t engine_step_due(const struct state *state, uint32_t enrolment, const struct step *step);

/* Does the step come after the one the enrolment stands at? */
bool engine_step_is_ahead(const struct state *state, uint32_t enrolment, const struct step *step);

/* How many owners wait in the queue of a class (due, not yet taken). */
uint32_t engine_due_count(const struct engine *engine, enum message_class message_class);

#endif
