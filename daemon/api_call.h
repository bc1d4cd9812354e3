/* api_call - what the handlers of the API share: the call at hand, names, friends, instants, sources.
 *
 * Shape    private to daemon/api*.c. A handler reads call->…, sets the reply and returns; the first
 *          error set ends it.
 * Units    UTC milliseconds.
 * Errors   helpers that can refuse set the reply's error and return false.
 * Owner    JSON returned as json_t * is a new reference.
 */
#ifndef DAEMON_API_CALL_H
#define DAEMON_API_CALL_H

#include "daemon/api.h"

struct api {
    struct api_options options;
    struct arena *arena; /* one call's working memory */
    /* When the definitions in force were applied: read from the log once a set. */
    uint64_t applied_seq;
    int64_t applied_ms;
};

struct api_call {
    struct api *api;
    const struct api_request *request;
    struct api_reply *reply;
    const struct state *state;
    const struct definitions *definitions;
    const char *name; /* what the path's {…} holds */
    const char *second_name;
    json_t *body; /* an object, when the call takes one; else NULL */
};
typedef void (*api_handler_fn)(struct api_call *call);

/* What is not as it should be with a friend, in sentences; an array, mostly empty. */
json_t *api_warnings(const struct api_call *call, uint32_t friend);

/* The calls, by file. */
void api_get_status(struct api_call *call);
void api_get_digest(struct api_call *call);
void api_post_exchange(struct api_call *call);
void api_get_clock(struct api_call *call);
void api_post_clock(struct api_call *call);
void api_get_friends(struct api_call *call);
void api_get_friend(struct api_call *call);
void api_get_segment_count(struct api_call *call);
void api_post_tags(struct api_call *call);
void api_post_events(struct api_call *call);
void api_post_mark(struct api_call *call);
void api_post_fields(struct api_call *call);
void api_post_list(struct api_call *call);
void api_post_block(struct api_call *call);
void api_post_score(struct api_call *call);
void api_post_forget(struct api_call *call);
void api_post_release(struct api_call *call);
void api_get_why(struct api_call *call);
void api_get_scenarios(struct api_call *call);
void api_get_scenario(struct api_call *call);
void api_post_start(struct api_call *call);
void api_post_stop(struct api_call *call);
void api_get_next(struct api_call *call);
void api_get_scenario_report(struct api_call *call);
void api_get_broadcast_report(struct api_call *call);
void api_get_link_report(struct api_call *call);
void api_get_route_report(struct api_call *call);
void api_get_cross_report(struct api_call *call);
void api_get_due(struct api_call *call);
void api_get_quota(struct api_call *call);
void api_post_quota(struct api_call *call);
void api_post_cap(struct api_call *call);
void api_get_broadcasts(struct api_call *call);
void api_post_broadcast_cancel(struct api_call *call);
void api_post_broadcast_fit(struct api_call *call);
void api_get_unknown(struct api_call *call);
void api_post_delivery_mark(struct api_call *call);
void api_post_delivery_resend(struct api_call *call);
void api_post_definitions(struct api_call *call);
void api_post_answers(struct api_call *call);
void api_post_conversion(struct api_call *call);
void api_post_booking(struct api_call *call);
void api_patch_booking(struct api_call *call);
void api_delete_booking(struct api_call *call);
void api_get_roster(struct api_call *call);
void api_post_import(struct api_call *call);
void api_post_scan(struct api_call *call);
void api_post_click(struct api_call *call);
void api_post_link_click(struct api_call *call);

/* Answers 200 with this body, which is taken; when says what it waits for. */
void api_ok(struct api_call *call, enum api_when when, json_t *body);

/* Refuses keys that the call does not know: a misspelt key must not be a silent default. The names
 * end with NULL. */
bool api_body_keys(struct api_call *call, const char *const *known);
/* A parameter of the query; NULL when it was not given. */
const char *api_query(const struct api_call *call, const char *name);
/* A whole number from the query, between min and max; fallback when it is not given. */
bool api_query_number(struct api_call *call, const char *name, int64_t fallback, int64_t min,
                      int64_t max, int64_t *out);

/* The friends of whom the query's `where` is true, for set_free(); NULL when it was not given. */
bool api_query_members(struct api_call *call, struct bitmap **out_members);

/* A friend by number or LINE user id, as text or (in bodies) as a JSON number. */
bool api_friend_text(struct api_call *call, const char *text, uint32_t *out_friend);
bool api_friend_json(struct api_call *call, const json_t *value, uint32_t *out_friend);
/* Refuses changes to a friend of whom only numbers are left (SPEC R51). */
bool api_friend_known(struct api_call *call, uint32_t friend);
/* A name in force; `what` is the word for the error: "tag". */
bool api_name(struct api_call *call, const struct names *names, const char *what, const char *text,
              uint32_t *out_id);

/* Was the idempotency key of the body seen before (SPEC R57)? The last check of a call: a refused call may
 * come again with its key. False: an error is answered. */
bool api_key(struct api_call *call, bool *out_known);
/* True when it was not; else the answer is given: a call without a key is always new. */
bool api_is_new(struct api_call *call);

const struct zone *api_zone(const struct api *api); /* NULL (Tokyo) before there is an account */
int64_t api_now_ms(const struct api_call *call);
/* null for INSTANT_NONE and for what is no instant of ours: a due that is not known yet, "never" */
json_t *api_instant(const struct api_call *call, int64_t at_ms);
json_t *api_text(const char *text);                                /* null for NULL */
json_t *api_user_id(const struct api_call *call, uint32_t friend); /* null once erased */
json_t *api_span(struct span text);                                /* null for no UTF-8 */

/* What something came from, as people name it: "S_welcome/nudge", "friend_add.new", "q1". */
const char *api_source(const struct api_call *call, struct source source);
const char *api_step_source(const struct api_call *call, uint32_t scenario, uint32_t step);
/* The sources of a delivery's items, each once, joined by '+'. */
const char *api_items_source(const struct api_call *call, const struct delivery_item *items,
                             uint32_t item_count);
json_t *api_items_templates(const struct api_call *call, const struct delivery_item *items,
                            uint32_t item_count);
/* The templates a step may send, in order, those under conditions included. */
json_t *api_step_templates(const struct api_call *call, uint32_t scenario, uint32_t step);

/* Hands one operator's input to the core and appends the numbers of its events to the list. */
const struct event *api_input(struct api_call *call, struct input *input, json_t *seqs,
                              uint32_t *out_count);

/* What holds a copied directory, and the sentence for it; null, and no text, when it is none. */
json_t *api_copied(struct api_call *call, struct buf *out_text);

/* api_because.c: a friend's events that conditions ask about, newest first. */
struct told {
    struct event *events;
    uint32_t count;
    bool whole_life; /* none of the friend's events was left out */
};
bool api_is_fact(enum event_kind kind);
/* Each fact of a condition as it was before an event, and what had made it so:
 * [{"fact","value","event","at"}]. */
json_t *api_because(const struct api_call *call, const struct condition *condition,
                    const struct told *told, uint64_t before);

json_t *api_tags(const struct api_call *call, uint32_t friend);
json_t *api_fields(const struct api_call *call, uint32_t friend);

#endif
