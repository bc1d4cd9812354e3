#include "daemon/profiles.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

enum { ASKED_AT_ONCE_MAX = 8 };
#define REST_MS (30 * MS_PER_SECOND)

struct question {
    struct profiles *profiles;
    uint32_t friend;
    bool in_flight;
    struct pacing_stamp stamp;
};

struct profiles {
    struct core *core;
    struct line_client *client;
    struct pacing *pacing;
    uint32_t cursor; /* friends below it have been asked about in this run */
    int64_t rest_until_ms;
    uint32_t in_flight;
    struct question questions[ASKED_AT_ONCE_MAX];
};

struct profiles *
profiles_new(struct core *core, struct line_client *client, struct pacing *pacing)
{
    struct profiles *profiles = calloc(1, sizeof(*profiles));
    assert(profiles != NULL);
    profiles->core = core;
    profiles->client = client;
    profiles->pacing = pacing;
    return profiles;
}

void
profiles_free(struct profiles *profiles)
{
    free(profiles);
}

static struct span
text_of(const json_t *json, const char *key)
{
    return span_cstr(json_string_value(json_object_get(json, key)));
}

static void
book(struct profiles *profiles, uint32_t friend, const struct line_answer *answer)
{
    struct input input = {.kind = INPUT_PROFILE,
                          .at_ms = clock_now_ms(core_clock(profiles->core)),
                          .u.profile = {.friend = friend}};
    json_t *json = NULL;
    if (answer->status == 200) {
        json = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);
        input.u.profile.found = json_is_object(json);
        input.u.profile.name = text_of(json, "displayName");
        input.u.profile.picture = text_of(json, "pictureUrl");
        input.u.profile.language = text_of(json, "language");
    }
    uint32_t count = 0;
    (void)core_input(profiles->core, &input, &count);
    json_decref(json);
}

static void
home(struct question *question, enum pacing_news news, int64_t retry_after_s)
{
    struct profiles *profiles = question->profiles;
    question->in_flight = false;
    profiles->in_flight--;
    pacing_return(profiles->pacing, LINE_PROFILE, question->stamp, news, retry_after_s,
                  clock_now_ms(core_clock(profiles->core)));
}

static void
on_answer(void *context, const struct line_answer *answer)
{
    struct question *question = context;
    struct profiles *profiles = question->profiles;
    bool answered = answer->transport == LINE_ANSWERED;
    home(question,
         !answered || answer->status >= 500 || answer->status == 401 ? NEWS_BAD
         : answer->status == 429                                     ? NEWS_SLOW
                                                                     : NEWS_GOOD,
         answer->retry_after_s);
    if (answered && (answer->status == 200 || answer->status == 404 || answer->status == 400)) {
        book(profiles, question->friend, answer);
        return;
    }
    /* LINE is not well: rest, and go over the friends again from this one on. */
    profiles->rest_until_ms = clock_now_ms(core_clock(profiles->core)) + REST_MS;
    if (question->friend < profiles->cursor) {
        profiles->cursor = question->friend;
    }
}

static void
ask_now(void *context)
{
    struct question *question = context;
    struct profiles *profiles = question->profiles;
    char room[LINE_ID_ROOM];
    const char *user_id = state_line_id(core_state(profiles->core), question->friend, room);
    if (user_id == NULL) { /* forgotten meanwhile */
        home(question, NEWS_NONE, -1);
        return;
    }
    struct line_request request = {.endpoint = LINE_PROFILE,
                                   .user_id = span_cstr(user_id),
                                   .now_ms = clock_now_ms(core_clock(profiles->core))};
    profiles->client->send(profiles->client, &request, on_answer, question);
}

static bool
is_asked(const struct profiles *profiles, uint32_t friend)
{
    for (uint32_t i = 0; i < ASKED_AT_ONCE_MAX; i++) {
        if (profiles->questions[i].in_flight && profiles->questions[i].friend == friend) {
            return true;
        }
    }
    return false;
}

static bool
wants_asking(const struct profiles *profiles, uint32_t friend)
{
    const struct friend_row *row = state_friend(core_state(profiles->core), friend);
    return !row->profile_asked && !row->blocked && row->has_id && !is_asked(profiles, friend);
}

void
profiles_pump(struct profiles *profiles)
{
    if (clock_now_ms(core_clock(profiles->core)) < profiles->rest_until_ms) {
        return;
    }
    for (uint32_t i = 0; i < ASKED_AT_ONCE_MAX; i++) {
        struct question *question = &profiles->questions[i];
        if (question->in_flight) {
            continue;
        }
        while (profiles->cursor < core_state(profiles->core)->friends.count &&
               !wants_asking(profiles, profiles->cursor)) {
            profiles->cursor++;
        }
        int64_t now_ms = clock_now_ms(core_clock(profiles->core));
        if (profiles->cursor >= core_state(profiles->core)->friends.count ||
            pacing_next(profiles->pacing, LINE_PROFILE, now_ms) > now_ms) {
            return;
        }
        *question = (struct question){profiles, profiles->cursor++, true,
                                      pacing_depart(profiles->pacing, LINE_PROFILE, now_ms)};
        profiles->in_flight++;
        core_after(profiles->core, ask_now, question);
    }
}

uint32_t
profiles_in_flight(const struct profiles *profiles)
{
    return profiles->in_flight;
}

int64_t
profiles_next(const struct profiles *profiles)
{
    bool waiting = profiles->cursor < core_state(profiles->core)->friends.count;
    if (!waiting || profiles->in_flight == ASKED_AT_ONCE_MAX) {
        return INT64_MAX;
    }
    int64_t next_ms =
        pacing_next(profiles->pacing, LINE_PROFILE, clock_now_ms(core_clock(profiles->core)));
    return next_ms > profiles->rest_until_ms ? next_ms : profiles->rest_until_ms;
}
