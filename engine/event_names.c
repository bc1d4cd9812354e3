#include "engine/event_parts.h"

#define LAYOUT(kind, name, list, words)                                                            \
    case kind:                                                                                     \
        return name;

const char *
event_kind_name(enum event_kind kind)
{
    switch (kind) {
        EVENT_LAYOUTS(LAYOUT)
    }
    return NULL;
}

const char *
reason_name(enum reason reason)
{
    switch (reason) {
    case REASON_NONE:
        return "none";
    case REASON_QUOTA:
        return "quota";
    case REASON_SCENARIO_CAP:
        return "scenario_cap";
    case REASON_FREQUENCY:
        return "frequency";
    case REASON_STALE_CAP:
        return "stale_cap";
    case REASON_REMOVED:
        return "removed";
    case REASON_EDITED:
        return "edited";
    case REASON_OPERATOR:
        return "operator";
    case REASON_CONDITION:
        return "condition";
    case REASON_STALE:
        return "stale";
    case REASON_WINDOW:
        return "window";
    case REASON_LATE_DAY0:
        return "late_day0";
    case REASON_AT_STEP:
        return "at_step";
    case REASON_BLOCKED_BY_FRIEND:
        return "blocked_by_friend";
    case REASON_FINISHED:
        return "finished";
    case REASON_STOPPED:
        return "stopped";
    case REASON_SWITCHED:
        return "switched";
    case REASON_RESTARTED:
        return "restarted";
    case REASON_ACTIVE:
        return "active";
    case REASON_REENTRY:
        return "reentry";
    case REASON_STANDBY:
        return "standby";
    case REASON_GROUP:
        return "group";
    case REASON_UNKNOWN_TYPE:
        return "unknown_type";
    case REASON_OLD:
        return "old";
    case REASON_NO_SOURCE:
        return "no_source";
    case REASON_LIMIT:
        return "limit";
    case REASON_DEADLINE:
        return "deadline";
    case REASON_FULL:
        return "full";
    case REASON_CANCEL_DEADLINE:
        return "cancel_deadline";
    case REASON_CLOSED:
        return "closed";
    case REASON_PAST:
        return "past";
    case REASON_NO_BOOKING:
        return "no_booking";
    case REASON_OPERATOR_BLOCKED:
        return "operator_blocked";
    case REASON_OUTSIDE_VALIDITY:
        return "outside_validity";
    case REASON_ZONE:
        return "zone";
    case REASON_TAKEN:
        return "taken";
    case REASON_RESTORED:
        return "restored";
    case REASON_FORGOTTEN:
        return "forgotten";
    case REASON_PAUSED:
        return "paused";
    case REASON_GOTO:
        return "goto";
    case REASON_ENDED:
        return "ended";
    case REASON_LOOP:
        return "loop";
    case REASON_NO_GOAL:
        return "no_goal";
    case REASON_PAST_AT_START:
        return "past_at_start";
    case REASON_RESCHEDULED:
        return "rescheduled";
    }
    return "unknown";
}

const char *
source_kind_name(enum source_kind kind)
{
    switch (kind) {
    case SOURCE_NONE:
        return "none";
    case SOURCE_FRIEND_ADD:
        return "friend_add";
    case SOURCE_STEP:
        return "step";
    case SOURCE_BUTTON:
        return "button";
    case SOURCE_AUTO_REPLY:
        return "auto_reply";
    case SOURCE_OPERATOR:
        return "operator";
    case SOURCE_DEFINITIONS:
        return "definitions";
    case SOURCE_FINISH:
        return "finish";
    case SOURCE_BROADCAST:
        return "broadcast";
    case SOURCE_FORM:
        return "form";
    case SOURCE_CALENDAR:
        return "calendar";
    case SOURCE_CONVERSION:
        return "conversion";
    case SOURCE_ROUTE:
        return "route";
    case SOURCE_LINK:
        return "link";
    case SOURCE_ON:
        return "on";
    }
    return "unknown";
}

const char *
result_name(enum delivery_result result)
{
    switch (result) {
    case RESULT_SENT:
        return "sent";
    case RESULT_FAILED:
        return "failed";
    case RESULT_UNKNOWN:
        return "unknown";
    case RESULT_ALONE:
        return "alone";
    case RESULT_RETURNED:
        return "returned";
    }
    return "unknown";
}

const char *
how_name(enum delivery_how how)
{
    switch (how) {
    case HOW_REPLY:
        return "reply";
    case HOW_PUSH:
        return "push";
    }
    return "none";
}

const char *
class_name(enum message_class message_class)
{
    switch (message_class) {
    case CLASS_EMERGENCY:
        return "emergency";
    case CLASS_RESPONSE:
        return "response";
    case CLASS_TRANSACTIONAL:
        return "transactional";
    case CLASS_MARKETING:
        return "marketing";
    }
    return "unknown";
}
