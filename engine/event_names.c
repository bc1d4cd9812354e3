#include "engine/event.h"

const char *
event_kind_name(enum event_kind kind)
{
    switch (kind) {
    case EVENT_CLAIMED:
        return "claimed";
    case EVENT_STOPPED:
        return "stopped";
    case EVENT_DEFINITIONS_APPLIED:
        return "definitions_applied";
    case EVENT_RELEASED:
        return "released";
    case EVENT_FRIEND_ADDED:
        return "friend_added";
    case EVENT_FOLLOWED:
        return "followed";
    case EVENT_UNFOLLOWED:
        return "unfollowed";
    case EVENT_MESSAGE_RECEIVED:
        return "message_received";
    case EVENT_TAPPED:
        return "tapped";
    case EVENT_WEBHOOK_NOTED:
        return "webhook_noted";
    case EVENT_WEBHOOK_UNREADABLE:
        return "webhook_unreadable";
    case EVENT_WEBHOOK_FOREIGN:
        return "webhook_foreign";
    case EVENT_PROFILE_FETCHED:
        return "profile_fetched";
    case EVENT_FRIEND_FORGOTTEN:
        return "friend_forgotten";
    case EVENT_MESSAGE_UNSENT:
        return "message_unsent";
    case EVENT_TAG_ADDED:
        return "tag_added";
    case EVENT_TAG_REMOVED:
        return "tag_removed";
    case EVENT_FIELD_SET:
        return "field_set";
    case EVENT_FIELD_CLEARED:
        return "field_cleared";
    case EVENT_SCORE_CHANGED:
        return "score_changed";
    case EVENT_DRAWN:
        return "drawn";
    case EVENT_ONCE_DONE:
        return "once_done";
    case EVENT_PAUSE_CHANGED:
        return "pause_changed";
    case EVENT_STEP_REDIRECTED:
        return "step_redirected";
    case EVENT_SEND_UNKNOWN:
        return "send_unknown";
    case EVENT_ENROLMENT_STARTED:
        return "enrolment_started";
    case EVENT_START_REFUSED:
        return "start_refused";
    case EVENT_STEP_PLANNED:
        return "step_planned";
    case EVENT_STEP_DEFERRED:
        return "step_deferred";
    case EVENT_STEP_SKIPPED:
        return "step_skipped";
    case EVENT_STEP_DONE:
        return "step_done";
    case EVENT_STEP_CANCELLED:
        return "step_cancelled";
    case EVENT_ENROLMENT_ENDED:
        return "enrolment_ended";
    case EVENT_DELIVERY_PLANNED:
        return "delivery_planned";
    case EVENT_DELIVERY_INTENDED:
        return "delivery_intended";
    case EVENT_DELIVERY_OUTCOME:
        return "delivery_outcome";
    case EVENT_DELIVERY_CANCELLED:
        return "delivery_cancelled";
    case EVENT_FORM_ANSWERED:
        return "form_answered";
    case EVENT_ANSWER_GIVEN:
        return "answer_given";
    case EVENT_FORM_REFUSED:
        return "form_refused";
    case EVENT_CONVERTED:
        return "converted";
    case EVENT_BOOKED:
        return "booked";
    case EVENT_BOOKING_CHANGED:
        return "booking_changed";
    case EVENT_BOOKING_CANCELLED:
        return "booking_cancelled";
    case EVENT_BOOKING_REFUSED:
        return "booking_refused";
    case EVENT_NOTIFIED:
        return "notified";
    case EVENT_ROUTE_SCANNED:
        return "route_scanned";
    case EVENT_ROUTE_TAKEN:
        return "route_taken";
    case EVENT_CLICKED:
        return "clicked";
    case EVENT_GOAL_MOVED:
        return "goal_moved";
    case EVENT_CLOCK_RESTARTED:
        return "clock_restarted";
    case EVENT_CUSTOM:
        return "custom";
    case EVENT_MARK_SET:
        return "mark_set";
    case EVENT_DATES_LOOKED_THROUGH:
        return "dates_looked_through";
    }
    return NULL;
}

const char *
reason_name(enum reason reason)
{
    switch (reason) {
    case REASON_NONE:
        return "none";
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
