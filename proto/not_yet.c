#include "proto/not_yet.h"

/* clang-format off */
const struct not_yet not_yet_rows[] = {
    {NOT_YET_SECTION, "staff", "R43", "staff and what they may do", NULL},
    {NOT_YET_SECTION, "coupons", "R60", "coupons", NULL},

    {NOT_YET_SCENARIO_KEY, "pin", "R26", "enrolments pinned to their version", "no"},
    {NOT_YET_SCENARIO_KEY, "was", "R26", "renaming by `was:`", NULL},
    {NOT_YET_STEP_KEY, "was", "R26", "renaming by `was:`", NULL},

    {NOT_YET_ACTION, "webhook", "R57", "`webhook:`", NULL},
    {NOT_YET_ACTION, "mail", "R56", "`mail:`", NULL},
    {NOT_YET_MODIFIER, "class", "R8", "`class:` of a single send", NULL},

    {NOT_YET_CONDITION, "coupon", "R60", "conditions on coupons", NULL},
    {NOT_YET_CONDITION, "visited", "R55", "conditions on visited pages", NULL},
    {NOT_YET_CONDITION, "click_rate", "R24", "comparing the click rate", NULL},
    {NOT_YET_CONDITION, "answer_seconds", "R24", "comparing the seconds to answer", NULL},

    {NOT_YET_INSERTION, "coupon", "R60", "inserting a coupon", NULL},

    {NOT_YET_ON, "visited", "R55", "triggers on visited pages", NULL},
    {NOT_YET_ON, "watched", "R55", "triggers on watched videos", NULL},
    {NOT_YET_REMINDER_KEY, "enabled", "R22", "a reminder switched off as a whole", "yes"},

    {NOT_YET_AUDIENCE, "freeze", "R33", "an audience taken when the broadcast is applied", NULL},

    {NOT_YET_INPUT, "reopen", "R26", "reopening a finished enrolment", NULL},

    {NOT_YET_QUESTION_TYPE, "image", "R59", "images as answers", NULL},
    {NOT_YET_CALENDAR_KEY, "courses", "R62", "courses of several lengths", NULL},
    {NOT_YET_CALENDAR_KEY, "resources", "R62", "staff and places of a calendar", NULL},
    {NOT_YET_CALENDAR_KEY, "waitlist", "R39", "waiting lists", "no"},
    {NOT_YET_CALENDAR_KEY, "on_wait", "R39", "waiting lists", NULL},
    {NOT_YET_CALENDAR_KEY, "on_promote", "R39", "waiting lists", NULL},

    {NOT_YET_STEPCTL, "doctor", "R41", "looking for trouble", NULL},
    {NOT_YET_STEPCTL, "ontime", "R47", "lateness by class", NULL},
    {NOT_YET_STEPCTL, "console", "R43", "pages for staff", NULL},
    {NOT_YET_STEPCTL, "init", "R1", "a first folder of definitions", NULL},
    {NOT_YET_STEPCTL, "reopen", "R26", "reopening a finished enrolment", NULL},
    {NOT_YET_STEPCTL, "pause", "R22", "pausing", NULL},
    {NOT_YET_STEPCTL, "resume", "R22", "resuming", NULL},
};
/* clang-format on */
const uint32_t not_yet_count = sizeof(not_yet_rows) / sizeof(not_yet_rows[0]);

const struct not_yet *
not_yet_find(enum not_yet_area area, struct span word)
{
    for (uint32_t i = 0; i < not_yet_count; i++) {
        if (not_yet_rows[i].area == area && span_equal_cstr(word, not_yet_rows[i].word)) {
            return &not_yet_rows[i];
        }
    }
    return NULL;
}
