/* replay, digest: the log folded to a state. */
#include "tools/steplog/commands.h"
#include "tools/steplog/facts.h"

static json_t *
facts_of(const struct reader *reader, const struct state *state)
{
    uint64_t blocked = 0, values = 0, enrolments = 0, planned = 0, intended = 0, tags = 0;
    for (uint32_t i = 0; i < state->friends.count; i++) {
        blocked += state_friend(state, i)->blocked;
    }
    for (uint32_t i = 0; i < state->columns.count; i++) {
        values += state->columns.numbers[i].set_count + state->columns.texts[i].set_count;
    }
    for (uint32_t i = 0; i < state->enrolments.count; i++) {
        enrolments += state_enrolment(state, i)->phase != ENROLMENT_FREE;
    }
    for (uint32_t i = 0; i < state->deliveries.count; i++) {
        planned += state_delivery(state, i)->phase == DELIVERY_PLANNED;
        intended += state_delivery(state, i)->phase == DELIVERY_INTENDED;
    }
    for (uint32_t i = 0; i < state->definitions->tag_names.count; i++) {
        tags += state_tag_count(state, i);
    }
    json_t *facts = json_object();
    struct buf at = {0};
    event_instant_text(state->at_ms, reader_zone(reader, state->definitions), &at);
    facts_set_count(facts, "events", state->seq);
    json_object_set_new(facts, "at", json_string(state->seq == 0 ? "-" : buf_cstr(&at)));
    facts_set_count(facts, "friends", state->friends.count);
    facts_set_count(facts, "friends_blocked", blocked);
    facts_set_count(facts, "tags_given", tags);
    facts_set_count(facts, "fields_set", values);
    facts_set_count(facts, "enrolments", enrolments);
    facts_set_count(facts, "deliveries_planned", planned);
    facts_set_count(facts, "deliveries_intended", intended);
    facts_set_count(facts, "definitions_event", state->definitions_seq);
    facts_set_count(facts, "claims", state->run_count);
    facts_set_digest(facts, state_digest(state));
    buf_fini(&at);
    return facts;
}

/* Folds up to --until and prints what `make` finds in the state. */
static int
replay_and_print(struct reader *reader,
                 json_t *(*make)(const struct reader *reader, const struct state *state))
{
    struct engine *engine = reader_engine();
    struct buf error = {0};
    struct replay_options options = {
        .log = reader->log, .engine = engine, .zones = zones_source(reader->zones)};
    int code = reader_place(reader, "until", &options.until_seq, &options.until_ms);
    if (code == EXIT_DONE) {
        enum rc rc = replay_run(&options, &error);
        if (rc == RC_OK) {
            facts_print(reader, make(reader, engine_state(engine)));
        } else {
            code = reader_failed(rc, buf_cstr(&error));
        }
    }
    buf_fini(&error);
    engine_free(engine);
    return code;
}

int
command_replay(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = replay_and_print(&reader, facts_of);
    }
    reader_close(&reader);
    return code;
}

static json_t *
digest_of(const struct reader *reader, const struct state *state)
{
    (void)reader;
    json_t *facts = json_object();
    facts_set_count(facts, "events", state->seq);
    facts_set_digest(facts, state_digest(state));
    return facts;
}

int
command_digest(const struct invocation *invocation)
{
    struct reader reader;
    int code = reader_open(&reader, invocation, 0);
    if (code == EXIT_DONE) {
        code = replay_and_print(&reader, digest_of);
    }
    reader_close(&reader);
    return code;
}
