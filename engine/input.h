/* input - what comes in: a webhook event, LINE's answer, a call of an operator, new definitions.
 *
 * Shape    one struct an input, handed to engine_handle() one at a time, in order. A due step is no
 *          input of this kind: it waits in the engine until engine_take() asks for it (DESIGN 6).
 * Units    UTC milliseconds. at_ms is the daemon's clock, once per pass; line_at_ms is LINE's timestamp.
 * Errors   none: any input is legal in any state; one that means nothing yields events that say so.
 * Owner    spans are borrowed for the call.
 */
#ifndef ENGINE_INPUT_H
#define ENGINE_INPUT_H

#include "engine/event.h"

enum input_kind {
    INPUT_CLAIM,
    INPUT_STOP,
    INPUT_RELEASE,
    INPUT_DEFINITIONS,
    INPUT_FOLLOW,
    INPUT_UNFOLLOW,
    INPUT_MESSAGE,
    INPUT_POSTBACK,
    INPUT_UNSEND,
    INPUT_NOTED, /* a webhook event that is recorded and starts nothing */
    INPUT_UNREADABLE,
    INPUT_FOREIGN,
    INPUT_PROFILE,
    INPUT_OUTCOME,
    INPUT_FORGET,
    INPUT_TAG,
    INPUT_FIELD,
    INPUT_START_SCENARIO,
    INPUT_STOP_SCENARIO,
    INPUT_SCORE,
    INPUT_PAUSE, /* friend NO_ID: the whole scenario */
    INPUT_RESUME,
    INPUT_FINISHED, /* a friend known to have finished a scenario before */
    INPUT_CUSTOM_EVENT,
    INPUT_MARK,
    INPUT_LINE_QUOTA,
    INPUT_QUOTA, /* an operator's word: so many messages a month */
    INPUT_CAP,   /* the same for a scenario */
    INPUT_BROADCAST_CANCEL,
    INPUT_BROADCAST_FIT,
    INPUT_FORM,
    INPUT_CONVERSION,
    INPUT_BOOK,
    INPUT_CHANGE_BOOKING,
    INPUT_CANCEL_BOOKING,
    INPUT_LIST,     /* hide, show */
    INPUT_BLOCK,    /* an operator's block, and its end */
    INPUT_IMPORTED, /* says what rows of a table came to; their changes are inputs before it */
    INPUT_SCAN,
    INPUT_CLICK,
    INPUT_UNKNOWN, /* an operator's word on deliveries of unknown outcome */
};

/* One answer to one question; a question with several choices has one each. */
struct form_answer {
    uint32_t question;
    uint32_t option;  /* NO_ID: no choice */
    int64_t number;   /* number, and the day of a date */
    struct span text; /* the other types, and a date as it is written */
};

struct input {
    enum input_kind kind;
    int64_t at_ms;
    uint32_t author; /* uid of the operator for the operator's inputs */
    bool quiet;      /* fires no triggers (SPEC R58) */
    union {
        struct {
            uint8_t run_id[16];
            uint64_t inode, birth_ns; /* of the data file; 0: not known */
            struct span machine, path;
            bool replaced; /* the directory has held another log, or more of this one */
            bool renewed;  /* we wrote this file ourselves, from the one claimed before */
        } claim;
        struct {
            int64_t from_ms;
        } release;
        struct {
            struct definitions *definitions; /* the engine takes a reference of its own */
            struct span author_name;
        } definitions;
        struct {                 /* FOLLOW UNFOLLOW MESSAGE POSTBACK UNSEND NOTED */
            struct span user_id; /* empty: none was given */
            struct span webhook_id, reply_token;
            int64_t line_at_ms;
            struct span type;             /* of the event (NOTED) or of the message (MESSAGE) */
            struct span message_id, text; /* MESSAGE; UNSEND: the id */
            uint64_t message;             /* UNSEND: the event it was received with; 0: not found */
            struct span data;             /* POSTBACK */
            enum reason reason;           /* NOTED: why */
            bool unblocked;               /* FOLLOW */
            bool standby, redelivered;
        } act;
        struct {
            uint8_t sha256[32];
            struct span bytes;       /* UNREADABLE: the body */
            struct span destination; /* FOREIGN */
            uint32_t event_count;    /* FOREIGN */
        } webhook;
        struct {
            bool limited;
            uint32_t limit, used; /* as LINE says, this month's */
            bool spent;           /* LINE refused a request for it; then nothing else is known */
        } line_quota;
        struct {
            uint32_t friend;
            bool found;
            struct span name, picture, language;
        } profile;
        struct {
            uint32_t friend;
            uint64_t delivery;       /* of a request to many: the number of its intent */
            const uint32_t *friends; /* of a request to many; else NULL */
            uint32_t friend_count;
            uint32_t bad; /* the one of them whom LINE names as wrong; NO_ID: none */
            enum delivery_result result;
            bool presumed;
            uint32_t code;
            struct span request_id, accepted_request_id;
        } outcome;
        struct { /* FORGET: the first of a friend begins it, later ones say how far erasing came */
            uint32_t friend;
            uint32_t erased;
            uint64_t next, next_body;
        } forget;
        struct {
            uint32_t friend, tag;
            bool add;
        } tag;
        struct {
            uint32_t friend, field;
            bool clear;
            int64_t number;
            struct span text;
        } field;
        struct {
            uint32_t friend;
            int64_t by;
        } score;
        struct { /* START_SCENARIO STOP_SCENARIO FINISHED PAUSE RESUME */
            uint32_t friend, scenario;
            uint32_t at_step; /* START: NO_ID = the first */
            bool shift;       /* RESUME */
        } scenario;
        struct {
            uint32_t limit;
        } quota;
        struct {
            uint32_t scenario, limit;
        } cap;
        struct {
            uint32_t broadcast;
            bool partial; /* FIT */
        } broadcast;
        struct {
            uint64_t delivery;
            uint32_t friend;               /* NO_ID: all who shared its request */
            enum delivery_result decision; /* SENT FAILED, or RETURNED: send it anew */
        } unknown;
        struct {
            uint32_t friend, form;
            const struct form_answer *answers; /* of this form's questions, each of its type */
            uint32_t answer_count;
        } form;
        struct {
            uint32_t friend, conversion;
        } conversion;
        struct { /* BOOK CHANGE_BOOKING CANCEL_BOOKING */
            uint32_t friend, calendar;
            uint32_t slot;    /* of an event; NO_ID: at_ms says */
            int64_t at_ms;    /* of a calendar: when the slot begins */
            bool by_operator; /* not bound by deadlines (SPEC R39) */
        } booking;
        struct {
            struct span name;
            uint32_t updated, unknown;
        } imported;
        struct {
            uint32_t friend;
            bool on; /* hidden; blocked */
        } list;      /* LIST BLOCK */
        struct {
            struct span user_id;
            uint32_t route;
        } scan;
        struct {
            uint32_t friend, link;
        } click;
        struct {
            uint32_t friend;
            struct span name;
        } custom_event;
        struct {
            uint32_t friend;
            uint32_t mark; /* NO_ID: none */
        } mark;
    } u;
};

#endif
