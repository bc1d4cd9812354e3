/* not_yet - the one table of what SPEC and LANGUAGE name and this version does not build.
 *
 * Shape    rows (area, word, rule); the checker, the tools and the docs answer from it: "not yet: ...".
 *          A row may name the one value that is built: `pin: no` is fine, `pin: yes` is not yet.
 * Units    none.
 * Errors   none.
 * Owner    constants.
 */
#ifndef PROTO_NOT_YET_H
#define PROTO_NOT_YET_H

#include "engine/base/span.h"

enum not_yet_area {
    NOT_YET_NOTHING,     /* of keys that are all built; no rows */
    NOT_YET_SECTION,     /* a top-level key of a definition file */
    NOT_YET_ACCOUNT_KEY, /* a key under account: */
    NOT_YET_FIELD_KEY,
    NOT_YET_SCENARIO_KEY,
    NOT_YET_STEP_KEY,
    NOT_YET_BODY, /* one of the four words of a body */
    NOT_YET_ACTION,
    NOT_YET_MODIFIER,  /* a key beside an action's verb */
    NOT_YET_CONDITION, /* a kind or value in a condition */
    NOT_YET_INSERTION,
    NOT_YET_AUTO_REPLY_KEY,
    NOT_YET_BUTTON_KEY,
    NOT_YET_AUDIENCE, /* how a broadcast's audience is taken */
    NOT_YET_INPUT,    /* an input of a rehearsal */
    NOT_YET_EXPECT,   /* a list of a rehearsal's expect */
    NOT_YET_QUESTION_TYPE,
    NOT_YET_CALENDAR_KEY,
    NOT_YET_ON,           /* what a trigger is on, up to the colon */
    NOT_YET_REMINDER_KEY, /* a key of a reminder */
    NOT_YET_STEPCTL,
};

struct not_yet {
    enum not_yet_area area;
    const char *word;
    const char *rule;  /* "R32": where SPEC describes it */
    const char *what;  /* "reminders counted back from a date" */
    const char *built; /* the value that is built all the same; NULL: none */
};

extern const struct not_yet not_yet_rows[];
extern const uint32_t not_yet_count;

/* NULL when the word is not in the table. */
const struct not_yet *not_yet_find(enum not_yet_area area, struct span word);

#endif
