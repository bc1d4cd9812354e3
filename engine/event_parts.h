/* event_parts - what events are made of: each kind with its name, its parts in the order of their bytes,
 * and the names of its words. The one place to change when an event changes.
 *
 * Shape    lists for the preprocessor. The encoder, the decoder, the printer, the names of kinds, the
 *          copying of what a pass emits and the tests are all made from them, so none can be forgotten.
 *          A part that holds its default is nil in the bytes, and trailing nils are left out.
 *          To add a part: append a row to its list, never in between. To add a kind: a row in
 *          EVENT_LAYOUTS and, if no list fits, a list and its row in EVENT_LISTS. To add a type of part:
 *          a row in EVENT_NAMED_TYPES for an id that the definitions name, else in EVENT_PART_TYPES.
 *          docs/format.md says the rest.
 * Units    as engine/event.h.
 * Errors   tests/proto/test_event.c fails for a member that cannot hold its type of part.
 * Owner    constants.
 */
#ifndef ENGINE_EVENT_PARTS_H
#define ENGINE_EVENT_PARTS_H

#include "engine/event.h"

/* How a part lies in struct event, what its default is and how it is written. */
enum part_shape {
    SHAPE_U32,      /* default 0 */
    SHAPE_ID,       /* uint32, default NO_ID */
    SHAPE_U64,      /* default 0 */
    SHAPE_I64,      /* default 0 */
    SHAPE_FLAG,     /* bool, default false */
    SHAPE_TEXT,     /* span, default empty */
    SHAPE_BYTES_16, /* default all zero */
    SHAPE_BYTES_32, /* default all zero */
    SHAPE_CLASS,    /* enumerators that decide what the state becomes: an unknown one is refused */
    SHAPE_HOW,
    SHAPE_RESULT,
    SHAPE_PREVIOUS, /* uint64, written as the distance back from the event's own number; 0: none */
    SHAPE_WORDS,    /* written as the hash of the content row */
    SHAPE_SOURCE,   /* [kind, id, sub], default none */
    SHAPE_ITEMS,    /* array of [template, enrolment, source], default none */
    SHAPE_CROWD,    /* span, a list of engine/crowd.h, default empty */
};

/* TYPE(type, shape): what a part means, which is how it is printed. */
#define EVENT_PART_TYPES(TYPE)                                                                     \
    TYPE(PART_COUNT, SHAPE_U32)                                                                    \
    TYPE(PART_REASON, SHAPE_U32)                                                                   \
    TYPE(PART_FRIEND, SHAPE_ID)                                                                    \
    TYPE(PART_ROW, SHAPE_ID)    /* an index of the state */                                        \
    TYPE(PART_STEP, SHAPE_ID)   /* of the scenario in the same event */                            \
    TYPE(PART_CHOICE, SHAPE_ID) /* of the button in the same event */                              \
    TYPE(PART_SEQ, SHAPE_U64)                                                                      \
    TYPE(PART_U64, SHAPE_U64)                                                                      \
    TYPE(PART_DIGEST, SHAPE_U64)  /* printed as 16 hex digits */                                   \
    TYPE(PART_TIME, SHAPE_I64)    /* UTC ms */                                                     \
    TYPE(PART_NUMBER, SHAPE_I64)  /* what it means says the field in the same event */             \
    TYPE(PART_ANSWER, SHAPE_I64)  /* what it means says the question in the same event */          \
    TYPE(PART_INTEGER, SHAPE_I64) /* always printed */                                             \
    TYPE(PART_FLAG, SHAPE_FLAG)   /* printed when true */                                          \
    TYPE(PART_YES_NO, SHAPE_FLAG) /* always printed */                                             \
    TYPE(PART_TEXT, SHAPE_TEXT)                                                                    \
    TYPE(PART_BYTES_16, SHAPE_BYTES_16)                                                            \
    TYPE(PART_BYTES_32, SHAPE_BYTES_32)                                                            \
    TYPE(PART_CLASS, SHAPE_CLASS)                                                                  \
    TYPE(PART_HOW, SHAPE_HOW)                                                                      \
    TYPE(PART_RESULT, SHAPE_RESULT)                                                                \
    TYPE(PART_PREVIOUS, SHAPE_PREVIOUS)                                                            \
    TYPE(PART_WORDS, SHAPE_WORDS)                                                                  \
    TYPE(PART_SOURCE, SHAPE_SOURCE)                                                                \
    TYPE(PART_ITEMS, SHAPE_ITEMS)                                                                  \
    TYPE(PART_CROWD, SHAPE_CROWD)

/* NAMED(type, names): ids that are printed by the names which struct definitions has for them. */
#define EVENT_NAMED_TYPES(NAMED)                                                                   \
    NAMED(PART_TAG, tag_names)                                                                     \
    NAMED(PART_FIELD, field_names)                                                                 \
    NAMED(PART_SCENARIO, scenario_names)                                                           \
    NAMED(PART_BUTTON, button_names)                                                               \
    NAMED(PART_MARK, mark_names)                                                                   \
    NAMED(PART_FORM, form_names)                                                                   \
    NAMED(PART_QUESTION, question_names)                                                           \
    NAMED(PART_OPTION, option_names)                                                               \
    NAMED(PART_CONVERSION, conversion_names)                                                       \
    NAMED(PART_CALENDAR, calendar_names)                                                           \
    NAMED(PART_SLOT, slot_names)                                                                   \
    NAMED(PART_NOTIFY, notify_names)                                                               \
    NAMED(PART_BROADCAST, broadcast_names)                                                         \
    NAMED(PART_ROUTE, route_names)                                                                 \
    NAMED(PART_LINK, link_names)                                                                   \
    NAMED(PART_MENU, rich_menu_names)

#define TYPE(type, shape) type,
#define NAMED(type, names) type,
enum part_type { EVENT_PART_TYPES(TYPE) EVENT_NAMED_TYPES(NAMED) };
#undef TYPE
#undef NAMED

#define TYPE(type, shape) type##_SHAPE = shape,
#define NAMED(type, names) type##_SHAPE = SHAPE_ID,
enum { EVENT_PART_TYPES(TYPE) EVENT_NAMED_TYPES(NAMED) }; /* PART_COUNT_SHAPE is SHAPE_U32 ... */
#undef TYPE
#undef NAMED

/* PART(type, name, member): the name is also the key in JSON. */

/* What every kind begins with, after its number. */
#define PARTS_common(PART)                                                                         \
    PART(PART_FRIEND, "friend", friend)                                                            \
    PART(PART_PREVIOUS, "previous", friend_prev)                                                   \
    PART(PART_WORDS, "words", words)                                                               \
    PART(PART_SOURCE, "source", source)

#define PARTS_claimed(PART)                                                                        \
    PART(PART_BYTES_16, "run_id", u.claimed.run_id)                                                \
    PART(PART_U64, "inode", u.claimed.inode)                                                       \
    PART(PART_TEXT, "machine", u.claimed.machine)                                                  \
    PART(PART_TEXT, "path", u.claimed.path)                                                        \
    PART(PART_TEXT, "version", u.claimed.version)                                                  \
    PART(PART_U64, "birth_ns", u.claimed.birth_ns)                                                 \
    PART(PART_SEQ, "former_claim", u.claimed.former_claim)

#define PARTS_released(PART) PART(PART_TIME, "from", u.released.from_ms)

#define PARTS_stopped(PART)                                                                        \
    PART(PART_DIGEST, "digest", u.stopped.digest)                                                  \
    PART(PART_COUNT, "state_version", u.stopped.state_version)

#define PARTS_definitions(PART) PART(PART_BYTES_16, "hash", u.definitions.hash)

#define PARTS_friend_added(PART)                                                                   \
    PART(PART_YES_NO, "followed", u.friend_added.followed)                                         \
    PART(PART_FLAG, "scanned", u.friend_added.scanned)

#define PARTS_act(PART)                                                                            \
    PART(PART_TEXT, "webhook_id", u.act.webhook_id)                                                \
    PART(PART_TIME, "line_at", u.act.line_at_ms)                                                   \
    PART(PART_TEXT, "type", u.act.type)                                                            \
    PART(PART_TEXT, "message_id", u.act.message_id)                                                \
    PART(PART_REASON, "reason", u.act.reason)                                                      \
    PART(PART_FLAG, "standby", u.act.standby)                                                      \
    PART(PART_FLAG, "redelivered", u.act.redelivered)                                              \
    PART(PART_FLAG, "unblocked", u.act.unblocked)                                                  \
    PART(PART_BUTTON, "button", u.act.button)                                                      \
    PART(PART_CHOICE, "choice", u.act.choice)                                                      \
    PART(PART_DIGEST, "choice_hash", u.act.choice_hash)                                            \
    PART(PART_FLAG, "over_limit", u.act.over_limit)

#define PARTS_webhook(PART)                                                                        \
    PART(PART_BYTES_32, "sha256", u.webhook.sha256)                                                \
    PART(PART_COUNT, "event_count", u.webhook.event_count)                                         \
    PART(PART_SEQ, "before", u.webhook.before)

#define PARTS_unsent(PART)                                                                         \
    PART(PART_TEXT, "webhook_id", u.act.webhook_id)                                                \
    PART(PART_TIME, "line_at", u.act.line_at_ms)                                                   \
    PART(PART_TEXT, "message_id", u.act.message_id)                                                \
    PART(PART_SEQ, "message", u.act.message)                                                       \
    PART(PART_FLAG, "standby", u.act.standby)                                                      \
    PART(PART_FLAG, "redelivered", u.act.redelivered)

#define PARTS_forgotten(PART)                                                                      \
    PART(PART_COUNT, "erased", u.forgotten.erased)                                                 \
    PART(PART_SEQ, "next", u.forgotten.next)                                                       \
    PART(PART_SEQ, "next_body", u.forgotten.next_body)

#define PARTS_profile(PART) PART(PART_YES_NO, "found", u.profile.found)

#define PARTS_tag(PART) PART(PART_TAG, "tag", u.tag.tag)

#define PARTS_field(PART)                                                                          \
    PART(PART_FIELD, "field", u.field.field)                                                       \
    PART(PART_NUMBER, "number", u.field.number)

#define PARTS_drawn(PART)                                                                          \
    PART(PART_TEXT, "name", u.drawn.name)                                                          \
    PART(PART_TEXT, "value", u.drawn.value)                                                        \
    PART(PART_COUNT, "place", u.drawn.place)

#define PARTS_send_unknown(PART) PART(PART_TEXT, "pattern", u.send_unknown.pattern)

#define PARTS_pause_changed(PART)                                                                  \
    PART(PART_ROW, "enrolment", u.pause.enrolment)                                                 \
    PART(PART_SCENARIO, "scenario", u.pause.scenario)                                              \
    PART(PART_YES_NO, "paused", u.pause.paused)                                                    \
    PART(PART_INTEGER, "shift_ms", u.pause.shift_ms)

#define PARTS_once(PART) PART(PART_DIGEST, "key", u.once.key)

#define PARTS_score(PART)                                                                          \
    PART(PART_INTEGER, "by", u.score.by)                                                           \
    PART(PART_INTEGER, "score", u.score.score)                                                     \
    PART(PART_INTEGER, "recent", u.score.recent)

#define PARTS_step(PART)                                                                           \
    PART(PART_ROW, "enrolment", u.step.enrolment)                                                  \
    PART(PART_SCENARIO, "scenario", u.step.scenario)                                               \
    PART(PART_STEP, "step", u.step.step)                                                           \
    PART(PART_TIME, "due", u.step.due_ms)                                                          \
    PART(PART_REASON, "reason", u.step.reason)                                                     \
    PART(PART_TIME, "until", u.step.until_ms)                                                      \
    PART(PART_TIME, "start", u.step.start_ms)                                                      \
    PART(PART_COUNT, "shift_days", u.step.shift_days)                                              \
    PART(PART_TIME, "goal", u.step.goal_ms)                                                        \
    PART(PART_U64, "key", u.step.key)                                                              \
    PART(PART_COUNT, "links", u.step.links)                                                        \
    PART(PART_TIME, "base", u.step.base_ms)

#define PARTS_custom(PART) PART(PART_TEXT, "name", u.custom.name)

#define PARTS_mark(PART) PART(PART_MARK, "mark", u.mark.mark)

#define PARTS_dates(PART) PART(PART_COUNT, "up_to", u.dates.up_to)

#define PARTS_asked(PART)                                                                          \
    PART(PART_SCENARIO, "scenario", u.asked.scenario)                                              \
    PART(PART_COUNT, "up_to", u.asked.up_to)

/* Every kind of delivery event has all of these; the order puts what a kind uses first. */
#define PARTS_delivery(PART)                                                                       \
    PART(PART_SEQ, "delivery", u.delivery.delivery)                                                \
    PART(PART_TIME, "due", u.delivery.due_ms)                                                      \
    PART(PART_CLASS, "class", u.delivery.message_class)                                            \
    PART(PART_ITEMS, "items", u.delivery.items)                                                    \
    PART(PART_HOW, "how", u.delivery.how)                                                          \
    PART(PART_DIGEST, "body_hash", u.delivery.body_hash)                                           \
    PART(PART_TIME, "token_at", u.delivery.token_at_ms)                                            \
    PART(PART_REASON, "reason", u.delivery.reason)                                                 \
    PART(PART_RESULT, "result", u.delivery.result)                                                 \
    PART(PART_COUNT, "code", u.delivery.code)                                                      \
    PART(PART_FLAG, "presumed", u.delivery.presumed)

#define PARTS_outcome(PART)                                                                        \
    PART(PART_SEQ, "delivery", u.delivery.delivery)                                                \
    PART(PART_RESULT, "result", u.delivery.result)                                                 \
    PART(PART_COUNT, "code", u.delivery.code)                                                      \
    PART(PART_REASON, "reason", u.delivery.reason)                                                 \
    PART(PART_FLAG, "presumed", u.delivery.presumed)                                               \
    PART(PART_HOW, "how", u.delivery.how)                                                          \
    PART(PART_TIME, "due", u.delivery.due_ms)                                                      \
    PART(PART_CLASS, "class", u.delivery.message_class)                                            \
    PART(PART_ITEMS, "items", u.delivery.items)                                                    \
    PART(PART_DIGEST, "body_hash", u.delivery.body_hash)                                           \
    PART(PART_TIME, "token_at", u.delivery.token_at_ms)

#define PARTS_decided(PART)                                                                        \
    PART(PART_SEQ, "delivery", u.delivery.delivery)                                                \
    PART(PART_RESULT, "result", u.delivery.result)                                                 \
    PART(PART_SEQ, "anew", u.delivery.anew)

#define PARTS_crowd(PART)                                                                          \
    PART(PART_SEQ, "intent", u.delivery.delivery)                                                  \
    PART(PART_TIME, "due", u.delivery.due_ms)                                                      \
    PART(PART_CLASS, "class", u.delivery.message_class)                                            \
    PART(PART_ITEMS, "items", u.delivery.items)                                                    \
    PART(PART_HOW, "how", u.delivery.how)                                                          \
    PART(PART_COUNT, "code", u.delivery.code)                                                      \
    PART(PART_DIGEST, "body_hash", u.delivery.body_hash)                                           \
    PART(PART_COUNT, "member", u.delivery.member)                                                  \
    PART(PART_CROWD, "friends", u.delivery.crowd)

#define PARTS_form(PART)                                                                           \
    PART(PART_FORM, "form", u.form.form)                                                           \
    PART(PART_REASON, "reason", u.form.reason)                                                     \
    PART(PART_QUESTION, "question", u.form.question)                                               \
    PART(PART_OPTION, "option", u.form.option)

#define PARTS_answer(PART)                                                                         \
    PART(PART_FORM, "form", u.form.form)                                                           \
    PART(PART_QUESTION, "question", u.form.question)                                               \
    PART(PART_OPTION, "option", u.form.option)                                                     \
    PART(PART_ANSWER, "number", u.form.number)

#define PARTS_conversion(PART)                                                                     \
    PART(PART_CONVERSION, "conversion", u.conversion.conversion)                                   \
    PART(PART_YES_NO, "counted", u.conversion.counted)

#define PARTS_booking(PART)                                                                        \
    PART(PART_ROW, "booking", u.booking.booking)                                                   \
    PART(PART_CALENDAR, "calendar", u.booking.calendar)                                            \
    PART(PART_SLOT, "slot", u.booking.slot)                                                        \
    PART(PART_TIME, "begins", u.booking.at_ms)                                                     \
    PART(PART_REASON, "reason", u.booking.reason)                                                  \
    PART(PART_TIME, "before", u.booking.from_ms)

#define PARTS_notified(PART) PART(PART_NOTIFY, "to", u.notified.to)

#define PARTS_waiting(PART)                                                                        \
    PART(PART_SEQ, "delivery", u.delivery.delivery)                                                \
    PART(PART_TIME, "due", u.delivery.due_ms)                                                      \
    PART(PART_CLASS, "class", u.delivery.message_class)                                            \
    PART(PART_ITEMS, "items", u.delivery.items)                                                    \
    PART(PART_REASON, "reason", u.delivery.reason)                                                 \
    PART(PART_TIME, "until", u.delivery.until_ms)

#define PARTS_month(PART)                                                                          \
    PART(PART_COUNT, "month", u.quota.month)                                                       \
    PART(PART_TIME, "until", u.quota.until_ms)

#define PARTS_quota(PART) PART(PART_COUNT, "limit", u.quota.limit)

#define PARTS_line_quota(PART)                                                                     \
    PART(PART_FLAG, "limited", u.quota.limited)                                                    \
    PART(PART_COUNT, "limit", u.quota.limit)                                                       \
    PART(PART_COUNT, "elsewhere", u.quota.elsewhere)                                               \
    PART(PART_FLAG, "spent", u.quota.spent)

#define PARTS_cap(PART)                                                                            \
    PART(PART_SCENARIO, "scenario", u.cap.scenario)                                                \
    PART(PART_COUNT, "limit", u.cap.limit)

/* Of a kind that says all by its number: one part, never written. */
#define PARTS_followed(PART) PART(PART_REASON, "reason", u.step.reason)

#define PARTS_broadcast(PART)                                                                      \
    PART(PART_BROADCAST, "broadcast", u.broadcast.broadcast)                                       \
    PART(PART_TIME, "due", u.broadcast.due_ms)                                                     \
    PART(PART_REASON, "reason", u.broadcast.reason)                                                \
    PART(PART_COUNT, "from", u.broadcast.from)                                                     \
    PART(PART_COUNT, "count", u.broadcast.count)                                                   \
    PART(PART_TIME, "until", u.broadcast.until_ms)                                                 \
    PART(PART_TEXT, "verdict", u.broadcast.verdict)                                                \
    PART(PART_FLAG, "partial", u.broadcast.partial)

#define PARTS_route(PART) PART(PART_ROUTE, "route", u.route.route)

#define PARTS_clicked(PART)                                                                        \
    PART(PART_LINK, "link", u.clicked.link)                                                        \
    PART(PART_FLAG, "first", u.clicked.first)                                                      \
    PART(PART_FLAG, "known", u.clicked.known)                                                      \
    PART(PART_COUNT, "after_s", u.clicked.after_s)

#define PARTS_listed(PART) PART(PART_YES_NO, "hidden", u.listed.hidden)

#define PARTS_operator_block(PART) PART(PART_YES_NO, "blocked", u.operator_block.blocked)

#define PARTS_field_refused(PART)                                                                  \
    PART(PART_FIELD, "field", u.field_refused.field)                                               \
    PART(PART_FRIEND, "owner", u.field_refused.owner)

#define PARTS_imported(PART)                                                                       \
    PART(PART_COUNT, "updated", u.imported.updated)                                                \
    PART(PART_COUNT, "unknown", u.imported.unknown)

#define PARTS_menu(PART) PART(PART_MENU, "menu", u.menu.menu)

#define PARTS_menus(PART)                                                                          \
    PART(PART_COUNT, "up_to", u.menus.up_to)                                                       \
    PART(PART_INTEGER, "day", u.menus.day)

/* LIST(list, member): the lists, and the member of the union that holds them. */
#define EVENT_LISTS(LIST)                                                                          \
    LIST(claimed, claimed)                                                                         \
    LIST(released, released)                                                                       \
    LIST(stopped, stopped)                                                                         \
    LIST(definitions, definitions)                                                                 \
    LIST(friend_added, friend_added)                                                               \
    LIST(act, act)                                                                                 \
    LIST(webhook, webhook)                                                                         \
    LIST(unsent, act)                                                                              \
    LIST(forgotten, forgotten)                                                                     \
    LIST(profile, profile)                                                                         \
    LIST(tag, tag)                                                                                 \
    LIST(field, field)                                                                             \
    LIST(drawn, drawn)                                                                             \
    LIST(send_unknown, send_unknown)                                                               \
    LIST(pause_changed, pause)                                                                     \
    LIST(once, once)                                                                               \
    LIST(score, score)                                                                             \
    LIST(step, step)                                                                               \
    LIST(custom, custom)                                                                           \
    LIST(mark, mark)                                                                               \
    LIST(asked, asked)                                                                             \
    LIST(dates, dates)                                                                             \
    LIST(delivery, delivery)                                                                       \
    LIST(outcome, delivery)                                                                        \
    LIST(decided, delivery)                                                                        \
    LIST(crowd, delivery)                                                                          \
    LIST(form, form)                                                                               \
    LIST(answer, form)                                                                             \
    LIST(conversion, conversion)                                                                   \
    LIST(booking, booking)                                                                         \
    LIST(notified, notified)                                                                       \
    LIST(waiting, delivery)                                                                        \
    LIST(month, quota)                                                                             \
    LIST(quota, quota)                                                                             \
    LIST(line_quota, quota)                                                                        \
    LIST(cap, cap)                                                                                 \
    LIST(followed, step)                                                                           \
    LIST(broadcast, broadcast)                                                                     \
    LIST(route, route)                                                                             \
    LIST(clicked, clicked)                                                                         \
    LIST(listed, listed)                                                                           \
    LIST(operator_block, operator_block)                                                           \
    LIST(field_refused, field_refused)                                                             \
    LIST(imported, imported)                                                                       \
    LIST(menu, menu)                                                                               \
    LIST(menus, menus)

/* LAYOUT(kind, name, list, words). Words: their names in order; REPEATED: one name for any number of
 * them; SECRET: never printed. */
#define EVENT_LAYOUTS(LAYOUT)                                                                      \
    LAYOUT(EVENT_CLAIMED, "claimed", claimed, NO_WORDS)                                            \
    LAYOUT(EVENT_STOPPED, "stopped", stopped, NO_WORDS)                                            \
    LAYOUT(EVENT_DEFINITIONS_APPLIED, "definitions_applied", definitions,                          \
           WORDS("canonical", "author"))                                                           \
    LAYOUT(EVENT_RELEASED, "released", released, NO_WORDS)                                         \
    LAYOUT(EVENT_FRIEND_ADDED, "friend_added", friend_added, WORDS("user_id"))                     \
    LAYOUT(EVENT_FOLLOWED, "followed", act, NO_WORDS)                                              \
    LAYOUT(EVENT_UNFOLLOWED, "unfollowed", act, NO_WORDS)                                          \
    LAYOUT(EVENT_MESSAGE_RECEIVED, "message_received", act, WORDS("text"))                         \
    LAYOUT(EVENT_TAPPED, "tapped", act, WORDS("data"))                                             \
    LAYOUT(EVENT_WEBHOOK_NOTED, "webhook_noted", act, WORDS("user_id"))                            \
    LAYOUT(EVENT_WEBHOOK_UNREADABLE, "webhook_unreadable", webhook, WORDS("body"))                 \
    LAYOUT(EVENT_WEBHOOK_FOREIGN, "webhook_foreign", webhook, WORDS("destination"))                \
    LAYOUT(EVENT_PROFILE_FETCHED, "profile_fetched", profile,                                      \
           WORDS("name", "picture_url", "language"))                                               \
    LAYOUT(EVENT_FRIEND_FORGOTTEN, "friend_forgotten", forgotten, NO_WORDS)                        \
    LAYOUT(EVENT_MESSAGE_UNSENT, "message_unsent", unsent, NO_WORDS)                               \
    LAYOUT(EVENT_TAG_ADDED, "tag_added", tag, NO_WORDS)                                            \
    LAYOUT(EVENT_TAG_REMOVED, "tag_removed", tag, NO_WORDS)                                        \
    LAYOUT(EVENT_FIELD_SET, "field_set", field, WORDS("text"))                                     \
    LAYOUT(EVENT_FIELD_CLEARED, "field_cleared", field, NO_WORDS)                                  \
    LAYOUT(EVENT_SCORE_CHANGED, "score_changed", score, NO_WORDS)                                  \
    LAYOUT(EVENT_DRAWN, "drawn", drawn, NO_WORDS)                                                  \
    LAYOUT(EVENT_ONCE_DONE, "once_done", once, NO_WORDS)                                           \
    LAYOUT(EVENT_PAUSE_CHANGED, "pause_changed", pause_changed, NO_WORDS)                          \
    LAYOUT(EVENT_STEP_REDIRECTED, "step_redirected", step, NO_WORDS)                               \
    LAYOUT(EVENT_SEND_UNKNOWN, "send_unknown", send_unknown, WORDS("template"))                    \
    LAYOUT(EVENT_ENROLMENT_STARTED, "enrolment_started", step, NO_WORDS)                           \
    LAYOUT(EVENT_START_REFUSED, "start_refused", step, NO_WORDS)                                   \
    LAYOUT(EVENT_STEP_PLANNED, "step_planned", step, NO_WORDS)                                     \
    LAYOUT(EVENT_STEP_DEFERRED, "step_deferred", step, NO_WORDS)                                   \
    LAYOUT(EVENT_STEP_SKIPPED, "step_skipped", step, NO_WORDS)                                     \
    LAYOUT(EVENT_STEP_DONE, "step_done", step, NO_WORDS)                                           \
    LAYOUT(EVENT_STEP_CANCELLED, "step_cancelled", step, NO_WORDS)                                 \
    LAYOUT(EVENT_ENROLMENT_ENDED, "enrolment_ended", step, NO_WORDS)                               \
    LAYOUT(EVENT_GOAL_MOVED, "goal_moved", step, NO_WORDS)                                         \
    LAYOUT(EVENT_CLOCK_RESTARTED, "clock_restarted", step, NO_WORDS)                               \
    LAYOUT(EVENT_CUSTOM, "custom", custom, NO_WORDS)                                               \
    LAYOUT(EVENT_MARK_SET, "mark_set", mark, NO_WORDS)                                             \
    LAYOUT(EVENT_START_ASKED, "start_asked", asked, NO_WORDS)                                      \
    LAYOUT(EVENT_DATES_LOOKED_THROUGH, "dates_looked_through", dates, NO_WORDS)                    \
    LAYOUT(EVENT_DELIVERY_PLANNED, "delivery_planned", delivery, SECRET("reply_token"))            \
    LAYOUT(EVENT_DELIVERY_INTENDED, "delivery_intended", delivery, REPEATED("values"))             \
    LAYOUT(EVENT_DELIVERY_OUTCOME, "delivery_outcome", outcome,                                    \
           WORDS("request_id", "accepted_request_id"))                                             \
    LAYOUT(EVENT_DELIVERIES_INTENDED, "deliveries_intended", crowd, NO_WORDS)                      \
    LAYOUT(EVENT_DELIVERIES_OUTCOME, "deliveries_outcome", crowd,                                  \
           WORDS("request_id", "accepted_request_id"))                                             \
    LAYOUT(EVENT_DELIVERY_CANCELLED, "delivery_cancelled", outcome, NO_WORDS)                      \
    LAYOUT(EVENT_DELIVERY_DECIDED, "delivery_decided", decided, NO_WORDS)                          \
    LAYOUT(EVENT_FORM_ANSWERED, "form_answered", form, NO_WORDS)                                   \
    LAYOUT(EVENT_ANSWER_GIVEN, "answer_given", answer, WORDS("text"))                              \
    LAYOUT(EVENT_FORM_REFUSED, "form_refused", form, NO_WORDS)                                     \
    LAYOUT(EVENT_CONVERTED, "converted", conversion, NO_WORDS)                                     \
    LAYOUT(EVENT_BOOKED, "booked", booking, NO_WORDS)                                              \
    LAYOUT(EVENT_BOOKING_CHANGED, "booking_changed", booking, NO_WORDS)                            \
    LAYOUT(EVENT_BOOKING_CANCELLED, "booking_cancelled", booking, NO_WORDS)                        \
    LAYOUT(EVENT_BOOKING_REFUSED, "booking_refused", booking, NO_WORDS)                            \
    LAYOUT(EVENT_NOTIFIED, "notified", notified, WORDS("text"))                                    \
    LAYOUT(EVENT_MONTH_BEGUN, "month_begun", month, NO_WORDS)                                      \
    LAYOUT(EVENT_LINE_QUOTA, "line_quota", line_quota, NO_WORDS)                                   \
    LAYOUT(EVENT_QUOTA_SET, "quota_set", quota, NO_WORDS)                                          \
    LAYOUT(EVENT_STEP_HELD, "step_held", step, NO_WORDS)                                           \
    LAYOUT(EVENT_DELIVERY_HELD, "delivery_held", waiting, NO_WORDS)                                \
    LAYOUT(EVENT_SCENARIO_AUTO_STOPPED, "scenario_auto_stopped", cap, NO_WORDS)                    \
    LAYOUT(EVENT_CAP_SET, "cap_set", cap, NO_WORDS)                                                \
    LAYOUT(EVENT_DELIVERY_DEFERRED, "delivery_deferred", waiting, NO_WORDS)                        \
    LAYOUT(EVENT_DEFINITIONS_FOLLOWED, "definitions_followed", followed, NO_WORDS)                 \
    LAYOUT(EVENT_BROADCAST_BEGUN, "broadcast_begun", broadcast, NO_WORDS)                          \
    LAYOUT(EVENT_BROADCAST_CHOSEN, "broadcast_chosen", broadcast, NO_WORDS)                        \
    LAYOUT(EVENT_BROADCAST_SENDING, "broadcast_sending", broadcast, NO_WORDS)                      \
    LAYOUT(EVENT_BROADCAST_HELD, "broadcast_held", broadcast, NO_WORDS)                            \
    LAYOUT(EVENT_BROADCAST_SENT, "broadcast_sent", broadcast, NO_WORDS)                            \
    LAYOUT(EVENT_BROADCAST_ENDED, "broadcast_ended", broadcast, NO_WORDS)                          \
    LAYOUT(EVENT_BROADCAST_FIT_SET, "broadcast_fit_set", broadcast, NO_WORDS)                      \
    LAYOUT(EVENT_ROUTE_SCANNED, "route_scanned", route, NO_WORDS)                                  \
    LAYOUT(EVENT_ROUTE_TAKEN, "route_taken", route, NO_WORDS)                                      \
    LAYOUT(EVENT_CLICKED, "clicked", clicked, NO_WORDS)                                            \
    LAYOUT(EVENT_LISTED, "listed", listed, NO_WORDS)                                               \
    LAYOUT(EVENT_OPERATOR_BLOCK, "operator_block", operator_block, NO_WORDS)                       \
    LAYOUT(EVENT_FIELD_REFUSED, "field_refused", field_refused, WORDS("text"))                     \
    LAYOUT(EVENT_IMPORTED, "imported", imported, WORDS("name"))                                    \
    LAYOUT(EVENT_MENU_SET, "menu_set", menu, NO_WORDS)                                             \
    LAYOUT(EVENT_MENU_SHOWN, "menu_shown", menu, NO_WORDS)                                         \
    LAYOUT(EVENT_MENUS_LOOKED_THROUGH, "menus_looked_through", menus, NO_WORDS)

#endif
