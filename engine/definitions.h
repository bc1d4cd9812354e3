/* definitions - what the files say, checked, compiled and in force; read-only for the engine.
 *
 * Shape    one value a set. Every named thing has a small integer id that is its own for ever: an id
 *          stays with its name through every later set, and a removed name keeps its id with in_force
 *          false, so that old events stay readable. Everything a step inherits (window, grace, class,
 *          zone) is resolved when the set is compiled (LANGUAGE 3, 8), so the engine looks nothing up.
 * Units    durations and instants are milliseconds, times of day minutes, ids 32-bit indexes.
 * Errors   none here; proto/definition.h makes these values and reports what is wrong with a file.
 * Owner    counted: definitions_retain()/definitions_release(). All memory is in the set's own arena.
 */
#ifndef ENGINE_DEFINITIONS_H
#define ENGINE_DEFINITIONS_H

#include "engine/base/arena.h"
#include "engine/civil.h"

#define NO_ID UINT32_MAX

/* SPEC R8. The order is that of the delivery queues (SPEC R47). Reaches disk. */
enum message_class {
    CLASS_EMERGENCY = 0,
    CLASS_RESPONSE = 1,
    CLASS_TRANSACTIONAL = 2,
    CLASS_MARKETING = 3,
};
enum { CLASS_COUNT = 4 };

/* Index = id. A set's names hold every name that ever was. */
struct name {
    const char *text;
    bool in_force;
};
struct names {
    struct name *items;
    uint32_t count;
};

enum field_type { /* SPEC R18; reaches disk */
                  FIELD_TEXT = 1,
                  FIELD_NUMBER = 2,   /* a whole number, int64 */
                  FIELD_DATE = 3,     /* a day number since 1970-01-01 */
                  FIELD_DATETIME = 4, /* UTC ms */
                  FIELD_IMAGE = 5,
                  FIELD_FILE = 6,
};

struct field {
    enum field_type type;
    bool has_start, has_min;
    bool unique;   /* a second friend claiming a value is refused (SPEC R19) */
    int64_t start; /* what an unset number counts as */
    int64_t min;   /* a subtraction below it is refused (SPEC R57) */
};

/* A condition compiled to postfix: operands push, and/or pop two, not pops one. No ops = true. */
enum condition_op_kind {
    CONDITION_TRUE,
    CONDITION_TAG,
    CONDITION_AND,
    CONDITION_OR,
    CONDITION_NOT,
    CONDITION_IN,       /* runs that scenario; with sub: waits for that step of it */
    CONDITION_FINISHED, /* has finished that scenario */
    CONDITION_TAPPED,   /* has tapped that button, ever */
    CONDITION_RECEIVED, /* was sent that template, ever */
    CONDITION_COMPARE,
    CONDITION_MARK,
    CONDITION_ANSWERED,  /* has answered that form, ever */
    CONDITION_CONVERTED, /* has made that conversion, ever */
    CONDITION_BOOKED,    /* has a booking there that has not begun */
    CONDITION_ROUTE,     /* came by that route, or took it later, ever */
    CONDITION_CLICKED,   /* has clicked that link, ever */
    CONDITION_RANK,      /* the score has that rank now */
    CONDITION_RICH_MENU, /* that menu is shown to them */
};

/* When a fact has to have happened; what is booked: when its slot begins. */
enum within_kind { WITHIN_PERIOD, WITHIN_LAST, WITHIN_OF_DELIVERY };
struct within {
    enum within_kind kind;
    int64_t first_day, last_day; /* PERIOD, both included; INT64_MIN and INT64_MAX: open */
    int64_t ms;                  /* LAST, OF_DELIVERY */
};

/* One side of a comparison (LANGUAGE 2). */
enum value_kind {
    VALUE_LITERAL, /* of `type`: number or text */
    VALUE_SCORE,
    VALUE_NAME,
    VALUE_ADDED, /* the local date on which the friend came */
    VALUE_TODAY,
    VALUE_FIELD,
    VALUE_ACT,    /* of the act being answered; text is its name: "choice", "draw:hand" */
    VALUE_ANSWER, /* the friend's newest to question `field` of `form` */
    VALUE_RECENT_SCORE,
    VALUE_LANGUAGE, /* of the profile */
    VALUE_PICTURE,  /* of the profile: "yes", or empty */
};
struct value {
    enum value_kind kind;
    enum field_type type;
    uint32_t field;
    uint32_t form; /* ANSWER: NO_ID = whichever asked it last */
    int64_t number;
    struct span text;
};
enum comparison_kind { /* a != b is compiled to not a = b */
                       COMPARE_EQUAL,
                       COMPARE_LESS,
                       COMPARE_LESS_EQUAL,
                       COMPARE_GREATER,
                       COMPARE_GREATER_EQUAL,
                       COMPARE_CONTAINS,
                       COMPARE_EMPTY,
                       COMPARE_WITHIN,
};
struct comparison {
    enum comparison_kind kind;
    struct value left, right;
    int64_t first_day, last_day; /* WITHIN; INT64_MIN and INT64_MAX: open */
};

struct condition_op {
    enum condition_op_kind kind;
    uint32_t id;  /* of what the kind names */
    uint32_t sub; /* IN: the step; NO_ID: any */
    const struct comparison *comparison;
    const struct within *within; /* NULL: ever */
};
enum { CONDITION_DEPTH_MAX = 64 }; /* values on the stack; the compiler refuses more */
struct condition {
    const struct condition_op *ops;
    uint32_t op_count;
};

/* A template is its request JSON cut at the insertions: part, value, part, value, ... part. */
enum insertion_kind {
    INSERTION_NAME,
    INSERTION_FIELD,
    INSERTION_SLOT,     /* of the friend's newest booking there (engine/calendar.h) */
    INSERTION_ANSWER,   /* the friend's newest (engine/form.h) */
    INSERTION_FORM,     /* the link to a form */
    INSERTION_GOAL,     /* of the reminder whose step it is */
    INSERTION_CALENDAR, /* the link to a calendar */
    INSERTION_SCORE,
    INSERTION_ACT,  /* of the act being answered */
    INSERTION_LINK, /* the address of a link */
};
struct insertion {
    enum insertion_kind kind;
    uint32_t field;       /* of FIELD; ANSWER: the question; FORM, CALENDAR, LINK: which */
    uint32_t form;        /* of INSERTION_ANSWER: NO_ID = whichever asked it last */
    struct span act;      /* of INSERTION_ACT: "choice", "draw:hand" */
    struct span fallback; /* used where the value is empty; may be empty itself */
};
/* A text with insertions: part, value, part, ... part. */
struct pattern {
    struct span text;         /* as written */
    const struct span *parts; /* insertion_count + 1 */
    const struct insertion *insertions;
    uint32_t insertion_count;
};
struct template
{
    uint32_t object_count; /* 1..5 LINE message objects (SPEC R9) */
    const struct span
        *parts; /* insertion_count + 1 runs of JSON text: the objects, comma separated */
    const struct insertion *insertions;
    uint32_t insertion_count;
};

enum action_kind {
    ACTION_SEND,
    ACTION_TAG,
    ACTION_FIELD,
    ACTION_START,
    ACTION_STOP,
    ACTION_CHOOSE,
    ACTION_SCORE,
    ACTION_DRAW,
    ACTION_SPLIT,
    ACTION_GOTO, /* in steps only */
    ACTION_END,  /* likewise */
    ACTION_PAUSE,
    ACTION_RESUME,
    ACTION_NOTIFY,
    ACTION_CONVERT,
    ACTION_BOOK,
    ACTION_UNBOOK,
    ACTION_REMIND,
    ACTION_CANCEL,
    ACTION_EVENT,
    ACTION_MARK,
    ACTION_LIST,
    ACTION_RICH_MENU,
    ACTION_WAIT, /* the last of its list: the rest is its own */
};
enum field_change { FIELD_CHANGE_SET, FIELD_CHANGE_ADD, FIELD_CHANGE_SUBTRACT, FIELD_CHANGE_CLEAR };
/* How an action of `field:` comes by its value. */
enum field_origin {
    FIELD_LITERAL,
    FIELD_RANDOM,   /* number..high, drawn once (SPEC R18) */
    FIELD_INSERTED, /* pattern */
    FIELD_LATER,    /* number days from today, at at_min */
};
enum stop_scope { STOP_SCENARIO, STOP_LANE, STOP_ALL };

struct action;
/* LANGUAGE 1.5: whatever acts has one body; here each of its four words is a list of actions. */
struct body {
    const struct action *actions;
    uint32_t action_count;
    bool has_message; /* some action in it, at any depth, sends */
};

struct tag_change {
    uint32_t tag;
    bool add;
};
struct choose_case {
    struct condition condition;
    struct body body;
};
struct split_case {
    uint32_t share; /* at least 1 */
    struct body body;
};
struct action {
    enum action_kind kind;
    uint64_t once_key;          /* `once: yes`: of its place and words; 0: every time (SPEC R27) */
    struct condition condition; /* judged at the action's turn (SPEC R27) */
    union {
        struct {
            const uint32_t *templates;
            uint32_t template_count;
            /* NULL: none; else, where not NULL itself, the name of the template; templates[i] is
             * NO_ID there */
            const struct pattern *const *patterns;
        } send;
        struct {
            const struct tag_change *changes;
            uint32_t change_count;
        } tag;
        struct {
            uint32_t field;
            enum field_change change;
            int64_t number;   /* number, date and datetime fields; the amount of add and subtract */
            struct span text; /* text, image and file fields */
            enum field_origin origin;
            int64_t high;
            int32_t at_min;
            const struct pattern *pattern;
        } field;
        struct {
            uint32_t scenario;
            uint32_t at_step; /* step id; NO_ID = from the first */
        } start;
        struct {
            enum stop_scope scope;
            uint32_t id; /* scenario or lane */
            bool shift;  /* RESUME */
        } stop;          /* STOP PAUSE RESUME */
        struct {
            uint32_t step;
        } jump; /* GOTO */
        struct {
            const struct choose_case *cases;
            uint32_t case_count;
        } choose;
        struct {
            int64_t by;
        } score;
        struct {
            struct span name; /* as conditions and insertions call it: "draw:hand" */
            const struct span *words;
            uint32_t word_count;
        } draw;
        struct {
            const struct split_case *cases;
            const uint32_t *shares; /* of the cases, in order */
            uint32_t case_count;
        } split;
        struct {
            const struct template *text; /* its parts are plain text */
            uint32_t to;                 /* NO_ID: everybody under `notify` */
        } notify;
        struct {
            uint32_t conversion;
        } convert;
        struct { /* BOOK UNBOOK */
            uint32_t calendar;
            uint32_t slot; /* of an event; NO_ID: at_ms says */
            int64_t at_ms;
        } book;
        struct {
            uint32_t reminder;
            uint32_t key;    /* into key_names; CANCEL: NO_ID = every key */
            uint32_t field;  /* REMIND: where the goal stands; NO_ID: in goal_ms */
            int64_t goal_ms; /* REMIND */
        } remind;            /* REMIND CANCEL */
        uint32_t event;      /* into event_names */
        uint32_t mark;       /* NO_ID: none */
        uint32_t menu;       /* RICH_MENU; NO_ID: default, the override goes */
        bool hidden;         /* LIST */
        struct {
            uint32_t scenario;       /* of KIND_WAIT */
            const struct body *rest; /* its one step's; done at once where `if` is false */
        } wait;
    } u;
};

enum timing_kind { /* SPEC R2 */
                   TIMING_NOW,
                   TIMING_AFTER_START,    /* delay_ms */
                   TIMING_AFTER_PREVIOUS, /* delay_ms from the real delivery of the step before */
                   TIMING_DAY_AT,         /* days, at_min */
                   TIMING_DAYS_AFTER_PREVIOUS_AT, /* days 1..30, at_min */
                   TIMING_DAYS_BEFORE_GOAL_AT,    /* days 0.., at_min (SPEC R32) */
                   TIMING_BEFORE_GOAL,            /* delay_ms before the goal */
};
struct timing {
    enum timing_kind kind;
    int64_t delay_ms;
    int32_t days;
    int32_t at_min; /* 0..1440 */
};

enum otherwise { OTHERWISE_SKIP, OTHERWISE_STOP, OTHERWISE_GOTO }; /* SPEC R23 */

struct step {
    uint32_t id; /* within its scenario, for ever */
    const char *name;
    struct timing timing;
    struct condition condition;
    enum otherwise otherwise;
    uint32_t otherwise_step; /* GOTO: a later one */
    struct body body;
    struct window window;
    int64_t grace_ms;
    enum message_class message_class;
    int32_t priority;
};

enum late_day0 { LATE_DAY0_SHIFT, LATE_DAY0_SKIP, LATE_DAY0_SEND_NOW }; /* SPEC R3 */
enum reentry { REENTRY_IF_NOT_ACTIVE, REENTRY_NEVER, REENTRY_ALWAYS };  /* SPEC R21 */

/* What runs for a friend as an enrolment with steps. All share one name space (LANGUAGE 1). */
enum scenario_kind {
    KIND_SCENARIO,
    KIND_REMINDER,
    KIND_TRIGGER,
    KIND_DATE,
    KIND_WAIT, /* what follows a `wait:` in a list; named after its place, as "q1~1" */
};
enum { SCENARIO_KIND_COUNT = 4 /* that have a section in the files */ };
enum { REMINDER_STEPS_MAX = 64 }; /* ids of steps that one reminder may ever use */

enum trigger_on_kind { /* LANGUAGE 10; reaches disk */
                       ON_FOLLOW = 1,
                       ON_UNBLOCK = 2,
                       ON_MESSAGE = 3,
                       ON_TAPPED = 4,         /* id: button; sub: choice, NO_ID = any */
                       ON_EVENT = 5,          /* id: into event_names */
                       ON_TAG_ADDED = 6,      /* id: tag */
                       ON_TAG_REMOVED = 7,    /* id: tag */
                       ON_MARK = 8,           /* id: mark */
                       ON_FIELD_CHANGED = 9,  /* id: field */
                       ON_FIELD_REACHES = 10, /* id: field; number: the threshold, upward */
                       ON_SCORE_REACHES = 11, /* number: the threshold, upward */
                       ON_FINISHED = 12,      /* id: scenario */
                       ON_ANSWERED = 13,      /* id: form */
                       ON_CLICKED = 14,       /* id: link */
                       ON_CONVERTED = 15,     /* id: conversion */
                       ON_BOOKED = 16,        /* id: calendar or event */
                       ON_RANK = 17,          /* id: rank */
                       ON_RICH_MENU = 18,     /* id: rich menu */
};
struct trigger_on {
    enum trigger_on_kind kind;
    uint32_t id;  /* NO_ID where the kind has none */
    uint32_t sub; /* NO_ID where the kind has none */
    int64_t number;
};
struct trigger_rule { /* one `on:` or `cancel_on:` of a trigger */
    struct trigger_on on;
    uint32_t scenario; /* the trigger's id */
    bool cancels;
};

struct date { /* SPEC R34 */
    uint32_t field;
    int32_t days; /* after the field's day; negative: before */
    int32_t at_min;
    bool yearly;
};

struct scenario {
    enum scenario_kind kind;
    const char *title; /* NULL when the file has none */
    uint32_t lane;     /* NO_ID: in none, as all kinds but KIND_SCENARIO */
    bool once;         /* KIND_TRIGGER: for a friend's first time only */
    struct date date;  /* KIND_DATE */
    const struct zone *zone;
    bool friend_zone; /* zone: friend; `zone` is the account's, where a friend says none */
    enum reentry reentry;
    enum late_day0 late_day0;
    const struct step *steps; /* in order; empty for a removed scenario */
    uint32_t step_count;
    bool disabled; /* SPEC R22: paused for all */
    bool has_valid;
    int64_t first_day, last_day; /* valid: on which it may start, both included (SPEC R54) */
    bool
        starts_once; /* for everybody who meets start_for when it first comes into force (SPEC R54) */
    struct condition start_for;
    struct body on_finish; /* SPEC R25; sends nothing */
    /* By step id, removed ones included. The one step of a trigger or date has the name "". */
    struct names step_names;
    uint32_t cap; /* deliveries, then it stops itself (SPEC R12); 0: none */
};

enum tap_limit { TAPS_ANY, TAPS_ONCE, TAPS_ONCE_PER_CHOICE, TAPS_ONCE_PER_DAY }; /* SPEC R31 */
struct button {
    const char *const *choices; /* NULL = any */
    uint32_t choice_count;
    struct condition condition;
    struct body body;
    enum tap_limit limit;
    struct body over_limit;
};

/* Hours of the week (LANGUAGE 2); a span's hours belong to the day they begin on. */
struct hours_span {
    uint8_t days; /* bit 0 = Sunday */
    int16_t open_min, close_min;
};
struct hours {
    const struct hours_span *spans;
    uint32_t span_count; /* 0: always */
    bool negated;
};
bool hours_hold(const struct hours *hours, const struct zone *zone, int64_t at_ms);

enum match_kind { MATCH_EXACT, MATCH_CONTAINS, MATCH_PREFIX, MATCH_ANY }; /* SPEC R29 */
struct auto_reply {
    uint32_t id;
    enum match_kind match;
    const struct span *texts;
    uint32_t text_count;
    struct condition condition;
    bool continues; /* later ones may answer too */
    bool folds;     /* width, case and kana alike; texts are folded already */
    bool has_valid;
    int64_t first_day, last_day; /* valid: both included */
    struct hours during;
    struct body body;
};

/* When a schedule comes (LANGUAGE 2 "Recurring"), in the account's zone. */
struct recurrence {
    bool monthly;
    uint8_t days;      /* of the week, bit 0 = Sunday */
    int32_t month_day; /* MONTHLY: 1..31, months without it are passed over; 0: the last */
    int32_t at_min;
};

struct broadcast {     /* SPEC R33, R11; a schedule is one that comes again and again */
    const char *title; /* NULL when the file has none */
    int64_t at_ms;
    struct condition to; /* judged at the send */
    bool partial;        /* fit: as far as the quota goes; false: all or none */
    bool recurs;         /* a schedule: at_ms is not used */
    struct recurrence every;
    struct body body;
    struct window window;
    int64_t grace_ms;
    enum message_class message_class;
    int32_t priority;
};

struct score_rank { /* SPEC R37 */
    uint32_t id;
    int64_t from; /* the lowest score that has it */
};

struct account {
    const char *name; /* NULL when the file has none */
    const struct zone *zone;
    int64_t grace_ms;
    int64_t class_grace_ms[CLASS_COUNT]; /* SPEC R8; else the account's */
    bool reply_unknown_push;             /* SPEC R10's account option */
    bool has_quota;
    uint32_t quota, quota_reserve; /* messages a month (SPEC R11) */
    uint32_t per_day, per_week;    /* marketing pushes to one friend (SPEC R13); 0: no cap */
};

struct definitions {
    uint32_t references;
    struct arena *arena;
    struct span canonical; /* JSON: the checked tree and the ids; what the log keeps */
    uint8_t hash[16];      /* of canonical */

    struct account account;
    struct names tag_names, field_names, template_names, lane_names, scenario_names, button_names,
        auto_reply_names;
    const struct field *fields;       /* by id */
    const struct template *templates; /* by id; removed ones stay rendered as they were last */
    const struct scenario *scenarios; /* by id */
    const struct button *buttons;     /* by id */
    struct names broadcast_names;
    const struct broadcast *broadcasts;    /* by id */
    const struct auto_reply *auto_replies; /* in order; those in force only */
    uint32_t auto_reply_count;
    struct names event_names, key_names, mark_names; /* custom events, keys of reminders, marks */
    const struct trigger_rule *trigger_rules;        /* in order of the triggers in force */
    uint32_t trigger_rule_count;
    struct body friend_added, friend_existing, friend_unblocked; /* LANGUAGE 7 */
    /* Questions and options, and the slots of events, are named over all forms and events. */
    struct names form_names, question_names, option_names, calendar_names, slot_names,
        conversion_names, notify_names, route_names, link_names, rank_names, rich_menu_names;
    const struct form *forms;             /* by id (engine/form.h) */
    const struct calendar *calendars;     /* by id; calendars and events (engine/calendar.h) */
    const struct conversion *conversions; /* by id (engine/conversion.h) */
    const struct rich_menu *rich_menus;   /* in force, in order (engine/menu.h) */
    uint32_t rich_menu_count;
    uint32_t default_menu;          /* NO_ID: none */
    const struct score_rank *ranks; /* in force, from the lowest score on */
    uint32_t rank_count;
    struct zone_source zones;             /* of friends that say their own (SPEC R1) */
    uint32_t tz_field;                    /* where they say it */
    int64_t recent_lose, recent_every_ms; /* what silence takes from the recent score; 0: nothing */
    const struct route *routes;           /* by id (engine/route.h) */
    const struct link *links;             /* by id (engine/link.h) */
};

struct definitions *definitions_new(void); /* empty, one reference */
struct definitions *definitions_retain(struct definitions *definitions);
void definitions_release(struct definitions *definitions);

/* NO_ID when there is none of that name in force. */
uint32_t names_find(const struct names *names, struct span text);
/* The name for an id, also of removed things; "?" for an id that never was. */
const char *names_text(const struct names *names, uint32_t id);

/* The step with that id and its place in order; NULL when it is not in force. */
const struct step *scenario_step(const struct scenario *scenario, uint32_t step_id,
                                 uint32_t *out_place);

const char *scenario_kind_name(enum scenario_kind kind); /* "scenario", "reminder" … */

/* The one step of a trigger or a date; NULL when it is not in force. */
const struct step *scenario_only_step(const struct scenario *scenario);

/* True when a running enrolment of `before` may go on under `after` without new due instants:
 * same steps, timings, zone and late_day0. Texts, conditions, bodies, windows and graces may differ. */
bool scenario_same_schedule(const struct scenario *before, const struct scenario *after);

#endif
