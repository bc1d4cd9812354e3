/* state - everything known, as flat tables with 32-bit indexes; the fold of the log.
 *
 * Shape    friends, enrolments and open deliveries are rows; a friend's rows hang on lists headed in
 *          the friend's row. Tags are sets of friend indexes. Only apply writes here; decide, the API
 *          and the tools read through const.
 * Units    UTC milliseconds; indexes are NO_ID where there is none.
 * Errors   none; running out of memory ends the process (docs/adr/0001).
 * Owner    inside struct engine. Texts are the state's own and valid until the next apply.
 */
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include "engine/columns.h"
#include "engine/event.h"
#include "engine/index.h"
#include "engine/measure.h"
#include "engine/table.h"
#include "engine/texts.h"
#include "engine/unknown.h"

struct unique;
struct bitmap; /* a roaring bitmap of friend indexes */

#define NO_LIMIT UINT32_MAX
enum { DUE_UNKNOWN_YET = -1 }; /* no instant: a step that counts from a delivery still open */

/* What every friend has. Where a friend has more, it stands in the row `more` (state_friend_more()). */
struct friend_row {
    uint8_t id[16];      /* of "U" and 32 hex digits; else the number of its text */
    uint64_t newest_seq; /* head of the back-chain */
    int64_t added_ms;
    uint32_t name;             /* a text; TEXT_NONE: not known */
    uint32_t first_enrolment;  /* running ones, oldest first */
    uint32_t more;             /* NO_ID: nothing more */
    bool blocked : 1;          /* by the friend */
    bool standby_only : 1;     /* seen only while another module held the chat (SPEC R49) */
    bool profile_asked : 1;    /* a profile was found or refused */
    bool named : 1;            /* it was found; the name may be erased since */
    bool forgotten : 1;        /* SPEC R51: a number without a person; nothing is sent or learnt */
    bool has_id : 1;           /* not once erased */
    bool odd_id : 1;           /* LINE promises no form: id holds a text's number */
    bool followed : 1;         /* follow_line_at_ms is added_ms */
    bool has_picture : 1;      /* of the profile */
    bool hidden : 1;           /* from lists; receives everything (SPEC R16) */
    bool operator_blocked : 1; /* nothing is sent, what they do starts nothing (SPEC R16) */
    uint8_t language;          /* of the profile: 1 + index into state.languages; 0: not known */
};

/* What a friend may have besides; FRIEND_PLAIN where there is no such row. */
struct friend_more {
    uint32_t next;        /* of the free list */
    uint32_t mark;        /* response mark; NO_ID: none */
    int64_t score;        /* SPEC R37 */
    int64_t recent;       /* the recent score (SPEC R37) */
    uint32_t recent_at_s; /* when it was that; since 1970 */
    int64_t
        follow_line_at_ms;   /* LINE's timestamp of the newest follow or unfollow; 0: see the row */
    uint32_t first_delivery; /* open ones, oldest first */
    uint32_t first_once;     /* what was done once */
    uint32_t first_tap;      /* buttons tapped */
    uint32_t first_sent;     /* marketing pushes of the last days, newest first (SPEC R13) */
    uint32_t first_answer;   /* the newest to each form */
    uint32_t first_tally;    /* of forms answered */
    uint32_t first_booking;
    uint32_t first_deed;    /* newest first */
    uint32_t menu;          /* rich menu that is shown; NO_ID: the default (SPEC R38) */
    uint32_t menu_override; /* NO_ID: none */
};
extern const struct friend_more FRIEND_PLAIN;

/* The value of a field, as it is now. */
struct field_value {
    bool set;
    int64_t number;   /* number, date, datetime */
    const char *text; /* NULL for those and once erased */
};

/* One marketing push that was delivered. Minutes are fine enough: no zone is off by seconds. */
struct sent_row {
    uint32_t next;   /* of the same friend, or of the free list */
    uint32_t minute; /* since 1970 */
};

/* The month's messages (SPEC R9, R11). What the operator said holds until the definitions say
 * something else. */
struct quota_row {
    uint32_t month; /* 202606; 0: nothing counted yet */
    uint32_t used;
    int64_t until_ms; /* when the month is over */
    bool limit_set;   /* by an operator */
    uint32_t limit;
    uint32_t line_limit; /* as LINE says; NO_LIMIT: none, or not asked yet */
    uint32_t elsewhere;  /* of the month, used by others than us: from LINE's own manager */
    bool spent;          /* LINE refused one for it, and has not said since that there is room */
    uint32_t replies;    /* of the month: what was free (SPEC R9) */
};

enum enrolment_phase {
    ENROLMENT_FREE = 0,
    ENROLMENT_WAITING,     /* step_next is due at wake_ms */
    ENROLMENT_IN_DELIVERY, /* its step is part of an open delivery */
};
enum enrolment_wake {
    WAKE_AT_DUE = 0,
    WAKE_LATER, /* deferred: more.wake_ms */
    WAKE_NEVER, /* nothing is planned yet */
};

/* A friend in a scenario. What few enrolments have stands in the row `more` (state_enrolment_more()). */
struct enrolment {
    uint32_t next; /* of the same friend, or of the free list */
    uint32_t friend;
    uint32_t scenario;
    uint32_t step;    /* id of the step that comes next, or is in delivery */
    uint32_t more;    /* NO_ID: nothing more */
    uint32_t decided; /* steps 0..31, by id: never again in this enrolment (SPEC R26) */
    uint32_t
        base_before_ms; /* by which the base precedes due_ms (state_base()); NO_ID: more.base_ms */
    enum enrolment_phase phase : 8;
    enum reason deferred : 8; /* REASON_NONE when it wakes at due_ms */
    enum enrolment_wake wake : 8;
    bool ending : 1; /* `end:` was said: nothing follows the step under way */
    bool queued : 1; /* waits in a due queue; of the running engine, not of the digest */
    uint64_t started_seq;
    int64_t start_ms;
    int64_t due_ms; /* original due instant of the step */
};

/* What an enrolment may have besides; ENROLMENT_PLAIN where there is no such row. */
struct enrolment_more {
    uint32_t next;          /* of the free list */
    uint32_t shift_days;    /* SPEC R3 */
    uint32_t redirect;      /* the step that `goto:` named; NO_ID: the next */
    uint32_t links;         /* triggers that set off each other without time passing, up to here */
    int64_t wake_ms;        /* WAKE_LATER */
    int64_t base_ms;        /* where it is not a little before due_ms */
    int64_t paused_ms;      /* since when; 0: not by itself (SPEC R22) */
    int64_t goal_ms;        /* of reminders and dates */
    uint64_t key;           /* of reminders (engine/reminder.h) */
    uint64_t delivered;     /* of reminders: a bit for each step id that went out */
    uint32_t first_decided; /* decided steps beyond those in the row */
};
extern const struct enrolment_more ENROLMENT_PLAIN;

/* 64 decided steps of an enrolment: ids word * 64 onwards, but for those in its row. */
struct decided_row {
    uint32_t next; /* of the same enrolment, or of the free list */
    uint32_t word;
    uint64_t bits;
};

enum delivery_phase { DELIVERY_FREE = 0, DELIVERY_PLANNED, DELIVERY_INTENDED };
struct delivery {
    uint32_t next; /* of the same friend, or of the free list */
    uint32_t friend;
    enum delivery_phase phase;
    enum message_class message_class;
    enum delivery_how how; /* INTENDED; PLANNED: HOW_PUSH when a reply is out of question */
    uint32_t claim;        /* INTENDED: index into state.run_ids of the intent's batch */
    uint64_t seq;          /* number of the event that made it: its id */
    uint64_t intent_seq;   /* INTENDED: with the run id, the retry key */
    int64_t due_ms;
    int64_t intended_ms; /* when it was first intended */
    int64_t token_at_ms; /* 0: no reply token */
    char *token;
    char **act; /* PLANNED: name, value, ...: what only the act knew; NULL once erased */
    uint32_t act_count;
    uint64_t body_hash;
    struct definitions *definitions; /* INTENDED: the set it was rendered from; a reference */
    char **values;                   /* INTENDED: inserted values, in order; NULL once erased */
    uint32_t value_count;
    uint32_t item_count;
    struct delivery_item items[DELIVERY_ITEMS_MAX];
    bool queued;          /* as enrolment.queued */
    bool alone;           /* PLANNED: not again with others */
    int64_t wake_ms;      /* PLANNED: when to look at it; 0 at once */
    enum reason deferred; /* PLANNED: why it waits; REASON_NONE when it does not */
    uint32_t month;       /* INTENDED, push: the month it counts in */
    uint32_t crowd;       /* INTENDED: how many share its request; 0: it has its own */
};

/* The newest claim of the log, and what it means for sending (SPEC R45). */
struct claim_row {
    uint64_t seq; /* of its event; 0: none yet */
    uint64_t inode, birth_ns;
    char *machine, *path;
    uint64_t former_seq;   /* held: the last claim of the life before; 0: not held */
    int64_t former_ms;     /* held: the newest time of that life */
    uint64_t released_seq; /* the newest release; 0: none */
    int64_t released_ms;   /* what was due before this is not sent */
};

/* The friend who is being forgotten, and how far the erasing of words has come (SPEC R51). */
struct forgetting_row {
    uint32_t friend;          /* NO_ID: nobody is */
    uint64_t next, next_body; /* as in the event */
};

struct scenario_counts {
    uint32_t running, entered;
    int64_t paused_ms;        /* the whole scenario, since when; 0: not */
    uint32_t delivered, open; /* deliveries that came, and that are under way (SPEC R12) */
    bool auto_stopped;
    bool cap_set; /* by an operator */
    bool asking;  /* friends from `asked` on have still to be asked whether it is for them (R54) */
    bool was_asked; /* for once: whatever is edited later */
    uint32_t cap;
    uint32_t asked; /* friends asked so far, when it came into force for the first time */
};

struct once_row {
    uint32_t next; /* of the same friend */
    uint64_t key;
};

struct tap_row {
    uint32_t next; /* of the same friend */
    uint32_t button;
    uint64_t choice_hash;
    int64_t at_ms; /* the newest */
};

enum broadcast_phase {
    BROADCAST_WAITING = 0, /* not due yet */
    BROADCAST_CHOOSING,    /* friends below `cursor` were looked at */
    BROADCAST_SENDING,     /* friends below `cursor` have their delivery */
    BROADCAST_HELD,
    BROADCAST_DONE,
};
struct broadcast_row { /* by id */
    enum broadcast_phase phase;
    uint32_t cursor;
    uint32_t audience_count;
    int64_t due_ms;
    int64_t stale_ms; /* HELD */
    bool fit_set;     /* by an operator */
    bool partial;
    struct bitmap *audience; /* CHOOSING, SENDING: friends chosen; else NULL */
};
/* One answer to one question of a form, the newest; several choices are several rows. */
struct answer_row {
    uint32_t next; /* of the same friend, or of the free list */
    uint32_t form, question;
    uint32_t option; /* NO_ID: no choice */
    uint64_t seq;    /* the event that gave it */
    int64_t number;
    uint32_t text; /* TEXT_NONE for choices and numbers, and once erased */
};

struct form_tally { /* how often one friend answered one form */
    uint32_t next;
    uint32_t form;
    uint32_t times;
    uint64_t newest_seq;
};

struct choice_count { /* friends whose newest answer is this choice (SPEC R30 capacity) */
    uint32_t form, question, option;
    uint32_t count;
};

enum booking_phase { BOOKING_OPEN = 1, BOOKING_CANCELLED };
struct booking {
    uint32_t next; /* of the same friend */
    uint32_t friend;
    uint32_t calendar;
    uint32_t slot; /* of an event; NO_ID: a calendar's time */
    enum booking_phase phase;
    uint64_t made_seq; /* the event that made it */
    uint64_t seq;      /* the newest event about it */
    int64_t at_ms;     /* when its slot begins */
};

/* What a friend did, and when (engine/deed.h). */
enum { DEED_ID_MAX = 0xffffff };
struct deed_row {
    uint32_t next; /* of the same friend: the one before */
    uint32_t kind : 8;
    uint32_t id : 24;
    uint32_t at_s; /* since 1970 */
};

/* Who was sent one template within one hour. */
struct received_hour {
    uint32_t hour; /* since 1970, UTC */
    struct bitmap *friends;
};
struct received_hours {
    struct received_hour *items; /* ascending */
    uint32_t count, capacity;
};

struct conversion_count {
    uint32_t total;
};

struct state {
    uint64_t seq; /* of the newest event applied */
    int64_t at_ms;
    int64_t
        latest_ms; /* the latest time of any event: clocks go back, and their events are logged */
    struct claim_row claim;
    struct forgetting_row forgetting;
    uint64_t unreadable_seq;         /* the newest unreadable body; 0: none */
    struct definitions *definitions; /* never NULL; empty before the first set */
    uint64_t definitions_seq;
    /* The set before, while enrolments are still being moved from it to the newest; else NULL. */
    struct definitions *definitions_before;
    struct texts texts;
    struct table friends, friends_more; /* struct friend_row, friend_more */
    struct index friend_ids;            /* from LINE user id to friend */
    struct unique *unique;         /* who has which value of a unique field (engine/unique.h) */
    struct columns columns;        /* values of fields */
    uint32_t menus_from;           /* rich menus are decided for friends below this index */
    int64_t menus_day;             /* on that day */
    uint32_t dates_from;           /* the dates in force are planned for friends below this index */
    struct table taps, once, sent; /* struct tap_row, once_row, sent_row */
    struct table enrolments, enrolments_more; /* struct enrolment, enrolment_more */
    struct table decided;                     /* struct decided_row */
    struct table deliveries;                  /* struct delivery */
    struct table answers, tallies;            /* struct answer_row, form_tally */
    struct table deeds;                       /* struct deed_row; never given back */
    struct table bookings; /* struct booking; never given back: a roster asks for past days too */
    struct quota_row quota;
    struct broadcast_row *broadcasts; /* by id */
    uint32_t broadcast_capacity;
    struct bitmap **tags; /* by tag id */
    uint32_t tag_capacity;
    struct bitmap
        *unreachable;         /* friends who block the account or are forgotten; from their rows */
    struct bitmap **entered;  /* by scenario id: who ever started it (SPEC R21) */
    struct bitmap **finished; /* by scenario id: who ever came to its end (SPEC R24) */
    struct bitmap **tapped;   /* by button id: who ever tapped it */
    uint32_t tapped_capacity;
    struct bitmap **received; /* by template id: who was ever sent it */
    uint32_t received_capacity;
    struct scenario_counts *scenario_counts;
    uint32_t scenario_capacity;
    uint8_t (*run_ids)[16]; /* of every claim; the last is the current one */
    uint32_t run_count;
    struct choice_count *choices; /* never freed: one a choice that was ever taken */
    uint32_t choice_count, choice_capacity;
    struct received_hours *received_hours; /* by template id */
    uint32_t received_hours_capacity;
    char **languages; /* of profiles, each once */
    uint32_t language_count, language_capacity;
    struct bitmap **converted; /* by conversion id: who ever did */
    struct conversion_count *conversion_counts;
    uint32_t conversion_capacity;
    struct measures measures;
    struct unknowns unknowns;
};

/* Rows by index, which must be one that was taken. */

static inline const struct friend_row *
state_friend(const struct state *state, uint32_t friend)
{
    return table_at(&state->friends, friend);
}

static inline const struct friend_more *
state_friend_more(const struct state *state, uint32_t friend)
{
    uint32_t more = state_friend(state, friend)->more;
    return more == NO_ID ? &FRIEND_PLAIN : table_at(&state->friends_more, more);
}

static inline const struct enrolment *
state_enrolment(const struct state *state, uint32_t enrolment)
{
    return table_at(&state->enrolments, enrolment);
}

static inline const struct enrolment_more *
state_enrolment_more(const struct state *state, const struct enrolment *row)
{
    return row->more == NO_ID ? &ENROLMENT_PLAIN : table_at(&state->enrolments_more, row->more);
}

static inline const struct delivery *
state_delivery(const struct state *state, uint32_t delivery)
{
    return table_at(&state->deliveries, delivery);
}

static inline const struct once_row *
state_once(const struct state *state, uint32_t once)
{
    return table_at(&state->once, once);
}

static inline const struct tap_row *
state_tap(const struct state *state, uint32_t tap)
{
    return table_at(&state->taps, tap);
}

static inline const struct sent_row *
state_sent(const struct state *state, uint32_t sent)
{
    return table_at(&state->sent, sent);
}

static inline const struct decided_row *
state_decided(const struct state *state, uint32_t decided)
{
    return table_at(&state->decided, decided);
}

static inline const struct answer_row *
state_answer_at(const struct state *state, uint32_t answer)
{
    return table_at(&state->answers, answer);
}

static inline const struct deed_row *
state_deed(const struct state *state, uint32_t deed)
{
    return table_at(&state->deeds, deed);
}

static inline const struct form_tally *
state_tally(const struct state *state, uint32_t tally)
{
    return table_at(&state->tallies, tally);
}

static inline const struct booking *
state_booking(const struct state *state, uint32_t booking)
{
    return table_at(&state->bookings, booking);
}

/* When to look at an enrolment: INT64_MAX where nothing is planned. */
static inline int64_t
state_wake(const struct state *state, const struct enrolment *row)
{
    return row->wake == WAKE_AT_DUE  ? row->due_ms
           : row->wake == WAKE_LATER ? state_enrolment_more(state, row)->wake_ms
                                     : INT64_MAX;
}

/* What its step counts from: the delivery of the step before, or its due instant (SPEC R2). */
static inline int64_t
state_base(const struct state *state, const struct enrolment *row)
{
    return row->base_before_ms != NO_ID ? row->due_ms - row->base_before_ms
                                        : state_enrolment_more(state, row)->base_ms;
}

/* A text by its number, valid until the next apply; NULL for TEXT_NONE. */
const char *state_text(const struct state *state, uint32_t text);
/* NULL: not known, or erased. */
const char *state_name(const struct state *state, uint32_t friend);
/* The LINE user id, in `room` or as state_text(); NULL once erased. */
enum { LINE_ID_ROOM = 34 };
const char *state_line_id(const struct state *state, uint32_t friend, char room[LINE_ID_ROOM]);
int64_t state_follow_line_at(const struct state *state, uint32_t friend);

/* NO_ID when no friend has that LINE user id. */
uint32_t state_find_friend(const struct state *state, struct span line_id);
/* The friend's `tz` where it is no time zone, so that the account's stands in (SPEC R1); else NULL. */
const char *state_unknown_zone(const struct state *state, uint32_t friend);
bool state_has_finished(const struct state *state, uint32_t friend, uint32_t scenario);
bool state_has_tapped(const struct state *state, uint32_t friend, uint32_t button);
bool state_has_received(const struct state *state, uint32_t friend, uint32_t template);
bool state_has_tag(const struct state *state, uint32_t friend, uint32_t tag);
uint32_t state_tag_count(const struct state *state, uint32_t tag); /* friends that have it */
struct field_value state_value(const struct state *state, uint32_t friend, uint32_t field);
/* FIELD_TEXT for a field that the definitions do not have. */
enum field_type state_field_type(const struct state *state, uint32_t field);
/* The friend's running enrolment in that scenario; NO_ID when there is none. */
uint32_t state_enrolment_in(const struct state *state, uint32_t friend, uint32_t scenario);
/* Was the step delivered, skipped, done or taken out in this enrolment? */
bool state_step_decided(const struct state *state, uint32_t enrolment, uint32_t step);
/* Index of the open delivery with that id; NO_ID when it is not open. */
uint32_t state_find_delivery(const struct state *state, uint32_t friend, uint64_t delivery_seq);

/* The friend's open delivery that was intended by that event; NO_ID when there is none. */
uint32_t state_find_intent(const struct state *state, uint32_t friend, uint64_t intent_seq);

/* By itself, with its scenario, or because the definitions say so (SPEC R22). */
bool state_is_paused(const struct state *state, const struct enrolment *enrolment);

/* The rank that the score has; NO_ID: none yet. */
uint32_t state_rank(const struct state *state, int64_t score);
/* The recent score at that instant: what silence has taken is gone, and never below 0 (SPEC R37). */
int64_t state_recent_score(const struct state *state, uint32_t friend, int64_t now_ms);

/* Does nothing reach the friend, or nothing that they do start anything: blocked by them or by an
 * operator (SPEC R15, R16)? The second: why. */
bool state_is_blocked(const struct state *state, uint32_t friend);
enum reason state_block_reason(const struct state *state, uint32_t friend);

/* How many pushes a class has left in the month that is counted (SPEC R11). */
uint32_t state_allowance(const struct state *state, enum message_class message_class);
uint32_t state_quota_limit(const struct state *state);            /* NO_LIMIT when there is none */
uint32_t state_cap(const struct state *state, uint32_t scenario); /* NO_LIMIT when there is none */

/* What the state takes of memory, by kind, for people. */
struct state_use {
    const char *kind; /* "friends" */
    uint64_t count;   /* rows, or what else there is */
    size_t bytes;
};
enum { STATE_USES_MAX = 20 };
uint32_t state_memory(const struct state *state, struct state_use out_uses[STATE_USES_MAX]);

/* The state's fingerprint: equal for live, replayed and restored runs of the same events. Over
 * members and values in a fixed order. Texts and dates, which may be erased, count as being there. */
uint64_t state_digest(const struct state *state);

#endif
