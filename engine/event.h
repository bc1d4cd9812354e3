/* event - the facts and decisions the log keeps, as structs.
 *
 * Shape    one struct an event: who (the friend), the number of that friend's previous event (the
 *          back-chain, DESIGN 5), and what, by kind. What a person wrote or is called (names, texts,
 *          ids of LINE) stands in `words`, kept apart as content; they are absent once erased.
 *          proto/event.h turns events into bytes by one table; docs/format.md prints that table.
 * Units    UTC milliseconds; numbers of events are dense from 1.
 * Errors   none.
 * Owner    spans and words are borrowed; struct events copies what is emitted into its own arena.
 */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include "engine/definitions.h"

/* Reaches disk: numbers are never reused. */
enum event_kind {
    EVENT_CLAIMED = 1,             /* a daemon opened the log to write */
    EVENT_STOPPED = 2,             /* a clean stop, with the digest of the state before it */
    EVENT_DEFINITIONS_APPLIED = 3, /* words: canonical definitions, author */
    EVENT_RELEASED = 4,            /* an operator let a copied directory send again (SPEC R45) */
    EVENT_FRIEND_ADDED = 10,       /* a LINE user id seen for the first time; words: the id */
    EVENT_FOLLOWED = 11,
    EVENT_UNFOLLOWED = 12,
    EVENT_MESSAGE_RECEIVED = 13,   /* words: text (absent for other types) */
    EVENT_TAPPED = 14,             /* words: postback data */
    EVENT_WEBHOOK_NOTED = 15,      /* recorded, starts nothing; words: LINE user id, if any */
    EVENT_WEBHOOK_UNREADABLE = 16, /* words: the body's bytes */
    EVENT_WEBHOOK_FOREIGN = 17,    /* for another bot; words: destination */
    EVENT_PROFILE_FETCHED = 18,    /* words: display name, picture url, language */
    EVENT_FRIEND_FORGOTTEN = 19,   /* goes with the erasing of words; again until none is left */
    EVENT_MESSAGE_UNSENT = 20,     /* goes with the erasing of that message's words (SPEC R50) */
    EVENT_TAG_ADDED = 30,
    EVENT_TAG_REMOVED = 31,
    EVENT_FIELD_SET = 32, /* words: the value, unless it is a number field's */
    EVENT_FIELD_CLEARED = 33,
    EVENT_SCORE_CHANGED = 34,
    EVENT_DRAWN = 35, /* what the random source said: a word of `draw:`, or a case of `split:` */
    EVENT_ONCE_DONE = 36,       /* an action with `once: yes` had its first time */
    EVENT_PAUSE_CHANGED = 37,   /* of one enrolment, or (about no friend) of a whole scenario */
    EVENT_STEP_REDIRECTED = 38, /* what follows the step under way is another one, or the end */
    EVENT_SEND_UNKNOWN = 39,    /* `send:` with insertions named no template; words: the name */
    EVENT_ENROLMENT_STARTED = 40,
    EVENT_START_REFUSED = 41,
    EVENT_STEP_PLANNED = 42,  /* the next step and its due instant */
    EVENT_STEP_DEFERRED = 43, /* judged, may not go now, waits until */
    EVENT_STEP_SKIPPED = 44,
    EVENT_STEP_DONE = 45,      /* a step without a message happened */
    EVENT_STEP_CANCELLED = 46, /* it will not come any more */
    EVENT_ENROLMENT_ENDED = 47,
    EVENT_GOAL_MOVED = 48,           /* a running reminder or date has another goal */
    EVENT_CLOCK_RESTARTED = 49,      /* a trigger's `after` counts from this instant again */
    EVENT_CUSTOM = 50,               /* a custom event */
    EVENT_MARK_SET = 51,             /* the response mark, or none */
    EVENT_DATES_LOOKED_THROUGH = 52, /* dates of these definitions are planned for friends up to */
    EVENT_DELIVERY_PLANNED = 60,     /* an answer to a friend's act; words: reply token, if any */
    EVENT_DELIVERY_INTENDED = 61,    /* about to be sent; words: the values inserted, in order */
    EVENT_DELIVERY_OUTCOME = 62,     /* words: LINE's request id, accepted request id */
    EVENT_DELIVERIES_INTENDED = 64,  /* one message to many, in one request (engine/crowd.h) */
    EVENT_DELIVERIES_OUTCOME = 65,   /* words: LINE's request id, accepted request id */
    EVENT_DELIVERY_CANCELLED = 63,   /* a planned answer that was never sent */
    EVENT_DELIVERY_DECIDED = 121,    /* by an operator, where the outcome was unknown (SPEC R48) */
    EVENT_FORM_ANSWERED = 70,        /* its answers are the events behind it */
    EVENT_ANSWER_GIVEN = 71,         /* one question's; words: text */
    EVENT_FORM_REFUSED = 72,
    EVENT_CONVERTED = 73,
    EVENT_BOOKED = 74,
    EVENT_BOOKING_CHANGED = 75,
    EVENT_BOOKING_CANCELLED = 76,
    EVENT_BOOKING_REFUSED = 77,
    EVENT_NOTIFIED = 78,    /* people are to be told; words: text */
    EVENT_MONTH_BEGUN = 90, /* the month of the quota turned: counting begins anew */
    EVENT_LINE_QUOTA = 105, /* what LINE says of the month's quota, where it is news */
    EVENT_QUOTA_SET = 91,   /* by an operator */
    EVENT_STEP_HELD = 92,   /* due, and kept back until something is raised */
    EVENT_DELIVERY_HELD = 93,
    EVENT_SCENARIO_AUTO_STOPPED = 94, /* with the delivery that reached its cap */
    EVENT_CAP_SET = 95,               /* by an operator */
    EVENT_DELIVERY_DEFERRED = 96,     /* judged, may not go now, waits until */
    EVENT_DEFINITIONS_FOLLOWED = 97,  /* every enrolment is where the newest set has it */
    EVENT_BROADCAST_BEGUN = 98,       /* due: its audience is being chosen */
    EVENT_BROADCAST_CHOSEN = 99,      /* who of a slice of friends is in, and why not the others */
    EVENT_BROADCAST_SENDING = 100,    /* chosen, and it fits: the deliveries follow */
    EVENT_BROADCAST_HELD = 101,       /* chosen, and it does not fit into the quota */
    EVENT_BROADCAST_SENT = 102,       /* planned for all friends below `from` */
    EVENT_BROADCAST_ENDED = 103,
    EVENT_BROADCAST_FIT_SET = 104, /* by an operator */
    EVENT_ROUTE_SCANNED = 110,     /* its link was opened, or its QR code */
    EVENT_ROUTE_TAKEN = 111,       /* and it took effect (SPEC R28) */
    EVENT_CLICKED = 112,
    EVENT_LISTED = 113, /* hidden from lists, or shown again (SPEC R16) */
    EVENT_FIELD_REFUSED =
        116,                /* another friend has that value of a unique field; words: the value */
    EVENT_MENU_SET = 118,   /* the override of one friend, or its end */
    EVENT_MENU_SHOWN = 119, /* another rich menu is to be shown to the friend */
    EVENT_MENUS_LOOKED_THROUGH = 120, /* decided for friends up to */
    EVENT_IMPORTED = 117,             /* rows of a table were taken in; words: its name */
    EVENT_START_ASKED = 130,    /* friends were asked whether a scenario is for them (SPEC R54) */
    EVENT_OPERATOR_BLOCK = 114, /* tags, fields and score go, nothing is sent; or its end */
};

/* Why, in the words of SPEC R42 and LANGUAGE 13. Reaches disk. */
enum reason {
    REASON_NONE = 0,
    REASON_CONDITION = 1,
    REASON_STALE = 2,
    REASON_WINDOW = 3, /* deferred */
    REASON_LATE_DAY0 = 4,
    REASON_AT_STEP = 5,
    REASON_BLOCKED_BY_FRIEND = 6,
    REASON_FINISHED = 7, /* an enrolment that came to its end */
    REASON_STOPPED = 8,  /* by `stop:` of `source` or by an operator */
    REASON_SWITCHED = 9,
    REASON_RESTARTED = 10,
    REASON_ACTIVE = 11,  /* a refused start: runs already */
    REASON_REENTRY = 12, /* a refused start: reentry: never */
    REASON_STANDBY = 13, /* noted: another module holds the chat (SPEC R49) */
    REASON_GROUP = 14,   /* noted: from a group or room */
    REASON_UNKNOWN_TYPE = 15,
    REASON_OLD = 16, /* noted: older than the de-duplication period, or than what is known */
    REASON_NO_SOURCE = 17,
    REASON_RESTORED = 18,  /* belongs to the life before a copy or restore (SPEC R45) */
    REASON_FORGOTTEN = 19, /* the friend was forgotten (SPEC R51) */
    REASON_PAUSED = 20,
    REASON_GOTO = 21,
    REASON_ENDED = 22,         /* by `end: scenario` */
    REASON_LOOP = 30,          /* a refused start: one thing set off another too often */
    REASON_NO_GOAL = 31,       /* a refused start: the field that holds the goal is empty */
    REASON_PAST_AT_START = 32, /* SPEC R32 */
    REASON_RESCHEDULED = 33,   /* SPEC R32: the goal moved */
    REASON_LIMIT = 40,         /* a form answered, or a calendar booked, often enough */
    REASON_DEADLINE = 41,      /* to answer or to book */
    REASON_FULL = 42,
    REASON_CANCEL_DEADLINE = 44, /* also for changes */
    REASON_CLOSED = 45,          /* no slot is offered then */
    REASON_PAST = 46,
    REASON_NO_BOOKING = 47,   /* nothing to change or cancel */
    REASON_QUOTA = 50,        /* held: the month's messages are used up (SPEC R11) */
    REASON_SCENARIO_CAP = 51, /* held: its scenario has reached its cap (SPEC R12) */
    REASON_FREQUENCY = 52,    /* deferred: enough of today, or of this week (SPEC R13) */
    REASON_STALE_CAP = 53,    /* the frequency caps would make it late beyond grace */
    REASON_REMOVED = 54,      /* its step, or its scenario, was taken out of the definitions */
    REASON_EDITED = 55,       /* planned anew: the definitions changed (SPEC R26) */
    REASON_OPERATOR = 56,     /* cancelled by hand */
    REASON_OPERATOR_BLOCKED = 60,
    REASON_OUTSIDE_VALIDITY = 62, /* a refused start (SPEC R54) */
    REASON_ZONE = 63,             /* planned anew: the friend lives in another zone (SPEC R1) */
    REASON_TAKEN = 61,            /* a unique value that another friend has (SPEC R19) */
};

/* What an event came from: LANGUAGE 13 "Sources". Reaches disk. */
enum source_kind {
    SOURCE_NONE = 0,
    SOURCE_FRIEND_ADD = 1, /* id: 0 new, 1 existing, 2 unblocked */
    SOURCE_STEP = 2,       /* id: scenario, sub: step */
    SOURCE_BUTTON = 3,
    SOURCE_AUTO_REPLY = 4,
    SOURCE_OPERATOR = 5, /* id: uid of the caller */
    SOURCE_DEFINITIONS = 6,
    SOURCE_FINISH = 7, /* id: scenario */
    SOURCE_FORM = 15,
    SOURCE_CALENDAR = 16, /* also an event's */
    SOURCE_CONVERSION = 17,
    SOURCE_ROUTE = 21,
    SOURCE_LINK = 22,
    SOURCE_ON = 10, /* what a trigger is on. id: enum trigger_on_kind, sub: its id */
    SOURCE_BROADCAST = 20,
};
enum { FRIEND_ADD_NEW = 0, FRIEND_ADD_EXISTING = 1, FRIEND_ADD_UNBLOCKED = 2 };
struct source {
    enum source_kind kind;
    uint32_t id;
    uint32_t sub;
};

enum delivery_how { HOW_REPLY = 1, HOW_PUSH = 2 }; /* reaches disk */

enum delivery_result { /* reaches disk */
                       RESULT_SENT = 1,
                       RESULT_FAILED = 2,
                       RESULT_UNKNOWN = 3,
                       RESULT_RETURNED =
                           4, /* never left or was refused without harm: due again, by push */
                       RESULT_ALONE = 5, /* refused with others, LINE does not say for whom: due
                                            again, in a request of its own */
};

/* One template of a delivery, and the step it belongs to when it belongs to one. */
struct delivery_item {
    uint32_t template;
    uint32_t enrolment; /* NO_ID: not a step's */
    struct source source;
};
enum { DELIVERY_ITEMS_MAX = 5 };

struct event {
    uint64_t seq; /* 0 until it has a number */
    int64_t at_ms;
    enum event_kind kind;
    uint32_t friend;      /* NO_ID: about no friend */
    uint64_t friend_prev; /* that friend's previous event, 0 for the first */
    const struct span *words;
    uint32_t word_count;
    bool words_erased; /* read back from a log whose content row is gone */
    struct source source;

    union {
        struct {
            uint8_t run_id[16];
            uint64_t inode, birth_ns; /* of the data file */
            struct span machine, path, version;
            uint64_t former_claim; /* held: the last claim before the copy; 0: not held */
        } claimed;
        struct {
            int64_t from_ms; /* what was due before this is not sent any more */
        } released;
        struct {
            uint64_t digest;
            uint32_t state_version; /* 0: the first, from before it was recorded */
        } stopped;
        struct {
            uint8_t hash[16];
            struct definitions *definitions; /* not encoded: made from the canonical words */
        } definitions;
        struct {
            bool followed; /* added by a follow; false: known to LINE before us (SPEC R17) */
            bool scanned;  /* added by opening a route's link: no friend before the follow */
        } friend_added;
        struct { /* FOLLOWED UNFOLLOWED MESSAGE_RECEIVED TAPPED WEBHOOK_NOTED MESSAGE_UNSENT */
            struct span webhook_id, type, message_id;
            int64_t line_at_ms;
            uint32_t button, choice; /* TAPPED: what was understood; NO_ID: nothing */
            enum reason reason;      /* NOTED; others: REASON_NONE, or why it changed nothing */
            bool unblocked, standby, redelivered;
            uint64_t message;     /* UNSENT: the event of the message; 0: it is not known */
            uint64_t choice_hash; /* TAPPED: of the choice's text; 0: none */
            bool over_limit;      /* TAPPED: beyond the button's limit (SPEC R31) */
        } act;
        struct { /* WEBHOOK_UNREADABLE WEBHOOK_FOREIGN */
            uint8_t sha256[32];
            uint32_t event_count;
            uint64_t before; /* UNREADABLE: the one before, so that all are found again; 0: none */
        } webhook;
        struct {
            bool found; /* false: LINE has no profile for this friend */
        } profile;
        struct {
            uint32_t erased; /* rows that went with this event's commit */
            /* Where erasing goes on: down the friend's chain, down the unreadable bodies; 0: done. */
            uint64_t next, next_body;
        } forgotten;
        struct {
            uint32_t tag;
        } tag;
        struct {
            uint32_t field;
            int64_t number; /* of a number field */
        } field;
        struct {
            struct span name, value; /* "draw:hand", "rock"; empty: a split */
            uint32_t place;          /* of the word or the case, from 1 */
        } drawn;
        struct {
            struct span pattern; /* "T_rec_{{taste}}" */
        } send_unknown;
        struct {
            uint32_t enrolment, scenario; /* enrolment NO_ID: the whole scenario */
            bool paused;
            int64_t shift_ms; /* by which the start moves at the end of a pause */
        } pause;
        struct {
            uint64_t key;
        } once;
        struct {
            int64_t by, score; /* what was added, and what it is now */
            int64_t recent;    /* the recent score, of which silence takes its share from here on */
        } score;
        struct { /* ENROLMENT_* START_REFUSED STEP_* */
            uint32_t enrolment, scenario, step;
            int64_t start_ms; /* ENROLMENT_STARTED */
            int64_t due_ms;   /* STEP_*: the original due instant */
            int64_t until_ms; /* STEP_DEFERRED */
            uint32_t shift_days;
            enum reason reason;
            int64_t goal_ms; /* ENROLMENT_STARTED GOAL_MOVED; of reminders and dates */
            uint64_t key;    /* ENROLMENT_STARTED; of reminders (engine/reminder.h) */
            uint32_t links;  /* ENROLMENT_STARTED: triggers that set off each other, up to here */
            int64_t base_ms; /* STEP_PLANNED: what a step after the previous one counts from */
        } step;
        struct {
            struct span name;
        } custom;
        struct {
            uint32_t mark; /* NO_ID: none */
        } mark;
        struct {
            uint32_t up_to; /* friends below this index */
        } dates;
        struct { /* START_ASKED */
            uint32_t scenario, up_to;
        } asked;
        struct {               /* DELIVERY_* */
            uint64_t delivery; /* number of the event that made it; 0: this one does */
            uint64_t body_hash;
            int64_t due_ms;
            int64_t token_at_ms; /* when the reply token arrived; 0: none */
            enum message_class message_class;
            enum delivery_how how;
            enum delivery_result result;
            enum reason reason;
            bool presumed; /* SPEC R10: sent, as far as anyone can know */
            uint32_t code; /* HTTP status; 0: none came */
            uint32_t item_count;
            struct delivery_item items[DELIVERY_ITEMS_MAX];
            int64_t until_ms;  /* HELD: when it goes stale; DEFERRED: when it is judged again */
            struct span crowd; /* DELIVERIES_*: who (engine/crowd.h) */
            uint32_t member;   /* DELIVERIES_INTENDED: enum crowd_member */
            uint64_t anew;     /* DECIDED, returned: the delivery that was made instead */
        } delivery;
        struct {                   /* MONTH_BEGUN QUOTA_SET LINE_QUOTA */
            uint32_t month, limit; /* 202606; messages */
            bool limited;          /* LINE_QUOTA: by `limit` */
            uint32_t elsewhere;    /* LINE_QUOTA: of the month, used by others than us */
            bool spent;            /* LINE_QUOTA: LINE refused one for it */
            int64_t until_ms;      /* MONTH_BEGUN: the end of it */
        } quota;
        struct { /* SCENARIO_AUTO_STOPPED CAP_SET */
            uint32_t scenario, limit;
        } cap;
        struct { /* BROADCAST_* */
            uint32_t broadcast;
            uint32_t from, count;     /* CHOSEN: the slice; SENDING, HELD: the audience */
            int64_t due_ms, until_ms; /* HELD: when it goes stale */
            enum reason reason;
            bool partial;        /* FIT_SET */
            struct span verdict; /* CHOSEN: a letter a friend (engine/broadcast.c) */
        } broadcast;
        struct { /* FORM_* ANSWER_GIVEN */
            uint32_t form;
            uint32_t question; /* GIVEN; REFUSED: of the choice that is full */
            uint32_t option;   /* GIVEN: the choice, NO_ID for other types; REFUSED: the full one */
            int64_t number;    /* GIVEN: of a number; dates are words, which can be erased */
            enum reason reason;
        } form;
        struct {
            uint32_t conversion;
            bool counted; /* false: it was not the first, and only the first counts (SPEC R36) */
        } conversion;
        struct { /* BOOKED BOOKING_* */
            uint32_t booking, calendar;
            uint32_t slot;   /* of an event; NO_ID: a calendar's time */
            int64_t at_ms;   /* when the slot begins */
            int64_t from_ms; /* CHANGED: where it was before */
            enum reason reason;
        } booking;
        struct {
            uint32_t to; /* NO_ID: everybody under `notify` */
        } notified;
        struct {
            uint32_t field;
            uint32_t owner; /* the friend who has it */
        } field_refused;
        struct {
            uint32_t menu; /* NO_ID: none */
        } menu;
        struct {
            uint32_t up_to;
            int64_t day;
        } menus;
        struct {
            uint32_t updated, unknown; /* rows of friends, and of nobody known */
        } imported;
        struct {
            bool hidden;
        } listed;
        struct {
            bool blocked;
        } operator_block;
        struct {
            uint32_t route;
        } route;
        struct {
            uint32_t link;
            bool first;       /* of this friend on this link */
            bool known;       /* it was sent to the friend before */
            uint32_t after_s; /* known: since its newest delivery */
        } clicked;
    } u;
};

/* The events of one pass, in order, with copies of their spans and words. */
struct events {
    struct event *items;
    uint32_t count;
    uint32_t capacity;
    struct arena *arena;
};

void events_init(struct events *events);
void events_fini(struct events *events);
void events_clear(struct events *events);
/* Copies the event, its spans and its words; returns the copy. */
struct event *events_add(struct events *events, const struct event *event);

const char *event_kind_name(enum event_kind kind); /* "step_planned"; NULL for an unknown number */
const char *reason_name(enum reason reason);
const char *source_kind_name(enum source_kind kind);
const char *result_name(enum delivery_result result);
const char *how_name(enum delivery_how how);
const char *class_name(enum message_class message_class);

#endif
